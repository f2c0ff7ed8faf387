//! Keeps Teams saying what the telephone says.

pub mod delays;
