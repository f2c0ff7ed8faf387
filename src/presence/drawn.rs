//! The pictures of an account's figures, and what is said about each.

use std::time::Duration;

use super::span::{Span, Sum};
use crate::web::chart::{self, Axis, Picture};

/// One picture, and what is said about it.
#[derive(Clone, Debug)]
pub struct Drawn {
    pub id: &'static str,
    pub caption: String,
    /// What it shows, for whoever does not see it.
    pub description: String,
    pub first: &'static str,
    /// What the second line or bar is; empty if there is one only.
    pub second: &'static str,
    /// The second is a line, and so dashed.
    pub lines: bool,
    /// None where there is nothing to draw: then the description says so.
    pub picture: Option<Picture>,
}

/// Our delay, Microsoft's, what was pushed, and how long Microsoft had us wait.
pub(super) fn pictures(
    buckets: &[Sum],
    sum: &Sum,
    span: Span,
    axis: Axis,
) -> anyhow::Result<Vec<Drawn>> {
    let count = |value: fn(&Sum) -> i64| -> Vec<f64> {
        buckets.iter().map(|bucket| small(value(bucket))).collect()
    };
    let delay = |value: fn(&Sum) -> Option<Duration>| -> Vec<Option<f64>> {
        let milliseconds = |bucket| value(bucket).map(|delay| delay.as_secs_f64() * 1000.0);
        buckets.iter().map(milliseconds).collect()
    };
    let throttled = sum.throttled().map(|_| {
        let nothing = vec![0.0; buckets.len()];
        chart::bars(axis, &count(|sum| sum.throttled_ms), &nothing, chart::duration)
    });
    Ok(vec![
        Drawn {
            id: "ours",
            caption: "Our delay: event to request".to_owned(),
            description: format!(
                "Half of all requests left within {}, 95 % within {}.",
                sum.ours(),
                sum.ours_p95()
            ),
            first: "median",
            second: "95 %",
            lines: true,
            picture: Some(chart::lines(
                axis,
                &delay(|sum| sum.ours.median()),
                &delay(|sum| sum.ours.p95()),
            )?),
        },
        Drawn {
            id: "microsoft",
            caption: "Microsoft’s delay: request to answer".to_owned(),
            description: format!(
                "Half of all answers came within {}, 95 % within {}.",
                sum.microsoft(),
                sum.microsoft_p95()
            ),
            first: "median",
            second: "95 %",
            lines: true,
            picture: Some(chart::lines(
                axis,
                &delay(|sum| sum.microsoft.median()),
                &delay(|sum| sum.microsoft.p95()),
            )?),
        },
        Drawn {
            id: "pushes",
            caption: format!("Pushes in {}", span.each()),
            description: format!("Pushes: {}, of which {} failed.", sum.pushes, sum.failures),
            first: "sent",
            second: "failed",
            lines: false,
            picture: Some(chart::bars(
                axis,
                &count(|sum| sum.pushes),
                &count(|sum| sum.failures),
                chart::whole,
            )?),
        },
        Drawn {
            id: "throttled",
            caption: format!("Throttled by Microsoft in {}", span.each()),
            description: match sum.throttled() {
                Some(time) => format!("Microsoft asked us to wait for {time} in all."),
                None => "Microsoft did not ask us to wait in this time.".to_owned(),
            },
            first: "asked to wait",
            second: "",
            lines: false,
            picture: throttled.transpose()?,
        },
    ])
}

#[expect(clippy::cast_precision_loss, reason = "pushes and milliseconds of a few hours are few")]
fn small(number: i64) -> f64 {
    number as f64
}
