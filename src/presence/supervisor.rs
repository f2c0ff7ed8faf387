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
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::bells;
use super::books;
use super::crew::Crew;
use super::inbox::Writer;
use super::pulse::Pulse;
use super::shared::{Clerks, Pace, Shared};
use crate::state::AppState;

/// How long those who write may take for the last of it.
const LAST_WORDS: Duration = Duration::from_millis(900);

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
        parts.spawn(books::keep(shared.clone(), last.clone()));
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
