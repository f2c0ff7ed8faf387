//! Values that end, such as tokens: fetched once for all who ask, and again before they end.

use std::collections::HashMap;
use std::hash::Hash;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

/// A value, when to replace it, and when it is of no more use.
#[derive(Clone, Debug)]
pub struct Held<V> {
    pub value: V,
    pub renew_at: DateTime<Utc>,
    pub ends_at: DateTime<Utc>,
}

/// How a new value is fetched: made only when it is needed.
pub type Fetch<'a, V, E> = Pin<Box<dyn Future<Output = Result<Held<V>, E>> + Send + 'a>>;

/// One value per key.
///
/// However many ask at once, one fetches, and all get what came of it, be it a refusal. While a
/// value is due but not over, one renews it and nobody else waits.
pub struct Fresh<K, V, E> {
    /// Of a key the last few editions, the newest at the end: whoever began with the one before
    /// finishes with it.
    seats: Mutex<HashMap<K, Seats<V, E>>>,
    /// Whether a refusal is of the kind that passes: then a value that is not over yet serves on.
    passes: fn(&E) -> bool,
}

type Seats<V, E> = Vec<Arc<Seat<V, E>>>;

struct Seat<V, E> {
    edition: u64,
    held: Mutex<Option<Held<V>>>,
    /// Held by whoever fetches. Inside: why the last fetch came to nothing.
    flight: tokio::sync::Mutex<Option<E>>,
    /// How many fetches have ended.
    landed: AtomicU64,
}

/// How long a value that could not be renewed is left alone.
const REST: TimeDelta = TimeDelta::seconds(30);
const EDITIONS: usize = 2;

impl<K: Eq + Hash, V: Clone, E: Clone> Fresh<K, V, E> {
    pub fn new(passes: fn(&E) -> bool) -> Self {
        Self { seats: Mutex::default(), passes }
    }

