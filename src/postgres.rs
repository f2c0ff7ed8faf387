//! The embedded default: a private Postgres in the data directory.
