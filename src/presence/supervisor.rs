//! What keeps the sync going on this node: the workers' crew, and beside it those who write for
//! them, carry their bells and count.
//!
//! They live and die together: a node on which one of them fell says so and ends, rather than
//! going on with half a sync.

use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::bells;
use super::crew::Crew;
use super::inbox::Writer;
use super::pulse::Pulse;
use super::shared::{Clerks, Pace, Shared};
use super::store::{history, hours, minutes, tally};
use crate::kit::db::in_time;
use crate::state::AppState;

const TALLY_EVERY: Duration = Duration::from_secs(2);
const TIDY_EVERY: Duration = Duration::from_hours(1);
const KEPT: chrono::TimeDelta = chrono::TimeDelta::days(8);
/// How long those who write may take for the last of it.
const LAST_WORDS: Duration = Duration::from_secs(2);

pub struct Supervisor {
    shared: Shared,
    writer: Writer,
    clerks: Clerks,
    pulse: Pulse,
}

impl Supervisor {
    pub(super) fn new(app: &AppState, pace: Pace, pulse: Pulse, writer: Writer) -> Self {
        let (shared, clerks) = Shared::new(app.clone(), pace, pulse.clone());
        Self { shared, writer, clerks, pulse }
    }

    pub fn pulse(&self) -> Pulse {
        self.pulse.clone()
    }

    /// Works until told to stop; then finishes what is in hand and gives the leases back.
    pub async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        let Self { shared, writer, clerks, pulse } = self;
        let look_around = Arc::new(Notify::new());
        // Those who write outlive those who hand in.
        let last = CancellationToken::new();
        let mut parts = JoinSet::new();
        parts.spawn(writer.run(stop.clone()));
        parts.spawn(clerks.run(last.clone()));
        parts.spawn(keep_tally(shared.clone(), last.clone()));
        parts.spawn(bells::carry(shared.app.clone(), Arc::clone(&look_around), stop.clone()));
        parts.spawn(bells::listen(shared.app.clone(), Arc::clone(&look_around), stop.clone()));
        let mut crew = Crew::new(shared, pulse);
        let fallen = tokio::select! {
            () = crew.work(&stop, &look_around) => None,
            Some(ended) = parts.join_next(), if !stop.is_cancelled() => Some(ended),
        };
        crew.close().await;
        last.cancel();
        let finish = async { while parts.join_next().await.is_some() {} };
        if timeout(LAST_WORDS, finish).await.is_err() {
            parts.shutdown().await;
        }
        match fallen {
            Some(ended) if !stop.is_cancelled() => bail!("a part of the sync fell: {ended:?}"),
            _ => Ok(()),
        }
    }
}

/// Writes down what was counted, every few seconds and at the end.
async fn keep_tally(shared: Shared, stop: CancellationToken) {
    let mut tidied = Instant::now();
    let mut closed = None;
    loop {
        let ending = stop.run_until_cancelled(tokio::time::sleep(TALLY_EVERY)).await.is_none();
        let minutes = shared.tally.take();
        if !minutes.is_empty()
            && let Err(error) = in_time(tally::add(&shared.app.db, &minutes)).await
        {
            tracing::warn!("{} minutes of figures were lost: {error}", minutes.len());
        }
        let kept = minutes::keep_totals(&shared.app.db, shared.app.clock.now());
        if let Err(error) = in_time(kept).await {
            tracing::warn!("the minutes of all accounts were not added up: {error}");
        }
        if ending {
            return;
        }
        let hour = shared.app.clock.now().timestamp() / 3600;
        if closed != Some(hour) && close_hour(&shared).await {
            closed = Some(hour);
        }
        if tidied.elapsed() > TIDY_EVERY {
            tidied = Instant::now();
            let before = shared.app.clock.now() - KEPT;
            if let Err(error) = tally::tidy(&shared.app.db, before).await {
                tracing::warn!("old figures were not tidied away: {error}");
            }
        }
    }
}

/// Once an hour: adds up the hour before, and makes room for what will happen.
async fn close_hour(shared: &Shared) -> bool {
    let (db, now) = (&shared.app.db, shared.app.clock.now());
    let closed = async {
        hours::close(db, now).await?;
        history::make_room(db, now).await
    };
    closed.await.inspect_err(|error| tracing::warn!("the hour was not closed: {error}")).is_ok()
}
