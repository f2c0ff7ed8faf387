//! The steps of Sync now, as they go.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use crate::ids::AccountId;

/// One step that has begun.
#[derive(Clone, Debug)]
pub struct Step {
    pub step: String,
    pub began_at: DateTime<Utc>,
    pub ended_at: Option<DateTime<Utc>>,
    pub done: i64,
    /// The key of what went wrong, and how it was said.
    pub trouble: Option<String>,
    pub detail: Option<String>,
}

pub async fn all(db: impl PgExecutor<'_>, account: AccountId) -> sqlx::Result<Vec<Step>> {
    sqlx::query_as!(
        Step,
        r#"
        SELECT step, began_at, ended_at, done, trouble, detail FROM presence_sync_steps
        WHERE account_id = $1
        "#,
        account as AccountId,
    )
    .fetch_all(db)
    .await
}

/// Forgets how the last time went.
pub async fn clear(db: impl PgExecutor<'_>, account: AccountId) -> sqlx::Result<()> {
    sqlx::query!("DELETE FROM presence_sync_steps WHERE account_id = $1", account as AccountId)
        .execute(db)
        .await?;
    Ok(())
}

pub async fn begin(
    db: impl PgExecutor<'_>,
    account: AccountId,
    step: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO presence_sync_steps (account_id, step, began_at)
        SELECT account_id, $2, $3 FROM presence_accounts WHERE account_id = $1
        ON CONFLICT (account_id, step) DO UPDATE SET began_at = excluded.began_at,
            ended_at = NULL, done = 0, trouble = NULL, detail = NULL
        "#,
        account as AccountId,
        step,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// So many more are done.
pub async fn go_on(
    db: impl PgExecutor<'_>,
    account: AccountId,
    step: &str,
    more: i64,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE presence_sync_steps SET done = done + $3 WHERE account_id = $1 AND step = $2",
        account as AccountId,
        step,
        more,
    )
    .execute(db)
    .await?;
    Ok(())
}

pub async fn end(
    db: impl PgExecutor<'_>,
    account: AccountId,
    step: &str,
    trouble: Option<(&str, &str)>,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let (key, detail) = trouble.unzip();
    sqlx::query!(
        r#"
        UPDATE presence_sync_steps SET ended_at = $3, trouble = $4, detail = $5
        WHERE account_id = $1 AND step = $2 AND ended_at IS NULL
        "#,
        account as AccountId,
        step,
        now,
        key,
        detail,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Ends the last step: everybody who waited has been told.
pub async fn end_push(
    db: impl PgExecutor<'_>,
    account: AccountId,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        UPDATE presence_sync_steps s SET ended_at = $2, done = (
            SELECT count(*) FROM presences p WHERE p.account_id = $1 AND p.asked_at >= s.began_at)
        WHERE s.account_id = $1 AND s.step = 'push' AND s.ended_at IS NULL
        "#,
        account as AccountId,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// How many people wait for a request that is not a renewal: what the last step counts down.
pub async fn waiting(
    db: impl PgExecutor<'_>,
    account: AccountId,
    now: DateTime<Utc>,
) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"
        SELECT count(*) AS "waiting!" FROM presences
        WHERE account_id = $1 AND urgency IN (0, 1, 3) AND due_at <= $2
        "#,
        account as AccountId,
        now,
    )
    .fetch_one(db)
    .await
}
