//! Whatever can go wrong around the portal, each fault with a crowd of telephones meanwhile. After
//! each, nothing that was taken is missing, and Teams holds what the events said, for everybody.
//!
//! The portal is the program itself, in a process of its own; its clock is the wall's. So these
//! tests take minutes: `cargo test --test faults`. What they wait for is a condition, with far
//! more patience than is promised, and they print how long it really took.
//! `PORTAL_FAULT_ROUNDS=100` kills the portal a hundred times instead of a few;
//! `PORTAL_FAULT_ACCOUNTS` is how many there are where one of them hangs, a thousand if not said.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop there")]
#![expect(clippy::print_stderr, reason = "figures are for whoever watches")]

mod database;
mod isolation;
mod killing;
mod mail;
mod outside;
mod pooler;
#[expect(dead_code, reason = "the stage is set before all the actors are on")]
mod support;
