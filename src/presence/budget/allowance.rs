//! How many requests may leave in one second, and when none may. Pure: it is told the time.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// A second, and a little for requests that travel at different speeds.
const WINDOW: Duration = Duration::from_millis(1_005);

/// What may leave when.
#[derive(Debug)]
pub struct Allowance {
    per_second: usize,
    /// When the latest requests left, the oldest first.
    sent: VecDeque<Instant>,
    pub(super) closed_until: Option<Instant>,
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
