//! One account's worker: makes Teams show what the tables say it should.
//!
//! It looks at what is due, does that in order of urgency within the tenant's budget, and rests
//! until the bell rings or something falls due. While it rests it asks nobody anything. What it
//! knows is written in the tables: it may end at any moment, and another goes on.

use std::collections::{HashSet, VecDeque};
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::changeover::{Changeover, Way};
use super::condition::Condition;
use super::marks;
use super::plan::{self, Step};
use super::push::{self, Done};
use super::shared::Shared;
use super::store::due::{Ask, DueUser, Standing, Told};
use super::store::leases::Lease;
use super::store::winding;
use super::turning::{self, Turned};
use super::upkeep::{self, Chores, Upkept};
use crate::ids::{AccountId, CloudlinkUserId};
use crate::kit::db::PATIENCE;
use crate::kit::wake::Bell;
use crate::microsoft::Connection;

/// Requests of one account on their way at once.
const IN_FLIGHT: usize = 16;
/// Users looked at at once.
const AT_ONCE: i64 = 64;
/// How long to wait before asking a Postgres that is away again.
const AWAY: Duration = Duration::from_secs(1);
/// How often an account that is being cleared up is looked at, whatever happens.
const WINDING_DOWN: Duration = Duration::from_secs(30);

/// How a worker ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Told to.
    Stopped,
    /// Another node has the lease.
    Lost,
    /// Another node works for the tenant, and so for this account, too.
    Elsewhere,
    /// The account's sync is cleared up and forgotten.
    Over,
}

pub struct Worker {
    pub(super) shared: Shared,
    pub(super) lease: Lease,
    bell: Bell<AccountId>,
    pub(super) condition: Condition,
    pub(super) connection: Option<Way>,
    pub(super) changeover: Changeover,
    standing: Option<Standing>,
    /// The change of the mapping that was gone through.
    remapped: Option<DateTime<Utc>>,
    queue: VecDeque<DueUser>,
    /// Users whose step is being done: never two requests for one user.
    in_hand: HashSet<CloudlinkUserId>,
    steps: FuturesUnordered<BoxFuture<'static, Done>>,
    upkeep: Option<BoxFuture<'static, Upkept>>,
    /// What the upkeep asks Microsoft with.
    upkeep_with: Option<Arc<Connection>>,
    /// There may be more to see than what we saw.
    pub(super) stale: bool,
    pub(super) look_at: Instant,
}

impl Worker {
    pub fn new(shared: Shared, lease: Lease) -> Self {
        let bell = shared.app.wakes.attend(lease.account);
        let condition = Condition::new(&shared, lease.account);
        Self {
            shared,
            lease,
            bell,
            condition,
            connection: None,
            changeover: Changeover::default(),
            standing: None,
            remapped: None,
            queue: VecDeque::new(),
            in_hand: HashSet::new(),
            steps: FuturesUnordered::new(),
            upkeep: None,
            upkeep_with: None,
            stale: true,
            look_at: Instant::now(),
        }
    }

    /// Works until told to stop, or until it may not; and then finishes what is on its way.
    pub async fn run(mut self, stop: CancellationToken) -> Ended {
        let ended = self.work(&stop).await;
        while self.steps.next().await.is_some() {}
        ended
    }

    async fn work(&mut self, stop: &CancellationToken) -> Ended {
        loop {
            while self.stale && !stop.is_cancelled() {
                match timeout(PATIENCE * 2, Box::pin(self.look())).await {
                    Ok(Some(ended)) => return ended,
                    Ok(None) => {}
                    Err(_) => self.look_again_soon(),
                }
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => return Ended::Stopped,
                Some(done) = self.steps.next(), if !self.steps.is_empty() => {
                    if Box::pin(self.settle(done)).await {
                        return Ended::Lost;
                    }
                }
                upkept = turn(&mut self.upkeep) => {
                    self.upkeep = None;
                    if Box::pin(self.kept(upkept)).await {
                        return Ended::Over;
                    }
                }
                signed_in = self.changeover.done() => Box::pin(self.signed_in(signed_in)).await,
                () = self.bell.rung() => { self.stale = true; }
                () = slot(self.connection.as_ref()), if self.may_push() => self.push_next(),
                () = sleep_until(self.look_at) => { self.stale = true; }
            }
        }
    }

    /// Sees how the account stands and what is due.
    async fn look(&mut self) -> Option<Ended> {
        self.stale = false;
        // Those in hand are still due in the table.
        let most = AT_ONCE + i64::try_from(self.in_hand.len()).unwrap_or(0);
        let ask = Ask { account: self.lease.account, term: self.lease.term, most };
        let Told { standing, users, next } = match self.shared.due(ask).await {
            Ok(Some(told)) => told,
            Ok(None) => return Some(Ended::Lost),
            Err(_) => {
                self.look_again_soon();
                return None;
            }
        };
        if self.connect(&standing).await {
            return Some(Ended::Elsewhere);
        }
        let before = self.standing.as_ref();
        match turning::turn(&self.shared, self.lease.account, before, &standing, &mut self.remapped)
            .await
        {
            Ok(Turned { anew, again }) => {
                self.stale |= again;
                if anew {
                    self.queue.clear();
                }
            }
            Err(error) => tracing::warn!(account.id = %self.lease.account, "{error}"),
        }
        self.condition.look(&standing);
        marks::count_down(&self.shared, self.lease.account, &standing, &users).await;
        self.take_up(users);
        self.look_at = self.shared.at(next.into_iter().chain(turning::last_look(&standing)).min());
        let syncing = standing.syncing;
        self.standing = Some(standing);
        self.renew_in_time();
        if syncing {
            self.plan_chores();
        } else {
            self.wind_down().await;
        }
        None
    }

