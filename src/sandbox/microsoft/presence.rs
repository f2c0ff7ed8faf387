//! What Teams makes of everybody's sessions: precedence, the fade of Available, and expiry.
//!
//! Nothing runs down by itself: what is shown is worked out from the time it is asked at.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use crate::ids::ClientId;

/// An availability with its activity, as Graph writes them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Pair {
    pub availability: String,
    pub activity: String,
}

/// A presence session: an app's, made by `setPresence`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Session {
    /// The client id of the app that made it.
    #[serde(rename = "sessionId")]
    pub owner: ClientId,
    #[serde(flatten)]
    pub shows: Pair,
    pub set_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

/// What a person picked by hand, which stands above every session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preferred {
    pub shows: Pair,
    pub expires_at: DateTime<Utc>,
}

/// All that decides what Teams shows for one user.
#[derive(Clone, Debug, Default)]
pub(crate) struct Presence {
    sessions: Vec<Session>,
    /// The person's own Teams client, while it is signed in.
    client: Option<(Pair, DateTime<Utc>)>,
    preferred: Option<Preferred>,
    pub(crate) status_message: Option<serde_json::Value>,
    /// Rises with every change; `sequenceNumber` on read.
    pub(crate) sequence: u64,
}

/// The five pairs that `setPresence` takes.
const SESSION_PAIRS: [(&str, &str); 5] = [
    ("Available", "Available"),
    ("Busy", "InACall"),
    ("Busy", "InAConferenceCall"),
    ("Away", "Away"),
    ("DoNotDisturb", "Presenting"),
];

/// The six that `setUserPreferredPresence` takes.
const PREFERRED_PAIRS: [(&str, &str); 6] = [
    ("Available", "Available"),
    ("Busy", "Busy"),
    ("DoNotDisturb", "DoNotDisturb"),
    ("BeRightBack", "BeRightBack"),
    ("Away", "Away"),
    ("Offline", "OffWork"),
];

const FADES_AFTER: TimeDelta = TimeDelta::minutes(5);
const FADED_AFTER: TimeDelta = TimeDelta::minutes(10);

impl Pair {
    pub fn new(availability: &str, activity: &str) -> Self {
        Self { availability: availability.to_owned(), activity: activity.to_owned() }
    }

    pub(crate) fn may_be_a_session(&self) -> bool {
        SESSION_PAIRS.contains(&(&self.availability, &self.activity))
    }

    pub(crate) fn may_be_preferred(&self) -> bool {
        PREFERRED_PAIRS.contains(&(&self.availability, &self.activity))
    }

    fn is_available(&self) -> bool {
        self.availability == "Available"
    }

    /// `DoNotDisturb` before `Busy` before `Available` before `Away`.
    fn rank(&self) -> u8 {
        match self.availability.as_str() {
            "DoNotDisturb" => 4,
            "Busy" => 3,
            "Available" => 2,
            _ => 1,
        }
    }
}

impl Session {
    /// An `Available` that nobody renews becomes inactive, then away, however long it was to last.
    fn shows_at(&self, now: DateTime<Utc>) -> Pair {
        let age = now - self.set_at;
        if !self.shows.is_available() || age < FADES_AFTER {
            self.shows.clone()
        } else if age < FADED_AFTER {
            Pair::new("Available", "AvailableInactive")
        } else {
            Pair::new("Away", "Away")
        }
    }
}

impl Presence {
    /// What everybody sees now.
    pub(crate) fn aggregate(&self, now: DateTime<Utc>) -> Pair {
        let of_apps = self.running(now).map(|session| (session.shows_at(now), session.set_at));
        let sessions = of_apps.chain(self.client.clone());
        let Some((shown, _)) = sessions.max_by_key(|(pair, set_at)| (pair.rank(), *set_at)) else {
            return Pair::new("Offline", "Offline");
        };
        match &self.preferred {
            Some(preferred) if preferred.expires_at > now => preferred.shows.clone(),
            _ => shown,
        }
    }

