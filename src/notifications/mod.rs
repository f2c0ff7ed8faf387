//! Tells people what is wrong with their accounts, and when it is over.
//!
//! What is open and what each recipient was told are both in tables. A scan (`scan`) compares
//! the two (`compare`, a pure function) and writes the difference into the outbox, in one
//! transaction: so nothing is told twice, and a crash loses nothing. Whichever node claims a
//! message hands it over (`deliver`), again and again until it is taken or given up. A message
//! keeps its id through all of that, for a receiver to whom it comes twice.

pub mod calendar;
mod compare;
mod deliver;
mod form;
pub mod message;
mod open;
mod pace;
mod pages;
mod reason;
mod run;
mod scan;
pub mod store;
mod words;

use std::str::FromStr;

use chrono::{DateTime, Utc};

use crate::ids::{AccountId, ChannelId};

pub use deliver::deliver;
pub use pages::routes;
pub use run::run;
pub use scan::scan;

/// How a channel reaches people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Mail,
    /// Plain JSON, signed.
    Webhook,
    /// What Slack and all that imitate it take.
    Slack,
    /// A card for a Teams workflow.
    Teams,
}

impl Kind {
    pub const ALL: [Self; 4] = [Self::Mail, Self::Webhook, Self::Slack, Self::Teams];

    /// As the database and addresses write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Webhook => "webhook",
            Self::Slack => "slack",
            Self::Teams => "teams",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Mail => "E-mail",
            Self::Webhook => "Webhook",
            Self::Slack => "Slack",
            Self::Teams => "Microsoft Teams",
        }
    }

    fn icon(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Webhook => "webhook",
            Self::Slack => "message-square",
            Self::Teams => "teams",
        }
    }

    /// What it is for, to choose by.
    fn purpose(self) -> &'static str {
        match self {
            Self::Mail => "To one or more addresses, by the mail server of this portal.",
            Self::Webhook => "Signed JSON, for a ticket system or a program of your own.",
            Self::Slack => {
                "To a channel of Slack, Mattermost, or whatever else takes Slack’s messages."
            }
            Self::Teams => {
                "A card in a Teams channel, by a workflow that posts what its webhook receives."
            }
        }
    }
}

#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("there is no such kind of channel")]
pub struct UnknownKind;

impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(UnknownKind)
    }
}

/// A way to tell people, without its secrets.
#[derive(Clone, Debug)]
pub struct Channel {
    pub id: ChannelId,
    /// None: the partner’s, which hears of every account.
    pub account: Option<AccountId>,
    pub kind: Kind,
    pub name: String,
    pub recipients: Vec<String>,
    pub url_shown: String,
    pub failures: i32,
    pub failing_since: Option<DateTime<Utc>>,
    pub failure: String,
    pub created_at: DateTime<Utc>,
}

impl Channel {
    /// Once may happen to anybody; twice in a row is worth a word.
    pub fn fails(&self) -> bool {
        self.failures >= 2
    }

    /// Where it leads, as far as that may be shown.
    pub fn leads_to(&self) -> String {
        match self.kind {
            Kind::Mail => self.recipients.join(", "),
            _ => self.url_shown.clone(),
        }
    }
}

/// The rows its secrets are sealed for.
pub fn url_owner(channel: ChannelId) -> String {
    format!("channel-url/{channel}")
}

pub fn key_owner(channel: ChannelId) -> String {
    format!("channel-key/{channel}")
}
