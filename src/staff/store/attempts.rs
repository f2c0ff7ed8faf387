//! Attempts to sign in, counted before they are made.
//!
//! An attempt is counted as a failure first and taken back when it succeeds: a hundred
//! guesses sent at the same moment are a hundred failures, not one.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{PgConnection, PgExecutor};

/// How many failures are free, and how long those after them close the door.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// With the failure of this number the first wait begins.
    pub free: i32,
    /// It doubles with every failure…
    pub first_wait: TimeDelta,
    /// …up to this.
    pub longest_wait: TimeDelta,
    /// After so long without a failure the count starts again.
    pub memory: TimeDelta,
}

/// Counts an attempt, unless the door is closed: then says until when.
///
/// One statement decides, so of many attempts at once no more get through than may.
pub async fn take(
    tx: &mut PgConnection,
    subject: &str,
    limit: Limit,
    now: DateTime<Utc>,
) -> sqlx::Result<Result<(), DateTime<Utc>>> {
    let taken = sqlx::query!(
        r#"
        INSERT INTO sign_in_failures AS kept (subject, failures, last_at) VALUES ($1, 1, $2)
        ON CONFLICT (subject) DO UPDATE SET
            failures = CASE WHEN kept.last_at <= $3 THEN 1 ELSE least(kept.failures + 1, 10000) END,
            last_at = $2,
            closed_until = CASE WHEN kept.last_at > $3 AND kept.failures + 1 >= $4 THEN
                $2 + interval '1 second'
                    * least($6::float8, $5::float8 * power(2, least(kept.failures + 1 - $4, 30)))
            END
        WHERE kept.closed_until IS NULL OR kept.closed_until <= $2
        "#,
        subject,
        now,
        now - limit.memory,
        limit.free,
        limit.first_wait.as_seconds_f64(),
        limit.longest_wait.as_seconds_f64(),
    )
    .execute(&mut *tx)
    .await?;
    if taken.rows_affected() == 1 {
        return Ok(Ok(()));
    }
    let closed = sqlx::query_scalar!(
        "SELECT closed_until FROM sign_in_failures WHERE subject = $1",
        subject
    )
    .fetch_optional(tx)
    .await?;
    Ok(Err(closed.flatten().unwrap_or(now)))
}

/// The attempt succeeded: nothing is held against the subject any more.
pub async fn forget(db: impl PgExecutor<'_>, subject: &str) -> sqlx::Result<()> {
    sqlx::query!("DELETE FROM sign_in_failures WHERE subject = $1", subject).execute(db).await?;
    Ok(())
}

/// The attempt succeeded: it is taken back, and those before it stay.
pub async fn take_back(db: impl PgExecutor<'_>, subject: &str) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        UPDATE sign_in_failures SET failures = greatest(failures - 1, 0), closed_until = NULL
        WHERE subject = $1
        "#,
        subject,
    )
    .execute(db)
    .await?;
    Ok(())
}
