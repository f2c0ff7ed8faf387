//! What happened lately: events that changed a state, and requests that changed something.
//!
//! Rows are added in the statements that write events and outcomes, into one of six slots of six
//! hours by their own time; [`make_room`] empties a slot before its turn comes again.

use chrono::{DateTime, Utc};
use futures_util::TryStreamExt;
use sqlx::{PgExecutor, PgPool};

use crate::ids::{AccountId, CloudlinkUserId};

/// How long one slot takes in. The statements that add rows know it, too.
const SLOT_SECONDS: i64 = 6 * 3600;
const SLOTS: i64 = 6;

/// One thing that happened to one user.
#[derive(Clone, Debug)]
pub struct Happened {
    pub at: DateTime<Utc>,
    /// What the telephone said, and when that began; none: a request.
    pub state: Option<String>,
    pub entered_at: Option<DateTime<Utc>>,
    pub asked_for: Option<String>,
    pub status: Option<i32>,
    pub milliseconds: Option<i32>,
    pub request_id: Option<String>,
}

/// The latest of one user, newest first.
pub async fn of_user(
    db: impl PgExecutor<'_>,
    account: AccountId,
    user: &CloudlinkUserId,
    from: DateTime<Utc>,
    limit: i64,
) -> sqlx::Result<Vec<Happened>> {
    sqlx::query_as!(
        Happened,
        r#"
        SELECT at, state, entered_at, asked_for, answer_status AS status,
            answer_ms AS milliseconds, request_id
        FROM presence_history
        WHERE account_id = $1 AND user_id = $2 AND at >= $3
        ORDER BY at DESC, id DESC
        LIMIT $4
        "#,
        account as AccountId,
        user as &CloudlinkUserId,
        from,
        limit,
    )
    .fetch_all(db)
    .await
}

/// One state of a telephone, and since when.
#[derive(Clone, Debug)]
pub struct Said {
    pub user: CloudlinkUserId,
    pub state: String,
    pub at: DateTime<Utc>,
}

/// What the telephones of everybody matched have said since `from`, and what they said last
/// before that if it still holds: user by user, the oldest first. At most so many.
pub async fn said_since(
    db: &PgPool,
    account: AccountId,
    from: DateTime<Utc>,
    most: i64,
    mut take: impl FnMut(Said),
) -> sqlx::Result<()> {
    let mut rows = sqlx::query_as!(
        Said,
        r#"
        SELECT s.user_id AS "user!: CloudlinkUserId", s.state AS "state!", s.at AS "at!"
        FROM (
            SELECT user_id, state, entered_at AS at FROM presence_history
            WHERE account_id = $1 AND at >= $2 AND state IS NOT NULL
            UNION ALL
            SELECT user_id, decided_state, decided_at FROM presences
            WHERE account_id = $1 AND decided_state IS NOT NULL
            UNION ALL
            SELECT user_id, state, entered_at FROM presences WHERE account_id = $1
        ) s
        JOIN cloudlink_users u ON u.account_id = $1 AND u.user_id = s.user_id
        WHERE u.entra_id IS NOT NULL AND NOT u.excluded
        ORDER BY s.user_id, s.at
        LIMIT $3
        "#,
        account as AccountId,
        from,
        most,
    )
    .fetch(db);
    while let Some(said) = rows.try_next().await? {
        take(said);
    }
    Ok(())
}

/// Empties the slot whose turn comes next, if there is anything in it. Whoever reads it is not
/// waited for long: there is time enough to try again.
pub async fn make_room(db: &PgPool, now: DateTime<Utc>) -> sqlx::Result<()> {
    let next = (now.timestamp() / SLOT_SECONDS + 1).rem_euclid(SLOTS);
    let (full, empty) = match next {
        0 => ("SELECT EXISTS (SELECT FROM presence_history_0)", "TRUNCATE presence_history_0"),
        1 => ("SELECT EXISTS (SELECT FROM presence_history_1)", "TRUNCATE presence_history_1"),
        2 => ("SELECT EXISTS (SELECT FROM presence_history_2)", "TRUNCATE presence_history_2"),
        3 => ("SELECT EXISTS (SELECT FROM presence_history_3)", "TRUNCATE presence_history_3"),
        4 => ("SELECT EXISTS (SELECT FROM presence_history_4)", "TRUNCATE presence_history_4"),
        _ => ("SELECT EXISTS (SELECT FROM presence_history_5)", "TRUNCATE presence_history_5"),
    };
    if sqlx::query_scalar::<_, bool>(full).fetch_one(db).await? {
        let mut tx = db.begin().await?;
        sqlx::query("SET LOCAL lock_timeout = '200ms'").execute(&mut *tx).await?;
        sqlx::query(empty).execute(&mut *tx).await?;
        tx.commit().await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_statements_that_add_rows_know_the_slots() {
        let slot = format!("::bigint / {SLOT_SECONDS} % {SLOTS}");
        for text in [include_str!("events.rs"), include_str!("outcomes.rs")] {
            assert_eq!(text.matches(&slot).count(), 1, "{slot}");
        }
    }
}
