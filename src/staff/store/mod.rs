//! What the database knows of staff: one file per table, or nearly.

mod accounts;
pub mod attempts;
mod links;
mod listed;
mod people;
pub mod second_factor;
mod sessions;
mod setup;
mod upkeep;

pub use accounts::*;
pub use links::*;
pub use listed::*;
pub use people::*;
pub use sessions::*;
pub use setup::*;
pub use upkeep::forget_expired;
