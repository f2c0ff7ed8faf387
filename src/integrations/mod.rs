//! Applications added to an account, their credentials and what they are switched to do.
