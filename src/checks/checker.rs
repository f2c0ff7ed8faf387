//! Runs the checks that are due: those somebody asked for, and those of the night.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

use super::errand::{Errand, Lost, Sum};
use super::{run, store};
use crate::ids::{AccountId, IntegrationId};
use crate::state::AppState;

/// A check that somebody asked for on another node, which fell, is found within this.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// Runs of a node at once; the last few are kept for those whom a person waits for.
const AT_ONCE: usize = 12;
const AT_ONCE_BY_NIGHT: usize = 8;
const FAREWELL: Duration = Duration::from_secs(1);

/// One for each node. Each run is claimed, so that no two nodes do the same.
pub struct Checker {
    app: AppState,
    runs: JoinSet<()>,
}

impl Checker {
    pub fn new(app: AppState) -> Self {
        Self { app, runs: JoinSet::new() }
    }

    /// Works until told to stop. Runs that are not done then are done by another node, or later.
    pub async fn run(mut self, stop: CancellationToken) {
        let bell = self.app.check_bell.clone();
        let mut look = interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                _ = look.tick() => self.enrol().await,
                // Perhaps something new was saved.
                () = bell.notified() => self.enrol().await,
                Some(_) = self.runs.join_next() => {}
            }
            stop.run_until_cancelled(self.take_up()).await;
        }
        self.runs.shutdown().await;
        let leave = store::give_back(&self.app.db, self.app.node);
        if !matches!(timeout(FAREWELL, leave).await, Ok(Ok(()))) {
            tracing::warn!(
                "checks that were going on were not given back; they begin anew in two minutes"
            );
        }
    }

    /// Runs everything that is due now, to its end.
    pub async fn run_due(mut self) {
        self.enrol().await;
        loop {
            self.take_up().await;
            if self.runs.join_next().await.is_none() {
                return;
            }
        }
    }

    /// Takes the integrations in that were set up since, and makes those due that have changed.
    async fn enrol(&self) {
        if let Err(error) = store::enrol(&self.app.db, self.app.clock.now()).await {
            tracing::warn!("nobody could see what is to be checked: {error}");
        }
    }

    async fn take_up(&mut self) {
        let free = AT_ONCE.saturating_sub(self.runs.len());
        let by_night = AT_ONCE_BY_NIGHT.saturating_sub(self.runs.len());
        if free == 0 {
            return;
        }
        let now = self.app.clock.now();
        match store::claim(&self.app.db, self.app.node, free, by_night, now).await {
            Ok(errands) => {
                for errand in errands {
                    self.runs.spawn(one(self.app.clone(), errand));
                }
            }
            Err(error) => tracing::warn!("no check could be taken up: {error}"),
        }
    }
}

async fn one(app: AppState, errand: Errand) {
    let Err(error) = run::run(&app, &errand).await else { return };
    broken_off(&app, &errand, &error).await;
}

/// Runs the check of one integration for somebody who waits for what it comes to. None while
/// another run of it goes on.
pub async fn check_now(
    app: &AppState,
    account: AccountId,
    integration: IntegrationId,
) -> anyhow::Result<Option<Sum>> {
    let now = app.clock.now();
    store::enter(&app.db, account, integration, now).await?;
    let claimed = store::claim_one(&app.db, app.node, (account, integration), now).await?;
    let Some(errand) = claimed else { return Ok(None) };
    match run::run(app, &errand).await {
        Ok(sum) => Ok(Some(sum)),
        Err(error) => {
            broken_off(app, &errand, &error).await;
            Err(error)
        }
    }
}

async fn broken_off(app: &AppState, errand: &Errand, error: &anyhow::Error) {
    if error.is::<Lost>() {
        tracing::info!(account.id = %errand.account, "another node runs this check");
        return;
    }
    tracing::error!(account.id = %errand.account, "a check was broken off: {error:#}");
    if let Err(error) = run::give_up(app, errand).await {
        tracing::warn!(account.id = %errand.account, "and could not be ended: {error:#}");
    }
}
