//! What a removal waits for.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use crate::ids::AccountId;

/// What is left of an integration that is being removed.
#[derive(Clone, Debug)]
pub struct Removal {
    pub since: DateTime<Utc>,
    /// Presences of ours that may still stand in Teams, and when the last of them ends by itself.
    pub sessions: i64,
    pub until: Option<DateTime<Utc>>,
    /// CloudLink may still send events.
    pub is_subscribed: bool,
}

/// None when nothing is being removed.
pub async fn removal(db: impl PgExecutor<'_>, account: AccountId) -> sqlx::Result<Option<Removal>> {
    sqlx::query_as!(
        Removal,
        r#"
        SELECT i.removing_since AS "since!", left_over.sessions AS "sessions!", left_over.until,
            EXISTS (SELECT FROM presence_accounts p
                WHERE p.account_id = $1 AND p.subscription_id IS NOT NULL) AS "is_subscribed!"
        FROM integrations i CROSS JOIN LATERAL (
            SELECT count(*) AS sessions, max(expires_at) AS until FROM presences
            WHERE account_id = i.account_id AND applied IS NOT NULL
        ) AS left_over
        WHERE i.account_id = $1 AND i.removing_since IS NOT NULL
        "#,
        account as AccountId,
    )
    .fetch_optional(db)
    .await
}
