//! One credential takes the other's place: forward, and back. Each is done once, by whoever
//! locks the connection in the version that was seen.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::{PgConnection, PgExecutor};

use crate::ids::{AccountId, IntegrationId};
use crate::integrations::credential::CredentialKind;

/// A connection whose next credential is to take over.
#[derive(Clone, Debug)]
pub struct DueTurn {
    pub account: AccountId,
    pub account_name: String,
    pub integration: IntegrationId,
    pub version: i32,
}

/// Where a next credential that Microsoft has accepted is to take over: the one in force ends by
/// `tomorrow`, or was refused for one of these `causes`; a certificate takes over at once.
pub async fn due(
    db: impl PgExecutor<'_>,
    tomorrow: NaiveDate,
    causes: &[&str],
) -> sqlx::Result<Vec<DueTurn>> {
    sqlx::query_as!(
        DueTurn,
        r#"
        SELECT c.account_id AS "account: AccountId", a.name AS account_name,
            c.integration_id AS "integration: IntegrationId", c.version
        FROM spare_credentials s
        JOIN connections c ON c.account_id = s.account_id AND c.integration_id = s.integration_id
        JOIN integrations i ON i.account_id = s.account_id AND i.id = s.integration_id
        JOIN accounts a ON a.id = s.account_id
        WHERE s.slot = 'next' AND s.accepted_at IS NOT NULL AND i.removing_since IS NULL
            AND (s.credential = 'certificate' OR c.secret_expires_on <= $1 OR EXISTS (
                SELECT FROM presence_troubles t
                WHERE t.account_id = s.account_id AND t.cause = ANY($2::text[])))
        "#,
        tomorrow,
        causes as &[&str],
    )
    .fetch_all(db)
    .await
}

/// A connection that is locked.
#[derive(Clone, Debug)]
pub struct Locked {
    pub integration: IntegrationId,
    pub account_name: String,
    /// It goes on as it is, until it is forgotten.
    pub removing: bool,
}

/// The account's connection in this version, locked; none when it has moved on.
pub async fn lock(
    tx: &mut PgConnection,
    account: AccountId,
    version: i32,
) -> sqlx::Result<Option<Locked>> {
    sqlx::query_as!(
        Locked,
        r#"
        SELECT c.integration_id AS "integration: IntegrationId", a.name AS account_name,
            i.removing_since IS NOT NULL AS "removing!"
        FROM connections c
        JOIN accounts a ON a.id = c.account_id
        JOIN integrations i ON i.account_id = c.account_id AND i.id = c.integration_id
        WHERE c.account_id = $1 AND c.version = $2
        FOR UPDATE OF c
        "#,
        account as AccountId,
        version,
    )
    .fetch_optional(tx)
    .await
}

/// What took whose place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    pub from: CredentialKind,
    pub to: CredentialKind,
}

/// The next credential takes over, if Microsoft has accepted it. With `keep`, the one before is
/// kept until the new one has proved itself. The connection is locked.
pub async fn take_over(
    tx: &mut PgConnection,
    account: AccountId,
    integration: IntegrationId,
    keep: bool,
    now: DateTime<Utc>,
) -> anyhow::Result<Option<Turn>> {
    let next = sqlx::query_scalar!(
        r#"
        SELECT credential FROM spare_credentials
        WHERE account_id = $1 AND integration_id = $2 AND slot = 'next' AND accepted_at IS NOT NULL
        FOR UPDATE
        "#,
        account as AccountId,
        integration as IntegrationId,
    )
    .fetch_optional(&mut *tx)
    .await?;
    let Some(next) = next else { return Ok(None) };
    let before = set_aside(&mut *tx, account, integration, "previous", now).await?;
    put_in_force(&mut *tx, account, integration, "next", now).await?;
    if !keep {
        forget(tx, account, integration, "previous").await?;
    }
    Ok(Some(Turn { from: before, to: next.parse()? }))
}

