//! Client secrets and private keys, sealed anew when the master key is replaced.

use sqlx::PgConnection;

use crate::ids::{AccountId, IntegrationId};
use crate::integrations::secret_owner;
use crate::kit::secret::{Sealed, Sealer};

/// Seals every client secret and private key anew, and says how many.
pub async fn reseal(tx: &mut PgConnection, old: &Sealer, new: &Sealer) -> anyhow::Result<u64> {
    let rows = sqlx::query!(
        r#"
        SELECT account_id AS "account: AccountId", integration_id AS "integration: IntegrationId",
            secret AS "secret: Sealed"
        FROM connections FOR UPDATE
        "#,
    )
    .fetch_all(&mut *tx)
    .await?;
    for row in &rows {
        let owner = secret_owner(row.account, row.integration);
        sqlx::query!(
            "UPDATE connections SET secret = $3 WHERE account_id = $1 AND integration_id = $2",
            row.account as AccountId,
            row.integration as IntegrationId,
            old.reseal(new, &owner, &row.secret)? as Sealed,
        )
        .execute(&mut *tx)
        .await?;
    }
    Ok(rows.len() as u64 + reseal_spares(tx, old, new).await?)
}

/// Those that lie ready beside the ones in force.
async fn reseal_spares(tx: &mut PgConnection, old: &Sealer, new: &Sealer) -> anyhow::Result<u64> {
    let rows = sqlx::query!(
        r#"
        SELECT account_id AS "account: AccountId", integration_id AS "integration: IntegrationId",
            slot, secret AS "secret: Sealed"
        FROM spare_credentials FOR UPDATE
        "#,
    )
    .fetch_all(&mut *tx)
    .await?;
    for row in &rows {
        let owner = secret_owner(row.account, row.integration);
        sqlx::query!(
            r#"
            UPDATE spare_credentials SET secret = $4
            WHERE account_id = $1 AND integration_id = $2 AND slot = $3
            "#,
            row.account as AccountId,
            row.integration as IntegrationId,
            row.slot,
            old.reseal(new, &owner, &row.secret)? as Sealed,
        )
        .execute(&mut *tx)
        .await?;
    }
    Ok(rows.len() as u64)
}
