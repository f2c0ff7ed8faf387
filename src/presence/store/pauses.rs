//! Pauses of accounts and of single users.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor};

use crate::ids::{AccountId, CloudlinkUserId};
use crate::presence::plan::pause::{Hours, Pause, Week};

/// What a row says; hours of a zone that we do not know are none.
#[derive(Clone, Debug, Default)]
pub struct Row {
    pub until: Option<DateTime<Utc>>,
    pub zone: Option<String>,
    pub days: Option<i16>,
    pub from: Option<i16>,
    pub to: Option<i16>,
}

impl From<Row> for Pause {
    fn from(row: Row) -> Self {
        let hours = || {
            Some(Hours {
                zone: row.zone?.parse().ok()?,
                days: Week::from_bits(row.days?),
                from: u16::try_from(row.from?).ok()?,
                to: u16::try_from(row.to?).ok()?,
            })
        };
        Self { until: row.until, hours: hours() }
    }
}

/// What was said about the whole account and about one user; without a user, the account alone.
pub async fn of(
    db: impl PgExecutor<'_>,
    account: AccountId,
    user: Option<&CloudlinkUserId>,
) -> sqlx::Result<(Pause, Pause)> {
    let users = [String::new(), user.map_or(String::new(), |user| user.as_str().to_owned())];
    let (mut whole, mut own) = (Pause::default(), Pause::default());
    for (name, pause) in of_users(db, account, &users).await? {
        if name.is_empty() {
            whole = pause;
        } else {
            own = pause;
        }
    }
    Ok((whole, own))
}

/// Those of some users, by their ids; an empty one means the account.
pub async fn of_users(
    db: impl PgExecutor<'_>,
    account: AccountId,
    users: &[String],
) -> sqlx::Result<Vec<(String, Pause)>> {
    let rows = sqlx::query!(
        r#"
        SELECT user_id, paused_until, zone, days, from_minute, to_minute FROM presence_pauses
        WHERE account_id = $1 AND user_id = ANY ($2)
        "#,
        account as AccountId,
        users,
    )
    .fetch_all(db)
    .await?;
    let pauses = rows.into_iter().map(|row| {
        let said = Row {
            until: row.paused_until,
            zone: row.zone,
            days: row.days,
            from: row.from_minute,
            to: row.to_minute,
        };
        (row.user_id, Pause::from(said))
    });
    Ok(pauses.collect())
}

/// Keeps what a person said, and marks it for the worker. The caller rings the bell.
pub async fn save(
    tx: &mut PgConnection,
    account: AccountId,
    user: Option<&CloudlinkUserId>,
    pause: Pause,
    paused: bool,
) -> sqlx::Result<()> {
    let hours = pause.hours;
    sqlx::query!(
        r#"
        INSERT INTO presence_pauses
            (account_id, user_id, paused_until, zone, days, from_minute, to_minute, paused)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (account_id, user_id) DO UPDATE SET paused_until = excluded.paused_until,
            zone = excluded.zone, days = excluded.days, from_minute = excluded.from_minute,
            to_minute = excluded.to_minute, paused = excluded.paused, changed = true
        "#,
        account as AccountId,
        user.map_or("", CloudlinkUserId::as_str),
        pause.until,
        hours.map(|hours| hours.zone.name()),
        hours.map(|hours| hours.days.bits()),
        hours.and_then(|hours| i16::try_from(hours.from).ok()),
        hours.and_then(|hours| i16::try_from(hours.to).ok()),
        paused,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Goes through the marks: makes everybody due whom a change concerns, and forgets pauses that
/// say nothing any more. After the changes and not with them, as with matches.
pub async fn make_changed_due(
    db: impl PgExecutor<'_>,
    account: AccountId,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        WITH over AS (
            DELETE FROM presence_pauses
            WHERE account_id = $1 AND zone IS NULL AND (changed OR user_id <> '')
                AND (paused_until IS NULL OR paused_until <= $2)
            RETURNING user_id
        ), marked AS (
            UPDATE presence_pauses SET changed = false
            WHERE account_id = $1 AND changed
                AND NOT (zone IS NULL AND (paused_until IS NULL OR paused_until <= $2))
            RETURNING user_id
        ), concerned AS (
            SELECT user_id FROM over UNION SELECT user_id FROM marked
        )
        UPDATE presences p SET due_at = $2, urgency = least(p.urgency, 1), revision = p.revision + 1
        WHERE p.account_id = $1 AND (p.wanted IS NOT NULL OR p.applied IS NOT NULL)
            AND (EXISTS (SELECT FROM concerned WHERE user_id = '')
                OR p.user_id IN (SELECT user_id FROM concerned))
        "#,
        account as AccountId,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Whether the account is paused by now, for the lists of accounts. Whoever is concerned was due
/// at this moment anyway.
pub async fn turned(db: impl PgExecutor<'_>, account: AccountId, paused: bool) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE presence_pauses SET paused = $2 WHERE account_id = $1 AND user_id = ''",
        account as AccountId,
        paused,
    )
    .execute(db)
    .await?;
    Ok(())
}
