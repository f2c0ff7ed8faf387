//! What the database knows of the master key.

use sqlx::{PgConnection, PgExecutor};

use crate::kit::secret::Sealed;

/// The text that was sealed when the database was new; none while it is.
pub async fn key_check(db: &mut PgConnection) -> sqlx::Result<Option<Sealed>> {
    let migrated = sqlx::query_scalar!(r#"SELECT to_regclass('key_check') IS NOT NULL AS "is!""#)
        .fetch_one(&mut *db)
        .await?;
    if !migrated {
        return Ok(None);
    }
    sqlx::query_scalar!(r#"SELECT sealed AS "sealed: Sealed" FROM key_check"#)
        .fetch_optional(db)
        .await
}

/// The versions of the migrations it has had.
pub async fn migrations_done(db: &mut PgConnection) -> sqlx::Result<Vec<i64>> {
    // Not a prepared query: its table comes with the first migration, and not from one.
    let table: Option<String> = sqlx::query_scalar("SELECT to_regclass('_sqlx_migrations')::text")
        .fetch_one(&mut *db)
        .await?;
    if table.is_none() {
        return Ok(Vec::new());
    }
    sqlx::query_scalar("SELECT version FROM _sqlx_migrations WHERE success").fetch_all(db).await
}

/// Keeps the first: of two processes that start on a new database, one finds the other's.
pub async fn keep_key_check(db: impl PgExecutor<'_>, sealed: &Sealed) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO key_check (sealed) VALUES ($1) ON CONFLICT DO NOTHING",
        sealed as &Sealed,
    )
    .execute(db)
    .await?;
    Ok(())
}

pub async fn replace_key_check(db: impl PgExecutor<'_>, sealed: &Sealed) -> sqlx::Result<()> {
    sqlx::query!("UPDATE key_check SET sealed = $1", sealed as &Sealed).execute(db).await?;
    Ok(())
}

/// Whether nobody was ever here: no account and no staff.
pub async fn is_untouched(db: impl PgExecutor<'_>) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"
        SELECT NOT EXISTS (SELECT FROM accounts) AND NOT EXISTS (SELECT FROM staff) AS "untouched!"
        "#,
    )
    .fetch_one(db)
    .await
}

/// How many processes of the portal have given a sign of life within this time.
pub async fn nodes_alive(db: impl PgExecutor<'_>, seconds: f64) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM nodes WHERE seen_at > now() - make_interval(secs => $1)"#,
        seconds,
    )
    .fetch_one(db)
    .await
}