    fn look_again_soon(&mut self) {
        self.look_at = Instant::now() + AWAY.mul_f64(1.0 + rand::random::<f64>());
    }

    /// Puts users into the queue; those who need no request are only written down.
    fn take_up(&mut self, users: Vec<DueUser>) {
        self.queue.clear();
        let now = self.shared.app.clock.now();
        for due in users {
            if self.in_hand.contains(&due.user) {
                continue;
            }
            match plan::plan(&due.facts, now) {
                step @ (Step::Forget | Step::Rest { .. }) => {
                    self.in_hand.insert(due.user.clone());
                    let books = push::keep_books(self.shared.clone(), self.lease, due, step);
                    self.steps.push(Box::pin(books));
                }
                _ => self.queue.push_back(due),
            }
        }
    }

    fn may_push(&self) -> bool {
        !self.queue.is_empty()
            && self.connection.is_some()
            && self.shared.pulse.felt_within(self.shared.pace.believed())
            && !self.changeover.holds()
            && self.steps.len() < self.condition.allows(IN_FLIGHT)
    }

    /// Sends the most urgent request on its way. Its slot in the budget is taken.
    fn push_next(&mut self) {
        let (Some(due), Some((connection, _))) = (self.queue.pop_front(), &self.connection) else {
            return;
        };
        let step = plan::plan(&due.facts, self.shared.app.clock.now());
        self.in_hand.insert(due.user.clone());
        let connection = Arc::clone(connection);
        let span = tracing::info_span!("push", account.id = %self.lease.account);
        let push = push::push(self.shared.clone(), self.lease, connection, due, step);
        self.steps.push(Box::pin(push.instrument(span)));
    }

    /// Takes note of a step that was done. True: the lease is lost.
    async fn settle(&mut self, done: Done) -> bool {
        self.in_hand.remove(&done.user);
        if done.lost {
            return true;
        }
        if let Some(due_at) = done.due_at {
            let due = self.shared.at(Some(due_at));
            // Due again at once: something happened meanwhile, or the next step follows.
            self.stale |= due <= Instant::now();
            self.look_at = self.look_at.min(due);
        }
        match (done.request, done.with) {
            (Some(Err(refusal)), Some(with)) if self.shared.turned(&with, &refusal).await => {
                self.changeover.hold();
                self.stale = true;
            }
            (Some(answer), _) => {
                self.condition.answered(answer, self.connection.as_ref()).await;
            }
            (None, _) => {}
        }
        self.stale |= self.queue.is_empty() && self.steps.is_empty();
        self.pace();
        false
    }

    fn plan_chores(&mut self) {
        let Some(standing) = &self.standing else { return };
        if self.upkeep.is_some() {
            return;
        }
        let now = self.shared.app.clock.now();
        let due = self.condition.chores(standing, now);
        let may_ask = due.directory && !self.changeover.holds();
        let directory = self.connection.clone().filter(|_| may_ask);
        if due.feed || directory.is_some() {
            self.upkeep_with = directory.as_ref().map(|(connection, _)| Arc::clone(connection));
            let chores = Chores { feed: due.feed, directory };
            let span = tracing::info_span!("upkeep", account.id = %self.lease.account);
            let chores = upkeep::do_chores(self.shared.clone(), self.lease, chores);
            self.upkeep = Some(Box::pin(chores.instrument(span)));
        }
        self.look_at = self.look_at.min(self.shared.at(due.next));
        self.pace();
    }

    /// Says farewell once nothing of ours is left in Teams.
    async fn wind_down(&mut self) {
        self.look_at = self.look_at.min(Instant::now() + WINDING_DOWN);
        self.pace();
        let busy = !self.queue.is_empty() || !self.steps.is_empty() || self.upkeep.is_some();
        if busy || self.stale || !self.condition.may_part() {
            return;
        }
        let (db, account) = (&self.shared.app.db, self.lease.account);
        match winding::left(db, account).await {
            Ok(0) => {
                let all = self.standing.as_ref().is_some_and(|standing| standing.removing);
                let farewell = upkeep::farewell(self.shared.clone(), self.lease, all);
                self.upkeep = Some(Box::pin(farewell));
            }
            // Some were on their way into Teams while the others were made due.
            Ok(_) => {
                let made = winding::make_due(db, account, self.shared.app.clock.now()).await;
                self.stale |= made.is_ok_and(|made| made > 0);
            }
            Err(error) => tracing::warn!(account.id = %account, "{error}"),
        }
    }

    /// Takes note of upkeep that was done. True: the account's sync is over.
    async fn kept(&mut self, upkept: Upkept) -> bool {
        self.stale = true;
        if let Some(with) = self.upkeep_with.take()
            && let Some(refusal) = upkept.refusal()
            && self.shared.turned(&with, refusal).await
        {
            self.changeover.hold();
            return false;
        }
        self.condition.upkept(&upkept, self.connection.as_ref()).await;
        matches!(upkept, Upkept::Farewell(Ok(true)))
    }

    /// Looks no later than when the account may ask again.
    fn pace(&mut self) {
        if let Some(until) = self.condition.paused_until() {
            self.look_at = self.look_at.min(until);
        }
    }
}

async fn slot(connection: Option<&Way>) {
    match connection {
        Some((_, budget)) => budget.slot().await,
        None => pending().await,
    }
}

async fn turn(upkeep: &mut Option<BoxFuture<'static, Upkept>>) -> Upkept {
    match upkeep {
        Some(upkeep) => upkeep.await,
        None => pending().await,
    }
}
