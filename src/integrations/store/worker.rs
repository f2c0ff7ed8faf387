//! What a worker asks: whom to work for, with which credentials, and to let go of them.

use anyhow::Context;
use sqlx::{PgConnection, PgExecutor};

use crate::audit::{self, Actor, Changes, Entry};
use crate::ids::{AccountId, ClientId, IntegrationId, TenantId};
use crate::integrations::secret_owner;
use crate::kit::secret::{Sealed, Sealer};
use crate::microsoft::{Connection, Credential};

/// The account's way into Microsoft, opened; none while its setup is not complete.
pub async fn connection_of(
    db: impl PgExecutor<'_>,
    sealer: &Sealer,
    account: AccountId,
) -> anyhow::Result<Option<Connection>> {
    let row = sqlx::query!(
        r#"
        SELECT integration_id AS "integration: IntegrationId", version, cloud,
            tenant_id AS "tenant: TenantId", client_id AS "client: ClientId", secret AS "secret: Sealed"
        FROM connections
        WHERE account_id = $1
        "#,
        account as AccountId,
    )
    .fetch_optional(db)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let secret = sealer.open(&secret_owner(account, row.integration), &row.secret)?;
    Ok(Some(Connection {
        account,
        version: row.version,
        tenant: row.tenant,
        client: row.client,
        cloud: row.cloud.parse().context("a cloud in the database")?,
        credential: Credential::Secret(secret),
    }))
}

/// What people want done for an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Keep Teams in step.
    Sync,
    /// Clear what we set in Teams, end the subscription, then [`forget`] the integration.
    Remove,
    /// Nothing more: what still stands in Teams is to be cleared.
    Rest,
}

/// What people want done for this account now.
pub async fn wish(db: impl PgExecutor<'_>, account: AccountId) -> sqlx::Result<Wish> {
    let row = sqlx::query!(
        r#"
        SELECT i.removing_since IS NOT NULL AS "removing!",
            f.enabled AND a.deactivated_at IS NULL AND a.deleting_since IS NULL AS "syncing"
        FROM integrations i
        JOIN accounts a ON a.id = i.account_id
        JOIN connections c ON c.account_id = i.account_id AND c.integration_id = i.id
        LEFT JOIN features f ON f.account_id = i.account_id AND f.integration_id = i.id
            AND f.feature = 'presence-sync'
        WHERE i.account_id = $1
        "#,
        account as AccountId,
    )
    .fetch_optional(db)
    .await?;
    Ok(match row {
        Some(row) if row.removing => Wish::Remove,
        Some(row) if row.syncing == Some(true) => Wish::Sync,
        _ => Wish::Rest,
    })
}

/// The accounts that want a worker: switched on, or being removed. Whose sessions of ours are
/// to be cleared besides is for the worker's own tables to say.
pub async fn syncing(db: impl PgExecutor<'_>) -> sqlx::Result<Vec<AccountId>> {
    sqlx::query_scalar!(
        r#"
        SELECT f.account_id AS "id!: AccountId"
        FROM features f
        JOIN accounts a ON a.id = f.account_id
        JOIN integrations i ON i.account_id = f.account_id AND i.id = f.integration_id
        JOIN connections c ON c.account_id = f.account_id AND c.integration_id = f.integration_id
        WHERE f.feature = 'presence-sync' AND f.enabled AND i.removing_since IS NULL
            AND a.deactivated_at IS NULL AND a.deleting_since IS NULL
        UNION ALL
        SELECT account_id FROM integrations WHERE removing_since IS NOT NULL
        "#,
    )
    .fetch_all(db)
    .await
}

/// Lets go of an integration that is being removed, credentials and all, and of the account
/// too when it waited for nothing else to be deleted. False when nothing was being removed.
///
/// For the worker, once nothing of ours stands in Teams any more and the subscription is ended;
/// in the transaction that writes so down.
pub async fn forget(
    tx: &mut PgConnection,
    account: AccountId,
    now: chrono::DateTime<chrono::Utc>,
) -> sqlx::Result<bool> {
    let gone = sqlx::query!(
        "DELETE FROM integrations WHERE account_id = $1 AND removing_since IS NOT NULL",
        account as AccountId,
    )
    .execute(&mut *tx)
    .await?;
    if gone.rows_affected() == 0 {
        return Ok(false);
    }
    let row = sqlx::query!(
        "SELECT name, deleting_since FROM accounts WHERE id = $1 FOR UPDATE",
        account as AccountId,
    )
    .fetch_one(&mut *tx)
    .await?;
    let entry = Entry {
        action: "integration.removed",
        summary: "Microsoft Teams was removed: presence cleared, credentials forgotten.".to_owned(),
        account: Some((account, &row.name)),
        changes: Changes::default(),
    };
    audit::note(&mut *tx, &Actor::portal(), entry, now).await?;
    if row.deleting_since.is_some() {
        let entry = Entry {
            action: "account.deleted",
            summary: format!("{} was deleted.", row.name),
            account: Some((account, &row.name)),
            changes: Changes::default(),
        };
        audit::note(&mut *tx, &Actor::portal(), entry, now).await?;
        sqlx::query!("DELETE FROM accounts WHERE id = $1", account as AccountId)
            .execute(tx)
            .await?;
    }
    Ok(true)
}