/// The credential before takes its place again, if it was in force until `since` or later. The
/// one that was refused lies ready again, refused, unless another lies there. The connection is
/// locked.
pub async fn take_back(
    tx: &mut PgConnection,
    account: AccountId,
    integration: IntegrationId,
    (cause, detail): (&str, &str),
    since: DateTime<Utc>,
    now: DateTime<Utc>,
) -> anyhow::Result<Option<Turn>> {
    let before = sqlx::query_scalar!(
        r#"
        SELECT credential FROM spare_credentials
        WHERE account_id = $1 AND integration_id = $2 AND slot = 'previous' AND since > $3
        FOR UPDATE
        "#,
        account as AccountId,
        integration as IntegrationId,
        since,
    )
    .fetch_optional(&mut *tx)
    .await?;
    let Some(before) = before else { return Ok(None) };
    let refused = set_aside(&mut *tx, account, integration, "next", now).await?;
    sqlx::query!(
        r#"
        UPDATE spare_credentials SET refused = $3, refused_detail = $4, refused_at = $5,
            try_at = CASE WHEN credential = 'certificate' THEN $5 + interval '1 hour' END
        WHERE account_id = $1 AND integration_id = $2 AND slot = 'next' AND since = $5
        "#,
        account as AccountId,
        integration as IntegrationId,
        cause,
        detail,
        now,
    )
    .execute(&mut *tx)
    .await?;
    put_in_force(tx, account, integration, "previous", now).await?;
    Ok(Some(Turn { from: refused, to: before.parse()? }))
}

/// Copies the credential in force into a slot; into `next` only where none lies yet.
async fn set_aside(
    tx: &mut PgConnection,
    account: AccountId,
    integration: IntegrationId,
    slot: &str,
    now: DateTime<Utc>,
) -> anyhow::Result<CredentialKind> {
    let kind = sqlx::query_scalar!(
        r#"
        WITH kept AS (
            INSERT INTO spare_credentials AS s (account_id, integration_id, slot, credential, secret,
                certificate, expires_on, expiry_source, expiry_by, expiry_at, since)
            SELECT account_id, integration_id, $3, credential, secret, certificate,
                secret_expires_on, expiry_source, expiry_by, expiry_at, $4
            FROM connections WHERE account_id = $1 AND integration_id = $2
            ON CONFLICT (account_id, integration_id, slot) DO UPDATE SET
                credential = excluded.credential, secret = excluded.secret,
                certificate = excluded.certificate, expires_on = excluded.expires_on,
                expiry_source = excluded.expiry_source, expiry_by = excluded.expiry_by,
                expiry_at = excluded.expiry_at, since = excluded.since
            WHERE s.slot = 'previous'
        )
        SELECT credential FROM connections WHERE account_id = $1 AND integration_id = $2
        "#,
        account as AccountId,
        integration as IntegrationId,
        slot,
        now,
    )
    .fetch_one(tx)
    .await?;
    kind.parse()
}

/// Puts what lies in a slot in force, as a new version, and empties the slot.
async fn put_in_force(
    tx: &mut PgConnection,
    account: AccountId,
    integration: IntegrationId,
    slot: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        UPDATE connections c SET credential = s.credential, secret = s.secret,
            certificate = s.certificate, secret_expires_on = s.expires_on,
            expiry_source = s.expiry_source, expiry_by = s.expiry_by, expiry_at = s.expiry_at,
            version = nextval('connection_versions'), tested_at = COALESCE(s.accepted_at, c.tested_at),
            updated_at = $4
        FROM spare_credentials s
        WHERE c.account_id = $1 AND c.integration_id = $2
            AND s.account_id = $1 AND s.integration_id = $2 AND s.slot = $3
        "#,
        account as AccountId,
        integration as IntegrationId,
        slot,
        now,
    )
    .execute(&mut *tx)
    .await?;
    forget(tx, account, integration, slot).await
}

async fn forget(
    tx: &mut PgConnection,
    account: AccountId,
    integration: IntegrationId,
    slot: &str,
) -> sqlx::Result<()> {
    sqlx::query!(
        "DELETE FROM spare_credentials WHERE account_id = $1 AND integration_id = $2 AND slot = $3",
        account as AccountId,
        integration as IntegrationId,
        slot,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Forgets what was in force before, where the one after it has proved itself: it took over
/// before `since`, and nothing is said against it.
pub async fn forget_proved(
    db: impl PgExecutor<'_>,
    since: DateTime<Utc>,
    causes: &[&str],
) -> sqlx::Result<u64> {
    let done = sqlx::query!(
        r#"
        DELETE FROM spare_credentials s
        WHERE slot = 'previous' AND since <= $1 AND NOT EXISTS (
            SELECT FROM presence_troubles t
            WHERE t.account_id = s.account_id AND t.cause = ANY($2::text[]))
        "#,
        since,
        causes as &[&str],
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}
