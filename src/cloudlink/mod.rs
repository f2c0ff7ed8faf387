//! CloudLink: tokens, accounts, users, subscriptions, and what its webhooks say.

/// Our way to CloudLink: one HTTP client, and the tokens it was given.
#[derive(Clone, Debug)]
pub struct Cloudlink;
