//! Whether the sync on this node can do its job.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Felt by whoever asks whether work may be sent here.
#[derive(Clone, Debug)]
pub struct Pulse {
    inside: Arc<Mutex<Inside>>,
    lasts: Duration,
}

#[derive(Debug, Default)]
struct Inside {
    /// When the last sign of life was given.
    last: Option<Instant>,
    /// What the sync could not do when it last tried, and when that was.
    failing: BTreeMap<Deed, Instant>,
}

/// What has to work, besides being alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Deed {
    TakeEvents,
    SeeWhatIsDue,
    KeepBooks,
}

impl Deed {
    fn missing(self) -> &'static str {
        match self {
            Self::TakeEvents => "events cannot be written down",
            Self::SeeWhatIsDue => "what is due cannot be read",
            Self::KeepBooks => "outcomes cannot be written down",
        }
    }
}

impl Pulse {
    /// A sign of life counts for so long.
    pub fn new(lasts: Duration) -> Self {
        Self { inside: Arc::default(), lasts }
    }

    /// What keeps the sync from its job; nothing, if all is well.
    pub fn trouble(&self) -> Option<&'static str> {
        let inside = self.lock();
        if inside.last.is_none_or(|last| last.elapsed() > self.lasts) {
            return Some("silent");
        }
        // Nothing is sent to whoever says so: without an end to it, they would never try again.
        let lately = inside.failing.iter().find(|(_, tried)| tried.elapsed() <= self.lasts);
        lately.map(|(deed, _)| deed.missing())
    }

    /// Whether the last sign of life was given within this time.
    pub(super) fn felt_within(&self, time: Duration) -> bool {
        self.lock().last.is_some_and(|last| last.elapsed() < time)
    }

    pub(super) fn beat(&self, at: Instant) {
        self.lock().last = Some(at);
    }

    /// Notes whether something could be done, this time.
    pub(super) fn note(&self, deed: Deed, done: bool) {
        let mut inside = self.lock();
        if done {
            inside.failing.remove(&deed);
        } else {
            inside.failing.insert(deed, Instant::now());
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_is_well_while_it_says_so_and_whatever_it_tries_is_done() {
        let pulse = Pulse::new(Duration::from_secs(10));
        assert_eq!(pulse.trouble(), Some("silent"));
        pulse.beat(Instant::now());
        assert_eq!(pulse.trouble(), None);
        pulse.note(Deed::KeepBooks, false);
        assert_eq!(pulse.trouble(), Some("outcomes cannot be written down"));
        pulse.note(Deed::KeepBooks, true);
        tokio::time::advance(Duration::from_secs(11)).await;
        assert_eq!(pulse.trouble(), Some("silent"));
    }

    #[tokio::test(start_paused = true)]
    async fn what_could_not_be_done_and_is_not_tried_again_does_not_count_for_ever() {
        let pulse = Pulse::new(Duration::from_secs(10));
        pulse.note(Deed::TakeEvents, false);
        for _ in 0..2 {
            tokio::time::advance(Duration::from_secs(6)).await;
            pulse.note(Deed::KeepBooks, false);
            pulse.beat(Instant::now());
        }
        assert_eq!(pulse.trouble(), Some("outcomes cannot be written down"), "it failed just now");
        pulse.note(Deed::KeepBooks, true);
        assert_eq!(pulse.trouble(), None);
    }
}
