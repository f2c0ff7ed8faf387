//! Who looks after which accounts.

use sqlx::{PgConnection, PgExecutor};

use crate::ids::{AccountId, CloudlinkAccountId, StaffId};

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

/// An account that may be ticked.
#[derive(Clone, Debug)]
pub struct Choice {
    pub id: AccountId,
    pub name: String,
    pub cloudlink_id: CloudlinkAccountId,
}

/// The accounts of these ids, by name.
pub async fn accounts_of(db: impl PgExecutor<'_>, ids: &[AccountId]) -> sqlx::Result<Vec<Choice>> {
    sqlx::query_as!(
        Choice,
        r#"
        SELECT id AS "id: AccountId", name,
            cloudlink_account_id AS "cloudlink_id: CloudlinkAccountId"
        FROM accounts WHERE id = ANY($1) ORDER BY lower(name), id
        "#,
        ids as &[AccountId],
    )
    .fetch_all(db)
    .await
}

/// The accounts somebody looks after, by name.
pub async fn accounts_of_person(
    db: impl PgExecutor<'_>,
    staff: StaffId,
) -> sqlx::Result<Vec<Choice>> {
    sqlx::query_as!(
        Choice,
        r#"
        SELECT id AS "id: AccountId", name,
            cloudlink_account_id AS "cloudlink_id: CloudlinkAccountId"
        FROM accounts JOIN staff_accounts ON account_id = id
        WHERE staff_id = $1 ORDER BY lower(name), id
        "#,
        staff as StaffId,
    )
    .fetch_all(db)
    .await
}

/// Accounts whose name or CloudLink id holds `sought` (folded), besides these, by name.
pub async fn accounts_besides(
    db: impl PgExecutor<'_>,
    ids: &[AccountId],
    sought: &str,
    most: i64,
) -> sqlx::Result<Vec<Choice>> {
    sqlx::query_as!(
        Choice,
        r#"
        SELECT id AS "id: AccountId", name,
            cloudlink_account_id AS "cloudlink_id: CloudlinkAccountId"
        FROM accounts
        WHERE id <> ALL($1) AND ($2 = '' OR position($2 in lower(name)) > 0
            OR position($2 in lower(cloudlink_account_id)) > 0)
        ORDER BY lower(name), id LIMIT $3
        "#,
        ids as &[AccountId],
        sought,
        most,
    )
    .fetch_all(db)
    .await
}
