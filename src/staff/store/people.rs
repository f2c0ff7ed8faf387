//! The people themselves.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use super::super::Role;
use crate::ids::StaffId;
use crate::kit::db::violates;
use crate::kit::email::Email;

/// Somebody new, with a password (in PHC form) or, when invited, without.
#[derive(Clone, Copy, Debug)]
pub struct NewStaff<'a> {
    pub id: StaffId,
    pub name: &'a str,
    pub email: &'a Email,
    pub role: Role,
    pub password_hash: Option<&'a str>,
}

#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error("Somebody with that e-mail address is here already.")]
    EmailTaken,
    #[error(transparent)]
    Db(sqlx::Error),
}

impl From<sqlx::Error> for WriteError {
    fn from(error: sqlx::Error) -> Self {
        if violates(&error, "staff_email_key") { Self::EmailTaken } else { Self::Db(error) }
    }
}

pub async fn insert(
    db: impl PgExecutor<'_>,
    staff: NewStaff<'_>,
    now: DateTime<Utc>,
) -> Result<(), WriteError> {
    sqlx::query!(
        r#"
        INSERT INTO staff (id, name, email, role, password_hash, created_at)
        VALUES ($1, $2, $3, $4, $5, $6)
        "#,
        staff.id as StaffId,
        staff.name,
        staff.email.as_str(),
        staff.role.as_str(),
        staff.password_hash,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Whether nobody at all may sign in yet.
pub async fn is_empty(db: impl PgExecutor<'_>) -> sqlx::Result<bool> {
    sqlx::query_scalar!(r#"SELECT NOT EXISTS (SELECT FROM staff) AS "empty!""#).fetch_one(db).await
}

/// What signing in needs to know of somebody.
#[derive(Clone, Debug)]
pub struct Credentials {
    pub id: StaffId,
    pub email: Email,
    pub password_hash: Option<String>,
    pub disabled: bool,
    pub has_second_factor: bool,
}

pub async fn credentials(
    db: impl PgExecutor<'_>,
    email: &Email,
) -> sqlx::Result<Option<Credentials>> {
    sqlx::query_as!(
        Credentials,
        r#"
        SELECT id AS "id: StaffId", email AS "email: Email", password_hash,
            disabled_at IS NOT NULL AS "disabled!",
            EXISTS (
                SELECT FROM second_factors WHERE staff_id = id AND confirmed_at IS NOT NULL
            ) AS "has_second_factor!"
        FROM staff WHERE lower(email) = lower($1)
        "#,
        email.as_str(),
    )
    .fetch_optional(db)
    .await
}

/// False when they have been disabled or are gone.
pub async fn set_password(
    db: impl PgExecutor<'_>,
    staff: StaffId,
    hash: &str,
) -> sqlx::Result<bool> {
    let set = sqlx::query!(
        "UPDATE staff SET password_hash = $2 WHERE id = $1 AND disabled_at IS NULL",
        staff as StaffId,
        hash
    );
    Ok(set.execute(db).await?.rows_affected() == 1)
}

/// Puts the same password's stronger hash in place of the one that was verified, unless
/// the password has changed since.
pub async fn strengthen_password(
    db: impl PgExecutor<'_>,
    staff: StaffId,
    old: &str,
    new: &str,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE staff SET password_hash = $3 WHERE id = $1 AND password_hash = $2",
        staff as StaffId,
        old,
        new,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Whether they may sign in and this is their hash. Until the transaction ends neither changes.
pub async fn still_has_password(
    tx: impl PgExecutor<'_>,
    staff: StaffId,
    hash: &str,
) -> sqlx::Result<bool> {
    let found = sqlx::query!(
        "SELECT FROM staff WHERE id = $1 AND password_hash = $2 AND disabled_at IS NULL FOR UPDATE",
        staff as StaffId,
        hash,
    )
    .fetch_optional(tx)
    .await?;
    Ok(found.is_some())
}

pub async fn note_sign_in(
    db: impl PgExecutor<'_>,
    staff: StaffId,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!("UPDATE staff SET last_sign_in_at = $2 WHERE id = $1", staff as StaffId, now)
        .execute(db)
        .await?;
    Ok(())
}
