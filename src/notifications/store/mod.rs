//! What the database knows of channels, of what was told, and of messages on their way.

pub mod channels;
pub mod open;
pub mod outbox;
mod reseal;
pub mod told;

pub use reseal::reseal;
