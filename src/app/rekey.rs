//! A new master key: every secret is opened with the old one and sealed with the new, or none is.

use anyhow::{Context, bail};
use sqlx::PgPool;

use super::keys;
use super::store;
use crate::kit::secret::{MasterKey, Sealer};
use crate::{audit, integrations, notifications, presence, staff};

/// A process that gave no sign of life for so long is gone.
const ALIVE_WITHIN_SECONDS: f64 = 20.0;

/// What was sealed anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resealed {
    pub client_secrets: u64,
    pub second_factors: u64,
    pub webhook_keys: u64,
    pub channels: u64,
}

/// Seals everything anew, in one transaction.
///
/// Not while the portal runs: its processes hold the old key, and would go on sealing with it.
pub async fn reseal(db: &PgPool, old: &Sealer, new: &MasterKey) -> anyhow::Result<Resealed> {
    let alive = store::nodes_alive(db, ALIVE_WITHIN_SECONDS).await?;
    if alive > 0 {
        bail!(
            "The portal is running ({alive} process{}): stop it first, and try again 20 seconds \
             later. Nothing was changed.",
            if alive == 1 { "" } else { "es" }
        );
    }
    let new = Sealer::new(new);
    let mut tx = db.begin().await?;
    let unchanged = "Nothing was changed";
    let resealed = Resealed {
        client_secrets: integrations::store::reseal(&mut tx, old, &new).await.context(unchanged)?,
        second_factors: staff::store::second_factor::reseal(&mut tx, old, &new)
            .await
            .context(unchanged)?,
        webhook_keys: presence::store::reseal(&mut tx, old, &new).await.context(unchanged)?,
        channels: notifications::store::reseal(&mut tx, old, &new).await.context(unchanged)?,
    };
    audit::seals::reseal(&mut tx, old, &new).await.context(unchanged)?;
    store::replace_key_check(&mut *tx, &keys::seal_check(&new)?).await?;
    tx.commit().await?;
    Ok(resealed)
}