    pub(crate) fn session(&self, owner: ClientId, now: DateTime<Utc>) -> Option<&Session> {
        self.running(now).find(|session| session.owner == owner)
    }

    pub(crate) fn sessions(&self, now: DateTime<Utc>) -> Vec<Session> {
        self.running(now).cloned().collect()
    }

    pub(crate) fn preferred(&self, now: DateTime<Utc>) -> Option<&Preferred> {
        self.preferred.as_ref().filter(|preferred| preferred.expires_at > now)
    }

    pub(crate) fn client(&self) -> Option<&Pair> {
        self.client.as_ref().map(|(pair, _)| pair)
    }

    /// Makes the owner's session, or puts this one in its place.
    pub(crate) fn set(&mut self, session: Session, now: DateTime<Utc>) {
        self.sessions.retain(|other| other.owner != session.owner && other.expires_at > now);
        self.sessions.push(session);
        self.sequence += 1;
    }

    /// Ends the owner's session; false when there is none.
    pub(crate) fn clear(&mut self, owner: ClientId, now: DateTime<Utc>) -> bool {
        let there = self.session(owner, now).is_some();
        self.sessions.retain(|session| session.owner != owner && session.expires_at > now);
        self.sequence += u64::from(there);
        there
    }

    pub(crate) fn prefer(&mut self, preferred: Option<Preferred>) {
        self.preferred = preferred;
        self.sequence += 1;
    }

    /// The person's own Teams client signs in showing this, or signs out.
    pub(crate) fn sign_in(&mut self, shows: Option<Pair>, now: DateTime<Utc>) {
        self.client = shows.map(|pair| (pair, now));
        self.sequence += 1;
    }

    fn running(&self, now: DateTime<Utc>) -> impl Iterator<Item = &Session> {
        self.sessions.iter().filter(move |session| session.expires_at > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noon() -> DateTime<Utc> {
        "2026-11-23T12:00:00Z".parse().unwrap()
    }

    fn session(app: u128, availability: &str, activity: &str, minutes: i64) -> Session {
        Session {
            owner: uuid::Uuid::from_u128(app).into(),
            shows: Pair::new(availability, activity),
            set_at: noon(),
            expires_at: noon() + TimeDelta::minutes(minutes),
        }
    }

    #[test]
    fn do_not_disturb_beats_busy_beats_available_beats_away() {
        let mut presence = Presence::default();
        for (app, availability, activity) in [
            (1, "Away", "Away"),
            (2, "Available", "Available"),
            (3, "Busy", "InACall"),
            (4, "DoNotDisturb", "Presenting"),
        ] {
            presence.set(session(app, availability, activity, 60), noon());
            assert_eq!(presence.aggregate(noon()), Pair::new(availability, activity));
        }
    }

    #[test]
    fn a_preferred_presence_shows_only_while_there_is_a_session() {
        let mut presence = Presence::default();
        let expires_at = noon() + TimeDelta::days(1);
        presence.prefer(Some(Preferred { shows: Pair::new("Busy", "Busy"), expires_at }));
        assert_eq!(presence.aggregate(noon()).availability, "Offline");
        presence.set(session(1, "DoNotDisturb", "Presenting", 60), noon());
        assert_eq!(presence.aggregate(noon()), Pair::new("Busy", "Busy"));
    }

    #[test]
    fn available_fades_and_a_call_does_not() {
        let mut presence = Presence::default();
        presence.set(session(1, "Available", "Available", 240), noon());
        let after = |minutes| noon() + TimeDelta::minutes(minutes);
        assert_eq!(presence.aggregate(after(4)).activity, "Available");
        assert_eq!(presence.aggregate(after(5)).activity, "AvailableInactive");
        assert_eq!(presence.aggregate(after(10)).activity, "Away");
        assert_eq!(presence.aggregate(after(240)).activity, "Offline");
        presence.set(session(1, "Busy", "InACall", 240), noon());
        assert_eq!(presence.aggregate(after(239)).activity, "InACall");
    }
}
