//! What the database knows of staff: one file per table, or nearly.

mod accounts;
pub mod attempts;
mod links;
mod listed;
mod people;
mod reseal;
pub mod second_factor;
mod sessions;
mod setup;
mod upkeep;

pub use accounts::*;
pub use links::*;
pub use listed::*;
pub use people::*;
pub use reseal::reseal;
pub use sessions::*;
pub use setup::*;
pub use upkeep::forget_expired;
