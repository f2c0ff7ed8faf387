//! What the sync worker promises, each promise held against the sandbox.

mod clearing;
mod faults;
mod models;
mod node;
mod nodes;
mod office;
mod pushing;
mod removal;
mod webhook;

pub use office::Office;
