//! A calendar of the days on which secrets end, for calendar programs to read.
//!
//! Its address is the only key to it: unguessable, kept as a digest, revocable. What stands in
//! it is no secret, but names customers.

mod ics;
pub mod store;

pub use ics::{Ending, calendar};
