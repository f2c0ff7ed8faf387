//! What the sync worker promises, each promise held against the sandbox.

mod clearing;
mod clock;
mod credentials;
mod expiry;
mod faults;
mod models;
mod node;
mod nodes;
mod office;
mod pausing;
mod pushing;
mod removal;
mod rest;
mod sharing;
mod telling;
mod watched;
mod webhook;

pub use office::Office;
