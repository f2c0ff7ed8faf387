//! Clearing up after an account: what is left of ours in Teams, and forgetting it at the end.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor};

use super::leases::Lease;
use crate::accounts;
use crate::ids::{AccountId, NodeId};

/// Makes everybody due of whom something of ours stands in Teams, unless it waits for another try.
pub async fn make_due(
    db: impl PgExecutor<'_>,
    account: AccountId,
    now: DateTime<Utc>,
) -> sqlx::Result<u64> {
    let made = sqlx::query!(
        r#"
        UPDATE presences SET due_at = $2, urgency = 3, revision = revision + 1
        WHERE account_id = $1 AND applied IS NOT NULL AND failures = 0
            AND (due_at IS NULL OR due_at > $2)
        "#,
        account as AccountId,
        now,
    )
    .execute(db)
    .await?;
    Ok(made.rows_affected())
}

/// Makes everybody due of whom something is wanted: the sync was switched on again before all
/// was cleared.
pub async fn make_wanted_due(
    db: impl PgExecutor<'_>,
    account: AccountId,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        UPDATE presences SET due_at = $2, urgency = 1, revision = revision + 1
        WHERE account_id = $1 AND wanted IS NOT NULL AND (due_at IS NULL OR due_at > $2)
        "#,
        account as AccountId,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// How many sessions of ours still stand in Teams, as far as we know.
pub async fn left(db: impl PgExecutor<'_>, account: AccountId) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"SELECT count(*) AS "left!" FROM presences WHERE account_id = $1 AND applied IS NOT NULL"#,
        account as AccountId,
    )
    .fetch_one(db)
    .await
}

/// Forgets the account's sync, if the lease is still ours and nothing is left: states that
/// nobody hears the end of would be believed for ever. With `all`, its people too; the account
/// is locked first then, as whoever changes matches or deletes it does.
pub async fn forget(
    tx: &mut PgConnection,
    node: NodeId,
    lease: Lease,
    all: bool,
) -> sqlx::Result<bool> {
    if all {
        accounts::store::lock(&mut *tx, lease.account).await?;
    }
    let gone = sqlx::query!(
        r#"
        DELETE FROM presence_accounts a WHERE a.account_id = $1 AND a.term = $2 AND a.node_id = $3
            AND NOT EXISTS (
                SELECT 1 FROM presences p WHERE p.account_id = $1 AND p.applied IS NOT NULL)
        "#,
        lease.account as AccountId,
        lease.term,
        node as NodeId,
    )
    .execute(&mut *tx)
    .await?;
    if gone.rows_affected() == 0 {
        return Ok(false);
    }
    if all {
        forget_people(tx, lease.account).await?;
    }
    Ok(true)
}

/// Forgets the account's sync and its people whatever is left in Teams, whoever works for it:
/// the worker finds its lease gone, and ends.
pub async fn forget_uncleared(tx: &mut PgConnection, account: AccountId) -> sqlx::Result<()> {
    accounts::store::lock(&mut *tx, account).await?;
    sqlx::query!("DELETE FROM presence_accounts WHERE account_id = $1", account as AccountId)
        .execute(&mut *tx)
        .await?;
    forget_people(tx, account).await
}

async fn forget_people(tx: &mut PgConnection, account: AccountId) -> sqlx::Result<()> {
    for statement in [
        "DELETE FROM cloudlink_users WHERE account_id = $1",
        "DELETE FROM entra_users WHERE account_id = $1",
        "DELETE FROM mappings WHERE account_id = $1",
        "DELETE FROM push_minutes WHERE account_id = $1",
        "DELETE FROM push_hours WHERE account_id = $1",
        "DELETE FROM presence_pauses WHERE account_id = $1",
        "DELETE FROM presence_history WHERE account_id = $1",
    ] {
        sqlx::query(statement).bind(account).execute(&mut *tx).await?;
    }
    Ok(())
}
