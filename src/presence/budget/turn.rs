//! Waiting in line for a tenant's budget.

use std::sync::Arc;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::Budget;

/// Requests of one tenant on their way at once, whichever accounts they are for: where answers
/// do not come, no more pile up.
pub(super) const ON_THEIR_WAY: usize = 32;

/// The more urgent before the less urgent, and then whoever came first.
pub type Rank = (u8, u64);

/// Somebody who waits, for as long as they do.
pub struct Turn<'a> {
    budget: &'a Budget,
    pub rank: Rank,
    called: Arc<Notify>,
}

/// What somebody who waits does next.
enum Next {
    Go,
    /// First in line, but not before then.
    Until(Instant),
    /// Somebody else is before them, or too many are on their way.
    Called,
}

impl<'a> Turn<'a> {
    pub fn wait(budget: &'a Budget, urgency: u8, arrived: u64) -> Self {
        let called = Arc::new(Notify::new());
        let mut inside = budget.lock();
        let arrived = if arrived == 0 {
            inside.arrivals += 1;
            inside.arrivals
        } else {
            arrived
        };
        let rank = (urgency, arrived);
        inside.waiting.insert(rank, Arc::clone(&called));
        drop(inside);
        Self { budget, rank, called }
    }

    pub async fn comes(self, counts: bool) {
        loop {
            match self.next(counts) {
                Next::Go => return,
                Next::Until(until) => {
                    tokio::select! {
                        () = sleep_until(until) => {}
                        () = self.called.notified() => {}
                    }
                }
                Next::Called => self.called.notified().await,
            }
        }
    }

    fn next(&self, counts: bool) -> Next {
        let now = Instant::now();
        let mut inside = self.budget.lock();
        if inside.waiting.first_key_value().is_some_and(|(first, _)| *first != self.rank) {
            return Next::Called;
        }
        let closed = inside.allowance.closed_until.filter(|until| *until > now);
        if counts && inside.on_their_way >= ON_THEIR_WAY {
            return Next::Called;
        }
        let free = if counts { inside.allowance.take(now) } else { closed.map_or(Ok(()), Err) };
        match free {
            Ok(()) => {
                inside.on_their_way += usize::from(counts);
                Next::Go
            }
            Err(until) => Next::Until(until),
        }
    }
}

impl Drop for Turn<'_> {
    /// Leaves the line; whoever is first now is told.
    fn drop(&mut self) {
        let mut inside = self.budget.lock();
        inside.waiting.remove(&self.rank);
        inside.call_first();
    }
}
