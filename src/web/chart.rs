//! Pictures over time, drawn here as SVG, so that they need no script.
//!
//! The colours written into a picture are those of the light scheme; the style sheet finds
//! them by their attributes and puts its own tokens there, since no inline style is allowed.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// Wide enough for an hour, small enough that its words can be read on a telephone.
const SIZE: (u32, u32) = (420, 170);
const FIRST: RGBColor = RGBColor(0x2F, 0x6F, 0xDE);
const SECOND: RGBColor = RGBColor(0xC2, 0x41, 0x0C);
const WORDS: RGBColor = RGBColor(0x6B, 0x72, 0x80);
const GRID: RGBColor = RGBColor(0x9C, 0xA3, 0xAF);

/// The inside of an `<svg viewBox="0 0 420 170">`: our own markup, safe as it is.
#[derive(Clone, Debug)]
pub struct Picture(String);

impl Picture {
    pub fn markup(&self) -> &str {
        &self.0
    }
}

/// One value for each bucket, oldest first; `None` where there was nothing to measure.
pub type Values = [Option<f64>];

/// The axis of time: so many buckets from a moment on, and what the labels count in.
#[derive(Clone, Copy, Debug)]
pub struct Axis {
    pub from: DateTime<Utc>,
    pub bucket: TimeDelta,
    pub buckets: usize,
    /// Labels stand at round numbers of these.
    pub unit: TimeDelta,
    pub format: &'static str,
    /// Whose clocks the labels follow.
    pub zone: Tz,
}

impl Axis {
    /// An hour, minute by minute.
    pub fn hour(from: DateTime<Utc>, zone: Tz) -> Self {
        let minute = TimeDelta::minutes(1);
        Self { from, bucket: minute, buckets: 60, unit: minute, format: "%H:%M", zone }
    }

    /// How wide a bucket is, in units.
    fn width(&self) -> f64 {
        self.bucket.as_seconds_f64() / self.unit.as_seconds_f64()
    }

    #[expect(clippy::cast_possible_truncation, reason = "a week has few seconds")]
    fn label(&self, units: f64) -> String {
        let seconds = (units * self.unit.as_seconds_f64()).round() as i64;
        let at = self.from + TimeDelta::seconds(seconds);
        // Where clocks were changed a day begins an hour early or late: its noon has its name.
        let named = if self.unit < TimeDelta::days(1) { at } else { at + TimeDelta::hours(12) };
        named.with_timezone(&self.zone).format(self.format).to_string()
    }
}

/// Two counts a bucket as bars, the second standing narrow in the first.
pub fn bars(
    axis: Axis,
    first: &[f64],
    second: &[f64],
    say: fn(f64) -> String,
) -> anyhow::Result<Picture> {
    let top = ceiling(first.iter().chain(second).copied());
    let width = axis.width();
    picture(axis, top, say, |chart| {
        for (values, colour, inset) in [(first, FIRST, 0.12), (second, SECOND, 0.34)] {
            let bars = values.iter().enumerate().filter(|(_, value)| **value > 0.0);
            let bars = bars.map(|(index, value)| {
                let (start, end) = (small(index) + inset, small(index) + 1.0 - inset);
                Rectangle::new([(start * width, 0.0), (end * width, *value)], colour.filled())
            });
            chart.draw_series(bars)?;
        }
        Ok(())
    })
}

/// So many buckets without a value are bridged: a minute in which nobody lifted a telephone is no
/// break in how long it takes.
const BRIDGED: usize = 5;

/// Two durations a bucket, in milliseconds, as lines that break where nothing was measured for long.
pub fn lines(axis: Axis, first: &Values, second: &Values) -> anyhow::Result<Picture> {
    let top = ceiling(first.iter().chain(second).flatten().copied());
    let width = axis.width();
    picture(axis, top, duration, |chart| {
        for (values, colour) in [(second, SECOND), (first, FIRST)] {
            for run in runs(values) {
                let run: Vec<_> = run.into_iter().map(|(at, value)| (at * width, value)).collect();
                if let [alone] = run.as_slice() {
                    chart.draw_series([Circle::new(*alone, 2, colour.filled())])?;
                } else {
                    chart.draw_series(LineSeries::new(run, colour.stroke_width(2)))?;
                }
            }
        }
        Ok(())
    })
}

type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;
type Trouble = DrawingAreaErrorKind<std::io::Error>;

