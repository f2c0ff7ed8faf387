//! How many requests Microsoft gets from us, tenant by tenant.
//!
//! At most so many in any one second, and none at all while Microsoft has asked us to wait. Of
//! all who wait for the same tenant, whichever account they work for, the most urgent goes first.

pub mod allowance;
mod turn;

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use self::allowance::Allowance;
use self::turn::{Rank, Turn};
use super::plan::Urgency;
use crate::ids::TenantId;

/// The budgets of every tenant that a worker of this node serves.
#[derive(Clone, Debug)]
pub struct Budgets {
    per_second: usize,
    tenants: Arc<Mutex<HashMap<TenantId, Arc<Budget>>>>,
}

/// The budget of one tenant, shared by whoever asks it for anything.
#[derive(Debug)]
pub struct Budget(Mutex<Inside>);

#[derive(Debug)]
struct Inside {
    allowance: Allowance,
    /// How many have left and are not answered yet.
    on_their_way: usize,
    /// Whoever waits; the first goes next.
    waiting: BTreeMap<Rank, Arc<Notify>>,
    arrivals: u64,
}

/// Whoever only reads the directory: after all who push.
const READER: u8 = Urgency::ClearingUp as u8 + 1;
/// But not for ever: the directory has a quota of its own.
const READERS_WAIT: Duration = Duration::from_secs(5);

impl Budgets {
    pub fn new(per_second: u32) -> Self {
        let per_second = usize::try_from(per_second).unwrap_or(usize::MAX).max(1);
        Self { per_second, tenants: Arc::default() }
    }

    pub fn of(&self, tenant: TenantId) -> Arc<Budget> {
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = || {
            let allowance = Allowance::new(self.per_second);
            Arc::new(Budget(Mutex::new(Inside {
                allowance,
                on_their_way: 0,
                waiting: BTreeMap::new(),
                arrivals: 0,
            })))
        };
        Arc::clone(tenants.entry(tenant).or_insert_with(fresh))
    }

    /// Forgets the tenants that nobody serves any more.
    pub fn sweep(&self) {
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        tenants
            .retain(|_, budget| Arc::strong_count(budget) > 1 || budget.closed_until().is_some());
    }
}

/// One account's place among those who wait for the same tenant: kept when it stops waiting
/// for a moment, and taken anew after each request.
#[derive(Debug)]
pub struct Place {
    budget: Arc<Budget>,
    /// 0: none yet.
    arrived: AtomicU64,
}

impl Place {
    pub fn new(budget: Arc<Budget>) -> Self {
        Self { budget, arrived: AtomicU64::new(0) }
    }

    pub fn budget(&self) -> &Arc<Budget> {
        &self.budget
    }

    /// Waits until one more request may leave and nobody waits with a more urgent one, and
    /// counts it as sent, and as on its way for as long as the slot is kept.
    pub async fn slot(&self, urgency: Urgency) -> Slot {
        let known = self.arrived.load(Ordering::Relaxed);
        let turn = Turn::wait(&self.budget, urgency as u8, known);
        self.arrived.store(turn.rank.1, Ordering::Relaxed);
        turn.comes(true).await;
        self.arrived.store(0, Ordering::Relaxed);
        Slot(Arc::clone(&self.budget))
    }
}

/// A request on its way.
#[derive(Debug)]
#[must_use = "the request is on its way for as long as it is kept"]
pub struct Slot(Arc<Budget>);

impl Drop for Slot {
    fn drop(&mut self) {
        let mut inside = self.0.lock();
        inside.on_their_way = inside.on_their_way.saturating_sub(1);
        inside.call_first();
    }
}

impl Budget {
    /// Waits while Microsoft has asked us to, and lets those go first who push: for requests
    /// that are not about presence.
    pub async fn gate(self: &Arc<Self>) {
        while timeout(READERS_WAIT, Turn::wait(self, READER, 0).comes(false)).await.is_err() {
            if self.closed_until().is_none() {
                return;
            }
        }
    }

    /// No request leaves for so long. Returns by how much that is longer than it was closed for
    /// already.
    pub fn close_for(&self, wait: Duration) -> Duration {
        let now = Instant::now();
        let mut inside = self.lock();
        let before = inside.allowance.closed_until.map_or(now, |until| until.max(now));
        let until = before.max(now + wait);
        inside.allowance.close_until(until);
        until - before
    }

