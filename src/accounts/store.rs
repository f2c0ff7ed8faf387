//! What the database knows of accounts.

use sqlx::PgExecutor;

use super::Account;
use crate::ids::{AccountId, CloudlinkAccountId, StaffId};

/// The account, if it is among those `scope` looks after (`None`: among all).
pub async fn find(
    db: impl PgExecutor<'_>,
    id: AccountId,
    scope: Option<StaffId>,
) -> sqlx::Result<Option<Account>> {
    sqlx::query_as!(
        Account,
        r#"
        SELECT id AS "id: AccountId", name,
            cloudlink_account_id AS "cloudlink_id: CloudlinkAccountId",
            country, address, city, postal_code, language, support_emails,
            deactivated_at, deleting_since, created_at
        FROM accounts
        WHERE id = $1 AND ($2::uuid IS NULL OR EXISTS (
            SELECT FROM staff_accounts WHERE account_id = id AND staff_id = $2))
        "#,
        id as AccountId,
        scope as Option<StaffId>,
    )
    .fetch_optional(db)
    .await
}
