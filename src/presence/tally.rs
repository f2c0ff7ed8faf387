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
    succeeded_at: Option<DateTime<Utc>>,
}

impl Tally {
    /// A request was answered well. The delay is from the event to the answer, if an event was its reason.
    pub fn pushed(&self, account: AccountId, now: DateTime<Utc>, delay: Option<Duration>) {
        counter!(figures::PUSHES, "result" => "done").increment(1);
        self.with(account, now, |counts| {
            counts.pushes += 1;
            counts.succeeded_at = Some(now);
            if let Some(delay) = delay {
                histogram!(figures::DELAY_SECONDS).record(delay);
                counts.delays.note(delay);
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
        let minute = |((account, minute), counts): ((AccountId, DateTime<Utc>), Counts)| {
            let delays: Vec<_> = counts.delays.counts().map(|n| n.to_string()).collect();
            Minute {
                account,
                minute,
                pushes: counts.pushes,
                failures: counts.failures,
                throttled_ms: i64::try_from(counts.throttled.as_millis()).unwrap_or(i64::MAX),
                delays: format!("{{{}}}", delays.join(",")),
                succeeded_at: counts.succeeded_at,
            }
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
