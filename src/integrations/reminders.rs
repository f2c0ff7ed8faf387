//! When to speak of a secret or certificate that ends: a pure function of its last day and today.
//!
//! Home, the Configure dialog and whoever sends reminders all ask here, so that they agree.

use chrono::{Days, NaiveDate};

/// So many days before the end. From its last day on, every day.
pub const DAYS_BEFORE: [u64; 6] = [90, 60, 30, 14, 7, 1];

/// From so many days before the end it is urgent.
pub const URGENT: i64 = 30;

/// One occasion to speak of it. Of one end there is one reminder a day at most, so `on` tells
/// them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reminder {
    /// The day on which it fell due.
    pub on: NaiveDate,
    /// From that day to the end: none on the last day, and negative from then on.
    pub days_left: i64,
}

/// The reminders before the end, the first one first. From the end on, one follows every day.
pub fn schedule(ends_on: NaiveDate) -> Vec<Reminder> {
    let before = DAYS_BEFORE.into_iter().filter_map(|days| {
        let on = ends_on.checked_sub_days(Days::new(days))?;
        Some(Reminder { on, days_left: (ends_on - on).num_days() })
    });
    before.collect()
}

/// The reminder that is due: the newest whose day has come. None is due before the first.
///
/// It stays the same until the next one falls due: whoever was told of it need not be told again.
pub fn due(ends_on: NaiveDate, today: NaiveDate) -> Option<Reminder> {
    let days_left = (ends_on - today).num_days();
    if days_left <= 0 {
        return Some(Reminder { on: today, days_left });
    }
    schedule(ends_on).into_iter().rfind(|reminder| reminder.on <= today)
}

/// Days up to which an end has to lie for a reminder of it to be due on `today`.
pub fn horizon(today: NaiveDate) -> NaiveDate {
    let most = DAYS_BEFORE.into_iter().max().unwrap_or(0);
    today.checked_add_days(Days::new(most)).unwrap_or(NaiveDate::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn reminders_come_at_90_60_30_14_7_and_1_days_and_then_daily() {
        let ends_on = day("2026-12-31");
        let days: Vec<_> = schedule(ends_on).iter().map(|it| it.on.to_string()).collect();
        let expected =
            ["2026-10-02", "2026-11-01", "2026-12-01", "2026-12-17", "2026-12-24", "2026-12-30"];
        assert_eq!(days, expected);

        let due = |today| due(ends_on, day(today)).map(|it| (it.on.to_string(), it.days_left));
        assert_eq!(due("2026-10-01"), None);
        assert_eq!(due("2026-10-02"), Some(("2026-10-02".to_owned(), 90)));
        assert_eq!(due("2026-10-31"), Some(("2026-10-02".to_owned(), 90)), "still the first");
        assert_eq!(due("2026-12-29"), Some(("2026-12-24".to_owned(), 7)));
        assert_eq!(due("2026-12-30"), Some(("2026-12-30".to_owned(), 1)));
        assert_eq!(due("2026-12-31"), Some(("2026-12-31".to_owned(), 0)), "its last day");
        assert_eq!(due("2027-01-02"), Some(("2027-01-02".to_owned(), -2)), "and daily after");
    }

    proptest! {
        #[test]
        fn a_reminder_is_never_early_and_there_is_one_a_day_at_most(
            end in 0u64..40_000, before in 0u64..400,
        ) {
            let ends_on = day("2000-01-01") + Days::new(end);
            let mut last = None;
            for today in (ends_on - Days::new(before)).iter_days().take(500) {
                let now = due(ends_on, today);
                prop_assert!(now >= last, "they only move on");
                prop_assert_eq!(now.is_some(), ends_on <= horizon(today));
                if let Some(reminder) = now {
                    prop_assert!(reminder.on <= today);
                    prop_assert_eq!(reminder.days_left, (ends_on - reminder.on).num_days());
                    prop_assert!(reminder.days_left > 0 || reminder.on == today);
                }
                last = now;
            }
        }
    }
}
