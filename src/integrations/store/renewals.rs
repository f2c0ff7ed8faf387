//! One-time links by which a customer's own admin renews the client secret.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use crate::ids::{AccountId, IntegrationId, RenewalId};
use crate::kit::token::TokenDigest;

/// A link, as it is listed and followed.
#[derive(Clone, Debug)]
pub struct Renewal {
    pub id: RenewalId,
    pub account: AccountId,
    pub integration: IntegrationId,
    pub made_by: String,
    pub made_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    /// `used` or `revoked`.
    pub ended: Option<String>,
    pub ended_at: Option<DateTime<Utc>>,
}

impl Renewal {
    pub fn works(&self, now: DateTime<Utc>) -> bool {
        self.ended.is_none() && self.expires_at > now
    }
}

pub async fn renewal(
    db: impl PgExecutor<'_>,
    digest: &TokenDigest,
) -> sqlx::Result<Option<Renewal>> {
    sqlx::query_as!(
        Renewal,
        r#"
        SELECT id AS "id: RenewalId", account_id AS "account: AccountId",
            integration_id AS "integration: IntegrationId", made_by, made_at, expires_at, ended,
            ended_at
        FROM renewal_links WHERE digest = $1
        "#,
        digest as &TokenDigest,
    )
    .fetch_optional(db)
    .await
}

/// The links of an integration, the newest first.
pub async fn renewals(
    db: impl PgExecutor<'_>,
    account: AccountId,
    integration: IntegrationId,
) -> sqlx::Result<Vec<Renewal>> {
    sqlx::query_as!(
        Renewal,
        r#"
        SELECT id AS "id: RenewalId", account_id AS "account: AccountId",
            integration_id AS "integration: IntegrationId", made_by, made_at, expires_at, ended,
            ended_at
        FROM renewal_links WHERE account_id = $1 AND integration_id = $2
        ORDER BY made_at DESC, id DESC LIMIT 20
        "#,
        account as AccountId,
        integration as IntegrationId,
    )
    .fetch_all(db)
    .await
}

#[derive(Debug)]
pub struct NewRenewal<'a> {
    pub account: AccountId,
    pub integration: IntegrationId,
    pub digest: &'a TokenDigest,
    pub made_by: &'a str,
    pub expires_at: DateTime<Utc>,
}

/// False when as many work as may.
pub async fn add_renewal(
    db: impl PgExecutor<'_>,
    new: NewRenewal<'_>,
    most: i64,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        r#"
        INSERT INTO renewal_links (account_id, id, integration_id, digest, made_by, made_at,
            expires_at)
        SELECT $1, $2, $3, $4, $5, $6, $7
        WHERE (SELECT count(*) FROM renewal_links WHERE account_id = $1 AND integration_id = $3
            AND ended IS NULL AND expires_at > $6) < $8
        "#,
        new.account as AccountId,
        RenewalId::new() as RenewalId,
        new.integration as IntegrationId,
        new.digest as &TokenDigest,
        new.made_by,
        now,
        new.expires_at,
        most,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Uses the link up. Of two who use it at once, one is told no.
pub async fn use_renewal(
    db: impl PgExecutor<'_>,
    account: AccountId,
    id: RenewalId,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        r#"
        UPDATE renewal_links SET ended = 'used', ended_at = $3
        WHERE account_id = $1 AND id = $2 AND ended IS NULL AND expires_at > $3
        "#,
        account as AccountId,
        id as RenewalId,
        now,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// False when it did not work any more, or is another integration's.
pub async fn revoke_renewal(
    db: impl PgExecutor<'_>,
    account: AccountId,
    integration: IntegrationId,
    id: RenewalId,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        r#"
        UPDATE renewal_links SET ended = 'revoked', ended_at = $4
        WHERE account_id = $1 AND integration_id = $2 AND id = $3
            AND ended IS NULL AND expires_at > $4
        "#,
        account as AccountId,
        integration as IntegrationId,
        id as RenewalId,
        now,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Forgets links that have not worked since then.
pub async fn forget_renewals(db: impl PgExecutor<'_>, before: DateTime<Utc>) -> sqlx::Result<u64> {
    let done =
        sqlx::query!("DELETE FROM renewal_links WHERE expires_at < $1", before).execute(db).await?;
    Ok(done.rows_affected())
}
