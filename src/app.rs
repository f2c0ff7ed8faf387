//! The composition root: serve and sync, and stop together.
