//! The workers of this node: one for each account whose lease it holds.
//!
//! The survey is the whole policy. Every few seconds it says that we are alive. When something
//! may have changed (a bell, a node that came or went, a worker that ended, and now and then
//! without a reason), it also takes our fair share of what nobody works for, and starts and stops
//! workers until they are those of our leases. A node that could not say that it is alive for too
//! long stops its workers itself, before another node starts its own.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use metrics::{counter, gauge};
use tokio::sync::Notify;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use super::figures;
use super::pulse::Pulse;
use super::shared::{Shared, count};
use super::store::leases::{self, Company, Lease};
use super::store::{doubt, due};
use super::survey::{self, Around};
use super::worker::{Ended, Worker};
use crate::ids::AccountId;
use crate::kit::db::in_time;

/// How long workers may take to finish what is on its way when we stop, and by when the leases
/// are given back.
const GRACE: Duration = Duration::from_secs(6);
const FAREWELL: Duration = Duration::from_secs(8);
/// So many heartbeats may pass without a look around.
const A_ROUND: u32 = 10;
/// A look around is followed by a rest of so many times as long: the more accounts, the rarer.
const RESTS: u32 = 4;
const LONGEST_REST: Duration = Duration::from_secs(1);
/// The clock is taken to have jumped when it is off by this much between two heartbeats.
const JUMP: Duration = Duration::from_secs(5);
/// A change older than this that nobody took up was overlooked.
const OVERLOOKED: chrono::TimeDelta = chrono::TimeDelta::seconds(3);

/// The workers of this node.
pub struct Crew {
    shared: Shared,
    pulse: Pulse,
    workers: JoinSet<Ended>,
    posts: HashMap<AccountId, Post>,
    by_task: HashMap<Id, AccountId>,
    /// Those whose last worker here has finished all it had begun, and under which term.
    drained: HashMap<AccountId, i64>,
    last_beat: Instant,
    last_look: (Instant, DateTime<Utc>),
    /// As it was at the last heartbeat.
    company: Company,
    /// There may be something to see that we have not seen.
    changed: bool,
    looked_at: Instant,
    rests_until: Instant,
}

struct Post {
    term: i64,
    stop: CancellationToken,
    /// The lease is given back when the worker has ended.
    leaving: bool,
}

impl Crew {
    pub fn new(shared: Shared, pulse: Pulse) -> Self {
        let now = (Instant::now(), shared.app.clock.now());
        Self {
            shared,
            pulse,
            workers: JoinSet::new(),
            posts: HashMap::new(),
            by_task: HashMap::new(),
            drained: HashMap::new(),
            last_beat: Instant::now(),
            last_look: now,
            company: Company::default(),
            changed: true,
            looked_at: Instant::now(),
            rests_until: Instant::now(),
        }
    }

