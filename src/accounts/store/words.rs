//! The words of the list: how an account is doing, and in which order they come.

use std::str::FromStr;

/// How an account is doing, in one word, as the view `account_health` says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// A person has to act.
    Attention,
    /// Something is wrong that passes by itself.
    Waiting,
    Syncing,
    /// For some hours, or outside working hours.
    Paused,
    Off,
    Setup,
    None,
    Removing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such word")]
pub struct UnknownWord;

impl Health {
    pub const ALL: [Self; 8] = [
        Self::Attention,
        Self::Waiting,
        Self::Syncing,
        Self::Paused,
        Self::Off,
        Self::Setup,
        Self::None,
        Self::Removing,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Attention => "attention",
            Self::Waiting => "waiting",
            Self::Syncing => "syncing",
            Self::Paused => "paused",
            Self::Off => "off",
            Self::Setup => "setup",
            Self::None => "none",
            Self::Removing => "removing",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Attention => "Needs attention",
            Self::Waiting => "Waiting for it to pass",
            Self::Syncing => "Syncing",
            Self::Paused => "Paused",
            Self::Off => "Switched off",
            Self::Setup => "Setup not complete",
            Self::None => "No integration",
            Self::Removing => "Removing",
        }
    }

    /// The kind of its icon and colour.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Attention => "danger",
            Self::Waiting | Self::Setup => "warn",
            Self::Syncing => "ok",
            Self::Paused | Self::Off | Self::None => "neutral",
            Self::Removing => "working",
        }
    }
}

impl FromStr for Health {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|health| health.as_str() == text).ok_or(UnknownWord)
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    #[default]
    Name,
    NameBackwards,
    Gravest,
    Newest,
    Oldest,
}

impl Sort {
    pub const ALL: [Self; 5] =
        [Self::Name, Self::NameBackwards, Self::Gravest, Self::Newest, Self::Oldest];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::NameBackwards => "-name",
            Self::Gravest => "health",
            Self::Newest => "newest",
            Self::Oldest => "oldest",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Name => "Name, A to Z",
            Self::NameBackwards => "Name, Z to A",
            Self::Gravest => "Health, gravest first",
            Self::Newest => "Newest first",
            Self::Oldest => "Oldest first",
        }
    }
}

impl FromStr for Sort {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|sort| sort.as_str() == text).ok_or(UnknownWord)
    }
}
