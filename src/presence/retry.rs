//! When a piece of upkeep that failed is tried again.

use chrono::{DateTime, TimeDelta, Utc};

use super::plan;

#[derive(Clone, Copy, Debug, Default)]
pub struct Retry {
    failures: u32,
    pub not_before: Option<DateTime<Utc>>,
    pub since: Option<DateTime<Utc>>,
}

impl Retry {
    pub fn note(&mut self, failed: bool, told: TimeDelta, now: DateTime<Utc>) {
        if !failed {
            *self = Self::default();
            return;
        }
        self.failures = self.failures.saturating_add(1);
        let wait = plan::back_off(self.failures + 2, rand::random()).max(told);
        *self = Self { failures: self.failures, not_before: Some(now + wait), since: Some(now) };
    }

    /// When it may be tried again, if it is due then. A failure of the future is no hindrance: the
    /// clock has gone back.
    pub fn allows(&self, due: DateTime<Utc>, now: DateTime<Utc>) -> DateTime<Utc> {
        match (self.since, self.not_before) {
            (Some(since), Some(not_before)) if since <= now => due.max(not_before),
            _ => due,
        }
    }
}