    /// The value of `key` in this `edition`, as good as new.
    pub async fn get<'a>(
        &self,
        key: K,
        edition: u64,
        now: DateTime<Utc>,
        fetch: impl FnOnce() -> Fetch<'a, V, E>,
    ) -> Result<V, E> {
        let seat = self.seat(key, edition);
        let landed = seat.landed.load(Ordering::Acquire);
        let old = seat.held().filter(|held| now < held.ends_at);
        let mut flight = match &old {
            Some(held) if now < held.renew_at => return Ok(held.value.clone()),
            Some(held) => match seat.flight.try_lock() {
                Ok(flight) => flight,
                Err(_) => return Ok(held.value.clone()),
            },
            None => seat.flight.lock().await,
        };
        if seat.landed.load(Ordering::Acquire) != landed {
            // Somebody fetched while we waited for our turn.
            match (&*flight, seat.held().filter(|held| now < held.renew_at)) {
                (_, Some(held)) => return Ok(held.value),
                (Some(refusal), None) => return Err(refusal.clone()),
                (None, None) => {}
            }
        }
        let outcome = fetch().await;
        let refusal = outcome.as_ref().err().cloned();
        let (answer, held) = match (outcome, old) {
            (Ok(held), _) => (Ok(held.value.clone()), Some(held)),
            (Err(refusal), Some(old)) if (self.passes)(&refusal) => {
                (Ok(old.value.clone()), Some(Held { renew_at: now + REST, ..old }))
            }
            (Err(refusal), old) => (Err(refusal), old),
        };
        seat.land(held, &mut flight, refusal);
        answer
    }

    /// Renews the value of `key` when its time has come, or fetches a first one; and says what
    /// came of it even where the old value serves on.
    pub async fn renew<'a>(
        &self,
        key: K,
        edition: u64,
        now: DateTime<Utc>,
        fetch: impl FnOnce() -> Fetch<'a, V, E>,
    ) -> Result<V, E> {
        let seat = self.seat(key, edition);
        let mut flight = seat.flight.lock().await;
        let old = seat.held().filter(|held| now < held.ends_at);
        if let Some(held) = old.as_ref().filter(|held| now < held.renew_at) {
            return flight.clone().map_or_else(|| Ok(held.value.clone()), Err);
        }
        let outcome = fetch().await;
        let held = match &outcome {
            Ok(held) => Some(held.clone()),
            Err(_) => old.map(|old| Held { renew_at: now + REST, ..old }),
        };
        seat.land(held, &mut flight, outcome.as_ref().err().cloned());
        outcome.map(|held| held.value)
    }

    /// What is held for `key` in this `edition`, without asking anybody.
    pub fn held(&self, key: &K, edition: u64) -> Option<Held<V>> {
        let seats = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
        seats.get(key)?.iter().find(|seat| seat.edition == edition)?.held()
    }

    /// Forgets the value of `key`; the next to ask fetches.
    pub fn forget(&self, key: &K) {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    /// Forgets every value that is over, unless somebody is about to replace it.
    pub fn sweep(&self, now: DateTime<Utc>) {
        let mut seats = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
        seats.retain(|_, seats| {
            seats.retain(|seat| {
                Arc::strong_count(seat) > 1 || seat.held().is_some_and(|held| now < held.ends_at)
            });
            !seats.is_empty()
        });
    }

    /// Forgets the value of `key` if it is still this one, and not one that came after it.
    pub fn forget_if(&self, key: &K, this: impl Fn(&V) -> bool) {
        let mut seats = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(seats) = seats.get_mut(key) {
            seats.retain(|seat| !seat.held().is_some_and(|held| this(&held.value)));
        }
    }

    fn seat(&self, key: K, edition: u64) -> Arc<Seat<V, E>> {
        let mut seats = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
        let seats = seats.entry(key).or_default();
        if let Some(seat) = seats.iter().find(|seat| seat.edition == edition) {
            return Arc::clone(seat);
        }
        if seats.len() >= EDITIONS {
            seats.remove(0);
        }
        let seat = Seat::new(edition);
        seats.push(Arc::clone(&seat));
        seat
    }
}

impl<V: Clone, E> Seat<V, E> {
    fn new(edition: u64) -> Arc<Self> {
        Arc::new(Self {
            edition,
            held: Mutex::default(),
            flight: tokio::sync::Mutex::default(),
            landed: AtomicU64::new(0),
        })
    }

    fn held(&self) -> Option<Held<V>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A fetch has ended, with this to hold from now on.
    fn land(&self, held: Option<Held<V>>, flight: &mut Option<E>, refusal: Option<E>) {
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = held;
        *flight = refusal;
        self.landed.fetch_add(1, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;

    use super::*;

    type Tokens = Fresh<&'static str, u64, &'static str>;

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::minutes(minute)
    }

    /// Asks for the value of "a"; a fetch takes a while, and is counted.
    async fn ask(
        tokens: &Tokens,
        now: i64,
        fetches: &AtomicU64,
        refusal: Option<&'static str>,
    ) -> Result<u64, &'static str> {
        let fetch = || -> Fetch<'_, u64, &'static str> {
            Box::pin(async move {
                let value = fetches.fetch_add(1, Ordering::SeqCst) + 1;
                tokio::task::yield_now().await;
                match refusal {
                    None => Ok(Held { value, renew_at: at(now + 50), ends_at: at(now + 60) }),
                    Some(refusal) => Err(refusal),
                }
            })
        };
        tokens.get("a", 0, at(now), fetch).await
    }

