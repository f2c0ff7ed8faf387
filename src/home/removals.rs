//! Removals that wait to clear up.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgExecutor;

use super::concerns::{Concern, Place};
use super::store::NAMED;
use crate::ids::{AccountId, StaffId};
use crate::presence::pages::title_of;

/// A removal that takes no longer is no concern of anybody's.
const PATIENCE: TimeDelta = TimeDelta::minutes(2);

/// An integration that is being removed, and what keeps it.
#[derive(Clone, Debug)]
pub struct Removal {
    account: AccountId,
    name: String,
    since: DateTime<Utc>,
    cause: Option<String>,
    sessions: i64,
    all: i64,
}

/// Those that wait for something, the oldest first.
pub async fn waiting(
    db: impl PgExecutor<'_>,
    scope: Option<StaffId>,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<Removal>> {
    sqlx::query_as!(
        Removal,
        r#"
        SELECT a.id AS "account: AccountId", a.name, i.removing_since AS "since!", t.cause AS "cause?",
            (SELECT count(*) FROM presences p
                WHERE p.account_id = a.id AND p.applied IS NOT NULL) AS "sessions!",
            count(*) OVER () AS "all!"
        FROM integrations i JOIN accounts a ON a.id = i.account_id
        LEFT JOIN LATERAL (
            SELECT cause FROM presence_troubles WHERE account_id = i.account_id
            ORDER BY needs_person DESC, since LIMIT 1
        ) t ON true
        WHERE i.removing_since IS NOT NULL AND (t.cause IS NOT NULL OR i.removing_since < $2)
            AND ($1::uuid IS NULL OR EXISTS (
                SELECT FROM staff_accounts s WHERE s.account_id = a.id AND s.staff_id = $1))
        ORDER BY i.removing_since, a.id
        LIMIT $3
        "#,
        scope as Option<StaffId>,
        now - PATIENCE,
        NAMED,
    )
    .fetch_all(db)
    .await
}

pub fn removals(found: Vec<Removal>) -> Option<Concern> {
    let first = found.first()?;
    let (all, since) = (first.all, Some(first.since));
    let places = found.into_iter().map(|removal| {
        let left = match removal.sessions {
            0 => "nothing is left in Teams".to_owned(),
            1 => "one presence is left in Teams".to_owned(),
            many => format!("{many} presences are left in Teams"),
        };
        let why = removal.cause.as_deref().map(|cause| format!("{}; ", title_of(cause)));
        Place {
            href: format!("/accounts/{}/integrations", removal.account),
            account: removal.account,
            name: removal.name,
            since: Some(removal.since),
            note: format!("{}{left}", why.unwrap_or_default()),
            mend: "See what is left",
        }
    });
    Some(Concern {
        kind: "warn",
        title: "A removal waits to clear up".to_owned(),
        advice: "It is tried again by itself until it is done; only then are the credentials forgotten. Or somebody says “Forget it”.".to_owned(),
        places: places.collect(),
        all,
        since,
        list: Some("/accounts?health=removing".to_owned()),
        at_once: None,
    })
}
