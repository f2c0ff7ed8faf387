//! Who looks after which accounts.

use sqlx::{PgConnection, PgExecutor};

use crate::ids::{AccountId, StaffId};

/// The account of that id, ours or CloudLink's.
pub async fn account_called(db: impl PgExecutor<'_>, id: &str) -> sqlx::Result<Option<AccountId>> {
    sqlx::query_scalar!(
        r#"
        SELECT id AS "id: AccountId" FROM accounts
        WHERE cloudlink_account_id = $1 OR id::text = lower($1)
        ORDER BY cloudlink_account_id = $1 DESC LIMIT 1
        "#,
        id.trim(),
    )
    .fetch_optional(db)
    .await
}

/// They look after these accounts from now on, and no others. One that is not there is left out.
pub async fn assign(
    tx: &mut PgConnection,
    staff: StaffId,
    accounts: &[AccountId],
) -> sqlx::Result<()> {
    sqlx::query!(
        "DELETE FROM staff_accounts WHERE staff_id = $1 AND account_id <> ALL($2)",
        staff as StaffId,
        accounts as &[AccountId],
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        r#"
        INSERT INTO staff_accounts (account_id, staff_id)
        SELECT id, $1 FROM accounts WHERE id = ANY($2)
        ON CONFLICT DO NOTHING
        "#,
        staff as StaffId,
        accounts as &[AccountId],
    )
    .execute(tx)
    .await?;
    Ok(())
}
