//! What the workers of a node share: the way to Postgres in batches, budgets, and their pace.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use metrics::gauge;
use sqlx::PgPool;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::budget::Budgets;
use super::figures;
use super::pulse::{Deed, Pulse};
use super::store::due::{self, Ask, Told};
use super::store::lost_a_deadlock;
use super::store::outcomes::{self, Accepted, Outcome};
use super::tally::Tally;
use crate::ids::NodeId;
use crate::kit::batch::{Batcher, Flusher, batcher};
use crate::kit::clock::Clock;
use crate::kit::db::{in_time, is_away};
use crate::state::AppState;

/// Workers asking in one statement, and outcomes written in one.
const ASKS_AT_ONCE: usize = 256;
const OUTCOMES_AT_ONCE: usize = 512;
const MOST_WAITING: usize = 4_096;
/// How far such statements keep apart. Nobody in Teams waits for the books.
const ASKS_APART: Duration = Duration::from_millis(4);
const OUTCOMES_APART: Duration = Duration::from_millis(25);

/// How often things are done.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    pub heartbeat: Duration,
    /// A node that has not been seen for so long is taken for gone.
    pub gone_after: Duration,
    pub directory: Duration,
    pub subscription: Duration,
    /// After so long without an event the subscription is looked at once more.
    pub silence: Duration,
    /// How long what needs a person is left alone.
    pub person: Duration,
}

impl Pace {
    /// How long after its last sign of life a node may still believe in its leases: it stops
    /// before any other begins.
    pub fn believed(&self) -> Duration {
        self.gone_after * 2 / 3
    }
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_secs(3),
            gone_after: Duration::from_secs(10),
            directory: Duration::from_mins(15),
            subscription: Duration::from_mins(10),
            silence: Duration::from_mins(5),
            person: Duration::from_hours(1),
        }
    }
}

/// Postgres could not be asked. It will be back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Postgres is away")]
pub struct Away;

#[derive(Clone)]
pub struct Shared {
    pub app: AppState,
    pub pace: Pace,
    pub budgets: Budgets,
    pub tally: Tally,
    pub pulse: Pulse,
    /// How many accounts may read directories and look after subscriptions at once.
    pub upkeep: Arc<Semaphore>,
    /// How many connections may be read at once: workers that start together leave the pool to
    /// others, too.
    pub opening: Arc<Semaphore>,
    due: Batcher<Ask, Result<Option<Told>, Away>>,
    outcomes: Batcher<Outcome, Result<Option<Accepted>, Away>>,
}

/// The halves that write. Nobody is answered unless somebody runs them.
pub struct Clerks {
    db: PgPool,
    clock: Clock,
    node: NodeId,
    pulse: Pulse,
    due: Flusher<Ask, Result<Option<Told>, Away>>,
    outcomes: Flusher<Outcome, Result<Option<Accepted>, Away>>,
}

impl Shared {
    pub fn new(app: AppState, pace: Pace, pulse: Pulse) -> (Self, Clerks) {
        let (due, asks) = batcher(ASKS_AT_ONCE, MOST_WAITING, ASKS_APART);
        let (hand_in, outcomes) = batcher(OUTCOMES_AT_ONCE, MOST_WAITING, OUTCOMES_APART);
        let clerks = Clerks {
            db: app.db.clone(),
            clock: app.clock.clone(),
            node: app.node,
            pulse: pulse.clone(),
            due: asks,
            outcomes,
        };
        let budgets = Budgets::new(app.config.microsoft.requests_per_second);
        let (upkeep, opening) = (Arc::new(Semaphore::new(64)), Arc::new(Semaphore::new(6)));
        let tally = Tally::default();
        (Self { app, pace, budgets, tally, pulse, upkeep, opening, due, outcomes: hand_in }, clerks)
    }

    /// What is due for an account; `None` when another node has its lease.
    pub async fn due(&self, ask: Ask) -> Result<Option<Told>, Away> {
        self.due.submit(ask).await.unwrap_or(Err(Away))
    }

