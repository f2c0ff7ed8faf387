//! What only the demo does to the database.

use sqlx::PgExecutor;

use crate::ids::{AccountId, IntegrationId};

/// Puts an integration back to the first release, so that there is an update to install.
pub async fn set_back(
    db: impl PgExecutor<'_>,
    account: AccountId,
    integration: IntegrationId,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE integrations SET release = 1 WHERE account_id = $1 AND id = $2",
        account as AccountId,
        integration as IntegrationId,
    )
    .execute(db)
    .await?;
    Ok(())
}
