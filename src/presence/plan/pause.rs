//! When a sync rests: until a moment, or outside working hours. Pure, like the plan it is part of.

use chrono::{
    DateTime, Datelike, Days, NaiveDate, NaiveDateTime, TimeDelta, TimeZone, Utc, Weekday,
};
use chrono_tz::Tz;

/// What an account, or one of its users, has been told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pause {
    pub until: Option<DateTime<Utc>>,
    /// Outside of these it rests.
    pub hours: Option<Hours>,
}

/// Working hours: on some days of the week, by the clock of a time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hours {
    pub zone: Tz,
    pub days: Week,
    /// Minutes of the day. Hours that do not end after they begin go on into the next day; those
    /// that end when they begin last a whole day.
    pub from: u16,
    pub to: u16,
}

/// Days of the week; Monday is the lowest bit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Week(u8);

/// Whether it rests, and when that changes by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rest {
    pub now: bool,
    pub turns_at: Option<DateTime<Utc>>,
}

/// So many turns of several pauses are looked at until one of them changes the whole. Whoever
/// looks again after that is early, and no harm is done.
const LOOK_AHEAD: usize = 32;

impl Week {
    pub const DAYS: [Weekday; 7] = [
        Weekday::Mon,
        Weekday::Tue,
        Weekday::Wed,
        Weekday::Thu,
        Weekday::Fri,
        Weekday::Sat,
        Weekday::Sun,
    ];

    pub fn from_bits(bits: i16) -> Self {
        Self(u8::try_from(bits & 127).unwrap_or(0))
    }

    pub fn bits(self) -> i16 {
        i16::from(self.0)
    }

    #[must_use]
    pub fn with(self, day: Weekday) -> Self {
        Self(self.0 | bit(day))
    }

