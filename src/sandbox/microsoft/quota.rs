//! How much an app may ask of a tenant: a sliding window in which refused requests count, too.

use std::collections::VecDeque;

use chrono::{DateTime, TimeDelta, Utc};

/// So many units in so long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    pub units: u32,
    pub within: TimeDelta,
}

impl Limit {
    /// Graph's documented limit of presence requests per app and tenant, of two the stricter.
    pub const PRESENCE: Self = Self { units: 1_500, within: TimeDelta::seconds(30) };
    /// Graph's limit of resource units for the directory of a tenant with 50 to 500 users.
    pub const DIRECTORY: Self = Self { units: 5_000, within: TimeDelta::seconds(10) };
}

/// One window, kept in steps of a thirtieth.
#[derive(Clone, Debug)]
pub(super) struct Quota {
    pub(super) limit: Limit,
    steps: VecDeque<(DateTime<Utc>, u32)>,
    used: u32,
    /// Until when an answer told the app to wait.
    told_to_wait_until: Option<DateTime<Utc>>,
    /// Refuses everything until then, whatever was used.
    pub(super) closed_until: Option<DateTime<Utc>>,
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Granted,
    /// To be told in `Retry-After`.
    Wait(TimeDelta),
}

impl Quota {
    pub(super) fn new(limit: Limit) -> Self {
        Self {
            limit,
            steps: VecDeque::new(),
            used: 0,
            told_to_wait_until: None,
            closed_until: None,
        }
    }

    /// Counts a request of so many units, and says whether it came although the app had been told to wait.
    pub(super) fn ask(&mut self, units: u32, now: DateTime<Utc>) -> (Verdict, bool) {
        self.forget_before(now);
        let early = self.told_to_wait_until.is_some_and(|until| now < until);
        self.used += units;
        let step = self.limit.within / 30;
        match self.steps.back_mut() {
            Some((at, count)) if now - *at < step => *count += units,
            _ => self.steps.push_back((now, units)),
        }
        let over = self.used > self.limit.units;
        let closed = self.closed_until.filter(|until| now < *until);
        let verdict = match (closed, over) {
            (Some(until), _) => Verdict::Wait(until - now),
            (None, true) => Verdict::Wait(self.room_in(units, now)),
            (None, false) => Verdict::Granted,
        };
        self.told_to_wait_until = match verdict {
            Verdict::Wait(wait) => Some(now + whole_seconds(wait)),
            Verdict::Granted => None,
        };
        (verdict, early)
    }

    /// The share of the limit that is used.
    pub(super) fn share(&self) -> f64 {
        f64::from(self.used) / f64::from(self.limit.units.max(1))
    }

    pub(super) fn open(&mut self) {
        self.closed_until = None;
        self.told_to_wait_until = None;
    }

    /// How long until enough has left the window for this much to fit in.
    fn room_in(&self, units: u32, now: DateTime<Utc>) -> TimeDelta {
        let mut left = self.used;
        for (at, count) in &self.steps {
            left = left.saturating_sub(*count);
            if left + units <= self.limit.units {
                return *at + self.limit.within - now;
            }
        }
        self.limit.within
    }

    fn forget_before(&mut self, now: DateTime<Utc>) {
        while let Some((at, count)) = self.steps.front().copied()
            && now - at >= self.limit.within
        {
            self.used = self.used.saturating_sub(count);
            self.steps.pop_front();
        }
    }
}

/// Rounded up, and never none: what `Retry-After` says.
pub(super) fn whole_seconds(wait: TimeDelta) -> TimeDelta {
    let seconds = wait.num_milliseconds().max(1).unsigned_abs().div_ceil(1000);
    TimeDelta::seconds(i64::try_from(seconds).unwrap_or(i64::MAX / 1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_refused_counts_and_waiting_helps() {
        let noon: DateTime<Utc> = "2026-11-23T12:00:00Z".parse().unwrap();
        let mut quota = Quota::new(Limit { units: 3, within: TimeDelta::seconds(30) });
        for second in 0..3 {
            let at = noon + TimeDelta::seconds(second);
            assert_eq!(quota.ask(1, at), (Verdict::Granted, false));
        }
        let refused = quota.ask(1, noon + TimeDelta::seconds(3));
        assert_eq!(refused, (Verdict::Wait(TimeDelta::seconds(28)), false));
        let (verdict, early) = quota.ask(1, noon + TimeDelta::seconds(30));
        assert!(early, "it came a second before it was told to");
        assert_eq!(verdict, Verdict::Wait(TimeDelta::seconds(2)), "the refused one counted");
        assert_eq!(quota.ask(1, noon + TimeDelta::seconds(61)), (Verdict::Granted, false));
    }
}
