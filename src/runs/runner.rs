//! Does what the rows say is to be done: claims items, keeps the claims, and lets others go on
//! when it cannot.

use std::future::Future;
use std::time::Duration;

use metrics::{gauge, histogram};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::{Failure, Job, Outcome, figures, store};
use crate::kit::db::in_time;
use crate::state::AppState;

/// How an item is done.
pub trait Doer: Clone + Send + Sync + 'static {
    /// Does the item from the step it is at, and writes down how it ended with
    /// [`store::finish`]. It may be cut short anywhere and begun again, here or on another node.
    /// An error is ours (Postgres was away): the item is taken up again, a few times.
    fn work(&self, job: Job) -> impl Future<Output = anyhow::Result<()>> + Send;
}

/// How often things are looked at.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// How long to rest when nobody rings.
    pub rest: Duration,
    /// How long a claim lasts that is not kept.
    pub lease: Duration,
    /// How many items are done at once.
    pub at_once: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Self { rest: Duration::from_secs(2), lease: Duration::from_secs(9), at_once: 8 }
    }
}

/// An item that is cut short so often without coming a step further has failed.
const MOST_TRIES: i16 = 6;

/// What it may take to give back what was claimed, when we stop.
const FAREWELL: Duration = Duration::from_secs(1);

pub struct Runner<D> {
    app: AppState,
    doer: D,
    pace: Pace,
    working: JoinSet<()>,
}

impl<D: Doer> Runner<D> {
    pub fn new(app: AppState, doer: D, pace: Pace) -> Self {
        Self { app, doer, pace, working: JoinSet::new() }
    }

    /// Works until told to stop. What is in hand then is given back as it is: the step that was
    /// under way is done again by whoever comes.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut rest = interval(self.pace.rest);
        rest.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(ended) = self.working.join_next() => {
                    if let Err(error) = ended {
                        tracing::error!("long work fell; it is taken up again: {error}");
                    }
                }
                () = self.app.work.notified() => {}
                _ = rest.tick() => {}
            }
            if let Err(error) = self.take_up().await {
                tracing::warn!("long work could not be looked for: {error}");
            }
        }
        self.working.shutdown().await;
        let given = timeout(FAREWELL, store::give_up(&self.app.db, self.app.node)).await;
        if !matches!(given, Ok(Ok(()))) {
            tracing::warn!("claims on long work were not given back; they run out");
        }
    }

    async fn take_up(&mut self) -> sqlx::Result<()> {
        let (app, now) = (&self.app, self.app.clock.now());
        in_time(async { store::end_rests(&mut *app.db.acquire().await?, now).await }).await?;
        let free = self.pace.at_once.saturating_sub(self.working.len());
        if free == 0 {
            return Ok(());
        }
        let most = i64::try_from(free).unwrap_or(1);
        let claimed = in_time(store::claim(&app.db, app.node, self.pace.lease, most, now)).await?;
        for job in claimed {
            let span = tracing::info_span!("run", run.id = %job.run, account.id = %job.account);
            let item = done(self.app.clone(), self.doer.clone(), job, self.pace.lease);
            self.working.spawn(item.instrument(span));
        }
        gauge!(figures::IN_HAND).set(u32::try_from(self.working.len()).unwrap_or(u32::MAX));
        Ok(())
    }
}

/// Does one item for as long as the claim on it is kept.
async fn done<D: Doer>(app: AppState, doer: D, job: Job, lease: Duration) {
    let (begun, deed) = (Instant::now(), job.deed.as_str());
    let kept = async {
        loop {
            tokio::time::sleep(lease / 3).await;
            match in_time(store::keep(&app.db, &job, lease)).await {
                Ok(true) => {}
                Ok(false) => break tracing::info!("another node goes on with it"),
                Err(error) => tracing::warn!("a claim could not be kept: {error}"),
            }
        }
    };
    tokio::select! {
        () = kept => {}
        worked = async {
            if job.tries > MOST_TRIES { give_up(&app, &job).await } else { doer.work(job.clone()).await }
        } => {
            if let Err(error) = worked {
                tracing::warn!("it is taken up again: {error:#}");
            }
            histogram!(figures::ITEM_SECONDS, "deed" => deed).record(begun.elapsed());
        }
    }
}

/// Ends an item that nobody could do: the others of its run are not to wait for it.
async fn give_up(app: &AppState, job: &Job) -> anyhow::Result<()> {
    let failure = Failure {
        title: "Something went wrong on our side each time".to_owned(),
        advice: "The log of the portal says what. Once that is mended, try it again.".to_owned(),
        detail: format!("Tried {MOST_TRIES} times."),
    };
    let mut tx = app.db.begin().await?;
    if store::finish(&mut tx, job, &Outcome::Failed(failure), app.clock.now()).await? {
        tx.commit().await?;
    }
    Ok(())
}
