//! Webhook keys, sealed anew when the master key is replaced.

use sqlx::PgConnection;

use crate::ids::AccountId;
use crate::kit::secret::{Sealed, Sealer};
use crate::presence::feed::key_owner;

/// Seals every webhook's key anew, and says how many.
pub async fn reseal(tx: &mut PgConnection, old: &Sealer, new: &Sealer) -> anyhow::Result<u64> {
    let rows = sqlx::query!(
        r#"
        SELECT account_id AS "account: AccountId", hook_key AS "key: Sealed"
        FROM presence_accounts FOR UPDATE
        "#,
    )
    .fetch_all(&mut *tx)
    .await?;
    for row in &rows {
        let owner = key_owner(row.account);
        sqlx::query!(
            "UPDATE presence_accounts SET hook_key = $2 WHERE account_id = $1",
            row.account as AccountId,
            old.reseal(new, &owner, &row.key)? as Sealed,
        )
        .execute(&mut *tx)
        .await?;
    }
    Ok(rows.len() as u64)
}