    #[tokio::test]
    async fn however_many_ask_at_once_one_fetches() {
        let (tokens, fetches) = (Tokens::new(|_| true), AtomicU64::new(0));
        let all = join_all((0..50).map(|_| ask(&tokens, 0, &fetches, None))).await;
        assert!(all.iter().all(|value| *value == Ok(1)));

        let all = join_all((0..50).map(|_| ask(&tokens, 70, &fetches, Some("no")))).await;
        assert!(all.iter().all(|value| *value == Err("no")), "a refusal is shared as well");
        assert_eq!(fetches.load(Ordering::SeqCst), 2);
        assert_eq!(ask(&tokens, 70, &fetches, None).await, Ok(3), "and asked anew afterwards");
    }

    #[tokio::test]
    async fn a_value_that_is_due_is_renewed_by_one_and_used_by_the_rest() {
        let (tokens, fetches) = (Tokens::new(|_| true), AtomicU64::new(0));
        assert_eq!(ask(&tokens, 0, &fetches, None).await, Ok(1));
        assert_eq!(ask(&tokens, 49, &fetches, None).await, Ok(1));
        let mut all = join_all((0..3).map(|_| ask(&tokens, 55, &fetches, None))).await;
        all.sort_unstable();
        assert_eq!(all, [Ok(1), Ok(1), Ok(2)]);
    }

    #[tokio::test]
    async fn a_value_serves_to_its_end_when_the_trouble_passes() {
        let tokens = Tokens::new(|refusal| *refusal == "passing");
        let fetches = AtomicU64::new(0);
        assert_eq!(ask(&tokens, 0, &fetches, None).await, Ok(1));
        assert_eq!(ask(&tokens, 55, &fetches, Some("passing")).await, Ok(1));
        assert_eq!(ask(&tokens, 55, &fetches, Some("passing")).await, Ok(1));
        assert_eq!(fetches.load(Ordering::SeqCst), 2, "and is not renewed at every turn");
        assert_eq!(ask(&tokens, 56, &fetches, Some("lasting")).await, Err("lasting"));
        assert_eq!(ask(&tokens, 60, &fetches, Some("passing")).await, Err("passing"));
    }

    #[tokio::test]
    async fn another_edition_or_a_forgotten_value_is_fetched_anew() {
        let (tokens, fetches) = (Tokens::new(|_| true), AtomicU64::new(0));
        assert_eq!(ask(&tokens, 0, &fetches, None).await, Ok(1));
        tokens.forget_if(&"a", |value| *value == 9);
        assert_eq!(ask(&tokens, 0, &fetches, None).await, Ok(1));
        tokens.forget_if(&"a", |value| *value == 1);
        assert_eq!(ask(&tokens, 0, &fetches, None).await, Ok(2));
        let other = || -> Fetch<'_, u64, &'static str> { Box::pin(async { Err("other") }) };
        assert_eq!(tokens.get("a", 1, at(0), other).await, Err("other"));
        assert_eq!(ask(&tokens, 0, &fetches, None).await, Ok(2), "the one before serves on");
    }

    #[tokio::test]
    async fn whoever_renews_hears_of_the_refusal_while_all_others_are_served() {
        let (tokens, fetches) = (Tokens::new(|_| true), AtomicU64::new(0));
        let refuse = || -> Fetch<'_, u64, &'static str> { Box::pin(async { Err("expired") }) };
        assert_eq!(ask(&tokens, 0, &fetches, None).await, Ok(1));
        assert_eq!(tokens.renew("a", 0, at(49), refuse).await, Ok(1), "it is not due");
        assert_eq!(tokens.renew("a", 0, at(50), refuse).await, Err("expired"));
        assert_eq!(ask(&tokens, 50, &fetches, Some("expired")).await, Ok(1));
        assert_eq!(ask(&tokens, 55, &fetches, Some("expired")).await, Ok(1), "asked by a push");
        let other = || -> Fetch<'_, u64, &'static str> { Box::pin(async { Err("other") }) };
        assert_eq!(tokens.renew("a", 0, at(55), other).await, Err("expired"), "and told to both");
        assert_eq!(ask(&tokens, 60, &fetches, Some("expired")).await, Err("expired"), "it is over");
    }
}
