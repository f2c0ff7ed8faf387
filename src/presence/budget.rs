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
pub struct Budget {
    per_second: usize,
    inside: Mutex<Inside>,
}

#[derive(Debug, Default)]
struct Inside {
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
        let fresh = || Arc::new(Budget { per_second: self.per_second, inside: Mutex::default() });
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
        while let Err(until) = self.take() {
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
        let until = Instant::now() + wait;
        let mut inside = self.lock();
        inside.closed_until = inside.closed_until.max(Some(until));
    }

    /// Until when Microsoft has asked us to wait, if it has.
    pub fn closed_until(&self) -> Option<Instant> {
        self.lock().closed_until.filter(|until| *until > Instant::now())
    }

    fn take(&self) -> Result<(), Instant> {
        let now = Instant::now();
        let mut inside = self.lock();
        if let Some(until) = inside.closed_until.filter(|until| *until > now) {
            return Err(until);
        }
        while inside.sent.front().is_some_and(|sent| *sent + WINDOW <= now) {
            inside.sent.pop_front();
        }
        match inside.sent.front() {
            Some(oldest) if inside.sent.len() >= self.per_second => Err(*oldest + WINDOW),
            _ => {
                inside.sent.push_back(now);
                Ok(())
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
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
