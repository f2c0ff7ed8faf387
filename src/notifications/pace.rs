//! When a message that was not taken is tried again, and when it is given up.

use chrono::{DateTime, TimeDelta, Utc};
use rand::RngExt as _;

use crate::post::Refused;

/// From its beginning: whoever has been unreachable for so long has to be looked for by a person.
const GIVEN_UP_AFTER: TimeDelta = TimeDelta::days(3);
const FIRST: TimeDelta = TimeDelta::seconds(20);
const LONGEST: TimeDelta = TimeDelta::hours(1);
/// What will hardly be taken as it is is not pressed on anybody.
const FIRST_IF_LASTING: TimeDelta = TimeDelta::minutes(10);
const LONGEST_IF_LASTING: TimeDelta = TimeDelta::hours(6);

/// When to try again after this many attempts; none: it is given up.
pub fn next(
    refused: &Refused,
    attempts: i32,
    created_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let jitter = rand::rng().random_range(0.8..1.2);
    let due = now + wait(refused, attempts, jitter);
    (due < created_at + GIVEN_UP_AFTER).then_some(due)
}

/// Doubles with every attempt. Asked to wait longer, it does.
fn wait(refused: &Refused, attempts: i32, jitter: f64) -> TimeDelta {
    let (first, longest) =
        if refused.lasting { (FIRST_IF_LASTING, LONGEST_IF_LASTING) } else { (FIRST, LONGEST) };
    let doubled = first.as_seconds_f64() * 2_f64.powi((attempts - 1).clamp(0, 20));
    let seconds = doubled.min(longest.as_seconds_f64()) * jitter;
    let asked = refused.retry_after.map_or(0.0, |wait| wait.as_secs_f64());
    #[expect(clippy::cast_possible_truncation, reason = "a day at most")]
    TimeDelta::seconds(seconds.max(asked.min(86_400.0)).ceil() as i64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refused(lasting: bool) -> Refused {
        Refused { answer: String::new(), lasting, retry_after: None }
    }

    #[test]
    fn waits_double_up_to_an_hour_and_start_longer_for_what_will_hardly_be_taken() {
        let minutes = |lasting, attempt| wait(&refused(lasting), attempt, 1.0).num_seconds();
        assert_eq!([1, 2, 3, 20].map(|attempt| minutes(false, attempt)), [20, 40, 80, 3600]);
        assert_eq!([1, 2, 9].map(|attempt| minutes(true, attempt)), [600, 1200, 21_600]);
    }

    #[test]
    fn after_three_days_it_is_given_up() {
        let begun: DateTime<Utc> = "2026-03-02T08:00:00Z".parse().unwrap();
        assert!(next(&refused(false), 1, begun, begun).is_some());
        assert!(next(&refused(false), 40, begun, begun + TimeDelta::days(2)).is_some());
        assert!(next(&refused(false), 90, begun, begun + TimeDelta::days(3)).is_none());
    }

    proptest! {
        #[test]
        fn whoever_asks_to_wait_is_obeyed(seconds in 1_u64..80_000, attempt in 1_i32..60) {
            let asked = std::time::Duration::from_secs(seconds);
            let refused = Refused { retry_after: Some(asked), ..refused(false) };
            prop_assert!(wait(&refused, attempt, 1.0).to_std().unwrap() >= asked);
        }
    }
}
