//! The setup check: whether everything an integration needs is really there, line by line.
//!
//! A run looks at both outside systems and writes each line down as soon as it is known, so
//! that a page can watch it. Somebody asks for a run, or the night does: each integration has a
//! moment of its own in it. A look-up that failed is never shown as a pass, and what was not
//! looked at says why.

mod checker;
mod clock;
mod cloudlink_side;
mod errand;
mod judge;
mod lines;
mod microsoft_side;
mod night;
pub mod pages;
mod people;
mod pilot;
mod run;
pub mod store;

pub use checker::{Checker, check_now};
pub use errand::Sum;
pub use lines::{Finding, Line, Mend, State};
pub use pages::routes;
