//! The part of the portal that looks and tells, on every node.

use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::{deliver, scan};
use crate::state::AppState;

const EVERY: Duration = Duration::from_secs(3);

/// Scans and delivers until told to stop. An attempt that was begun is ended first.
pub async fn run(app: AppState, stop: CancellationToken) -> anyhow::Result<()> {
    let mut round = interval(EVERY);
    round.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut well = true;
    while stop.run_until_cancelled(round.tick()).await.is_some() {
        match once(&app, &stop).await {
            Ok(()) => well = true,
            Err(error) => {
                // While Postgres is away every round fails: once is enough to know.
                if well {
                    tracing::warn!("notifications stand still: {error:#}");
                }
                well = false;
            }
        }
    }
    Ok(())
}

async fn once(app: &AppState, stop: &CancellationToken) -> anyhow::Result<()> {
    scan(app).await?;
    while !stop.is_cancelled() && deliver(app).await? > 0 {}
    Ok(())
}
