//! What the pages show of setup checks.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgExecutor;

use crate::checks::lines::State;
use crate::ids::{AccountId, IntegrationId, StaffId};

/// How an integration's check stands.
#[derive(Clone, Debug)]
pub struct Check {
    pub due_at: DateTime<Utc>,
    /// A run is going on, or waits for a hand.
    pub going_on: bool,
    pub started_at: Option<DateTime<Utc>>,
    pub finished_at: Option<DateTime<Utc>>,
    pub reds: i32,
    pub ambers: i32,
    /// The connection has changed since.
    pub outdated: bool,
    /// On whom presence is about to be tried.
    pub pilot_name: Option<String>,
}

pub async fn of_integration(
    db: impl PgExecutor<'_>,
    account: AccountId,
    integration: IntegrationId,
) -> sqlx::Result<Option<Check>> {
    sqlx::query_as!(
        Check,
        r#"
        SELECT s.due_at, (s.run IS NOT NULL OR s.asked_at IS NOT NULL) AS "going_on!",
            CASE WHEN s.run IS NOT NULL THEN s.started_at END AS started_at, s.finished_at,
            s.reds, s.ambers, s.version IS DISTINCT FROM c.version AS "outdated!",
            CASE WHEN s.pilot IS NOT NULL THEN s.pilot_name END AS pilot_name
        FROM setup_checks s
        LEFT JOIN connections c ON c.account_id = s.account_id
            AND c.integration_id = s.integration_id
        WHERE s.account_id = $1 AND s.integration_id = $2
        "#,
        account as AccountId,
        integration as IntegrationId,
    )
    .fetch_optional(db)
    .await
}

/// A line as it was found last.
#[derive(Clone, Debug)]
pub struct Found {
    pub line: String,
    pub state: State,
    pub seen: String,
    pub advice: String,
    pub detail: String,
    pub mend: Vec<String>,
    pub looked_at: DateTime<Utc>,
}

pub async fn lines(
    db: impl PgExecutor<'_>,
    account: AccountId,
    integration: IntegrationId,
) -> sqlx::Result<Vec<Found>> {
    sqlx::query_as!(
        Found,
        r#"
        SELECT line, state AS "state: State", seen, advice, detail, mend, looked_at
        FROM setup_check_lines WHERE account_id = $1 AND integration_id = $2
        "#,
        account as AccountId,
        integration as IntegrationId,
    )
    .fetch_all(db)
    .await
}

/// An account whose check found what a person has to mend, and how many there are.
#[derive(Clone, Debug)]
pub struct Urgent {
    pub account: AccountId,
    pub name: String,
    pub integration: IntegrationId,
    pub worst: String,
    pub since: DateTime<Utc>,
    pub all: i64,
}

/// Among the accounts that `scope` looks after (`None`: all), the newest first. Of an account
/// whose sync, or whose expiry date, says itself what a person has to do, nothing is said twice.
pub async fn urgent(
    db: impl PgExecutor<'_>,
    scope: Option<StaffId>,
    today: NaiveDate,
    limit: i64,
) -> sqlx::Result<Vec<Urgent>> {
    sqlx::query_as!(
        Urgent,
        r#"
        SELECT a.id AS "account: AccountId", a.name, s.integration_id AS "integration: IntegrationId",
            s.worst, s.urgent_since AS "since!", count(*) OVER () AS "all!"
        FROM setup_checks s
        JOIN accounts a ON a.id = s.account_id
        JOIN integrations i ON i.account_id = s.account_id AND i.id = s.integration_id
        WHERE s.urgent > 0 AND s.urgent_since IS NOT NULL AND a.deactivated_at IS NULL
            AND a.deleting_since IS NULL AND i.removing_since IS NULL
            AND NOT s.troubled AND NOT EXISTS (SELECT FROM presence_troubles t
                WHERE t.account_id = s.account_id AND t.needs_person)
            AND NOT EXISTS (SELECT FROM connections c WHERE c.account_id = s.account_id
                AND c.integration_id = s.integration_id AND c.secret_expires_on <= $3)
            AND ($1::uuid IS NULL OR EXISTS (
                SELECT FROM staff_accounts v WHERE v.account_id = a.id AND v.staff_id = $1))
        ORDER BY s.urgent_since DESC, a.id
        LIMIT $2
        "#,
        scope as Option<StaffId>,
        limit,
        today,
    )
    .fetch_all(db)
    .await
}
