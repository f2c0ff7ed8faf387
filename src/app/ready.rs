//! `/health/ready`: whether work may be sent here.

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use sqlx::PgPool;
use tokio::time::timeout;

use super::opening;
use crate::presence::Pulse;

/// Whoever asks does not wait longer than this, either.
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Clone)]
struct Vitals {
    db: PgPool,
    pulse: Pulse,
}

pub fn routes(db: PgPool, pulse: Pulse) -> Router {
    Router::new().route("/health/ready", get(ready)).with_state(Vitals { db, pulse })
}

/// 200 while the database answers, is as new as we are, and the supervisor is alive.
async fn ready(State(vitals): State<Vitals>) -> (StatusCode, String) {
    let database = match timeout(PATIENCE, migrations(&vitals.db)).await {
        Ok(Ok(0)) => Ok(()),
        Ok(Ok(missing)) => Err(format!("{missing} migrations missing")),
        Ok(Err(_)) | Err(_) => Err("away".to_owned()),
    };
    let supervisor = if vitals.pulse.is_alive() { Ok(()) } else { Err("silent".to_owned()) };
    let ready = database.is_ok() && supervisor.is_ok();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let word = |found: Result<(), String>| found.err().unwrap_or_else(|| "ok".to_owned());
    (status, format!("database: {}\nsupervisor: {}\n", word(database), word(supervisor)))
}

async fn migrations(db: &PgPool) -> anyhow::Result<usize> {
    opening::migrations_missing(&mut *db.acquire().await?).await
}
