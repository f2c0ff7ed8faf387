//! What would grow for ever, because whoever it was about is gone, or was never there.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgExecutor;

/// Somebody whom CloudLink does not name is remembered for so long: they may be about to be named.
const STRANGERS: TimeDelta = TimeDelta::days(30);
/// A state that no rule names is listed for so long after it came last; so many of an account.
const UNMAPPED: TimeDelta = TimeDelta::days(90);
const MOST_UNMAPPED: i64 = 200;

/// Forgets the telephones of users whom CloudLink does not name, of whom nothing stands in Teams.
pub async fn forget_strangers(db: impl PgExecutor<'_>, now: DateTime<Utc>) -> sqlx::Result<u64> {
    let gone = sqlx::query!(
        r#"
        DELETE FROM presences p USING presence_accounts a
        WHERE a.account_id = p.account_id AND a.users_refreshed_at > $1
            AND p.received_at < $1 AND p.applied IS NULL
            AND NOT EXISTS (SELECT FROM cloudlink_users c
                WHERE c.account_id = p.account_id AND c.user_id = p.user_id)
        "#,
        now - STRANGERS,
    )
    .execute(db)
    .await?;
    Ok(gone.rows_affected())
}

/// Forgets states without a rule that came long ago, and the oldest of an account that has more
/// than anybody would read.
pub async fn forget_unmapped(db: impl PgExecutor<'_>, now: DateTime<Utc>) -> sqlx::Result<u64> {
    let gone = sqlx::query!(
        r#"
        DELETE FROM unmapped_states s USING (
            SELECT account_id, state, last_seen_at, row_number() OVER (
                PARTITION BY account_id ORDER BY last_seen_at DESC, state) AS place
            FROM unmapped_states
        ) AS listed
        WHERE s.account_id = listed.account_id AND s.state = listed.state
            AND (listed.place > $2 OR listed.last_seen_at < $1)
        "#,
        now - UNMAPPED,
        MOST_UNMAPPED,
    )
    .execute(db)
    .await?;
    Ok(gone.rows_affected())
}

/// Forgets the sums of accounts that are deleted.
pub async fn forget_counts(db: impl PgExecutor<'_>) -> sqlx::Result<u64> {
    let gone = sqlx::query!(
        r#"
        DELETE FROM people_counts c
        WHERE NOT EXISTS (SELECT FROM accounts a WHERE a.id = c.account_id)
        "#,
    )
    .execute(db)
    .await?;
    Ok(gone.rows_affected())
}
