//! What every store needs to know of Postgres.

use std::time::Duration;

use sqlx::postgres::{PgConnection, PgPoolOptions};
use sqlx::{Connection, Executor};
use tokio::time::timeout;

/// No statement of the engine takes longer, unless Postgres or the way to it hangs.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// An open connection says that it is well within this time, or it is given up.
const SAYS_SO: Duration = Duration::from_secs(2);
const IDLE: Duration = Duration::from_secs(1);

/// A pool from which a connection that hangs is thrown out, at either door: otherwise every
/// statement that was given up would keep its connection, until there is none left.
pub fn pool(most: u32) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(most)
        .acquire_timeout(Duration::from_secs(5))
        // Asking first costs every query a round trip: those are asked that have rested.
        .test_before_acquire(false)
        .before_acquire(|db, about| {
            Box::pin(async move { if about.idle_for > IDLE { well(db).await } else { Ok(true) } })
        })
        .after_release(|db, _| Box::pin(free(db)))
}

async fn well(db: &mut PgConnection) -> sqlx::Result<bool> {
    timeout(SAYS_SO, db.ping()).await.unwrap_or(Err(sqlx::Error::PoolTimedOut)).map(|()| true)
}

/// Ends what may be open in a connection that is handed back: whoever gave up in the middle of
/// BEGIN has begun a transaction that sqlx knows nothing of, and what others wrote by this
/// connection from then on would never be committed. Where none is open, this does nothing.
async fn free(db: &mut PgConnection) -> sqlx::Result<bool> {
    let ended = db.execute("BEGIN; ROLLBACK");
    timeout(SAYS_SO, ended).await.unwrap_or(Err(sqlx::Error::PoolTimedOut)).map(|_| true)
}

/// A statement, within that time or Postgres counts as away: whoever works for others must
/// not wait with them for a connection that leads nowhere.
pub async fn in_time<T>(work: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    timeout(PATIENCE, work).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
}

/// Whether `error` is the database refusing a row because of this constraint.
///
/// Uniqueness is the database's to decide: asking first and inserting second
/// leaves a moment in which two people are both told yes.
pub fn violates(error: &sqlx::Error, constraint: &str) -> bool {
    error.as_database_error().and_then(|e| e.constraint()).is_some_and(|name| name == constraint)
}

/// Whether `error` means that Postgres could not be reached, rather than that it refused us.
pub fn is_away(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        // 57P01..57P03: shutting down, crashed, starting up. 08xxx: connection trouble. 53300: no slot left.
        sqlx::Error::Database(refusal) => refusal.code().is_some_and(|code| {
            code.starts_with("57P0") || code.starts_with("08") || code == "53300"
        }),
        _ => false,
    }
}
