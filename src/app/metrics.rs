//! `/metrics`, on a listener of its own: it is for the operators' network, not for browsers.

use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use metrics::gauge;
use sqlx::PgPool;
use tokio::net::TcpListener;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::telemetry::Metrics;

const TIDY_EVERY: Duration = Duration::from_secs(5);

pub async fn serve(
    listener: TcpListener,
    metrics: Metrics,
    db: PgPool,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let tidy = async {
        loop {
            metrics.tidy();
            sleep(TIDY_EVERY).await;
        }
    };
    let asked = metrics.clone();
    let render = move || async move {
        gauge!("portal_database_connections").set(db.size());
        gauge!("portal_database_connections_idle").set(u32::try_from(db.num_idle()).unwrap_or(0));
        ([(CONTENT_TYPE, "text/plain; version=0.0.4")], asked.render())
    };
    let site = axum::serve(listener, Router::new().route("/metrics", get(render)))
        .with_graceful_shutdown(stop.cancelled_owned());
    tokio::select! {
        ended = async { site.await } => ended.context("the metrics server failed"),
        () = tidy => Ok(()),
    }
}
