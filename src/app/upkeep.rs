//! What is done now and then: forgetting what has expired.

use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::staff;
use crate::state::AppState;

const EVERY: Duration = Duration::from_hours(1);

pub async fn run(app: AppState, stop: CancellationToken) -> anyhow::Result<()> {
    let mut round = interval(EVERY);
    round.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(round.tick()).await.is_some() {
        if let Err(error) = staff::store::forget_expired(&app.db, app.clock.now()).await {
            tracing::warn!("what has expired could not be forgotten: {error}");
        }
    }
    Ok(())
}
