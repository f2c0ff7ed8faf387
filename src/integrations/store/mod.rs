//! What the database knows of integrations.

mod worker;

pub use worker::{Wish, connection_of, forget, syncing, wish};
