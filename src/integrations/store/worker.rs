//! What a worker asks: with which credentials to work, and to let go of them.

use anyhow::Context;
use sqlx::{PgConnection, PgExecutor};

use crate::audit::{self, Actor, Changes, Entry};
use crate::ids::{AccountId, ClientId, IntegrationId, TenantId};
use crate::integrations::credential::{Expiry, ExpirySource, credential_of};
use crate::integrations::secret_owner;
use crate::kit::secret::{Sealed, Sealer};
use crate::microsoft::Connection;

/// The account's way into Microsoft, opened; none while its setup is not complete.
pub async fn connection_of(
    db: impl PgExecutor<'_>,
    sealer: &Sealer,
    account: AccountId,
) -> anyhow::Result<Option<Connection>> {
    let row = sqlx::query!(
        r#"
        SELECT integration_id AS "integration: IntegrationId", version, cloud,
            tenant_id AS "tenant: TenantId", client_id AS "client: ClientId", secret AS "secret: Sealed",
            certificate
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
        credential: credential_of(secret, row.certificate)?,
    }))
}

/// Microsoft has accepted this version of a connection.
pub async fn note_tested(
    db: impl PgExecutor<'_>,
    account: AccountId,
    version: i32,
    now: chrono::DateTime<chrono::Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE connections SET tested_at = $3 WHERE account_id = $1 AND version = $2",
        account as AccountId,
        version,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// When the secret of this version of the connection ends, as somebody has found out.
pub async fn keep_expiry(
    db: impl PgExecutor<'_>,
    account: AccountId,
    version: i32,
    expiry: &Expiry,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        UPDATE connections SET secret_expires_on = $3, expiry_source = $4, expiry_by = $5, expiry_at = $6
        WHERE account_id = $1 AND version = $2
        "#,
        account as AccountId,
        version,
        expiry.on,
        expiry.source.map(ExpirySource::as_str),
        expiry.by,
        expiry.at,
    )
    .execute(db)
    .await?;
    Ok(())
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
    let summary = "Microsoft Teams was removed: presence cleared, credentials forgotten.";
    let_go(tx, account, &Actor::portal(), summary, now).await
}

/// The same for somebody who does not wait until everything is cleared.
pub async fn forget_uncleared(
    tx: &mut PgConnection,
    account: AccountId,
    actor: &Actor,
    now: chrono::DateTime<chrono::Utc>,
) -> sqlx::Result<bool> {
    let summary =
        "Microsoft Teams was removed without waiting for the clean-up: credentials forgotten.";
    let_go(tx, account, actor, summary, now).await
}

async fn let_go(
    tx: &mut PgConnection,
    account: AccountId,
    actor: &Actor,
    summary: &str,
    now: chrono::DateTime<chrono::Utc>,
) -> sqlx::Result<bool> {
    // The account first, as whoever deletes it does.
    let row = sqlx::query!(
        "SELECT name, deleting_since FROM accounts WHERE id = $1 FOR UPDATE",
        account as AccountId,
    )
    .fetch_optional(&mut *tx)
    .await?;
    let Some(row) = row else { return Ok(false) };
    let gone = sqlx::query!(
        "DELETE FROM integrations WHERE account_id = $1 AND removing_since IS NOT NULL",
        account as AccountId,
    )
    .execute(&mut *tx)
    .await?;
    if gone.rows_affected() == 0 {
        return Ok(false);
    }
    let entry = Entry {
        action: "integration.removed",
        summary: summary.to_owned(),
        account: Some((account, &row.name)),
        changes: Changes::default(),
    };
    audit::note(&mut *tx, actor, entry, now).await?;
    if row.deleting_since.is_some() {
        let entry = Entry {
            action: "account.deleted",
            summary: format!("{} was deleted.", row.name),
            account: Some((account, &row.name)),
            changes: Changes::default(),
        };
        audit::note(&mut *tx, actor, entry, now).await?;
        sqlx::query!("DELETE FROM accounts WHERE id = $1", account as AccountId)
            .execute(tx)
            .await?;
    }
    Ok(true)
}
