//! Credentials beside the one in force: the next one, and for a while the one before.

use anyhow::Context;
use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgExecutor;

use crate::ids::{AccountId, ClientId, IntegrationId, TenantId};
use crate::integrations::credential::{
    CredentialKind, Expiry, ExpirySource, Refused, Spare, Spares, credential_of,
};
use crate::integrations::secret_owner;
use crate::kit::secret::{Sealed, Sealer};
use crate::microsoft::{Cause, Connection, Credential, ShownCertificate};

/// What lies ready, to be shown.
pub async fn spares(
    db: impl PgExecutor<'_>,
    account: AccountId,
    integration: IntegrationId,
) -> anyhow::Result<Spares> {
    let rows = sqlx::query!(
        r#"
        SELECT slot, credential, certificate, expires_on, expiry_source, expiry_by, expiry_at, since,
            accepted_at, refused, refused_detail, refused_at
        FROM spare_credentials WHERE account_id = $1 AND integration_id = $2
        "#,
        account as AccountId,
        integration as IntegrationId,
    )
    .fetch_all(db)
    .await?;
    let mut spares = Spares::default();
    for row in rows {
        let detail = row.refused_detail.unwrap_or_default();
        let refused = row.refused.zip(row.refused_at).map(|(key, at)| Refused {
            cause: Cause::by_key(&key),
            detail,
            at,
        });
        let spare = Spare {
            kind: row.credential.parse()?,
            certificate: row.certificate.map(ShownCertificate::read).transpose()?,
            expiry: Expiry {
                on: row.expires_on,
                source: ExpirySource::read(row.expiry_source.as_deref()),
                by: row.expiry_by,
                at: row.expiry_at,
            },
            since: row.since,
            accepted_at: row.accepted_at,
            refused,
        };
        match row.slot.as_str() {
            "next" => spares.next = Some(spare),
            _ => spares.previous = Some(spare),
        }
    }
    Ok(spares)
}

/// The next credential, opened, with the moment it was put there; none lies ready, if none.
pub async fn next_of(
    db: impl PgExecutor<'_>,
    sealer: &Sealer,
    account: AccountId,
    integration: IntegrationId,
) -> anyhow::Result<Option<(Credential, DateTime<Utc>)>> {
    let row = sqlx::query!(
        r#"
        SELECT secret AS "secret: Sealed", certificate, since FROM spare_credentials
        WHERE account_id = $1 AND integration_id = $2 AND slot = 'next'
        "#,
        account as AccountId,
        integration as IntegrationId,
    )
    .fetch_optional(db)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let secret = sealer.open(&secret_owner(account, integration), &row.secret)?;
    Ok(Some((credential_of(secret, row.certificate)?, row.since)))
}

/// A credential that is to follow.
#[derive(Debug)]
pub struct NewSpare<'a> {
    pub kind: CredentialKind,
    pub sealed: &'a Sealed,
    pub certificate: Option<&'a [u8]>,
    pub expiry: &'a Expiry,
    pub accepted_at: Option<DateTime<Utc>>,
    /// When it is tried by itself, while it is not accepted.
    pub try_at: Option<DateTime<Utc>>,
}

/// Lays a credential ready in place of whichever lay there. False while the integration goes.
pub async fn put_next(
    db: impl PgExecutor<'_>,
    account: AccountId,
    integration: IntegrationId,
    new: NewSpare<'_>,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    put(db, account, integration, new, true, now).await
}

/// The same where nothing lies ready: whatever somebody has laid there meanwhile stays. False then,
/// too.
pub async fn put_first(
    db: impl PgExecutor<'_>,
    account: AccountId,
    integration: IntegrationId,
    new: NewSpare<'_>,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    put(db, account, integration, new, false, now).await
}

async fn put(
    db: impl PgExecutor<'_>,
    account: AccountId,
    integration: IntegrationId,
    new: NewSpare<'_>,
    may_replace: bool,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        r#"
        INSERT INTO spare_credentials AS s (account_id, integration_id, slot, credential, secret,
            certificate, expires_on, expiry_source, expiry_by, expiry_at, since, accepted_at, try_at)
        SELECT account_id, id, 'next', $3, $4, $5, $6, $7, $8, $9, $10, $11, $12
        FROM integrations WHERE account_id = $1 AND id = $2 AND removing_since IS NULL
        ON CONFLICT (account_id, integration_id, slot) DO UPDATE SET
            credential = excluded.credential, secret = excluded.secret,
            certificate = excluded.certificate, expires_on = excluded.expires_on,
            expiry_source = excluded.expiry_source, expiry_by = excluded.expiry_by,
            expiry_at = excluded.expiry_at, since = excluded.since,
            accepted_at = excluded.accepted_at, try_at = excluded.try_at,
            refused = NULL, refused_detail = NULL, refused_at = NULL
        WHERE $13
        "#,
        account as AccountId,
        integration as IntegrationId,
        new.kind.as_str(),
        new.sealed as &Sealed,
        new.certificate,
        new.expiry.on,
        new.expiry.source.map(ExpirySource::as_str),
        new.expiry.by,
        new.expiry.at,
        now,
        new.accepted_at,
        new.try_at,
        may_replace,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Throws the next credential away. What it was, and since when; none lay there, if none.
pub async fn discard_next(
    db: impl PgExecutor<'_>,
    account: AccountId,
    integration: IntegrationId,
) -> anyhow::Result<Option<(CredentialKind, DateTime<Utc>)>> {
    let row = sqlx::query!(
        r#"
        DELETE FROM spare_credentials
        WHERE account_id = $1 AND integration_id = $2 AND slot = 'next' RETURNING credential, since
        "#,
        account as AccountId,
        integration as IntegrationId,
    )
    .fetch_optional(db)
    .await?;
    row.map(|row| Ok((row.credential.parse()?, row.since))).transpose()
}

/// Another identity, or another credential was put in force by hand: what was before has no
/// more say, and of another application nobody knows whether it takes the next one.
pub async fn begin_anew(
    tx: &mut sqlx::PgConnection,
    account: AccountId,
    integration: IntegrationId,
    is_another_application: bool,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        DELETE FROM spare_credentials
        WHERE account_id = $1 AND integration_id = $2 AND slot = 'previous'
        "#,
        account as AccountId,
        integration as IntegrationId,
    )
    .execute(&mut *tx)
    .await?;
    if is_another_application {
        sqlx::query!(
            r#"
            UPDATE spare_credentials SET accepted_at = NULL, try_at = $3
            WHERE account_id = $1 AND integration_id = $2 AND slot = 'next'
            "#,
            account as AccountId,
            integration as IntegrationId,
            now,
        )
        .execute(tx)
        .await?;
    }
    Ok(())
}

