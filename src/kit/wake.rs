//! Doorbells: whoever changes something rings, whoever works listens.
//!
//! A ring carries no news: it only ends a rest early. One that comes while the
//! listener works is kept, so nothing is missed; ten are one.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

/// One bell per key, made when first asked for.
#[derive(Debug)]
pub struct Wakes<K>(Arc<Mutex<HashMap<K, Arc<Notify>>>>);

impl<K> Clone for Wakes<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K> Default for Wakes<K> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K: Eq + Hash> Wakes<K> {
    /// The bell of `key`, to wait for with `notified()`.
    pub fn bell(&self, key: K) -> Arc<Notify> {
        Arc::clone(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default())
    }

    pub fn ring(&self, key: K) {
        self.bell(key).notify_one();
    }

    /// Forgets a bell that nobody listens to any more.
    pub fn forget(&self, key: &K) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}
