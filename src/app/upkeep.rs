//! What is done now and then: forgetting what has expired, sealing what was written down, adding up.

use std::time::Duration;

use chrono::TimeDelta;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::state::AppState;
use crate::{accounts, audit, home, integrations, notifications, runs, staff};

const EVERY: Duration = Duration::from_hours(1);
/// Renewal links that ended still say so for so long.
const LINKS_KEPT: TimeDelta = TimeDelta::days(90);
/// Messages that ended are listed so long.
const MESSAGES_KEPT: TimeDelta = TimeDelta::days(30);
/// Fleet updates and bulk work that ended, with their results; Activity keeps what was done.
const RUNS_KEPT: TimeDelta = TimeDelta::days(180);
/// How often what was changed is added up, for those who want the sum.
const ADD_EVERY: Duration = Duration::from_mins(1);
/// How long an entry of Activity may stand unsealed.
const SEAL_EVERY: Duration = Duration::from_secs(1);

pub async fn run(app: AppState, stop: CancellationToken) -> anyhow::Result<()> {
    let mut round = interval(EVERY);
    round.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(round.tick()).await.is_some() {
        forget(&app).await;
    }
    Ok(())
}

/// Forgets what has expired, or ended long ago.
pub async fn forget(app: &AppState) {
    let (db, now) = (&app.db, app.clock.now());
    if let Err(error) = staff::store::forget_expired(db, now).await {
        tracing::warn!("what has expired could not be forgotten: {error}");
    }
    let before = now - LINKS_KEPT;
    if let Err(error) = integrations::store::renewals::forget_renewals(db, before).await {
        tracing::warn!("renewal links that ended could not be forgotten: {error}");
    }
    let before = now - MESSAGES_KEPT;
    if let Err(error) = notifications::store::outbox::forget_ended(db, before).await {
        tracing::warn!("messages that ended could not be forgotten: {error}");
    }
    if let Err(error) = runs::store::forget_ended(db, now - RUNS_KEPT).await {
        tracing::warn!("runs that ended could not be forgotten: {error}");
    }
}

/// Seals Activity behind those who write it.
pub async fn seal(app: AppState, stop: CancellationToken) -> anyhow::Result<()> {
    let mut round = interval(SEAL_EVERY);
    round.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(round.tick()).await.is_some() {
        match audit::seals::seal_waiting(&app.db, &app.sealer).await {
            Ok(0) => {}
            // There may be more than are sealed at once.
            Ok(_) => round.reset_immediately(),
            Err(error) => tracing::warn!("Activity could not be sealed: {error:#}"),
        }
    }
    Ok(())
}

/// Adds up what was changed, so that little is left to add for whoever asks.
pub async fn add_up(app: AppState, stop: CancellationToken) -> anyhow::Result<()> {
    let mut round = interval(ADD_EVERY);
    round.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(round.tick()).await.is_some() {
        let added = async {
            accounts::store::fold(&app.db).await?;
            home::count_people(&app.db).await
        };
        if let Err(error) = added.await {
            tracing::warn!("what was changed could not be added up: {error}");
        }
    }
    Ok(())
}
