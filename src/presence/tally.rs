//! Counts what was pushed, and writes it down every few seconds.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use metrics::{counter, histogram};

use super::delays::Delays;
use super::figures;
use super::store::tally::Minute;
use crate::ids::AccountId;

/// Shared by the workers of a node.
#[derive(Clone, Debug, Default)]
pub struct Tally(Arc<Mutex<Minutes>>);

type Minutes = HashMap<(AccountId, DateTime<Utc>), Counts>;

#[derive(Debug, Default)]
struct Counts {
    pushes: i32,
    failures: i32,
    throttled: Duration,
    delays: Delays,
    ours: Delays,
    microsoft: Delays,
    succeeded_at: Option<DateTime<Utc>>,
}

/// From an event to Microsoft's answer, and how much of that was spent waiting for the answer.
#[derive(Clone, Copy, Debug)]
pub struct Delay {
    pub whole: Duration,
    pub microsoft: Duration,
}

impl Tally {
    /// A request was answered well. There is a delay if an event was its reason.
    pub fn pushed(&self, account: AccountId, now: DateTime<Utc>, delay: Option<Delay>) {
        counter!(figures::PUSHES, "result" => "done").increment(1);
        self.with(account, now, |counts| {
            counts.pushes += 1;
            counts.succeeded_at = Some(now);
            if let Some(delay) = delay {
                histogram!(figures::DELAY_SECONDS).record(delay.whole);
                counts.delays.note(delay.whole);
                counts.microsoft.note(delay.microsoft);
                counts.ours.note(delay.whole.saturating_sub(delay.microsoft));
            }
        });
    }

    pub fn failed(&self, account: AccountId, now: DateTime<Utc>, cause: &'static str) {
        counter!(figures::PUSHES, "result" => cause).increment(1);
        self.with(account, now, |counts| {
            counts.pushes += 1;
            counts.failures += 1;
        });
    }

    pub fn throttled(&self, account: AccountId, now: DateTime<Utc>, wait: Duration) {
        counter!(figures::THROTTLED_SECONDS).increment(wait.as_secs());
        self.with(account, now, |counts| counts.throttled += wait);
    }

    /// Takes what was counted since the last time.
    pub fn take(&self) -> Vec<Minute> {
        let minute = |((account, minute), counts): ((AccountId, DateTime<Utc>), Counts)| Minute {
            account,
            minute,
            pushes: counts.pushes,
            failures: counts.failures,
            throttled_ms: i64::try_from(counts.throttled.as_millis()).unwrap_or(i64::MAX),
            delays: array(&counts.delays),
            ours: array(&counts.ours),
            microsoft: array(&counts.microsoft),
            succeeded_at: counts.succeeded_at,
        };
        self.lock().drain().map(minute).collect()
    }

    fn with(&self, account: AccountId, now: DateTime<Utc>, note: impl FnOnce(&mut Counts)) {
        let minute = now.duration_trunc(TimeDelta::minutes(1)).unwrap_or(now);
        note(self.lock().entry((account, minute)).or_default());
    }

    fn lock(&self) -> MutexGuard<'_, Minutes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// As Postgres writes an array; one of zeros alone is empty.
fn array(delays: &Delays) -> String {
    if delays.is_empty() {
        return "{}".to_owned();
    }
    let counts: Vec<_> = delays.counts().map(|count| count.to_string()).collect();
    format!("{{{}}}", counts.join(","))
}
