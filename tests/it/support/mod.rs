//! The stage: a database per test, a browser with no window, and time that stands still.

mod browser;
pub mod database;
mod elsewhere;
mod hands;
mod page;
mod people;
mod stage;
mod wait;

pub use browser::Browser;
pub use elsewhere::{Elsewhere, Heard, Reply};
pub use hands::{Hands, holds, run_is};
pub use page::{Form, Page};
pub use people::id;
pub use stage::{PASSWORD, Stage, settings};
pub use wait::until;
