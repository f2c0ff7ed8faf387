//! Pauses in words: why a sync rests, and until when.

use std::fmt::Write as _;

use chrono::{DateTime, Utc, Weekday};

use crate::presence::plan::pause::{Hours, Pause, Week, rest};

/// That it rests now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resting {
    pub title: &'static str,
    pub why: String,
    /// When it goes on by itself.
    pub until: Option<DateTime<Utc>>,
    /// Somebody said so for some hours, so that it can be resumed at once.
    pub by_hand: bool,
}

/// What there is to say of the whole account and of one user; nothing while both are in step.
pub fn resting(whole: Pause, own: Pause, now: DateTime<Utc>) -> Option<Resting> {
    let rests = rest(&[whole, own], now);
    let until = rests.turns_at;
    if !rests.now {
        return None;
    }
    let by_hand = |pause: Pause| pause.until.is_some_and(|until| until > now);
    let (title, why) = match (whole, own) {
        (_, own) if by_hand(own) => ("Sync is paused for this user", String::new()),
        (whole, _) if by_hand(whole) => ("Presence sync is paused", String::new()),
        (whole, own) => {
            let outside = |pause: Pause| pause.hours.filter(|_| rest(&[pause], now).now);
            let hours = outside(own).or_else(|| outside(whole));
            let words = hours.map(|hours| format!("Working hours are {}.", words(hours)));
            ("Presence sync rests outside working hours", words.unwrap_or_default())
        }
    };
    Some(Resting { title, why, until, by_hand: by_hand(own) || by_hand(whole) })
}

/// Such as "Monday to Friday, 08:00–18:00 (Europe/Berlin)".
pub fn words(hours: Hours) -> String {
    let mut words = days(hours.days);
    let clock = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
    if hours.from == hours.to && hours.from == 0 {
        words.push_str(", all day");
    } else {
        let _ = write!(words, ", {}–{}", clock(hours.from), clock(hours.to));
    }
    let _ = write!(words, " ({})", hours.zone.name());
    words
}

/// Days in a row are named by the first and the last.
fn days(week: Week) -> String {
    let mut runs: Vec<(Weekday, Weekday, u8)> = Vec::new();
    for day in Week::DAYS.into_iter().filter(|day| week.has(*day)) {
        match runs.last_mut() {
            Some((_, last, length)) if last.succ() == day => (*last, *length) = (day, *length + 1),
            _ => runs.push((day, day, 1)),
        }
    }
    let said = runs.into_iter().map(|(first, last, length)| match length {
        1 => name(first).to_owned(),
        2 => format!("{}, {}", name(first), name(last)),
        _ => format!("{} to {}", name(first), name(last)),
    });
    said.collect::<Vec<_>>().join(", ")
}

pub fn name(day: Weekday) -> &'static str {
    match day {
        Weekday::Mon => "Monday",
        Weekday::Tue => "Tuesday",
        Weekday::Wed => "Wednesday",
        Weekday::Thu => "Thursday",
        Weekday::Fri => "Friday",
        Weekday::Sat => "Saturday",
        Weekday::Sun => "Sunday",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn week(days: &[Weekday]) -> Week {
        days.iter().fold(Week::default(), |week, day| week.with(*day))
    }

    #[test]
    fn hours_are_said_as_people_say_them() {
        use Weekday::{Fri, Mon, Sat, Sun, Thu, Tue, Wed};
        assert_eq!(days(week(&[Mon, Tue, Wed, Thu, Fri])), "Monday to Friday");
        assert_eq!(days(week(&[Mon, Wed, Sat, Sun])), "Monday, Wednesday, Saturday, Sunday");
        let hours =
            Hours { zone: chrono_tz::UTC, days: week(&[Mon]), from: 8 * 60, to: 17 * 60 + 30 };
        assert_eq!(words(hours), "Monday, 08:00–17:30 (UTC)");
    }

    #[test]
    fn what_somebody_said_counts_before_the_hours() {
        let now: DateTime<Utc> = "2026-11-27T20:00:00Z".parse().unwrap();
        let hours =
            Hours { zone: chrono_tz::UTC, days: week(&[Weekday::Fri]), from: 480, to: 1080 };
        let outside = Pause { until: None, hours: Some(hours) };
        let by_hand = Pause { until: Some(now + chrono::TimeDelta::hours(1)), hours: None };
        let said = |whole, own| resting(whole, own, now).unwrap();
        assert_eq!(
            said(outside, Pause::default()).title,
            "Presence sync rests outside working hours"
        );
        assert!(said(by_hand, outside).by_hand);
        assert_eq!(said(outside, by_hand).title, "Sync is paused for this user");
        assert_eq!(resting(Pause::default(), Pause::default(), now), None);
    }
}
