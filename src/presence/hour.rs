//! The last hour as people look at it: its sums, two pictures, and the table behind them.

use std::time::Duration;

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use chrono_tz::Tz;

use super::delays::Delays;
use super::store::minutes::Minute;
use crate::web::chart::{self, Axis, Picture};

const MINUTES: usize = 60;
/// How many minutes make one row of the table.
const ROW: usize = 5;

#[derive(Clone, Debug)]
pub struct Hour {
    /// Whose clocks the labels follow.
    pub zone: Tz,
    pub sum: Sum,
    /// Pushes and failures, a bar a minute.
    pub pushes: Picture,
    /// Median and 95th percentile of the delay, a line each.
    pub delay: Picture,
    /// Five minutes each, oldest first.
    pub rows: Vec<Row>,
}

#[derive(Clone, Debug)]
pub struct Row {
    /// When it begins.
    pub label: String,
    pub sum: Sum,
}

/// Some minutes added up.
#[derive(Clone, Debug, Default)]
pub struct Sum {
    pub pushes: i64,
    pub failures: i64,
    throttled_ms: i64,
    delays: Delays,
}

impl Sum {
    fn of<'a>(minutes: impl IntoIterator<Item = &'a Minute>) -> Self {
        let mut sum = Self::default();
        for minute in minutes {
            sum.pushes += minute.pushes;
            sum.failures += minute.failures;
            sum.throttled_ms += minute.throttled_ms;
            sum.delays.add(&minute.delays.counts().collect::<Vec<_>>());
        }
        sum
    }

    /// In words; a dash when nothing was measured.
    pub fn median(&self) -> String {
        words(self.delays.median())
    }

    pub fn p95(&self) -> String {
        words(self.delays.p95())
    }

    /// How long Microsoft kept us waiting; none when it did not.
    pub fn throttled(&self) -> Option<String> {
        let throttled = u64::try_from(self.throttled_ms).ok().filter(|ms| *ms > 0);
        throttled.map(|ms| words(Some(Duration::from_millis(ms))))
    }
}

/// Where the hour begins that ends with this minute.
pub fn beginning(now: DateTime<Utc>) -> DateTime<Utc> {
    let minute = now.duration_trunc(TimeDelta::minutes(1)).unwrap_or(now);
    minute - TimeDelta::minutes(59)
}

impl Hour {
    /// Nothing was pushed, so there is nothing to draw.
    pub fn is_quiet(&self) -> bool {
        self.sum.pushes == 0 && self.sum.failures == 0
    }

    pub fn of(minutes: &[Minute], now: DateTime<Utc>, zone: Tz) -> anyhow::Result<Self> {
        let from = beginning(now);
        let mut places: Vec<Option<&Minute>> = vec![None; MINUTES];
        for minute in minutes {
            let index = usize::try_from((minute.at - from).num_minutes()).unwrap_or(MINUTES);
            if let Some(place) = places.get_mut(index) {
                *place = Some(minute);
            }
        }
        let each = |value: fn(&Minute) -> f64| -> Vec<f64> {
            places.iter().map(|minute| minute.map_or(0.0, value)).collect()
        };
        let measured = |value: fn(&Delays) -> Option<Duration>| -> Vec<Option<f64>> {
            let delay = |minute: &Minute| value(&minute.delays).map(|d| d.as_secs_f64() * 1000.0);
            places.iter().map(|minute| minute.and_then(delay)).collect()
        };
        let rows = places.chunks(ROW).enumerate().map(|(index, minutes)| {
            let at = from + TimeDelta::minutes(i64::try_from(index * ROW).unwrap_or(0));
            Row {
                label: at.with_timezone(&zone).format("%H:%M").to_string(),
                sum: Sum::of(minutes.iter().copied().flatten()),
            }
        });
        Ok(Self {
            zone,
            sum: Sum::of(places.iter().copied().flatten()),
            pushes: chart::bars(
                Axis::hour(from, zone),
                &each(|minute| count(minute.pushes)),
                &each(|minute| count(minute.failures)),
                chart::whole,
            )?,
            delay: chart::lines(
                Axis::hour(from, zone),
                &measured(Delays::median),
                &measured(Delays::p95),
            )?,
            rows: rows.collect(),
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "pushes of one minute are few")]
fn count(pushes: i64) -> f64 {
    pushes as f64
}

/// A duration as people say it.
pub fn words(duration: Option<Duration>) -> String {
    let Some(duration) = duration else { return "–".to_owned() };
    match duration.as_millis() {
        milliseconds @ ..1_000 => format!("{milliseconds} ms"),
        1_000..60_000 => format!("{:.1} s", duration.as_secs_f64()),
        60_000..3_600_000 => format!("{:.0} min", duration.as_secs_f64() / 60.0),
        _ => format!("{:.1} h", duration.as_secs_f64() / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hour_ends_with_the_minute_that_runs() {
        let now: DateTime<Utc> = "2026-03-02T09:00:30Z".parse().unwrap();
        let mut delays = Delays::default();
        delays.note(Duration::from_millis(80));
        let minute = |at: &str| Minute {
            at: at.parse().unwrap(),
            pushes: 3,
            failures: 1,
            throttled_ms: 0,
            delays: delays.clone(),
        };
        let minutes = [
            minute("2026-03-02T08:00:00Z"),
            minute("2026-03-02T08:01:00Z"),
            minute("2026-03-02T09:00:00Z"),
        ];
        let berlin = Tz::Europe__Berlin;
        let hour = Hour::of(&minutes, now, berlin).unwrap();
        assert_eq!((hour.sum.pushes, hour.sum.failures), (6, 2), "08:00 is over an hour ago");
        assert_eq!(hour.rows.len(), 12);
        assert_eq!(hour.rows[11].sum.pushes, 3);
        assert_eq!(hour.rows[0].label, "09:01", "by the clocks of Berlin");
        assert_eq!(hour.sum.throttled(), None);
    }

    #[test]
    fn durations_are_said_as_people_say_them() {
        let said = |ms| words(Some(Duration::from_millis(ms)));
        assert_eq!([said(7), said(1_234), said(90_000)], ["7 ms", "1.2 s", "2 min"]);
        assert_eq!(words(None), "–");
    }
}
