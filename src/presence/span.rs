//! An account's figures over an hour, a day or a week, as people look at them: sums, pictures,
//! and the table behind the pictures.

use std::time::Duration;

use chrono::{DateTime, DurationRound, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

use super::delays::Delays;
use super::drawn::{Drawn, pictures};
use super::hour::words;
use super::store::hours::Figures;
use crate::web::chart::Axis;

/// How far back to look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Span {
    #[default]
    Hour,
    Day,
    Week,
}

impl Span {
    pub const ALL: [Self; 3] = [Self::Hour, Self::Day, Self::Week];

    /// As URLs write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "1h",
            Self::Day => "24h",
            Self::Week => "7d",
        }
    }

    /// What a URL says; anything else means the last hour.
    pub fn from_url(text: &str) -> Self {
        Self::ALL.into_iter().find(|span| span.as_str() == text).unwrap_or_default()
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Hour => "1 hour",
            Self::Day => "24 hours",
            Self::Week => "7 days",
        }
    }

    /// As in "over the last …".
    pub fn last(self) -> &'static str {
        match self {
            Self::Hour => "last hour",
            Self::Day => "last 24 hours",
            Self::Week => "last 7 days",
        }
    }

    /// What one bar stands for.
    pub fn each(self) -> &'static str {
        match self {
            Self::Hour => "a minute",
            Self::Day => "a quarter of an hour",
            Self::Week => "two hours",
        }
    }

    fn bucket(self) -> TimeDelta {
        match self {
            Self::Hour => TimeDelta::minutes(1),
            Self::Day => TimeDelta::minutes(15),
            Self::Week => TimeDelta::hours(2),
        }
    }

    fn buckets(self) -> usize {
        match self {
            Self::Hour => 60,
            Self::Day => 96,
            Self::Week => 84,
        }
    }

    /// How many buckets make one row of the table.
    fn row(self) -> usize {
        match self {
            Self::Hour => 5,
            Self::Day => 4,
            Self::Week => 12,
        }
    }

    /// Where it begins that ends with the minute, the hour or the day that runs.
    pub fn beginning(self, now: DateTime<Utc>, zone: Tz) -> DateTime<Utc> {
        let (from, unit, before) = match self {
            Self::Hour => (now, TimeDelta::minutes(1), TimeDelta::minutes(59)),
            Self::Day => (now, TimeDelta::hours(1), TimeDelta::hours(23)),
            Self::Week => (midnight(now, zone), TimeDelta::hours(1), TimeDelta::days(6)),
        };
        from.duration_trunc(unit).unwrap_or(from) - before
    }

    fn axis(self, from: DateTime<Utc>, zone: Tz) -> Axis {
        let (unit, format) = match self {
            Self::Hour => (TimeDelta::minutes(1), "%H:%M"),
            Self::Day => (TimeDelta::hours(1), "%H:%M"),
            Self::Week => (TimeDelta::days(1), "%a %-d"),
        };
        Axis { from, bucket: self.bucket(), buckets: self.buckets(), unit, format, zone }
    }

    /// Of the row that begins at `at`.
    fn label_at(self, at: DateTime<Utc>, zone: Tz) -> String {
        let format = if self == Self::Week { "%a %-d %b" } else { "%H:%M" };
        let noon = if self == Self::Week { TimeDelta::hours(12) } else { TimeDelta::zero() };
        (at + noon).with_timezone(&zone).format(format).to_string()
    }
}

/// When the day that runs began there. Where it began with a leap of the clocks, by UTC.
fn midnight(now: DateTime<Utc>, zone: Tz) -> DateTime<Utc> {
    let there = now.with_timezone(&zone).date_naive().and_time(NaiveTime::MIN);
    let begun = zone.from_local_datetime(&there).earliest();
    begun.map_or_else(|| there.and_utc(), |at| at.with_timezone(&Utc))
}

/// Some figures added up.
#[derive(Clone, Debug, Default)]
pub struct Sum {
    pub pushes: i64,
    pub failures: i64,
    pub(super) throttled_ms: i64,
    delays: Delays,
    pub(super) ours: Delays,
    pub(super) microsoft: Delays,
}

impl Sum {
    fn add(&mut self, more: &Figures) {
        let add = |to: &mut Delays, more: &Delays| to.add(&more.counts().collect::<Vec<_>>());
        self.pushes += more.pushes;
        self.failures += more.failures;
        self.throttled_ms += more.throttled_ms;
        add(&mut self.delays, &more.delays);
        add(&mut self.ours, &more.ours);
        add(&mut self.microsoft, &more.microsoft);
    }

    /// In words; a dash when nothing was measured.
    pub fn median(&self) -> String {
        words(self.delays.median())
    }

    pub fn p95(&self) -> String {
        words(self.delays.p95())
    }

    pub fn ours(&self) -> String {
        words(self.ours.median())
    }

    pub fn ours_p95(&self) -> String {
        words(self.ours.p95())
    }

    pub fn microsoft(&self) -> String {
        words(self.microsoft.median())
    }

    pub fn microsoft_p95(&self) -> String {
        words(self.microsoft.p95())
    }

    /// How long Microsoft kept us waiting; none when it did not.
    pub fn throttled(&self) -> Option<String> {
        let throttled = u64::try_from(self.throttled_ms).ok().filter(|ms| *ms > 0);
        throttled.map(|ms| words(Some(Duration::from_millis(ms))))
    }
}