    /// Writes an outcome down; `None` when another node has the account's lease.
    pub async fn write(&self, outcome: Outcome) -> Result<Option<Accepted>, Away> {
        self.outcomes.submit(outcome).await.unwrap_or(Err(Away))
    }

    /// When a moment of the clock comes, for those who wait; far away if there is none.
    pub(super) fn at(&self, moment: Option<DateTime<Utc>>) -> Instant {
        const FAR_AWAY: Duration = Duration::from_hours(24);
        let wait = moment.map(|moment| moment - self.app.clock.now());
        let wait = wait.map_or(FAR_AWAY, |wait| wait.to_std().unwrap_or(Duration::ZERO));
        Instant::now() + wait.min(FAR_AWAY)
    }

    /// Notes how much waits, for whoever watches.
    pub fn measure(&self) {
        gauge!(figures::QUEUE_DEPTH, "queue" => "due").set(count(self.due.depth()));
        gauge!(figures::QUEUE_DEPTH, "queue" => "outcomes").set(count(self.outcomes.depth()));
    }
}

#[expect(clippy::cast_precision_loss, reason = "a gauge of a few thousand")]
pub(super) fn count(n: usize) -> f64 {
    n as f64
}

impl Clerks {
    /// Serves until told to stop, and then what was handed in before.
    pub async fn run(self, stop: CancellationToken) {
        let Self { db, clock, node, pulse, mut due, mut outcomes } = self;
        let asked = async {
            while let Some((asks, callers)) = due.take(&stop).await {
                let told = tell(&db, node, &asks, &clock).await;
                pulse.note(Deed::SeeWhatIsDue, told.iter().all(Result::is_ok));
                callers.answer(told);
            }
        };
        let written = async {
            while let Some((outcomes, callers)) = outcomes.take(&stop).await {
                let written = write_down(&db, node, &outcomes).await;
                pulse.note(Deed::KeepBooks, written.iter().all(Result::is_ok));
                callers.answer(written);
            }
        };
        tokio::join!(asked, written);
    }
}

async fn tell(
    db: &PgPool,
    node: NodeId,
    asks: &[Ask],
    clock: &Clock,
) -> Vec<Result<Option<Told>, Away>> {
    let told = async { due::due(&mut *db.acquire().await?, node, asks, clock.now()).await };
    match in_time(told).await {
        // Two asks of one account may come together: that of a look that was given up, and of the next.
        Ok(told) => asks.iter().map(|ask| Ok(told.get(&ask.account).cloned())).collect(),
        Err(error) => {
            complain("what is due could not be read", &error);
            vec![Err(Away); asks.len()]
        }
    }
}

async fn write_down(
    db: &PgPool,
    node: NodeId,
    outcomes: &[Outcome],
) -> Vec<Result<Option<Accepted>, Away>> {
    match write_outcomes(db, node, outcomes).await {
        Ok(accepted) => answers(outcomes, accepted),
        Err(error) => {
            complain("outcomes could not be written", &error);
            vec![Err(Away); outcomes.len()]
        }
    }
}

async fn write_outcomes(
    db: &PgPool,
    node: NodeId,
    outcomes: &[Outcome],
) -> sqlx::Result<Vec<Accepted>> {
    let mut tries = 0;
    loop {
        match in_time(outcomes::write(db, node, outcomes)).await {
            Err(error) if lost_a_deadlock(&error) && tries < 5 => tries += 1,
            done => return done,
        }
    }
}

fn answers(outcomes: &[Outcome], accepted: Vec<Accepted>) -> Vec<Result<Option<Accepted>, Away>> {
    let mut accepted: std::collections::HashMap<_, _> =
        accepted.into_iter().map(|one| ((one.account, one.user.clone()), one)).collect();
    outcomes
        .iter()
        .map(|outcome| Ok(accepted.remove(&(outcome.account, outcome.user.clone()))))
        .collect()
}

fn complain(what: &str, error: &sqlx::Error) {
    if is_away(error) {
        tracing::warn!("{what}: {error}");
    } else {
        tracing::error!("{what}: {error}");
    }
}