    pub async fn work(&mut self, stop: &CancellationToken, look_around: &Notify) {
        let mut beat = interval(self.shared.pace.heartbeat);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                Some(ended) = self.workers.join_next_with_id() => self.vacate(ended).await,
                _ = beat.tick() => {
                    stop.run_until_cancelled(self.survey()).await;
                    let until = self.lifeline();
                    stop.run_until_cancelled(timeout_at(until, self.look_back())).await;
                    self.let_go();
                }
                () = rung(look_around, self.rests_until) => {
                    self.changed = true;
                    stop.run_until_cancelled(self.survey()).await;
                }
            }
        }
    }

    async fn survey(&mut self) {
        let began = Instant::now();
        let until = (began + self.shared.pace.gone_after / 3).min(self.lifeline());
        match timeout_at(until, self.see()).await {
            Ok(Ok((company, around))) => {
                self.last_beat = began;
                self.pulse.beat(began);
                self.company = company;
                if let Some(around) = around {
                    self.changed = around.again;
                    self.looked_at = began;
                    self.rests_until = Instant::now() + (began.elapsed() * RESTS).min(LONGEST_REST);
                    self.staff(&around);
                }
                self.shared.measure();
                return self.let_go();
            }
            Ok(Err(error)) => tracing::warn!("the survey failed: {error:#}"),
            Err(_) => tracing::warn!("the survey took too long"),
        }
        self.changed = true;
        self.let_go();
    }

    /// Says that we are alive, and looks around if there may be something to see.
    async fn see(&self) -> anyhow::Result<(Company, Option<Around>)> {
        let (app, pace) = (&self.shared.app, self.shared.pace);
        let company = leases::heartbeat(&app.db, app.node, pace.gone_after).await?;
        let alone_for_long = self.last_beat.elapsed() > pace.believed();
        let rested = self.looked_at.elapsed() > pace.heartbeat * A_ROUND;
        let changed = self.changed || company.unclaimed || company.others != self.company.others;
        if !changed && !alone_for_long && !rested {
            return Ok((company, None));
        }
        let finished = |lease: &Lease| {
            self.posts.contains_key(&lease.account)
                || self.drained.get(&lease.account) == Some(&lease.term)
        };
        let around = survey::look_around(&self.shared, company.live(), finished).await?;
        Ok((company, Some(around)))
    }

    /// Until when our workers may believe in their leases; far off, if we have none.
    fn lifeline(&self) -> Instant {
        if self.posts.is_empty() {
            return Instant::now() + self.shared.pace.gone_after;
        }
        self.last_beat + self.shared.pace.believed()
    }

    /// Stops the workers when others will take us for gone: nobody may work for the same account
    /// twice. What is on its way cannot be called back; it is waited for, so that it is written
    /// down or, if another has the lease by then, confessed.
    fn let_go(&mut self) {
        if self.last_beat.elapsed() < self.shared.pace.believed() || self.posts.is_empty() {
            return;
        }
        tracing::error!("no sign of life could be given: {} workers stop", self.posts.len());
        self.changed = true;
        for post in self.posts.values() {
            post.stop.cancel();
        }
    }

    /// Makes the workers those of our leases, less those that are to be left to others.
    fn staff(&mut self, Around { leases, leaving, .. }: &Around) {
        let terms: HashMap<_, _> = leases.iter().map(|lease| (lease.account, lease.term)).collect();
        for (account, post) in &self.posts {
            if terms.get(account) != Some(&post.term) {
                post.stop.cancel();
            }
        }
        for lease in leases {
            match self.posts.get_mut(&lease.account) {
                None => self.start(*lease),
                Some(post) if leaving.contains(&lease.account) => {
                    post.leaving = true;
                    post.stop.cancel();
                }
                Some(_) => {}
            }
        }
        self.drained.retain(|account, term| terms.get(account) == Some(term));
        gauge!(figures::LEASES).set(count(leases.len()));
    }

    fn start(&mut self, lease: Lease) {
        let stop = CancellationToken::new();
        let worker = Worker::new(self.shared.clone(), lease);
        let handle = self.workers.spawn(worker.run(stop.clone()));
        self.by_task.insert(handle.id(), lease.account);
        let post = Post { term: lease.term, stop, leaving: false };
        self.posts.insert(lease.account, post);
        self.drained.remove(&lease.account);
    }

    async fn vacate(&mut self, ended: Result<(Id, Ended), JoinError>) {
        let id = match &ended {
            Ok((id, _)) => *id,
            Err(error) => error.id(),
        };
        let Some(account) = self.by_task.remove(&id) else { return };
        let post = self.posts.remove(&account);
        let mut leaving = post.as_ref().is_some_and(|post| post.leaving);
        // At the next heartbeat, and not at once: what fell may fall again.
        self.changed = true;
        match ended {
            Err(error) if error.is_panic() => {
                counter!(figures::WORKERS_FALLEN).increment(1);
                tracing::error!(account.id = %account, "a worker fell; the next survey starts another: {error}");
            }
            Ok((_, Ended::Lost)) => {
                tracing::info!(account.id = %account, "another node works for the account now");
            }
            Ok((_, Ended::Elsewhere)) => {
                tracing::info!(account.id = %account, "the account goes to the node that works for its tenant");
                leaving = true;
            }
            Ok((_, Ended::Over)) => {
                tracing::info!(account.id = %account, "the account's sync is cleared up and forgotten");
            }
            Ok((_, Ended::Stopped)) => {
                self.drained.extend(post.map(|post| (account, post.term)));
            }
            Err(_) => {}
        }
        if leaving {
            self.give_back(&[account]).await;
        }
    }

    async fn give_back(&self, accounts: &[AccountId]) {
        let app = &self.shared.app;
        let given = async {
            leases::give_back(&app.db, app.node, accounts).await?;
            leases::ring_elsewhere(&app.db, &[]).await
        };
        if let Err(error) = in_time(given).await {
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
                && let Err(error) = in_time(due::hurry(&app.db, app.node, now)).await
            {
                tracing::warn!("{error}");
            }
            for account in self.posts.keys() {
                app.wakes.ring_here(*account);
            }
        }
        match in_time(due::overlooked(&app.db, app.node, now - OVERLOOKED)).await {
            Ok(overlooked) => {
                for account in overlooked {
                    app.wakes.ring_here(account);
                }
            }
            Err(error) => tracing::warn!("nobody could look back: {error}"),
        }
        self.shared.budgets.sweep();
        app.microsoft.sweep_tokens();
    }

    /// Waits for the workers to finish what is on its way, then for no one; and gives the
    /// leases back, so that other nodes need not wait until we are gone.
    pub async fn close(mut self) {
        for post in self.posts.values() {
            post.stop.cancel();
        }
        let until = Instant::now() + FAREWELL;
        let finish = async {
            while let Some(ended) = self.workers.join_next_with_id().await {
                if let Ok((id, _)) = ended {
                    self.by_task.remove(&id);
                }
            }
        };
        if timeout(GRACE, finish).await.is_err() {
            tracing::warn!("{} workers had to be cut short", self.workers.len());
            self.workers.shutdown().await;
        }
        // What these had in hand nobody knows. A lease that is given back says that all is well,
        // so that is written down with it.
        let cut_short: Vec<_> = self.by_task.values().copied().collect();
        let app = &self.shared.app;
        let leave = async {
            let mut tx = app.db.begin().await?;
            if !cut_short.is_empty() {
                doubt::in_hand(&mut *tx, &cut_short, app.clock.now()).await?;
            }
            leases::leave(&mut *tx, app.node).await?;
            tx.commit().await?;
            leases::ring_elsewhere(&app.db, &[]).await
        };
        if !matches!(timeout_at(until, leave).await, Ok(Ok(()))) {
            tracing::warn!("the leases were not given back; they run out by themselves");
        }
    }
}

/// Waits until somebody wants us to look around, and until we have rested from the last time.
async fn rung(look_around: &Notify, rests_until: Instant) {
    sleep_until(rests_until).await;
    look_around.notified().await;
}
