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

/// 200 while the database answers and is as new as we are, and the sync says that it is alive
/// and could do what it last tried: take events, see what is due, write down what came of it.
async fn ready(State(vitals): State<Vitals>) -> (StatusCode, String) {
    let database = match timeout(PATIENCE, migrations(&vitals.db)).await {
        Ok(Ok(0)) => Ok(()),
        Ok(Ok(missing)) => Err(format!("{missing} migrations missing")),
        Ok(Err(_)) | Err(_) => Err("away".to_owned()),
    };
    let sync = vitals.pulse.trouble().map_or(Ok(()), |trouble| Err(trouble.to_owned()));
    let ready = database.is_ok() && sync.is_ok();
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let word = |found: Result<(), String>| found.err().unwrap_or_else(|| "ok".to_owned());
    (status, format!("database: {}\nsync: {}\n", word(database), word(sync)))
}

async fn migrations(db: &PgPool) -> anyhow::Result<usize> {
    opening::migrations_missing(&mut *db.acquire().await?).await
}
