//! A message, as it is kept, as a webhook gets it, and as all other forms are made from.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use url::Url;

use super::open::{CHECK, NEXT, Open, SECRET};
use super::reason::Reason;
use crate::config::Config;
use crate::ids::{AccountId, MessageId};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Event {
    #[serde(rename = "problem.opened")]
    Opened,
    /// The same thing is wrong for another reason.
    #[serde(rename = "problem.changed")]
    Changed,
    #[serde(rename = "problem.resolved")]
    Resolved,
    #[serde(rename = "secret.expiring")]
    Reminder,
    #[serde(rename = "test")]
    Test,
}

impl Event {
    /// As webhooks name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "problem.opened",
            Self::Changed => "problem.changed",
            Self::Resolved => "problem.resolved",
            Self::Reminder => "secret.expiring",
            Self::Test => "test",
        }
    }
}

/// How urgent it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Somebody has to act.
    Critical,
    /// Somebody should, or it passes by itself.
    Warning,
    /// It is over.
    Resolved,
    Info,
}

/// One message to one recipient. The names of its fields are promised to receivers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    pub id: MessageId,
    pub event: Event,
    pub at: DateTime<Utc>,
    pub severity: Severity,
    /// What is the matter, in a few words.
    pub title: String,
    /// What to do about it.
    pub advice: String,
    /// Where this portal is.
    pub portal: String,
    /// Every account it is about.
    pub accounts: Vec<About>,
}

/// One account, and what there is to say of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    pub account: AccountId,
    pub name: String,
    /// `microsoft`, `directory` or `feed`, as the side of the sync is called; or `client-secret`,
    /// `next-credential`, `setup-check`.
    pub problem: String,
    /// A named cause; a receiver may know it from the messages before.
    pub cause: String,
    pub detail: String,
    pub since: Option<DateTime<Utc>>,
    /// Where it is mended.
    pub url: String,
}

impl Message {
    pub fn test(config: &Config, now: DateTime<Utc>) -> Self {
        Self {
            id: MessageId::new(),
            event: Event::Test,
            at: now,
            severity: Severity::Info,
            title: "This is a test".to_owned(),
            advice: "Somebody pressed Send a test. This is how you will hear of problems, and that they are over.".to_owned(),
            portal: config.public_url.to_string(),
            accounts: Vec::new(),
        }
    }

    /// Of problems that have their reason in common.
    pub fn of(config: &Config, event: Event, reason: &Reason, now: DateTime<Utc>) -> Self {
        let severity = match event {
            Event::Resolved => Severity::Resolved,
            _ if reason.is_early() => Severity::Warning,
            _ if reason.needs_person() => Severity::Critical,
            _ => Severity::Warning,
        };
        let advice = match event {
            Event::Resolved => reason.advice_when_over().to_owned(),
            _ => reason.advice(),
        };
        Self {
            id: MessageId::new(),
            event,
            at: now,
            severity,
            title: reason.title(),
            advice,
            portal: config.public_url.to_string(),
            accounts: Vec::new(),
        }
    }

    /// The title, behind what has become of it.
    pub fn headline(&self) -> String {
        match self.event {
            Event::Resolved => format!("Resolved: {}", self.title),
            Event::Changed => format!("Now: {}", self.title),
            Event::Opened | Event::Reminder | Event::Test => self.title.clone(),
        }
    }

    /// The headline and where: what stands in a list, and as a mail’s subject.
    pub fn subject(&self) -> String {
        match self.accounts.as_slice() {
            [] => self.headline(),
            [one] => format!("{}: {}", one.name, self.headline()),
            many => format!("{} accounts: {}", many.len(), self.headline()),
        }
    }
}

impl About {
    pub fn open(open: &Open, public_url: &Url) -> Self {
        Self {
            account: open.account,
            name: open.name.clone(),
            problem: open.problem.clone(),
            cause: open.reason.group(),
            detail: open.detail.clone(),
            since: open.since,
            url: link(public_url, &open.path),
        }
    }

    pub fn over(
        (account, name): (AccountId, &str),
        (problem, reason): (&str, &Reason),
        public_url: &Url,
    ) -> Self {
        let page = match problem {
            SECRET | NEXT | CHECK => "integrations",
            _ => "presence",
        };
        Self {
            account,
            name: name.to_owned(),
            problem: problem.to_owned(),
            cause: reason.group(),
            detail: String::new(),
            since: None,
            url: link(public_url, &format!("/accounts/{account}/{page}")),
        }
    }
}

/// A page of this portal as the world outside reaches it.
pub fn link(public_url: &Url, path: &str) -> String {
    format!("{}{path}", public_url.as_str().trim_end_matches('/'))
}
