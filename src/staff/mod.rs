//! The people who sign in: roles, sessions, who may see what.
