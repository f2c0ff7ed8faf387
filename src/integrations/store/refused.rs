//! What lies ready to follow, and Microsoft has refused: over all accounts somebody looks after.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use crate::ids::{AccountId, IntegrationId, StaffId};
use crate::integrations::CredentialKind;

/// A next secret or certificate that was refused, and how many there are.
#[derive(Clone, Debug)]
pub struct NextRefused {
    pub account: AccountId,
    pub name: String,
    pub integration: IntegrationId,
    pub what: CredentialKind,
    /// The cause, by its key.
    pub refused: String,
    pub detail: String,
    pub since: DateTime<Utc>,
    pub all: i64,
}

/// The oldest first, among the accounts that `scope` looks after (`None`: all). Not certificates
/// that Entra does not have yet: those wait for somebody to upload them.
pub async fn refused_nexts(
    db: impl PgExecutor<'_>,
    scope: Option<StaffId>,
    limit: i64,
) -> sqlx::Result<Vec<NextRefused>> {
    sqlx::query_as!(
        NextRefused,
        r#"
        SELECT a.id AS "account: AccountId", a.name, n.integration_id AS "integration: IntegrationId",
            n.credential AS "what: CredentialKind", n.refused AS "refused!",
            coalesce(n.refused_detail, '') AS "detail!", n.refused_at AS "since!",
            count(*) OVER () AS "all!"
        FROM spare_credentials n
        JOIN accounts a ON a.id = n.account_id
        JOIN integrations i ON i.account_id = n.account_id AND i.id = n.integration_id
        WHERE n.slot = 'next' AND n.accepted_at IS NULL AND n.refused <> 'certificate-wrong'
            AND n.refused_at IS NOT NULL AND a.deactivated_at IS NULL AND i.removing_since IS NULL
            AND ($1::uuid IS NULL OR EXISTS (
                SELECT FROM staff_accounts s WHERE s.account_id = a.id AND s.staff_id = $1))
        ORDER BY n.refused_at, a.id
        LIMIT $2
        "#,
        scope as Option<StaffId>,
        limit,
    )
    .fetch_all(db)
    .await
}
