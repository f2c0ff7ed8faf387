//! What every store needs to know of Postgres.

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
