//! Presence in Teams: what can be shown, setting it, clearing it, reading it.

use std::str::FromStr;
use std::time::Duration;

use super::{Answered, Connection, Microsoft, Refusal};
use crate::ids::EntraUserId;

/// What Teams can be made to show: the five pairs that Graph accepts, and no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shows {
    Available,
    InACall,
    InAConferenceCall,
    Away,
    Presenting,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Choose one of the states in the list.")]
pub struct UnknownShows;

impl Shows {
    pub const ALL: [Self; 5] =
        [Self::Available, Self::InACall, Self::InAConferenceCall, Self::Away, Self::Presenting];

    /// As the database and forms write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::InACall => "in-a-call",
            Self::InAConferenceCall => "in-a-conference-call",
            Self::Away => "away",
            Self::Presenting => "presenting",
        }
    }

    /// As Teams shows it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Available => "Available",
            Self::InACall => "In a call",
            Self::InAConferenceCall => "In a conference call",
            Self::Away => "Away",
            Self::Presenting => "Presenting",
        }
    }

    pub fn availability(self) -> &'static str {
        match self {
            Self::Available => "Available",
            Self::InACall | Self::InAConferenceCall => "Busy",
            Self::Away => "Away",
            Self::Presenting => "DoNotDisturb",
        }
    }

    pub fn activity(self) -> &'static str {
        match self {
            Self::Available => "Available",
            Self::InACall => "InACall",
            Self::InAConferenceCall => "InAConferenceCall",
            Self::Away => "Away",
            Self::Presenting => "Presenting",
        }
    }

    /// How long a session lasts unless it is renewed: short for what a crash must not leave behind.
    pub fn session(self) -> Duration {
        match self {
            Self::Available | Self::InACall | Self::InAConferenceCall => Duration::from_mins(5),
            Self::Away | Self::Presenting => Duration::from_hours(1),
        }
    }

    /// When to set it again: before the session ends, and before `Available` fades.
    pub fn renew_after(self) -> Duration {
        match self {
            Self::Available | Self::InACall | Self::InAConferenceCall => Duration::from_mins(4),
            Self::Away | Self::Presenting => Duration::from_mins(50),
        }
    }
}

impl FromStr for Shows {
    type Err = UnknownShows;

    fn from_str(text: &str) -> Result<Self, UnknownShows> {
        Self::ALL.into_iter().find(|shows| shows.as_str() == text).ok_or(UnknownShows)
    }
}

/// What Teams shows for a user, all sessions and their own choice taken together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TeamsPresence {
    pub user: EntraUserId,
    /// Open lists on Microsoft's side: compare without case and expect anything.
    pub availability: String,
    pub activity: String,
    pub out_of_office: bool,
}

/// How many users one question about presence may name.
pub const PRESENCES_AT_ONCE: usize = 650;

impl Microsoft {
    /// Sets our session for `user`, or renews it.
    pub async fn set_presence(
        &self,
        connection: &Connection,
        user: EntraUserId,
        shows: Shows,
    ) -> Answered<()> {
        let _ = (connection, user, shows);
        self.not_yet().await
    }

    /// Ends our session for `user`. One that is not there counts as ended.
    pub async fn clear_presence(&self, connection: &Connection, user: EntraUserId) -> Answered<()> {
        let _ = (connection, user);
        self.not_yet().await
    }

    /// Reads what Teams shows for up to [`PRESENCES_AT_ONCE`] users; those it does not know are left out.
    pub async fn presences(
        &self,
        connection: &Connection,
        users: &[EntraUserId],
    ) -> Result<Vec<TeamsPresence>, Refusal> {
        let _ = (connection, users);
        self.not_yet().await.outcome.map(|()| Vec::new())
    }
}