    /// Until when Microsoft has asked us to wait, if it has.
    pub fn closed_until(&self) -> Option<Instant> {
        self.lock().allowance.closed_until.filter(|until| *until > Instant::now())
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inside {
    fn call_first(&self) {
        if let Some((_, first)) = self.waiting.first_key_value() {
            first.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;

    use super::*;

    fn tenant() -> TenantId {
        uuid::Uuid::nil().into()
    }

    #[tokio::test(start_paused = true)]
    async fn no_second_has_more_than_its_share_and_none_is_wasted() {
        let place = Place::new(Budgets::new(50).of(tenant()));
        let began = Instant::now();
        let mut sent = Vec::new();
        while began.elapsed() < Duration::from_secs(30) {
            drop(place.slot(Urgency::Call).await);
            sent.push(Instant::now());
        }
        let crowded = sent.windows(51).filter(|few| few[50] - few[0] < Duration::from_secs(1));
        assert_eq!(crowded.count(), 0);
        assert!(sent.len() > 1_470, "only {} of 1,500 left", sent.len());
        assert!(sent.len() <= 1_501, "{} of 1,500 left", sent.len());
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_leaves_before_the_wait_is_over() {
        let budgets = Budgets::new(50);
        let began = Instant::now();
        budgets.of(tenant()).close_for(Duration::from_secs(17));
        budgets.of(tenant()).close_for(Duration::from_secs(3));
        drop(Place::new(budgets.of(tenant())).slot(Urgency::Call).await);
        assert_eq!(began.elapsed().as_secs(), 17);
        budgets.of(tenant()).close_for(Duration::from_secs(17));
        budgets.of(tenant()).gate().await;
        assert_eq!(began.elapsed().as_secs(), 34, "a reader waits as well");

        drop(Place::new(budgets.of(uuid::Uuid::max().into())).slot(Urgency::Renewal).await);
        assert_eq!(began.elapsed().as_secs(), 34, "another tenant does not wait");
    }

    #[tokio::test(start_paused = true)]
    async fn the_most_urgent_of_all_accounts_of_a_tenant_goes_first() {
        let budget = Budgets::new(1).of(tenant());
        let order = Mutex::new(Vec::new());
        let ask = async |urgency: Urgency| {
            let place = Place::new(Arc::clone(&budget));
            drop(place.slot(urgency).await);
            order.lock().unwrap().push(urgency as u8);
        };
        let reader = async {
            budget.gate().await;
            order.lock().unwrap().push(READER);
        };
        ask(Urgency::Change).await;
        let asked = [Urgency::ClearingUp, Urgency::Renewal, Urgency::Call, Urgency::Change];
        tokio::join!(biased; join_all(asked.map(ask)), reader);
        assert_eq!(*order.lock().unwrap(), [1, 0, 1, 2, 3, 4]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_account_that_looks_away_for_a_moment_keeps_its_place() {
        let budget = Budgets::new(1).of(tenant());
        let (restless, patient) = (Place::new(Arc::clone(&budget)), Place::new(budget));
        drop(restless.slot(Urgency::Call).await);
        let began = Instant::now();
        let look_away = Duration::from_millis(100);
        let first = async {
            while timeout(look_away, restless.slot(Urgency::Call)).await.is_err() {}
            began.elapsed()
        };
        let second = async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            drop(patient.slot(Urgency::Call).await);
            began.elapsed()
        };
        let (first, second) = tokio::join!(first, second);
        assert!(first < second, "{first:?} {second:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_does_not_wait_for_ever_for_those_who_push() {
        let budget = Budgets::new(1).of(tenant());
        let pusher = async {
            let place = Place::new(Arc::clone(&budget));
            loop {
                drop(place.slot(Urgency::Call).await);
            }
        };
        let began = Instant::now();
        tokio::select! {
            () = async { tokio::time::sleep(Duration::from_millis(10)).await; budget.gate().await } => {}
            () = pusher => {}
        }
        assert!(began.elapsed() < READERS_WAIT + Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn where_no_answers_come_no_more_pile_up() {
        let budget = Budgets::new(1_000).of(tenant());
        let place = Place::new(Arc::clone(&budget));
        let mut unanswered = Vec::new();
        while let Ok(slot) = timeout(Duration::from_mins(1), place.slot(Urgency::Call)).await {
            unanswered.push(slot);
        }
        assert_eq!(unanswered.len(), turn::ON_THEIR_WAY);
        let answer = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            unanswered.pop();
        };
        let began = Instant::now();
        let (slot, ()) = tokio::join!(place.slot(Urgency::Call), answer);
        assert_eq!(began.elapsed().as_secs(), 1, "the next goes when one is answered");
        drop(slot);
    }
}
