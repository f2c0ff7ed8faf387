//! What is forgotten, and when.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgPool;

use super::super::{ABSOLUTE_LIMIT, HALF_LIMIT, IDLE_LIMIT};

/// Ended links are kept so long, to say what became of them.
const LINKS_KEPT: TimeDelta = TimeDelta::days(30);
/// Failures are held against nobody longer than this.
const FAILURES_KEPT: TimeDelta = TimeDelta::days(1);
/// However many names are tried, so many are remembered.
const MOST_FAILURES: i64 = 100_000;

/// Deletes what has expired. To be called now and then, such as once an hour.
pub async fn forget_expired(db: &PgPool, now: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query!(
        "DELETE FROM sessions WHERE seen_at <= $1 OR created_at <= $2",
        now - IDLE_LIMIT,
        now - ABSOLUTE_LIMIT,
    )
    .execute(db)
    .await?;
    sqlx::query!("DELETE FROM half_sign_ins WHERE created_at <= $1", now - HALF_LIMIT)
        .execute(db)
        .await?;
    sqlx::query!("DELETE FROM one_time_links WHERE expires_at <= $1", now - LINKS_KEPT)
        .execute(db)
        .await?;
    sqlx::query!(
        r#"
        DELETE FROM sign_in_failures WHERE last_at <= greatest($1, (
            SELECT last_at FROM sign_in_failures ORDER BY last_at DESC OFFSET $2 LIMIT 1))
        "#,
        now - FAILURES_KEPT,
        MOST_FAILURES,
    )
    .execute(db)
    .await?;
    Ok(())
}
