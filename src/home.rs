//! What needs a person today.
