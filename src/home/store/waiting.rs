//! What waits for somebody, or for the other side: updates, and removals that have yet to clear up.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use super::NAMED;
use crate::ids::{AccountId, IntegrationId, StaffId};

/// An account on an older release, and how many there are.
#[derive(Clone, Debug)]
pub struct Behind {
    pub account: AccountId,
    pub name: String,
    pub integration: IntegrationId,
    pub release: i32,
    pub all: i64,
}

/// Those that are set up and active, the oldest release first; none while the fleet is updated.
pub async fn behind(
    db: impl PgExecutor<'_>,
    scope: Option<StaffId>,
    newest: i32,
) -> sqlx::Result<Vec<Behind>> {
    sqlx::query_as!(
        Behind,
        r#"
        WITH behind AS MATERIALIZED (
            SELECT i.account_id, i.id, i.release
            FROM integrations i
            JOIN connections c ON c.account_id = i.account_id AND c.integration_id = i.id
            JOIN accounts a ON a.id = i.account_id
            WHERE i.release < $2 AND i.removing_since IS NULL AND a.deactivated_at IS NULL
                AND NOT EXISTS (SELECT FROM runs WHERE kind = 'fleet' AND state = 'running')
                AND ($1::uuid IS NULL OR EXISTS (
                    SELECT FROM staff_accounts s WHERE s.account_id = i.account_id AND s.staff_id = $1))
        )
        SELECT a.id AS "account: AccountId", a.name, named.id AS "integration: IntegrationId",
            named.release, (SELECT count(*) FROM behind) AS "all!"
        FROM (SELECT * FROM behind ORDER BY release, account_id LIMIT $3) AS named
        JOIN accounts a ON a.id = named.account_id
        ORDER BY named.release, named.account_id
        "#,
        scope as Option<StaffId>,
        newest,
        NAMED,
    )
    .fetch_all(db)
    .await
}

/// An integration that is being removed, and what keeps it.
#[derive(Clone, Debug)]
pub struct Removal {
    pub account: AccountId,
    pub name: String,
    pub since: DateTime<Utc>,
    pub cause: Option<String>,
    pub sessions: i64,
    pub all: i64,
}

/// Those that something keeps, or that began before `patience`; the oldest first.
pub async fn removals(
    db: impl PgExecutor<'_>,
    scope: Option<StaffId>,
    patience: DateTime<Utc>,
) -> sqlx::Result<Vec<Removal>> {
    sqlx::query_as!(
        Removal,
        r#"
        SELECT a.id AS "account: AccountId", a.name, i.removing_since AS "since!", t.cause AS "cause?",
            (SELECT count(*) FROM presences p
                WHERE p.account_id = a.id AND p.applied IS NOT NULL) AS "sessions!",
            count(*) OVER () AS "all!"
        FROM integrations i JOIN accounts a ON a.id = i.account_id
        LEFT JOIN LATERAL (
            SELECT cause FROM presence_troubles WHERE account_id = i.account_id
            ORDER BY needs_person DESC, since LIMIT 1
        ) t ON true
        WHERE i.removing_since IS NOT NULL AND (t.cause IS NOT NULL OR i.removing_since < $2)
            AND ($1::uuid IS NULL OR EXISTS (
                SELECT FROM staff_accounts s WHERE s.account_id = a.id AND s.staff_id = $1))
        ORDER BY i.removing_since, a.id
        LIMIT $3
        "#,
        scope as Option<StaffId>,
        patience,
        NAMED,
    )
    .fetch_all(db)
    .await
}
