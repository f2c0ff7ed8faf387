//! One account's worker: makes Teams show what the tables say it should.
//!
//! It looks at what is due, does that in order of urgency within the tenant's budget, and rests
//! until the bell rings or something falls due. While it rests it asks nobody anything. What it
//! knows is written in the tables: it may end at any moment, and another goes on.

use std::collections::{HashSet, VecDeque};
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tracing::field::Empty;
use tracing::{Instrument, Span};

use super::budget::Slot;
use super::changeover::Changeover;
use super::condition::Condition;
use super::marks;
use super::plan::{self, Step, Urgency};
use super::push::{self, Done};
use super::shared::Shared;
use super::store::due::{Ask, DueUser, Standing, Told};
use super::store::leases::Lease;
use super::turning::{self, Turned};
use super::upkeep::Upkept;
use super::way::{self, Up, Way};
use crate::ids::{AccountId, CloudlinkUserId};
use crate::kit::db::PATIENCE;
use crate::kit::wake::Bell;
use crate::microsoft::Connection;

/// Steps of one account on their way at once, until they stand in the books: enough for a tenant's
/// 50 a second while Microsoft takes half a second for each.
const IN_FLIGHT: usize = 32;
/// Users looked at at once.
const AT_ONCE: i64 = 64;
/// How long what happens is left unseen while those wait whom nobody can be more urgent than.
const BUSY: Duration = Duration::from_millis(250);
/// How long to wait before asking a Postgres that is away again.
const AWAY: Duration = Duration::from_secs(1);

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
    pub(super) way: Option<Arc<Way>>,
    pub(super) changeover: Changeover,
    pub(super) standing: Option<Standing>,
    /// The change of the mapping that was gone through.
    remapped: Option<DateTime<Utc>>,
    pub(super) queue: VecDeque<DueUser>,
    /// Users whose step is being done: never two requests for one user.
    in_hand: HashSet<CloudlinkUserId>,
    pub(super) steps: FuturesUnordered<BoxFuture<'static, Done>>,
    pub(super) upkeep: Option<BoxFuture<'static, Upkept>>,
    /// What the upkeep asks Microsoft with.
    pub(super) upkeep_with: Option<Arc<Connection>>,
    /// What is done on account of the latest look is logged under it.
    pub(super) activation: Span,
    /// Counts among the workers from the first look on.
    up: Option<Up>,
    /// There may be more to see than what we saw.
    pub(super) stale: bool,
    pub(super) look_at: Instant,
    looked: Instant,
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
            way: None,
            changeover: Changeover::default(),
            standing: None,
            remapped: None,
            queue: VecDeque::new(),
            in_hand: HashSet::new(),
            steps: FuturesUnordered::new(),
            upkeep: None,
            upkeep_with: None,
            activation: Span::none(),
            up: None,
            stale: true,
            look_at: Instant::now(),
            looked: Instant::now(),
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
                self.activation = activation(self.lease.account);
                let span = self.activation.clone();
                match timeout(PATIENCE * 2, Box::pin(self.look()).instrument(span)).await {
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
                () = self.bell.rung() => self.something_happened(),
                slot = way::slot(self.way.as_deref(), self.queue.front()), if self.may_push() => {
                    self.push_next(slot);
                }
                () = sleep_until(self.look_at) => { self.stale = true; }
            }
        }
    }

    /// Sees how the account stands and what is due.
    async fn look(&mut self) -> Option<Ended> {
        self.stale = false;
        self.looked = Instant::now();
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
        self.up.get_or_insert_with(Up::new);
        self.look_at = self.shared.at(next.into_iter().chain(turning::last_look(&standing)).min());
        if self.connect(&standing).await {
            return Some(Ended::Elsewhere);
        }
        self.heed(&standing);
        let before = self.standing.as_ref();
        let turned =
            turning::turn(&self.shared, self.lease.account, before, &standing, &mut self.remapped);
        let turned = match turned.await {
            Ok(Turned { anew, again }) => {
                self.stale |= again;
                if anew {
                    self.queue.clear();
                }
                true
            }
            Err(error) => {
                tracing::warn!(account.id = %self.lease.account, "{error}");
                false
            }
        };
        self.condition.look(&standing);
        marks::count_down(&self.shared, self.lease.account, &standing, &users).await;
        self.take_up(users);
        if !turned {
            // The next look goes through it again, from the standing of before.
            self.look_again_soon();
            return None;
        }
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

    /// Looks at once; or soon, while there is enough to do that is as urgent as can be.
    fn something_happened(&mut self) {
        let urgent = |due: &DueUser| plan::urgency(&due.facts) == Urgency::Call;
        if self.queue.back().is_some_and(urgent) {
            self.look_at = self.look_at.min(self.looked + BUSY);
        } else {
            self.stale = true;
        }
    }

    fn look_again_soon(&mut self) {
        self.look_at = Instant::now() + AWAY.mul_f64(1.0 + rand::random::<f64>());
    }

    /// Heeds a wait that another node was asked for, or this one before it was started.
    fn heed(&self, standing: &Standing) {
        let heeded = self.standing.as_ref().and_then(|before| before.throttled_until);
        let news = standing.throttled_until.filter(|until| Some(*until) != heeded);
        if let (Some(way), Some(until)) = (&self.way, news) {
            way.close_until(until, self.shared.app.clock.now());
        }
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
            && self.way.is_some()
            && self.shared.pulse.felt_within(self.shared.pace.believed())
            && !self.changeover.holds()
            && self.steps.len() < self.condition.allows(IN_FLIGHT)
    }

    /// Sends the most urgent request on its way. Its slot in the budget is taken.
    fn push_next(&mut self, slot: Slot) {
        let (Some(due), Some(way)) = (self.queue.pop_front(), &self.way) else { return };
        let step = plan::plan(&due.facts, self.shared.app.clock.now());
        self.in_hand.insert(due.user.clone());
        let way = way.parts();
        let span = tracing::info_span!(parent: &self.activation, "push", correlation.id = Empty);
        let push = push::push(self.shared.clone(), self.lease, (way, slot), due, step);
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
            // Of a connection that another has taken the place of, it says nothing any more.
            (Some(_), Some(with)) if !self.goes_by(&with) => {}
            (Some(answer), _) => {
                let budget = self.way.as_ref().map(|way| way.budget());
                self.condition.answered(answer, budget).await;
            }
            (None, _) => {}
        }
        self.stale |= self.queue.is_empty() && self.steps.is_empty();
        self.pace();
        false
    }

    /// Whether this is the connection that is used now.
    pub(super) fn goes_by(&self, connection: &Connection) -> bool {
        self.way.as_ref().is_some_and(|way| way.connection.version == connection.version)
    }

    /// Looks no later than when the account may ask again.
    pub(super) fn pace(&mut self) {
        if let Some(until) = self.condition.paused_until() {
            self.look_at = self.look_at.min(until);
        }
    }
}

/// From one look at the tables to the next: everything logged in between carries its number.
fn activation(account: AccountId) -> Span {
    static NUMBER: AtomicU64 = AtomicU64::new(1);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    tracing::info_span!("activation", account.id = %account, activation.id = number)
}

async fn turn(upkeep: &mut Option<BoxFuture<'static, Upkept>>) -> Upkept {
    match upkeep {
        Some(upkeep) => upkeep.await,
        None => pending().await,
    }
}
