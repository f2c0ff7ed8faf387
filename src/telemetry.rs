//! Tracing and metrics: what the portal says of itself to those who run it.

use std::io::{IsTerminal, stderr};

use anyhow::Context;
use metrics::gauge;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::layer;
use tracing_subscriber::prelude::*;

/// From a local answer in a millisecond to a call that timed out.
const SECONDS: [f64; 14] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// From one event alone to a storm of them in one statement.
const EVENTS: [f64; 10] = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0];

/// Said at every start and of use to nobody, unless the filter asks for it.
const QUIET: &str = "sqlx::postgres::notice=warn";

/// Begins to log to standard error: for people on a terminal, else as JSON.
pub fn begin_logging(filter: &str) -> anyhow::Result<()> {
    let filter = EnvFilter::builder()
        .parse(format!("{QUIET},{filter}"))
        .context("the log filter is malformed")?;
    let log = tracing_subscriber::registry().with(filter);
    let begun = if stderr().is_terminal() {
        log.with(layer().with_writer(stderr)).try_init()
    } else {
        log.with(layer().json().flatten_event(true).with_writer(stderr)).try_init()
    };
    begun.context("logging had begun already")
}

/// What was counted, to be rendered when somebody asks.
#[derive(Clone)]
pub struct Metrics(PrometheusHandle);

/// Begins to count. Once in a process: a second caller in the same process is refused.
pub fn begin_counting() -> anyhow::Result<Metrics> {
    let recorder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
        .and_then(|recorder| {
            recorder.set_buckets_for_metric(Matcher::Suffix("_events".to_owned()), &EVENTS)
        })
        .context("the histogram's buckets")?
        .build_recorder();
    let handle = recorder.handle();
    metrics::set_global_recorder(recorder).ok().context("counting had begun already")?;
    gauge!("portal_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    Ok(Metrics(handle))
}

impl Metrics {
    /// As Prometheus reads it.
    pub fn render(&self) -> String {
        self.0.render()
    }

    /// Lets go of samples that have been counted. Now and then, or they pile up.
    pub fn tidy(&self) {
        self.0.run_upkeep();
    }
}
