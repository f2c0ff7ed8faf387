//! What is wrong now, account by account, as Home knows it.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::store::open::{Ending, Troubled};
use crate::ids::AccountId;
use crate::integrations::reminders;
use crate::presence::pages::{at, mend, title_of};
use crate::presence::trouble::Trouble;

/// What passes by itself is given so long to do so, as on Home.
pub const PATIENCE: TimeDelta = TimeDelta::minutes(15);
/// The problem of a secret that ends: all others are named by their side of the sync.
pub const SECRET: &str = "client-secret";

/// One problem of one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    pub account: AccountId,
    pub name: String,
    /// What cannot be wrong twice at once.
    pub problem: String,
    /// What it is told again for.
    pub reason: Reason,
    pub detail: String,
    pub since: Option<DateTime<Utc>>,
    /// Whether it is time to speak of it.
    pub ripe: bool,
    /// The page where it is mended.
    pub path: String,
}

/// Why something is wrong, as it is kept and compared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// A cause, by its key.
    Trouble(String),
    /// A secret ends on this day, and this step of the reminders has come.
    Ends { on: NaiveDate, step: i64 },
}

impl Reason {
    /// As it is kept.
    pub fn key(&self) -> String {
        match self {
            Self::Trouble(cause) => cause.clone(),
            Self::Ends { on, step } => format!("ends {on} {step}"),
        }
    }

    pub fn by_key(key: &str) -> Self {
        let ends = || {
            let (on, step) = key.strip_prefix("ends ")?.split_once(' ')?;
            Some(Self::Ends { on: on.parse().ok()?, step: step.parse().ok()? })
        };
        ends().unwrap_or_else(|| Self::Trouble(key.to_owned()))
    }

    /// Whether it ends by nothing but somebody’s doing, and so is over at once when it ends.
    pub fn needs_person(&self) -> bool {
        match self {
            Self::Trouble(cause) => Trouble::by_key(cause).is_none_or(Trouble::needs_person),
            Self::Ends { .. } => true,
        }
    }

    /// What several accounts have in common that are told of in one message.
    pub fn group(&self) -> String {
        match self {
            Self::Trouble(cause) => cause.clone(),
            Self::Ends { step, .. } if *step < 0 => "secret-ended".to_owned(),
            Self::Ends { step, .. } => format!("secret-ends-{step}"),
        }
    }

    pub fn title(&self) -> String {
        match self {
            Self::Trouble(cause) => title_of(cause).to_owned(),
            Self::Ends { step: ..0, .. } => "The client secret’s expiry date has passed".to_owned(),
            Self::Ends { step: 0, .. } => "The client secret expires today".to_owned(),
            Self::Ends { step: 1, .. } => "The client secret expires tomorrow".to_owned(),
            Self::Ends { step, .. } => format!("The client secret expires within {step} days"),
        }
    }

    pub fn advice(&self) -> String {
        match self {
            Self::Trouble(cause) => {
                Trouble::by_key(cause).map_or("", Trouble::advice).to_owned()
            }
            Self::Ends { .. } => {
                "Create a new client secret in the Entra app registration, and paste its Value into Configure Microsoft Teams. The old one is used until the new one works.".to_owned()
            }
        }
    }
}

impl Open {
    pub fn of_trouble(found: Troubled, now: DateTime<Utc>) -> Self {
        let cause = Trouble::by_key(&found.cause);
        let mended = cause.and_then(|cause| mend(found.account, found.integration, cause));
        Self {
            path: mended.map_or(format!("/accounts/{}/presence", found.account), |it| it.href),
            account: found.account,
            name: found.name,
            problem: found.side,
            reason: Reason::Trouble(found.cause),
            detail: found.detail,
            since: Some(found.since),
            ripe: found.needs_person || found.since <= now - PATIENCE,
        }
    }

    /// None while there is time.
    pub fn of_secret(found: Ending, today: NaiveDate) -> Option<Self> {
        let days = (found.on - today).num_days();
        let step = reminders::due(found.on, today)?.days_left;
        let day = found.on.format("%-d %B %Y");
        Some(Self {
            account: found.account,
            name: found.name,
            problem: SECRET.to_owned(),
            reason: Reason::Ends { on: found.on, step },
            detail: match days {
                ..0 => format!("expired on {day}"),
                0 => "expires today".to_owned(),
                1 => "expires tomorrow".to_owned(),
                days => format!("expires on {day}, in {days} days"),
            },
            since: None,
            ripe: true,
            path: at(found.account, Some(found.integration), "configure"),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_reason_is_the_same_after_it_was_kept(days in 0_i32..40_000, step in -999_i64..90) {
            let on = NaiveDate::from_num_days_from_ce_opt(720_000 + days).unwrap();
            for reason in [Reason::Ends { on, step }, Reason::Trouble("secret-expired".to_owned())] {
                prop_assert_eq!(Reason::by_key(&reason.key()), reason);
            }
        }
    }
}
