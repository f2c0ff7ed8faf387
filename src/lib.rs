//! The portal between CloudLink telephones and Microsoft Teams: pages for the
//! people who look after hundreds of customers, and a worker for each customer
//! that keeps Teams saying what the telephone says.
//!
//! Modules are listed in the order they may depend on one another: a module
//! uses only those above it. `tests/it/architecture.rs` holds us to that.

#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

pub mod kit;
pub mod ids;
pub mod config;
pub mod telemetry;
pub mod postgres;
pub mod microsoft;
pub mod cloudlink;
pub mod post;
pub mod state;
pub mod web;
pub mod audit;
pub mod staff;
pub mod runs;
pub mod accounts;
pub mod integrations;
pub mod presence;
pub mod checks;
pub mod fleet;
pub mod notifications;
pub mod home;
pub mod settings;
pub mod palette;
pub mod routes;
pub mod app;
pub mod sandbox;
pub mod cli;
