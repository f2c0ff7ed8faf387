//! What is wrong now with the accounts that are active: the same that Home shows.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgExecutor;

use crate::ids::{AccountId, IntegrationId};

/// Something is wrong on one side of an account's sync.
#[derive(Clone, Debug)]
pub struct Troubled {
    pub account: AccountId,
    pub name: String,
    pub integration: Option<IntegrationId>,
    pub side: String,
    pub cause: String,
    pub detail: String,
    pub since: DateTime<Utc>,
    pub needs_person: bool,
}

pub async fn troubled(db: impl PgExecutor<'_>) -> sqlx::Result<Vec<Troubled>> {
    sqlx::query_as!(
        Troubled,
        r#"
        SELECT t.account_id AS "account: AccountId", a.name,
            (SELECT i.id FROM integrations i WHERE i.account_id = t.account_id
                AND i.kind = 'microsoft-teams') AS "integration: IntegrationId",
            t.side, t.cause, t.detail, t.since, t.needs_person
        FROM presence_troubles t JOIN accounts a ON a.id = t.account_id
        WHERE a.deactivated_at IS NULL
        ORDER BY lower(a.name), t.account_id, t.side
        "#,
    )
    .fetch_all(db)
    .await
}

/// A client secret that ends, or has ended.
#[derive(Clone, Debug)]
pub struct Ending {
    pub account: AccountId,
    pub name: String,
    pub integration: IntegrationId,
    pub on: NaiveDate,
}

/// Secrets that end by this day, and those that have.
pub async fn ending(db: impl PgExecutor<'_>, by: NaiveDate) -> sqlx::Result<Vec<Ending>> {
    sqlx::query_as!(
        Ending,
        r#"
        SELECT c.account_id AS "account: AccountId", a.name,
            c.integration_id AS "integration: IntegrationId", c.secret_expires_on AS "on!"
        FROM connections c
        JOIN accounts a ON a.id = c.account_id
        JOIN integrations i ON i.account_id = c.account_id AND i.id = c.integration_id
        WHERE c.secret_expires_on <= $1 AND a.deactivated_at IS NULL AND i.removing_since IS NULL
        ORDER BY c.secret_expires_on, lower(a.name), c.account_id
        "#,
        by,
    )
    .fetch_all(db)
    .await
}
