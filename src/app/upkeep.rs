//! What is done now and then: forgetting what has expired.

use std::time::Duration;

use chrono::TimeDelta;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::state::AppState;
use crate::{integrations, notifications, staff};

const EVERY: Duration = Duration::from_hours(1);
/// Renewal links that ended still say so for so long.
const LINKS_KEPT: TimeDelta = TimeDelta::days(90);
/// Messages that ended are listed so long.
const MESSAGES_KEPT: TimeDelta = TimeDelta::days(30);

pub async fn run(app: AppState, stop: CancellationToken) -> anyhow::Result<()> {
    let mut round = interval(EVERY);
    round.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(round.tick()).await.is_some() {
        if let Err(error) = staff::store::forget_expired(&app.db, app.clock.now()).await {
            tracing::warn!("what has expired could not be forgotten: {error}");
        }
        let before = app.clock.now() - LINKS_KEPT;
        if let Err(error) = integrations::store::renewals::forget_renewals(&app.db, before).await {
            tracing::warn!("renewal links that ended could not be forgotten: {error}");
        }
        let before = app.clock.now() - MESSAGES_KEPT;
        if let Err(error) = notifications::store::outbox::forget_ended(&app.db, before).await {
            tracing::warn!("messages that ended could not be forgotten: {error}");
        }
    }
    Ok(())
}
