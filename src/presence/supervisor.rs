//! Keeps one worker for each account whose lease this node holds.
//!
//! The survey is the whole policy: every few seconds it says that we are alive, takes our fair
//! share of what nobody works for, and starts and stops workers until they are those of our
//! leases. A worker that fell is simply missing at the next survey. A node that could not say
//! that it is alive for too long stops its workers itself, before another node starts its own.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use metrics::{counter, gauge};
use tokio::sync::Notify;
use tokio::task::{AbortHandle, Id, JoinError, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

use super::bells;
use super::feed::key_owner;
use super::figures;
use super::inbox::Writer;
use super::shared::{Clerks, Pace, Shared, count};
use super::store::leases::{self, Lease};
use super::store::{due, minutes, tally};
use super::worker::{Ended, Worker};
use crate::ids::AccountId;
use crate::kit::token;
use crate::state::AppState;

/// How long workers may take to finish what is on its way when we stop.
const GRACE: Duration = Duration::from_secs(7);
/// The clock is taken to have jumped when it is off by this much between two heartbeats.
const JUMP: Duration = Duration::from_secs(5);
const TALLY_EVERY: Duration = Duration::from_secs(2);
const TIDY_EVERY: Duration = Duration::from_hours(1);
const KEPT: chrono::TimeDelta = chrono::TimeDelta::days(8);
/// A change older than this that nobody took up was overlooked.
const OVERLOOKED: chrono::TimeDelta = chrono::TimeDelta::seconds(3);

pub struct Supervisor {
    shared: Shared,
    writer: Writer,
    clerks: Clerks,
    pulse: Pulse,
}

/// Whether the supervisor is alive: it said so to Postgres not long ago.
#[derive(Clone, Debug)]
pub struct Pulse {
    last: Arc<std::sync::Mutex<Option<Instant>>>,
    lasts: Duration,
}

impl Pulse {
    pub fn is_alive(&self) -> bool {
        let last = *self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        last.is_some_and(|last| last.elapsed() < self.lasts)
    }

    fn beat(&self, at: Instant) {
        *self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(at);
    }
}

impl Supervisor {
    pub(super) fn new(app: &AppState, pace: Pace, writer: Writer) -> Self {
        let (shared, clerks) = Shared::new(app.clone(), pace);
        let pulse = Pulse { last: Arc::default(), lasts: pace.gone_after };
        Self { shared, writer, clerks, pulse }
    }

    pub fn pulse(&self) -> Pulse {
        self.pulse.clone()
    }

    /// Works until told to stop; then finishes what is in hand and gives the leases back.
    pub async fn run(self, stop: CancellationToken) {
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
        crew.work(&stop, &look_around).await;
        crew.close().await;
        last.cancel();
        if timeout(Duration::from_secs(2), async { while parts.join_next().await.is_some() {} })
            .await
            .is_err()
        {
            parts.shutdown().await;
        }
    }
}

/// The workers of this node.
struct Crew {
    shared: Shared,
    pulse: Pulse,
    workers: JoinSet<Ended>,
    posts: HashMap<AccountId, Post>,
    by_task: HashMap<Id, AccountId>,
    last_beat: Instant,
    last_look: (Instant, DateTime<Utc>),
}

struct Post {
    term: i64,
    stop: CancellationToken,
    handle: AbortHandle,
    /// The lease is given back when the worker has ended.
    leaving: bool,
}

impl Crew {
    fn new(shared: Shared, pulse: Pulse) -> Self {
        let now = (Instant::now(), shared.app.clock.now());
        Self {
            shared,
            pulse,
            workers: JoinSet::new(),
            posts: HashMap::new(),
            by_task: HashMap::new(),
            last_beat: Instant::now(),
            last_look: now,
        }
    }

    async fn work(&mut self, stop: &CancellationToken, look_around: &Notify) {
        let mut beat = interval(self.shared.pace.heartbeat);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                Some(ended) = self.workers.join_next_with_id() => self.vacate(ended).await,
                _ = beat.tick() => {
                    stop.run_until_cancelled(self.survey()).await;
                    stop.run_until_cancelled(self.look_back()).await;
                }
                () = look_around.notified() => {
                    stop.run_until_cancelled(self.survey()).await;
                }
            }
        }
    }

    async fn survey(&mut self) {
        let began = Instant::now();
        let patience = self.shared.pace.gone_after / 3;
        match timeout(patience, self.take_leases()).await {
            Ok(Ok((leases, share))) => {
                self.last_beat = began;
                self.pulse.beat(began);
                self.staff(&leases, share);
            }
            Ok(Err(error)) => tracing::warn!("the survey failed: {error:#}"),
            Err(_) => tracing::warn!("the survey took too long"),
        }
        // Others will take us for gone: nobody may work for the same account twice.
        if self.last_beat.elapsed() > self.shared.pace.gone_after * 2 / 3 && !self.posts.is_empty()
        {
            tracing::error!("no sign of life could be given: {} workers stop", self.posts.len());
            for post in self.posts.values() {
                post.handle.abort();
            }
        }
    }

    async fn take_leases(&self) -> anyhow::Result<(Vec<Lease>, usize)> {
        let (app, pace) = (&self.shared.app, self.shared.pace);
        let live = leases::heartbeat(&app.db, app.node, pace.gone_after).await?;
        for account in leases::newcomers(&app.db).await? {
            let key = token::random();
            let sealed = app.sealer.seal(&key_owner(account), &key)?;
            leases::admit(&app.db, account, &token::digest(key.reveal()), &sealed).await?;
        }
        let mut tx = app.db.begin().await?;
        let taken = leases::take(&mut tx, app.node, live, pace.gone_after).await?;
        let share = leases::fair_share(&mut *tx, live).await?;
        tx.commit().await?;
        Ok((taken, usize::try_from(share).unwrap_or(usize::MAX)))
    }

    /// Makes the workers those of our leases, less what is more than our share.
    fn staff(&mut self, leases: &[Lease], share: usize) {
        let terms: HashMap<_, _> = leases.iter().map(|lease| (lease.account, lease.term)).collect();
        for (account, post) in &self.posts {
            if terms.get(account) != Some(&post.term) {
                post.handle.abort();
            }
        }
        for (index, lease) in leases.iter().enumerate() {
            match self.posts.get_mut(&lease.account) {
                None => self.start(*lease),
                Some(post) if index >= share => {
                    post.leaving = true;
                    post.stop.cancel();
                }
                Some(_) => {}
            }
        }
        gauge!(figures::LEASES).set(count(leases.len()));
        self.shared.measure();
    }

    fn start(&mut self, lease: Lease) {
        let stop = CancellationToken::new();
        let worker = Worker::new(self.shared.clone(), lease);
        let handle = self.workers.spawn(worker.run(stop.clone()));
        self.by_task.insert(handle.id(), lease.account);
        let post = Post { term: lease.term, stop, handle, leaving: false };
        self.posts.insert(lease.account, post);
    }

    async fn vacate(&mut self, ended: Result<(Id, Ended), JoinError>) {
        let id = match &ended {
            Ok((id, _)) => *id,
            Err(error) => error.id(),
        };
        let Some(account) = self.by_task.remove(&id) else { return };
        let post = self.posts.remove(&account);
        match ended {
            Err(error) if error.is_panic() => {
                counter!(figures::WORKERS_FALLEN).increment(1);
                tracing::error!(account.id = %account, "a worker fell; the next survey starts another: {error}");
            }
            Ok((_, Ended::Lost)) => {
                tracing::info!(account.id = %account, "another node works for the account now");
            }
            Ok((_, Ended::Over)) => {
                tracing::info!(account.id = %account, "the account's sync is cleared up and forgotten");
            }
            Ok((_, Ended::Stopped)) | Err(_) => {}
        }
        if post.is_some_and(|post| post.leaving) {
            self.give_back(&[account]).await;
        }
    }

    async fn give_back(&self, accounts: &[AccountId]) {
        let app = &self.shared.app;
        let given = async {
            leases::give_back(&app.db, app.node, accounts).await?;
            leases::ring_elsewhere(&app.db, &[]).await
        };
        if let Err(error) = given.await {
            tracing::warn!("leases were not given back: {error}");
        }
    }

    /// Looks for what went past us: bells that were lost on their way, and a clock that jumped.
    async fn look_back(&mut self) {
        let (app, now) = (&self.shared.app, self.shared.app.clock.now());
        let (then, clock_then) = self.last_look;
        self.last_look = (Instant::now(), now);
        let drift = (now - clock_then).num_milliseconds()
            - i64::try_from(then.elapsed().as_millis()).unwrap_or(i64::MAX);
        let jump = i64::try_from(JUMP.as_millis()).unwrap_or(i64::MAX);
        if drift.abs() > jump {
            tracing::warn!("the clock jumped by {drift} ms");
            if drift < 0
                && let Err(error) = due::hurry(&app.db, app.node, now).await
            {
                tracing::warn!("{error}");
            }
            for account in self.posts.keys() {
                app.wakes.ring_here(*account);
            }
        }
        match due::overlooked(&app.db, app.node, now - OVERLOOKED).await {
            Ok(overlooked) => {
                for account in overlooked {
                    app.wakes.ring_here(account);
                }
            }
            Err(error) => tracing::warn!("nobody could look back: {error}"),
        }
        self.shared.budgets.sweep();
    }

    /// Waits for the workers to finish what is on its way, then for no one; and gives the
    /// leases back, so that other nodes need not wait until we are gone.
    async fn close(mut self) {
        for post in self.posts.values() {
            post.stop.cancel();
        }
        let finish = async { while self.workers.join_next().await.is_some() {} };
        if timeout(GRACE, finish).await.is_err() {
            tracing::warn!("{} workers had to be cut short", self.workers.len());
            self.workers.shutdown().await;
        }
        let app = &self.shared.app;
        let leave = async {
            leases::leave(&app.db, app.node).await?;
            leases::ring_elsewhere(&app.db, &[]).await
        };
        if !matches!(timeout(Duration::from_secs(1), leave).await, Ok(Ok(()))) {
            tracing::warn!("the leases were not given back; they run out by themselves");
        }
    }
}

/// Writes down what was counted, every few seconds and at the end.
async fn keep_tally(shared: Shared, stop: CancellationToken) {
    let mut tidied = Instant::now();
    loop {
        let ending = stop.run_until_cancelled(tokio::time::sleep(TALLY_EVERY)).await.is_none();
        let minutes = shared.tally.take();
        if !minutes.is_empty()
            && let Err(error) = tally::add(&shared.app.db, &minutes).await
        {
            tracing::warn!("{} minutes of figures were lost: {error}", minutes.len());
        }
        if let Err(error) = minutes::keep_totals(&shared.app.db, shared.app.clock.now()).await {
            tracing::warn!("the minutes of all accounts were not added up: {error}");
        }
        if ending {
            return;
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
