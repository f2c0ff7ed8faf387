//! Microsoft: signing in as an application, the directory, and presence.

/// Our way to Microsoft: one HTTP client, and the tokens it was given.
#[derive(Clone, Debug)]
pub struct Microsoft;
