//! One thing that needs a person: its cause, the accounts that have it, and the buttons that mend it.

use chrono::{DateTime, Utc};

use crate::ids::{AccountId, MonitorId};
use crate::kit::text;
use crate::presence::pages::Mend;
use crate::staff::Right;

/// One cause, and the accounts that have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Concern {
    /// danger, warn or info: how urgent it is.
    pub kind: &'static str,
    pub title: String,
    pub advice: String,
    pub places: Vec<Place>,
    /// How many accounts (or monitors) have it, those not named included.
    pub all: i64,
    /// Where all of them are listed.
    pub list: Option<String>,
    /// What mends all of them at once, and where.
    pub at_once: Option<(&'static str, &'static str)>,
    /// Since when the first of them has it, where that is known.
    pub since: Option<DateTime<Utc>>,
}

/// One account, and the way to mend it there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub account: AccountId,
    pub name: String,
    pub since: Option<DateTime<Utc>>,
    pub note: String,
    pub button: Option<Button>,
}

/// What mends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Button {
    Go(Mend),
    /// A presence monitor that was given the new secret, and where that is said.
    TickOff {
        monitor: MonitorId,
        name: String,
        action: String,
    },
}

impl Button {
    pub fn go(words: &'static str, href: String, right: Right) -> Self {
        Self::Go(Mend { words, href, right })
    }

    pub fn right(&self) -> Right {
        match self {
            Self::Go(mend) => mend.right,
            Self::TickOff { .. } => Right::Change,
        }
    }
}

impl Place {
    /// What tells it from the other places of its concern.
    pub fn key(&self) -> String {
        match &self.button {
            Some(Button::TickOff { monitor, .. }) => monitor.to_string(),
            _ => self.account.to_string(),
        }
    }
}

impl Concern {
    /// How many accounts are not named.
    pub fn unnamed(&self) -> i64 {
        self.all - i64::try_from(self.places.len()).unwrap_or(0)
    }

    /// All of them, in words.
    pub fn counted(&self) -> String {
        let ticked = |place: &Place| matches!(place.button, Some(Button::TickOff { .. }));
        let noun = if self.places.iter().any(ticked) { "monitor" } else { "account" };
        text::counted(self.all, noun)
    }
}
