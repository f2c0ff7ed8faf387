//! What people do to an integration.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor};

use crate::ids::{AccountId, ClientId, IntegrationId, TenantId};
use crate::integrations::credential::{CredentialKind, Expiry, ExpirySource};
use crate::integrations::{Feature, Kind};
use crate::kit::db::violates;
use crate::kit::secret::Sealed;
use crate::microsoft::Cloud;

#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error("the account has one already")]
    AlreadyThere,
    #[error("the account is being deleted")]
    AccountGoes,
    #[error("somebody else changed it meanwhile")]
    Changed,
    #[error(transparent)]
    Db(sqlx::Error),
}

impl From<sqlx::Error> for WriteError {
    fn from(error: sqlx::Error) -> Self {
        if violates(&error, "integrations_kind_key") { Self::AlreadyThere } else { Self::Db(error) }
    }
}

/// Adds an application, in its newest release.
pub async fn add(
    db: impl PgExecutor<'_>,
    account: AccountId,
    id: IntegrationId,
    kind: Kind,
    now: DateTime<Utc>,
) -> Result<(), WriteError> {
    let done = sqlx::query!(
        r#"
        INSERT INTO integrations (account_id, id, kind, release, added_at)
        SELECT id, $2, $3, $4, $5 FROM accounts WHERE id = $1 AND deleting_since IS NULL
        "#,
        account as AccountId,
        id as IntegrationId,
        kind.as_str(),
        kind.newest().number,
        now,
    )
    .execute(db)
    .await?;
    if done.rows_affected() == 0 { Err(WriteError::AccountGoes) } else { Ok(()) }
}

/// A connection as it is to be.
#[derive(Debug)]
pub struct NewConnection<'a> {
    pub name: &'a str,
    pub tenant: TenantId,
    pub client: ClientId,
    pub cloud: Cloud,
    /// A client secret, or with a certificate its private key. None keeps what is there.
    pub secret: Option<&'a Sealed>,
    pub certificate: Option<&'a [u8]>,
    pub expiry: &'a Expiry,
    /// None: it was not tested.
    pub tested_at: Option<DateTime<Utc>>,
    /// Whether tokens of the old connection are of no use any more.
    pub is_new_version: bool,
}

/// Saves a connection in place of the version that was `seen`, or as the first one. What
/// somebody else has changed since, or has begun to remove, is left as it is.
pub async fn save_connection(
    tx: &mut PgConnection,
    account: AccountId,
    integration: IntegrationId,
    seen: Option<i32>,
    connection: NewConnection<'_>,
    now: DateTime<Utc>,
) -> Result<(), WriteError> {
    let NewConnection { name, tenant, client, cloud, secret, certificate, expiry, .. } = connection;
    let kind = certificate.map_or(CredentialKind::Secret, |_| CredentialKind::Certificate);
    let done = match seen {
        None => {
            sqlx::query!(
                r#"
                INSERT INTO connections (account_id, integration_id, name, tenant_id, client_id,
                    cloud, secret, version, secret_expires_on, tested_at, updated_at,
                    credential, certificate, expiry_source, expiry_by, expiry_at)
                SELECT account_id, id, $3, $4, $5, $6, $7, nextval('connection_versions'), $8, $9, $10,
                    $11, $12, $13, $14, $15
                FROM integrations WHERE account_id = $1 AND id = $2 AND removing_since IS NULL
                ON CONFLICT DO NOTHING
                "#,
                account as AccountId,
                integration as IntegrationId,
                name,
                tenant as TenantId,
                client as ClientId,
                cloud.as_str(),
                secret as Option<&Sealed>,
                expiry.on,
                connection.tested_at,
                now,
                kind.as_str(),
                certificate,
                expiry.source.map(ExpirySource::as_str),
                expiry.by,
                expiry.at,
            )
            .execute(tx)
            .await?
        }
        Some(seen) => {
            sqlx::query!(
                r#"
                UPDATE connections c SET name = $3, tenant_id = $4, client_id = $5, cloud = $6,
                    secret = COALESCE($7, c.secret), secret_expires_on = $8, tested_at = $9,
                    version = CASE WHEN $12 THEN nextval('connection_versions') ELSE c.version END,
                    updated_at = $10, expiry_source = $15, expiry_by = $16, expiry_at = $17,
                    credential = CASE WHEN $7 IS NULL THEN c.credential ELSE $13 END,
                    certificate = CASE WHEN $7 IS NULL THEN c.certificate ELSE $14 END
                FROM integrations i
                WHERE c.account_id = $1 AND c.integration_id = $2 AND c.version = $11
                    AND i.account_id = $1 AND i.id = $2 AND i.removing_since IS NULL
                "#,
                account as AccountId,
                integration as IntegrationId,
                name,
                tenant as TenantId,
                client as ClientId,
                cloud.as_str(),
                secret as Option<&Sealed>,
                expiry.on,
                connection.tested_at,
                now,
                seen,
                connection.is_new_version,
                kind.as_str(),
                certificate,
                expiry.source.map(ExpirySource::as_str),
                expiry.by,
                expiry.at,
            )
            .execute(tx)
            .await?
        }
    };
    if done.rows_affected() == 0 { Err(WriteError::Changed) } else { Ok(()) }
}

/// Switches a feature. False when it stands so already, or the setup is not complete.
pub async fn set_feature(
    db: impl PgExecutor<'_>,
    account: AccountId,
    integration: IntegrationId,
    feature: Feature,
    enabled: bool,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        r#"
        INSERT INTO features (account_id, integration_id, feature, enabled, changed_at)
        SELECT c.account_id, c.integration_id, $3, $4, $5
        FROM connections c
        JOIN integrations i ON i.account_id = c.account_id AND i.id = c.integration_id
        WHERE c.account_id = $1 AND c.integration_id = $2 AND i.removing_since IS NULL
        ON CONFLICT (account_id, integration_id, feature) DO UPDATE
            SET enabled = $4, changed_at = $5 WHERE features.enabled <> $4
        "#,
        account as AccountId,
        integration as IntegrationId,
        feature.as_str(),
        enabled,
        now,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Moves an integration on to a release. False when it has it already, or a newer one.
pub async fn set_release(
    db: impl PgExecutor<'_>,
    account: AccountId,
    integration: IntegrationId,
    release: i32,
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        r#"
        UPDATE integrations SET release = $3
        WHERE account_id = $1 AND id = $2 AND release < $3 AND removing_since IS NULL
        "#,
        account as AccountId,
        integration as IntegrationId,
        release,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Deletes an integration of which nothing can stand outside: it was never set up. False when
/// it was, or is not there.
pub async fn forget_unused(
    db: impl PgExecutor<'_>,
    account: AccountId,
    integration: IntegrationId,
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        r#"
        DELETE FROM integrations i
        WHERE account_id = $1 AND id = $2 AND NOT EXISTS (
            SELECT FROM connections c WHERE c.account_id = $1 AND c.integration_id = $2)
        "#,
        account as AccountId,
        integration as IntegrationId,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Leaves the integration to the worker, which clears up and then lets go of it. False when
/// that has begun already.
pub async fn begin_removing(
    db: impl PgExecutor<'_>,
    account: AccountId,
    integration: IntegrationId,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        r#"
        UPDATE integrations SET removing_since = $3
        WHERE account_id = $1 AND id = $2 AND removing_since IS NULL
        "#,
        account as AccountId,
        integration as IntegrationId,
        now,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() > 0)
}