    pub fn has(self, day: Weekday) -> bool {
        self.0 & bit(day) != 0
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

fn bit(day: Weekday) -> u8 {
    1 << day.num_days_from_monday()
}

/// How several pauses stand together: it rests while one of them does.
pub fn rest(pauses: &[Pause], now: DateTime<Utc>) -> Rest {
    let resting = |at| pauses.iter().any(|pause| pause.rests(at));
    let state = resting(now);
    let mut at = now;
    for _ in 0..LOOK_AHEAD {
        let Some(turn) = pauses.iter().filter_map(|pause| pause.turns_after(at)).min() else {
            return Rest { now: state, turns_at: None };
        };
        at = turn;
        if resting(at) != state {
            break;
        }
    }
    Rest { now: state, turns_at: pauses.first().map(|_| at) }
}

impl Pause {
    /// It says nothing, now and for ever.
    pub fn is_over(&self, now: DateTime<Utc>) -> bool {
        self.hours.is_none() && self.until.is_none_or(|until| until <= now)
    }

    fn rests(&self, at: DateTime<Utc>) -> bool {
        self.until.is_some_and(|until| at < until)
            || self.hours.is_some_and(|hours| !hours.contain(at))
    }

    /// The next moment at which one of its parts changes.
    fn turns_after(&self, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let until = self.until.filter(|until| *until > at);
        let hours = self.hours.and_then(|hours| hours.turn_after(at));
        until.into_iter().chain(hours).min()
    }
}

impl Hours {
    fn contain(self, at: DateTime<Utc>) -> bool {
        let today = at.with_timezone(&self.zone).date_naive();
        self.spans(today, -2, 1).any(|(start, end)| start <= at && at < end)
    }

    /// When they begin or end next; none if they never do.
    fn turn_after(self, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let today = at.with_timezone(&self.zone).date_naive();
        let inside = self.contain(at);
        let edges = self.spans(today, -2, 9).flat_map(|(start, end)| [start, end]);
        edges.filter(|edge| *edge > at && self.contain(*edge) != inside).min()
    }

    /// The hours of each day, from some days off to some others.
    fn spans(
        self,
        today: NaiveDate,
        first: i64,
        last: i64,
    ) -> impl Iterator<Item = (DateTime<Utc>, DateTime<Utc>)> {
        (first..=last).filter_map(move |off| {
            let day = today + TimeDelta::days(off);
            let end = if self.to > self.from { day } else { day.checked_add_days(Days::new(1))? };
            let span = (self.moment(day, self.from)?, self.moment(end, self.to)?);
            self.days.has(day.weekday()).then_some(span)
        })
    }

    /// A minute of a day by the zone's clock: the first of two when the clock is put back, and
    /// the first that there is when it is put forward past it.
    fn moment(self, day: NaiveDate, minute: u16) -> Option<DateTime<Utc>> {
        let wanted = NaiveDateTime::from(day) + TimeDelta::minutes(minute.into());
        (0..=96).find_map(|quarter| {
            let near = wanted + TimeDelta::minutes(15 * quarter);
            self.zone.from_local_datetime(&near).earliest().map(|at| at.with_timezone(&Utc))
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn office(zone: &str) -> Hours {
        let days = Week::DAYS.into_iter().take(5).fold(Week::default(), Week::with);
        Hours { zone: zone.parse().unwrap(), days, from: 8 * 60, to: 18 * 60 }
    }

    fn outside(hours: Hours) -> Pause {
        Pause { until: None, hours: Some(hours) }
    }

    #[test]
    fn hours_are_those_of_the_zone_in_summer_and_in_winter() {
        let berlin = outside(office("Europe/Berlin"));
        // A Friday in winter: 18:00 in Berlin is 17:00 UTC; work goes on on Monday at 8.
        let rest_of = |text| rest(&[berlin], at(text));
        let working = Rest { now: false, turns_at: Some(at("2026-11-27T17:00:00Z")) };
        assert_eq!(rest_of("2026-11-27T16:59:59Z"), working);
        let resting = Rest { now: true, turns_at: Some(at("2026-11-30T07:00:00Z")) };
        assert_eq!(rest_of("2026-11-27T17:00:00Z"), resting);
        // In summer an hour earlier.
        assert_eq!(rest_of("2026-07-03T06:00:00Z").turns_at, Some(at("2026-07-03T16:00:00Z")));
    }

    #[test]
    fn a_night_shift_belongs_to_the_day_it_begins_on() {
        let days = Week::default().with(Weekday::Fri);
        let night = Hours { days, from: 22 * 60, to: 6 * 60, ..office("UTC") };
        assert!(!rest(&[outside(night)], at("2026-11-28T05:59:00Z")).now, "Saturday morning");
        assert!(rest(&[outside(night)], at("2026-11-27T05:59:00Z")).now, "Friday morning");
    }

    #[test]
    fn a_minute_the_clock_jumps_over_is_the_first_after_it() {
        // In New York the clock goes from 02:00 to 03:00 on 14 March 2027, a Sunday.
        let days = Week::default().with(Weekday::Sun);
        let early = Hours { days, from: 150, to: 300, ..office("America/New_York") };
        let rest = rest(&[outside(early)], at("2027-03-14T06:59:00Z"));
        assert_eq!(rest, Rest { now: true, turns_at: Some(at("2027-03-14T07:00:00Z")) });
    }

    #[test]
    fn a_pause_that_ends_outside_working_hours_ends_when_they_begin() {
        let hours = office("UTC");
        let pause = Pause { until: Some(at("2026-11-27T20:00:00Z")), hours: Some(hours) };
        let rest_now = rest(&[pause], at("2026-11-27T10:00:00Z"));
        assert_eq!(rest_now, Rest { now: true, turns_at: Some(at("2026-11-30T08:00:00Z")) });
        let person = Pause { until: Some(at("2026-11-30T12:00:00Z")), hours: None };
        let both = rest(&[outside(hours), person], at("2026-11-28T10:00:00Z"));
        assert_eq!(both.turns_at, person.until, "both have to be over");
    }

    #[test]
    fn around_the_clock_never_rests() {
        let days = Week::DAYS.into_iter().fold(Week::default(), Week::with);
        let always = Hours { days, from: 0, to: 0, ..office("Europe/London") };
        let always = rest(&[outside(always)], at("2026-11-27T10:00:00Z"));
        assert_eq!(always, Rest { now: false, turns_at: None });
        assert_eq!(rest(&[], at("2026-11-27T10:00:00Z")), Rest::default());
    }

    proptest! {
        /// Minute by minute, nothing changes before the turn, and at the turn it does.
        #[test]
        fn nothing_changes_before_the_turn(
            bits in 1_i16..128, from in 0_u16..1440, to in 0_u16..1440,
            zone in prop::sample::select(vec![
                "UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe",
            ]),
            minute in 0_i64..527_040, until in prop::option::of(0_i64..4_000),
        ) {
            let now = at("2026-01-01T00:00:00Z") + TimeDelta::minutes(minute);
            let hours = Hours { zone: zone.parse().unwrap(), days: Week::from_bits(bits), from, to };
            let until = until.map(|minutes| now + TimeDelta::minutes(minutes));
            let pauses = [outside(hours), Pause { until, hours: None }];
            let said = rest(&pauses, now);
            let end = said.turns_at.unwrap_or(now + TimeDelta::days(9));
            let mut moment = now;
            while moment < end {
                prop_assert_eq!(rest(&pauses, moment).now, said.now, "{}", moment);
                moment += TimeDelta::minutes(29);
            }
            prop_assert_eq!(rest(&pauses, end - TimeDelta::seconds(1).min(end - now)).now, said.now);
            if said.turns_at.is_some() {
                prop_assert!(rest(&pauses, end).now != said.now);
            }
        }
    }
}
