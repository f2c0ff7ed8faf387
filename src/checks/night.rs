//! When an integration is checked by itself: once a day, each at a moment of its own in the night.

use chrono::{DateTime, Days, NaiveTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::ids::IntegrationId;

/// The nights begin at this hour (UTC) and are so long.
const BEGINS: u32 = 22;
const LASTS: TimeDelta = TimeDelta::hours(7);
/// Who was checked a moment before the own moment is not checked again at it.
const REST: TimeDelta = TimeDelta::hours(1);
/// What could not be looked at is tried again after this.
const AGAIN: TimeDelta = TimeDelta::minutes(50);

/// The next moment of an integration, after it was checked.
pub fn next(integration: IntegrationId, checked: DateTime<Utc>) -> DateTime<Utc> {
    let begins = NaiveTime::from_hms_opt(BEGINS, 0, 0).unwrap_or_default();
    let moment = begins_of_the_night(checked, begins) + LASTS * share(integration) / PARTS;
    [0, 1, 2]
        .into_iter()
        .filter_map(|days| moment.checked_add_days(Days::new(days)))
        .find(|moment| *moment >= checked + REST)
        .unwrap_or(checked + TimeDelta::days(1))
}

/// When to try again what Microsoft or CloudLink could not answer.
pub fn soon(integration: IntegrationId, checked: DateTime<Utc>) -> DateTime<Utc> {
    checked + AGAIN + TimeDelta::minutes(20) * share(integration) / PARTS
}

/// The beginning of the night that is over, or going on.
fn begins_of_the_night(checked: DateTime<Utc>, begins: NaiveTime) -> DateTime<Utc> {
    let today = checked.date_naive();
    (today - TimeDelta::days(1)).and_time(begins).and_utc()
}

const PARTS: i32 = 4096;

/// Integrations that were set up together do not stay together.
fn share(integration: IntegrationId) -> i32 {
    let id = Uuid::from(integration).as_u128();
    i32::try_from((id ^ (id >> 64)) % 4096).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use chrono::Timelike;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_next_check_is_in_a_night_and_no_more_than_a_day_and_an_hour_away(
            id: u128, second in 0_i64..4_000_000_000,
        ) {
            let integration = IntegrationId::from(Uuid::from_u128(id));
            let checked = DateTime::from_timestamp(second, 0).unwrap();
            let next = next(integration, checked);
            prop_assert!(next >= checked + REST && next <= checked + TimeDelta::days(1) + REST);
            prop_assert!(next.hour() >= BEGINS || next.hour() < 5, "{next}");
            let soon = soon(integration, checked);
            prop_assert!(soon > checked && soon < checked + TimeDelta::minutes(75));
        }

        #[test]
        fn everybody_keeps_their_moment(id: u128, second in 0_i64..4_000_000_000) {
            let integration = IntegrationId::from(Uuid::from_u128(id));
            let first = next(integration, DateTime::from_timestamp(second, 0).unwrap());
            prop_assert_eq!(next(integration, first), first + TimeDelta::days(1));
        }
    }
}