/// What Microsoft said to the next credential that was put there at `since`. False when another
/// lies there by now.
pub async fn judge_next(
    db: impl PgExecutor<'_>,
    (account, integration, since): (AccountId, IntegrationId, DateTime<Utc>),
    verdict: Result<Option<&Expiry>, (&str, &str)>,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let (accepted_at, expiry) = (verdict.is_ok().then_some(now), verdict.ok().flatten());
    let (refused, detail) = verdict.err().unzip();
    let done = sqlx::query!(
        r#"
        UPDATE spare_credentials SET accepted_at = $4, refused = $5, refused_detail = $6,
            refused_at = CASE WHEN $5::text IS NULL THEN NULL ELSE $7::timestamptz END,
            expires_on = COALESCE($8, expires_on), expiry_source = COALESCE($9, expiry_source),
            expiry_by = CASE WHEN $9 IS NULL THEN expiry_by END,
            expiry_at = COALESCE($10, expiry_at)
        WHERE account_id = $1 AND integration_id = $2 AND slot = 'next' AND since = $3
        "#,
        account as AccountId,
        integration as IntegrationId,
        since,
        accepted_at,
        refused,
        detail,
        now,
        expiry.and_then(|expiry| expiry.on),
        expiry.and_then(|expiry| expiry.source).map(ExpirySource::as_str),
        expiry.and_then(|expiry| expiry.at),
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// A next credential to be tried with the identity it is for.
pub struct ToTry {
    pub integration: IntegrationId,
    pub since: DateTime<Utc>,
    pub connection: Connection,
}

/// Takes the next credentials whose time to be tried has come. Whoever takes one has until
/// `again` to try it; then somebody else may. One that cannot be opened holds up no other.
pub async fn take_those_to_try(
    db: impl PgExecutor<'_>,
    sealer: &Sealer,
    now: DateTime<Utc>,
    again: DateTime<Utc>,
) -> anyhow::Result<Vec<ToTry>> {
    let rows = sqlx::query!(
        r#"
        UPDATE spare_credentials s SET try_at = $2
        FROM connections c
        JOIN integrations i ON i.account_id = c.account_id AND i.id = c.integration_id
        WHERE s.slot = 'next' AND s.accepted_at IS NULL AND s.try_at <= $1
            AND c.account_id = s.account_id AND c.integration_id = s.integration_id
            AND i.removing_since IS NULL
        RETURNING s.account_id AS "account: AccountId", s.integration_id AS "integration: IntegrationId",
            s.since, s.secret AS "secret: Sealed", s.certificate,
            c.tenant_id AS "tenant: TenantId", c.client_id AS "client: ClientId", c.cloud
        "#,
        now,
        again,
    )
    .fetch_all(db)
    .await?;
    let opened = rows.into_iter().filter_map(|row| {
        let account = row.account;
        let open = || {
            let secret = sealer.open(&secret_owner(account, row.integration), &row.secret)?;
            anyhow::Ok(ToTry {
                integration: row.integration,
                since: row.since,
                connection: Connection {
                    account,
                    version: 0,
                    tenant: row.tenant,
                    client: row.client,
                    cloud: row.cloud.parse().context("a cloud in the database")?,
                    credential: credential_of(secret, row.certificate)?,
                },
            })
        };
        let left_out = |error: &anyhow::Error| {
            tracing::warn!(account.id = %account, "what lies ready cannot be opened: {error:#}");
        };
        open().inspect_err(left_out).ok()
    });
    Ok(opened.collect())
}

/// A certificate in force that ends soon, without a next credential beside it.
pub struct ToRoll {
    pub account: AccountId,
    pub account_name: String,
    pub integration: IntegrationId,
    pub ends_on: NaiveDate,
}

/// Certificates that end by `soon` and have nothing to follow them; the first few.
pub async fn certificates_to_roll(
    db: impl PgExecutor<'_>,
    soon: NaiveDate,
) -> sqlx::Result<Vec<ToRoll>> {
    sqlx::query_as!(
        ToRoll,
        r#"
        SELECT c.account_id AS "account: AccountId", a.name AS account_name,
            c.integration_id AS "integration: IntegrationId", c.secret_expires_on AS "ends_on!"
        FROM connections c
        JOIN accounts a ON a.id = c.account_id
        JOIN integrations i ON i.account_id = c.account_id AND i.id = c.integration_id
        WHERE c.credential = 'certificate' AND c.secret_expires_on <= $1
            AND i.removing_since IS NULL
            AND NOT EXISTS (SELECT FROM spare_credentials s WHERE s.account_id = c.account_id
                AND s.integration_id = c.integration_id)
        ORDER BY c.secret_expires_on LIMIT 4
        "#,
        soon,
    )
    .fetch_all(db)
    .await
}
