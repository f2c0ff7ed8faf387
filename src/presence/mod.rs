//! Keeps Teams saying what the telephone says.
