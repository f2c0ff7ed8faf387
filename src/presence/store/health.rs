//! What is wrong with an account's sync, side by side, and since when.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use crate::ids::AccountId;
use crate::presence::trouble::Side;

/// Writes down what is wrong on one side. The same cause keeps its beginning.
pub async fn note_trouble(
    db: impl PgExecutor<'_>,
    account: AccountId,
    side: Side,
    (cause, needs_person, detail): (&str, bool, &str),
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO presence_troubles AS t (account_id, side, cause, detail, since, last_at, needs_person)
        SELECT $1, $2, $3, $4, $5, $5, $6
        WHERE EXISTS (SELECT 1 FROM presence_accounts WHERE account_id = $1)
        ON CONFLICT (account_id, side) DO UPDATE SET
            since = CASE WHEN t.cause = excluded.cause THEN t.since ELSE excluded.since END,
            cause = excluded.cause, detail = excluded.detail,
            last_at = excluded.last_at, needs_person = excluded.needs_person
        "#,
        account as AccountId,
        side.as_str(),
        cause,
        detail,
        now,
        needs_person,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// All is well again on one side.
pub async fn clear_trouble(
    db: impl PgExecutor<'_>,
    account: AccountId,
    side: Side,
) -> sqlx::Result<()> {
    sqlx::query!(
        "DELETE FROM presence_troubles WHERE account_id = $1 AND side = $2",
        account as AccountId,
        side.as_str(),
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Microsoft asked for no request of this tenant until then: kept, so that another node obeys
/// it too, whichever of the tenant's accounts it begins with.
pub async fn note_throttled(
    db: impl PgExecutor<'_>,
    account: AccountId,
    until: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        UPDATE presence_accounts SET throttled_until = greatest(throttled_until, $2)
        WHERE account_id = $1 OR account_id IN (
            SELECT mate.account_id FROM connections c
            JOIN connections mate ON mate.tenant_id = c.tenant_id WHERE c.account_id = $1)
        "#,
        account as AccountId,
        until,
    )
    .execute(db)
    .await?;
    Ok(())
}
