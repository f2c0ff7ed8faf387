//! Doorbells: whoever changes something rings, whoever works listens.
//!
//! A ring carries no news: it only ends a rest early. One that comes while the
//! listener works is kept, so nothing is missed; ten are one. A ring that nobody
//! here listens for is kept apart, for whoever carries it to other nodes.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

#[derive(Debug)]
pub struct Wakes<K>(Arc<Inside<K>>);

#[derive(Debug)]
struct Inside<K> {
    bells: Mutex<HashMap<K, Arc<Notify>>>,
    unheard: Mutex<HashSet<K>>,
    somebody_unheard: Notify,
}

/// The bell of one key, for as long as somebody holds it.
#[derive(Debug)]
pub struct Bell<K: Eq + Hash> {
    key: K,
    rings: Arc<Notify>,
    wakes: Wakes<K>,
}

impl<K> Clone for Wakes<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K> Default for Wakes<K> {
    fn default() -> Self {
        Self(Arc::new(Inside {
            bells: Mutex::default(),
            unheard: Mutex::default(),
            somebody_unheard: Notify::new(),
        }))
    }
}

impl<K: Eq + Hash + Copy> Wakes<K> {
    /// Begins to listen for `key`. The latest listener is the one who hears.
    pub fn attend(&self, key: K) -> Bell<K> {
        let rings = Arc::new(Notify::new());
        lock(&self.0.bells).insert(key, Arc::clone(&rings));
        Bell { key, rings, wakes: self.clone() }
    }

    pub fn ring(&self, key: K) {
        if !self.ring_here(key) {
            self.ring_elsewhere(key);
        }
    }

    /// Rings for whoever does not listen here.
    pub fn ring_elsewhere(&self, key: K) {
        lock(&self.0.unheard).insert(key);
        self.0.somebody_unheard.notify_one();
    }

    /// Rings only if somebody here listens, and says whether.
    pub fn ring_here(&self, key: K) -> bool {
        let bell = lock(&self.0.bells).get(&key).map(Arc::clone);
        if let Some(bell) = &bell {
            bell.notify_one();
        }
        bell.is_some()
    }

    /// Waits for rings that nobody here listened for, and takes them.
    pub async fn unheard(&self) -> Vec<K> {
        loop {
            let taken: Vec<_> = lock(&self.0.unheard).drain().collect();
            if !taken.is_empty() {
                return taken;
            }
            self.0.somebody_unheard.notified().await;
        }
    }
}

impl<K: Eq + Hash> Bell<K> {
    /// Waits for a ring, or takes one that came before.
    pub async fn rung(&self) {
        self.rings.notified().await;
    }
}

impl<K: Eq + Hash> Drop for Bell<K> {
    fn drop(&mut self) {
        let mut bells = lock(&self.wakes.0.bells);
        if bells.get(&self.key).is_some_and(|rings| Arc::ptr_eq(rings, &self.rings)) {
            bells.remove(&self.key);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_ring_is_kept_for_its_listener_or_else_for_the_carrier() {
        let wakes = Wakes::default();
        let bell = wakes.attend(1);
        wakes.ring(1);
        wakes.ring(2);
        bell.rung().await;
        assert_eq!(wakes.unheard().await, [2]);

        let replaced = wakes.attend(1);
        drop(bell);
        assert!(wakes.ring_here(1), "the later listener still hears");
        drop(replaced);
        assert!(!wakes.ring_here(1));
    }
}
