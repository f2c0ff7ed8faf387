//! The time, which tests own.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

/// A clock that is either the wall's or a test's.
#[derive(Clone, Debug, Default)]
pub struct Clock(Option<Arc<Mutex<DateTime<Utc>>>>);

impl Clock {
    /// A clock that stands still until a test moves it.
    pub fn stopped_at(now: DateTime<Utc>) -> Self {
        Self(Some(Arc::new(Mutex::new(now))))
    }

    pub fn now(&self) -> DateTime<Utc> {
        match &self.0 {
            Some(hand) => *hand.lock().unwrap_or_else(PoisonError::into_inner),
            #[expect(clippy::disallowed_methods, reason = "this is the clock")]
            None => Utc::now(),
        }
    }

    /// Moves a stopped clock, forward or back. The wall's clock ignores it.
    pub fn advance(&self, by: TimeDelta) {
        if let Some(hand) = &self.0 {
            *hand.lock().unwrap_or_else(PoisonError::into_inner) += by;
        }
    }
}
