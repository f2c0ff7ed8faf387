//! What a user's telephone said lately, and what we asked of Teams for it.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgPool;

use crate::ids::{AccountId, CloudlinkUserId};
use crate::microsoft::Shows;
use crate::presence::mapping::Mapping;
use crate::presence::store::history;

/// What is older than this may be gone.
const DAY: TimeDelta = TimeDelta::hours(24);
const SHOWN: i64 = 30;

/// One thing that happened.
#[derive(Clone, Debug)]
pub struct Past {
    pub at: DateTime<Utc>,
    pub kind: &'static str,
    pub what: String,
    pub outcome: String,
    pub request_id: Option<String>,
}

/// The newest first.
pub async fn of(
    db: &PgPool,
    account: AccountId,
    user: &CloudlinkUserId,
    mapping: &Mapping,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<Past>> {
    let happened = history::of_user(db, account, user, now - DAY, SHOWN).await?;
    let past = happened.into_iter().map(|one| match (one.state, one.asked_for) {
        (Some(state), _) => Past {
            at: one.at,
            kind: "info",
            outcome: format!("means {}", mapping.decide(&state).label()),
            what: format!("CloudLink said {}", if state.is_empty() { "nothing" } else { &state }),
            request_id: None,
        },
        (None, asked_for) => {
            let asked_for = asked_for.unwrap_or_default();
            let (kind, outcome) = outcome(&asked_for, one.status);
            let took = one.milliseconds.map(|ms| format!(" after {ms} ms")).unwrap_or_default();
            Past {
                at: one.at,
                kind,
                what: asked(&asked_for),
                outcome: format!("{outcome}{took}"),
                request_id: one.request_id,
            }
        }
    });
    Ok(past.collect())
}

/// A request as Graph calls it.
pub fn asked(asked_for: &str) -> String {
    match asked_for.parse::<Shows>() {
        Ok(shows) => format!("setPresence: {} / {}", shows.availability(), shows.activity()),
        Err(_) => "clearPresence".to_owned(),
    }
}

/// What came of a request: the kind, and in words.
pub fn outcome(asked_for: &str, status: Option<i32>) -> (&'static str, String) {
    match status {
        Some(status @ 200..=299) => ("ok", format!("Microsoft answered {status}")),
        Some(404) if asked_for == "clear" => {
            ("ok", "Microsoft answered 404: there was nothing to clear".to_owned())
        }
        Some(status) => ("danger", format!("Microsoft refused with {status}")),
        None => ("warn", "No answer came".to_owned()),
    }
}
