//! What is wrong now with the accounts that are active: the same that Home shows.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgExecutor;

use crate::checks::Line;
use crate::ids::{AccountId, IntegrationId};
use crate::integrations::CredentialKind;

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
    /// Nothing is pushed for now, so that what passes by itself alarms nobody.
    pub paused: bool,
}

pub async fn troubled(db: impl PgExecutor<'_>) -> sqlx::Result<Vec<Troubled>> {
    sqlx::query_as!(
        Troubled,
        r#"
        SELECT t.account_id AS "account: AccountId", a.name,
            (SELECT i.id FROM integrations i WHERE i.account_id = t.account_id
                AND i.kind = 'microsoft-teams') AS "integration: IntegrationId",
            t.side, t.cause, t.detail, t.since, t.needs_person,
            coalesce(l.health = 'paused', false) AS "paused!"
        FROM presence_troubles t JOIN accounts a ON a.id = t.account_id
        LEFT JOIN account_list l ON l.account_id = t.account_id
        WHERE a.deactivated_at IS NULL
        ORDER BY lower(a.name), t.account_id, t.side
        "#,
    )
    .fetch_all(db)
    .await
}

/// A client secret or certificate that ends, or has ended.
#[derive(Clone, Debug)]
pub struct Ending {
    pub account: AccountId,
    pub name: String,
    pub integration: IntegrationId,
    pub what: CredentialKind,
    pub on: NaiveDate,
    /// A certificate that is to follow lies here, and not yet in Entra.
    pub next_waits: bool,
}

/// Those that end by this day, and those that have; not where a next one lies ready that
/// Microsoft has accepted.
pub async fn ending(db: impl PgExecutor<'_>, by: NaiveDate) -> sqlx::Result<Vec<Ending>> {
    sqlx::query_as!(
        Ending,
        r#"
        SELECT c.account_id AS "account: AccountId", a.name,
            c.integration_id AS "integration: IntegrationId", c.secret_expires_on AS "on!",
            c.credential AS "what: CredentialKind",
            (s.credential IS NOT DISTINCT FROM 'certificate') AS "next_waits!"
        FROM connections c
        JOIN accounts a ON a.id = c.account_id
        JOIN integrations i ON i.account_id = c.account_id AND i.id = c.integration_id
        LEFT JOIN spare_credentials s ON s.account_id = c.account_id
            AND s.integration_id = c.integration_id AND s.slot = 'next'
        WHERE c.secret_expires_on <= $1 AND a.deactivated_at IS NULL AND i.removing_since IS NULL
            AND s.accepted_at IS NULL
        ORDER BY c.secret_expires_on, lower(a.name), c.account_id
        "#,
        by,
    )
    .fetch_all(db)
    .await
}

/// What the setup check found that a person has to mend.
#[derive(Clone, Debug)]
pub struct Checked {
    pub account: AccountId,
    pub name: String,
    pub integration: IntegrationId,
    /// The first such line.
    pub line: Line,
    /// What was seen.
    pub worst: String,
    pub since: DateTime<Utc>,
    /// The sync, or the day on which a credential ended, says itself what a person has to do.
    pub said_elsewhere: bool,
}

pub async fn checked(db: impl PgExecutor<'_>, today: NaiveDate) -> sqlx::Result<Vec<Checked>> {
    sqlx::query_as!(
        Checked,
        r#"
        SELECT s.account_id AS "account: AccountId", a.name,
            s.integration_id AS "integration: IntegrationId", s.worst_line AS "line!: Line", s.worst,
            s.urgent_since AS "since!",
            (s.troubled OR EXISTS (SELECT FROM presence_troubles t
                WHERE t.account_id = s.account_id AND t.needs_person)
            OR EXISTS (SELECT FROM connections c WHERE c.account_id = s.account_id
                AND c.integration_id = s.integration_id AND c.secret_expires_on <= $1))
                AS "said_elsewhere!"
        FROM setup_checks s
        JOIN accounts a ON a.id = s.account_id
        JOIN integrations i ON i.account_id = s.account_id AND i.id = s.integration_id
        WHERE s.urgent > 0 AND s.urgent_since IS NOT NULL AND a.deactivated_at IS NULL
            AND a.deleting_since IS NULL AND i.removing_since IS NULL
        ORDER BY lower(a.name), s.account_id
        "#,
        today,
    )
    .fetch_all(db)
    .await
}
