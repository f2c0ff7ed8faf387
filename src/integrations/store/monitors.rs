//! The presence monitors that use an integration's secret, as its admin lists them.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use crate::ids::{AccountId, IntegrationId, MonitorId};
use crate::integrations::Monitor;

pub async fn monitors(
    db: impl PgExecutor<'_>,
    account: AccountId,
    integration: IntegrationId,
) -> sqlx::Result<Vec<Monitor>> {
    sqlx::query_as!(
        Monitor,
        r#"
        SELECT id AS "id: MonitorId", name, note, needs_secret_since
        FROM presence_monitors
        WHERE account_id = $1 AND integration_id = $2
        ORDER BY lower(name), id
        "#,
        account as AccountId,
        integration as IntegrationId,
    )
    .fetch_all(db)
    .await
}

/// Adds a monitor to the list. False when the list is full: `most` are there.
pub async fn add_monitor(
    db: impl PgExecutor<'_>,
    account: AccountId,
    integration: IntegrationId,
    name: &str,
    note: &str,
    most: i64,
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        r#"
        INSERT INTO presence_monitors (account_id, id, integration_id, name, note)
        SELECT $1, $2, $3, $4, $5
        WHERE (SELECT count(*) FROM presence_monitors
            WHERE account_id = $1 AND integration_id = $3) < $6
        "#,
        account as AccountId,
        MonitorId::new() as MonitorId,
        integration as IntegrationId,
        name,
        note,
        most,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Takes a monitor off the list. The name it had; none when it is not there.
pub async fn remove_monitor(
    db: impl PgExecutor<'_>,
    account: AccountId,
    integration: IntegrationId,
    monitor: MonitorId,
) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!(
        r#"
        DELETE FROM presence_monitors
        WHERE account_id = $1 AND integration_id = $2 AND id = $3 RETURNING name
        "#,
        account as AccountId,
        integration as IntegrationId,
        monitor as MonitorId,
    )
    .fetch_optional(db)
    .await
}

/// A new secret was saved: each monitor on the list has yet to be given it.
pub async fn ask_monitors_for_secret(
    db: impl PgExecutor<'_>,
    account: AccountId,
    integration: IntegrationId,
    now: DateTime<Utc>,
) -> sqlx::Result<u64> {
    let done = sqlx::query!(
        r#"
        UPDATE presence_monitors SET needs_secret_since = $3
        WHERE account_id = $1 AND integration_id = $2
        "#,
        account as AccountId,
        integration as IntegrationId,
        now,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}

/// The secret that was laid ready at `since` is not to come after all: who waits for that one
/// waits no more.
pub async fn spare_monitors(
    db: impl PgExecutor<'_>,
    account: AccountId,
    integration: IntegrationId,
    since: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        UPDATE presence_monitors SET needs_secret_since = NULL
        WHERE account_id = $1 AND integration_id = $2 AND needs_secret_since = $3
        "#,
        account as AccountId,
        integration as IntegrationId,
        since,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Somebody says that the monitor has the new secret. The monitor's name; none when that was
/// said already, or it is not there.
pub async fn monitor_has_secret(
    db: impl PgExecutor<'_>,
    account: AccountId,
    integration: IntegrationId,
    monitor: MonitorId,
) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!(
        r#"
        UPDATE presence_monitors SET needs_secret_since = NULL
        WHERE account_id = $1 AND integration_id = $2 AND id = $3
            AND needs_secret_since IS NOT NULL
        RETURNING name
        "#,
        account as AccountId,
        integration as IntegrationId,
        monitor as MonitorId,
    )
    .fetch_optional(db)
    .await
}
