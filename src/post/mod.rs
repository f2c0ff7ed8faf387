//! The two ways out for what people are told: mail, and webhooks.
//!
//! Nothing here knows what is told, or whether it was told before. Whoever hands something
//! over is told in turn what the other side answered, in its own words.

mod address;
pub mod hook;
pub mod mail;
pub mod sign;

use std::time::Duration;

pub use hook::{HookUrl, Hooks};
pub use mail::{Letter, Mail};

use crate::config::Config;

/// Both, as every handler is given them.
#[derive(Clone)]
pub struct Post {
    pub mail: Mail,
    pub hooks: Hooks,
}

impl Post {
    pub fn new(config: &Config) -> anyhow::Result<Self> {
        Ok(Self {
            mail: Mail::new(config.mail.as_ref())?,
            hooks: Hooks::new(config.webhook_hosts.clone())?,
        })
    }
}

/// The other side took it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Such as `250 2.0.0 queued as 4F1` or `202 Accepted`.
    pub answer: String,
}

/// It did not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// What it said, or what became of the connection.
    pub answer: String,
    /// Whether it will hardly say otherwise until somebody changes something.
    pub lasting: bool,
    pub retry_after: Option<Duration>,
}

impl Refused {
    fn passing(answer: impl Into<String>) -> Self {
        Self { answer: answer.into(), lasting: false, retry_after: None }
    }

    fn lasting(answer: impl Into<String>) -> Self {
        Self { answer: answer.into(), lasting: true, retry_after: None }
    }
}