#[derive(Clone, Debug)]
pub struct Row {
    /// When it begins.
    pub label: String,
    pub sum: Sum,
}

/// All of it.
#[derive(Clone, Debug)]
pub struct Told {
    pub span: Span,
    /// Whose clocks the labels follow.
    pub zone: Tz,
    pub sum: Sum,
    pub pictures: Vec<Drawn>,
    /// The oldest first.
    pub rows: Vec<Row>,
}

impl Told {
    /// Nothing was pushed, so there is nothing to draw.
    pub fn is_quiet(&self) -> bool {
        self.sum.pushes == 0 && self.sum.throttled_ms == 0
    }

    pub fn of(
        figures: &[Figures],
        span: Span,
        now: DateTime<Utc>,
        zone: Tz,
    ) -> anyhow::Result<Self> {
        let from = span.beginning(now, zone);
        let width = span.bucket().num_seconds();
        let mut buckets = vec![Sum::default(); span.buckets()];
        let mut sum = Sum::default();
        for figure in figures {
            let index = (figure.at - from).num_seconds().div_euclid(width);
            let bucket = usize::try_from(index).ok().and_then(|index| buckets.get_mut(index));
            if let Some(bucket) = bucket {
                bucket.add(figure);
                sum.add(figure);
            }
        }
        let mut told = Self { span, zone, sum, pictures: Vec::new(), rows: Vec::new() };
        told.rows = rows(&buckets, span, from, zone);
        if !told.is_quiet() {
            told.pictures = pictures(&buckets, &told.sum, span, span.axis(from, zone))?;
        }
        Ok(told)
    }
}

fn rows(buckets: &[Sum], span: Span, from: DateTime<Utc>, zone: Tz) -> Vec<Row> {
    let rows = buckets.chunks(span.row()).enumerate().map(|(index, some)| {
        let mut sum = Sum::default();
        for one in some {
            sum.pushes += one.pushes;
            sum.failures += one.failures;
            sum.throttled_ms += one.throttled_ms;
            sum.delays.add(&one.delays.counts().collect::<Vec<_>>());
            sum.ours.add(&one.ours.counts().collect::<Vec<_>>());
            sum.microsoft.add(&one.microsoft.counts().collect::<Vec<_>>());
        }
        let before = i32::try_from(index * span.row()).unwrap_or(0);
        Row { label: span.label_at(from + span.bucket() * before, zone), sum }
    });
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(at: &str) -> Figures {
        let counted = |milliseconds| {
            let mut delays = Delays::default();
            delays.note(Duration::from_millis(milliseconds));
            delays
        };
        Figures {
            at: at.parse().unwrap(),
            pushes: 3,
            failures: 1,
            throttled_ms: 2_000,
            delays: counted(100),
            ours: counted(10),
            microsoft: counted(90),
        }
    }

    #[test]
    fn each_span_ends_with_what_runs_and_leaves_out_what_is_older() {
        let now: DateTime<Utc> = "2026-03-04T09:07:30Z".parse().unwrap();
        let all = ["2026-02-25T23:59:00Z", "2026-02-26T00:00:00Z", "2026-03-03T10:00:00Z"];
        let some = ["2026-03-04T08:07:00Z", "2026-03-04T08:08:00Z", "2026-03-04T09:07:00Z"];
        let figures: Vec<_> = all.iter().chain(&some).map(|at| figures(at)).collect();
        for (span, pushes, rows) in [(Span::Hour, 6, 12), (Span::Day, 12, 24), (Span::Week, 15, 7)]
        {
            let told = Told::of(&figures, span, now, Tz::UTC).unwrap();
            assert_eq!(told.sum.pushes, pushes, "{span:?}");
            assert_eq!(told.rows.len(), rows);
            assert_eq!(told.rows.iter().map(|row| row.sum.pushes).sum::<i64>(), pushes);
            assert_eq!(told.pictures.len(), 4);
        }
    }

    #[test]
    fn our_share_stands_apart_from_microsofts() {
        let now: DateTime<Utc> = "2026-03-04T09:07:30Z".parse().unwrap();
        let told = Told::of(&[figures("2026-03-04T09:00:00Z")], Span::Hour, now, Tz::UTC).unwrap();
        assert_eq!(told.sum.ours_p95(), "10 ms");
        assert_eq!(told.sum.microsoft_p95(), "98 ms", "the middle of a bucket");
        assert_eq!(told.sum.throttled().as_deref(), Some("2.0 s"));
    }

    #[test]
    fn a_week_has_the_days_of_whoever_looks() {
        let now: DateTime<Utc> = "2026-03-31T03:30:00Z".parse().unwrap();
        let days = |zone| -> Vec<String> {
            let told = Told::of(&[figures("2026-03-31T03:00:00Z")], Span::Week, now, zone).unwrap();
            assert_eq!(told.rows[6].sum.pushes, 3, "{zone}: it is today");
            told.rows.into_iter().map(|row| row.label).collect()
        };
        let berlin = days(Tz::Europe__Berlin);
        assert_eq!((berlin[0].as_str(), berlin[6].as_str()), ("Wed 25 Mar", "Tue 31 Mar"));
        assert_eq!(days(Tz::America__New_York)[6], "Mon 30 Mar", "not yet midnight there");
        assert_eq!(days(Tz::Asia__Kolkata)[6], "Tue 31 Mar");
    }
}