fn picture(
    axis: Axis,
    top: f64,
    say: fn(f64) -> String,
    draw: impl FnOnce(&mut Chart) -> Result<(), Trouble>,
) -> anyhow::Result<Picture> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        let mut chart = ChartBuilder::on(&area)
            .margin(4)
            .margin_right(14)
            .x_label_area_size(22)
            .y_label_area_size(44)
            .build_cartesian_2d(0.0..small(axis.buckets) * axis.width(), 0.0..top)?;
        let at = |units: &f64| axis.label(*units);
        let words = TextStyle::from(("sans-serif", 13).into_font()).color(&WORDS);
        chart
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(GRID.mix(0.35))
            .axis_style(GRID.mix(0.6))
            .x_labels(8)
            .y_labels(4)
            .x_label_formatter(&at)
            .y_label_formatter(&|value| say(*value))
            .x_label_style(words.clone().pos(Pos::new(HPos::Center, VPos::Top)))
            .y_label_style(words)
            .draw()?;
        draw(&mut chart)?;
        drop(chart);
        area.present()?;
    }
    Ok(Picture(inside(&svg).to_owned()))
}

/// Without the outermost element: the template writes its own, with title and description.
fn inside(svg: &str) -> &str {
    let start = svg.find(">\n").map_or(0, |at| at + 1);
    let end = svg.rfind("</svg>").unwrap_or(svg.len());
    svg.get(start..end).unwrap_or_default().trim()
}

#[expect(clippy::cast_precision_loss, reason = "there are a hundred buckets, not 2^52")]
fn small(number: usize) -> f64 {
    number as f64
}

/// Stretches without a long gap.
fn runs(values: &Values) -> Vec<Vec<(f64, f64)>> {
    let mut runs: Vec<Vec<_>> = Vec::new();
    let mut last = None;
    for (index, value) in values.iter().enumerate() {
        let Some(value) = value else { continue };
        let point = (small(index) + 0.5, *value);
        match runs.last_mut() {
            Some(run) if last.is_some_and(|last| index - last <= BRIDGED + 1) => run.push(point),
            _ => runs.push(vec![point]),
        }
        last = Some(index);
    }
    runs
}

/// A little above the highest, and never nothing.
fn ceiling(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(0.0_f64, f64::max).max(3.5) * 1.12
}

/// A count, where it is one.
pub fn whole(value: f64) -> String {
    if value.fract().abs() < 0.01 { format!("{value:.0}") } else { String::new() }
}

/// Milliseconds as people say them.
pub fn duration(milliseconds: f64) -> String {
    if milliseconds < 1_000.0 {
        format!("{milliseconds:.0} ms")
    } else if milliseconds < 100_000.0 {
        format!("{:.1} s", milliseconds / 1_000.0)
    } else {
        format!("{:.0} min", milliseconds / 60_000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn eight() -> DateTime<Utc> {
        "2026-03-02T08:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_picture_says_its_times_and_needs_no_style_attribute() {
        let mut first = vec![0.0; 60];
        first[30] = 12.0;
        let picture = bars(Axis::hour(eight(), Tz::UTC), &first, &vec![0.0; 60], whole).unwrap();
        assert!(picture.markup().contains("08:20"), "{}", picture.markup());
        assert!(!picture.markup().contains("style="), "{}", picture.markup());
        assert!(!picture.markup().contains("<svg"), "{}", picture.markup());
        assert_eq!(picture.markup().matches("#2F6FDE").count(), 1, "one bar");
    }

    #[test]
    fn a_line_breaks_where_nothing_was_measured_for_long() {
        let mut values = vec![None, Some(1.0), Some(2.0)];
        values.extend([None; BRIDGED]);
        values.push(Some(9.0));
        values.extend([None; BRIDGED + 1]);
        values.extend([Some(3.0), None]);
        let lengths: Vec<_> = runs(&values).iter().map(Vec::len).collect();
        assert_eq!(lengths, [3, 1]);
        lines(Axis::hour(eight(), Tz::UTC), &values, &[None; 6]).unwrap();
    }

    #[test]
    fn a_week_is_labelled_by_its_days() {
        let (bucket, unit) = (TimeDelta::hours(2), TimeDelta::days(1));
        let week =
            Axis { from: eight(), bucket, buckets: 84, unit, format: "%a %-d", zone: Tz::UTC };
        let picture = bars(week, &[1.0; 84], &[0.0; 84], whole).unwrap();
        for day in ["Tue 3", "Sun 8"] {
            assert!(picture.markup().contains(day), "{day} {}", picture.markup());
        }
    }
}
