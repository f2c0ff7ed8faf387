//! The code that makes the first partner admin.

use sqlx::PgExecutor;

use crate::kit::token::TokenDigest;

/// Puts this code in place of any before it.
pub async fn replace_setup_code(db: impl PgExecutor<'_>, code: &TokenDigest) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO setup_code (digest) VALUES ($1)
        ON CONFLICT (one) DO UPDATE SET digest = $1
        "#,
        code as &TokenDigest,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Uses the code up. Of two who use it at once, one is told no.
pub async fn take_setup_code(db: impl PgExecutor<'_>, code: &TokenDigest) -> sqlx::Result<bool> {
    let taken =
        sqlx::query!("DELETE FROM setup_code WHERE digest = $1", code as &TokenDigest).execute(db);
    Ok(taken.await?.rows_affected() == 1)
}
