//! How long pushes took, as counts by bucket: small enough to keep for every minute, fine
//! enough to say a median.

use std::time::Duration;

/// Where each bucket ends, in milliseconds. The last bucket has no end.
const ENDS: [u32; 23] = [
    5, 10, 15, 20, 30, 45, 65, 100, 150, 200, 300, 450, 650, 1_000, 1_500, 2_500, 4_000, 6_500,
    10_000, 30_000, 60_000, 180_000, 600_000,
];

/// How many counts there are.
pub const BUCKETS: usize = ENDS.len() + 1;

/// Counts of delays, by bucket. As the database keeps them: an array that may be shorter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delays([u64; BUCKETS]);

/// The bucket a delay falls into: where to count one more in the database's array, from 0.
pub fn bucket(delay: Duration) -> usize {
    let delay = delay.as_millis();
    ENDS.iter().position(|end| delay <= u128::from(*end)).unwrap_or(ENDS.len())
}

impl Delays {
    pub fn note(&mut self, delay: Duration) {
        if let Some(count) = self.0.get_mut(bucket(delay)) {
            *count += 1;
        }
    }

    /// Adds counts as the database keeps them.
    pub fn add<N: Copy + TryInto<u64>>(&mut self, counts: &[N]) {
        for (sum, count) in self.0.iter_mut().zip(counts) {
            *sum += (*count).try_into().unwrap_or(0);
        }
    }

    pub fn counts(&self) -> impl Iterator<Item = u64> {
        self.0.iter().copied()
    }

    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|count| *count == 0)
    }

    pub fn median(&self) -> Option<Duration> {
        self.within(0.5)
    }

    pub fn p95(&self) -> Option<Duration> {
        self.within(0.95)
    }

    /// The delay within which this share of the pushes was done; inside a bucket, as if they
    /// were spread evenly.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "counts and milliseconds are small"
    )]
    fn within(&self, share: f64) -> Option<Duration> {
        let all: u64 = self.0.iter().sum();
        if all == 0 {
            return None;
        }
        let wanted = all as f64 * share;
        let mut before = 0.0;
        let mut start = 0.0;
        for (index, count) in self.0.iter().enumerate() {
            let count = *count as f64;
            let end = ENDS.get(index).map_or(start, |end| f64::from(*end));
            if count > 0.0 && before + count >= wanted {
                let inside = ((wanted - before) / count).clamp(0.0, 1.0);
                let delay = start + (end - start) * inside;
                return Some(Duration::from_millis(delay.round() as u64));
            }
            before += count;
            start = end;
        }
        Some(Duration::from_millis(start as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_near_the_truth() {
        let mut delays = Delays::default();
        assert_eq!(delays.median(), None);
        for milliseconds in 1..=100 {
            delays.note(Duration::from_millis(milliseconds));
        }
        let median = delays.median().unwrap().as_millis();
        assert!((45..=55).contains(&median), "{median}");
        let p95 = delays.p95().unwrap().as_millis();
        assert!((90..=100).contains(&p95), "{p95}");
    }

    #[test]
    fn what_took_for_ever_is_at_least_ten_minutes() {
        let mut delays = Delays::default();
        delays.note(Duration::from_hours(3));
        assert_eq!(delays.median(), Some(Duration::from_mins(10)));
    }

    #[test]
    fn counts_of_the_database_add_up_even_when_they_are_short() {
        let mut delays = Delays::default();
        delays.add(&[1_i32, 2]);
        delays.add(&[1_i64]);
        assert_eq!(delays.counts().take(3).collect::<Vec<_>>(), [2, 2, 0]);
    }
}
