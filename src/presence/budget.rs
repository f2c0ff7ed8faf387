//! How many requests Microsoft gets from us, tenant by tenant.
//!
//! At most so many in any one second, and none at all while Microsoft has asked us to wait.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::ids::TenantId;

/// The budgets of every tenant that a worker of this node serves.
#[derive(Clone, Debug)]
pub struct Budgets {
    per_second: usize,
    tenants: Arc<Mutex<HashMap<TenantId, Arc<Budget>>>>,
}

/// The budget of one tenant, shared by whoever asks it for anything.
#[derive(Debug)]
pub struct Budget(Mutex<Allowance>);

/// What may leave when. Pure: it is told the time.
#[derive(Debug)]
pub struct Allowance {
    per_second: usize,
    /// When the latest requests left, the oldest first.
    sent: VecDeque<Instant>,
    closed_until: Option<Instant>,
}

/// A second, and a little for requests that travel at different speeds.
const WINDOW: Duration = Duration::from_millis(1_005);

impl Budgets {
    pub fn new(per_second: u32) -> Self {
        let per_second = usize::try_from(per_second).unwrap_or(usize::MAX).max(1);
        Self { per_second, tenants: Arc::default() }
    }

    pub fn of(&self, tenant: TenantId) -> Arc<Budget> {
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = || Arc::new(Budget(Mutex::new(Allowance::new(self.per_second))));
        Arc::clone(tenants.entry(tenant).or_insert_with(fresh))
    }

    /// Forgets the tenants that nobody serves any more.
    pub fn sweep(&self) {
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        tenants
            .retain(|_, budget| Arc::strong_count(budget) > 1 || budget.closed_until().is_some());
    }
}

impl Budget {
    /// Waits until one more request may leave, and counts it as sent.
    pub async fn slot(&self) {
        loop {
            let taken = self.lock().take(Instant::now());
            let Err(until) = taken else { return };
            sleep_until(until).await;
        }
    }

    /// Waits only while Microsoft has asked us to: for requests that are not about presence.
    pub async fn gate(&self) {
        while let Some(until) = self.closed_until() {
            sleep_until(until).await;
        }
    }

    /// No request leaves for so long.
    pub fn close_for(&self, wait: Duration) {
        self.lock().close_until(Instant::now() + wait);
    }

    /// Until when Microsoft has asked us to wait, if it has.
    pub fn closed_until(&self) -> Option<Instant> {
        self.lock().closed_until.filter(|until| *until > Instant::now())
    }

    fn lock(&self) -> MutexGuard<'_, Allowance> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Allowance {
    pub fn new(per_second: usize) -> Self {
        Self { per_second, sent: VecDeque::new(), closed_until: None }
    }

    pub fn close_until(&mut self, until: Instant) {
        self.closed_until = self.closed_until.max(Some(until));
    }

    /// Counts one more request as sent now, or says when the next may be asked for.
    pub fn take(&mut self, now: Instant) -> Result<(), Instant> {
        if let Some(until) = self.closed_until.filter(|until| *until > now) {
            return Err(until);
        }
        while self.sent.front().is_some_and(|sent| *sent + WINDOW <= now) {
            self.sent.pop_front();
        }
        match self.sent.front() {
            Some(oldest) if self.sent.len() >= self.per_second => Err(*oldest + WINDOW),
            _ => {
                self.sent.push_back(now);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant() -> TenantId {
        uuid::Uuid::nil().into()
    }

    #[tokio::test(start_paused = true)]
    async fn no_second_has_more_than_its_share_and_none_is_wasted() {
        let budget = Budgets::new(50).of(tenant());
        let began = Instant::now();
        let mut sent = Vec::new();
        while began.elapsed() < Duration::from_secs(30) {
            budget.slot().await;
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
        budgets.of(tenant()).slot().await;
        assert_eq!(began.elapsed().as_secs(), 17);

        budgets.of(uuid::Uuid::max().into()).slot().await;
        assert_eq!(began.elapsed().as_secs(), 17, "another tenant does not wait");
    }
}
