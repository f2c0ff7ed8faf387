//! What the pretend systems were asked, in order, for tests and for the page.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::trouble::System;

/// One request and what became of it. Never with a credential in it.
#[derive(Clone, Debug, Serialize)]
pub struct Seen {
    pub at: DateTime<Utc>,
    pub system: System,
    /// The tenant or the CloudLink account, when the request had a readable token.
    pub whose: Option<String>,
    pub method: String,
    /// After the system's own prefix, with the query: `/v1.0/users?$top=1`.
    pub path: String,
    pub body: String,
    pub status: u16,
    pub request_id: Uuid,
    /// What the caller said of itself: `X-Mitel-App`, else `User-Agent`.
    pub caller: Option<String>,
}

impl Seen {
    /// The presence action, such as `setPresence`, and the user it was for.
    pub fn presence_call(&self) -> Option<(&str, &str)> {
        let rest = self.path.strip_prefix("/v1.0/users/")?;
        let (user, action) = rest.split_once("/presence")?;
        Some((action.trim_start_matches('/'), user))
    }
}

/// The latest requests. Kept or not, as the sandbox was started.
pub(super) struct Journal {
    kept: usize,
    entries: Mutex<VecDeque<Seen>>,
}

impl Journal {
    pub(super) fn keeping(kept: usize) -> Self {
        Self { kept, entries: Mutex::default() }
    }

    pub(super) fn is_kept(&self) -> bool {
        self.kept > 0
    }

    pub(super) fn note(&self, seen: Seen) {
        let mut entries = self.lock();
        if entries.len() == self.kept {
            entries.pop_front();
        }
        entries.push_back(seen);
    }

    pub(super) fn all(&self) -> Vec<Seen> {
        self.lock().iter().cloned().collect()
    }

    pub(super) fn latest(&self, count: usize) -> Vec<Seen> {
        self.lock().iter().rev().take(count).cloned().collect()
    }

    pub(super) fn forget(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Seen>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
