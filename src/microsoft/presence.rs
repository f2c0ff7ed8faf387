//! Presence in Teams: what can be shown, setting it, clearing it, reading it.

use std::str::FromStr;
use std::time::Duration;

use reqwest::Method;
use serde::Serialize;

use super::ask::Ask;
use super::codes::Area;
use super::wire::{self, ClearPresence, SetPresence, WhosePresence};
use super::{Answered, Cause, Cloud, Connection, Microsoft, Refusal};
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

    /// The same as Graph wants it written.
    fn expiration(self) -> &'static str {
        match self {
            Self::Available | Self::InACall | Self::InAConferenceCall => "PT5M",
            Self::Away | Self::Presenting => "PT1H",
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

/// How long an answer about presence may take: what it is about has moved on by then.
const WAIT: Duration = Duration::from_secs(10);

const LONGEST: usize = 4 * 1024 * 1024;

impl Microsoft {
    /// Sets our session for `user`, or renews it.
    pub async fn set_presence(
        &self,
        connection: &Connection,
        user: EntraUserId,
        shows: Shows,
    ) -> Answered<()> {
        self.set_presence_for(connection, user, shows, shows.expiration()).await
    }

    /// Sets it for five minutes, whatever it is: nobody is going to renew it.
    pub async fn set_presence_briefly(
        &self,
        connection: &Connection,
        user: EntraUserId,
        shows: Shows,
    ) -> Answered<()> {
        self.set_presence_for(connection, user, shows, "PT5M").await
    }

    async fn set_presence_for(
        &self,
        connection: &Connection,
        user: EntraUserId,
        shows: Shows,
        lasts: &'static str,
    ) -> Answered<()> {
        let body = SetPresence {
            session_id: connection.client,
            availability: shows.availability(),
            activity: shows.activity(),
            expiration_duration: lasts,
        };
        let path = format!("users/{user}/presence/setPresence");
        match self.presence_ask(connection.cloud, "set-presence", Area::Presence, &path, &body) {
            Ok(ask) => self.ask(connection, &ask).await.done().await,
            Err(refusal) => Answered::unasked(refusal),
        }
    }

    /// Ends our session for `user`. One that is not there counts as ended.
    pub async fn clear_presence(&self, connection: &Connection, user: EntraUserId) -> Answered<()> {
        let body = ClearPresence { session_id: connection.client };
        let path = format!("users/{user}/presence/clearPresence");
        let ask =
            self.presence_ask(connection.cloud, "clear-presence", Area::Presence, &path, &body);
        let answered = match ask {
            Ok(ask) => self.ask(connection, &ask).await.done().await,
            Err(refusal) => return Answered::unasked(refusal),
        };
        let gone = matches!(&answered.outcome, Err(it) if it.cause == Cause::NoSuchUser);
        if gone { answered.and(Ok(())) } else { answered }
    }

    /// Reads what Teams shows for up to [`PRESENCES_AT_ONCE`] users; those it does not know are left out.
    pub async fn presences(
        &self,
        connection: &Connection,
        users: &[EntraUserId],
    ) -> Result<Vec<TeamsPresence>, Refusal> {
        let path = "communications/getPresencesByUserId";
        let body = WhosePresence { ids: users };
        let ask = self.presence_ask(connection.cloud, "presences", Area::Presences, path, &body)?;
        self.ask(connection, &ask).await.read(LONGEST, wire::presences).await
    }

    fn presence_ask(
        &self,
        cloud: Cloud,
        name: &'static str,
        area: Area,
        path: &str,
        body: &impl Serialize,
    ) -> Result<Ask, Refusal> {
        let body = serde_json::to_vec(body)
            .map_err(|error| Refusal::new(Cause::Unexpected, error.to_string()))?;
        let url = self.graph(cloud, path)?;
        Ok(Ask { name, area, method: Method::POST, url, body: Some(body), wait: WAIT })
    }
}
