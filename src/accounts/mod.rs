//! The partner's customers.
