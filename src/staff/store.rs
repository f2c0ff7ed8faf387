//! What the database knows of staff and their sessions.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use crate::ids::StaffId;
use crate::kit::email::Email;
use crate::kit::token::TokenDigest;

/// A session that holds, and whose it is.
#[derive(Clone, Debug)]
pub struct SignedIn {
    pub staff: StaffId,
    pub name: String,
    pub email: Email,
    pub role: String,
    pub seen_at: DateTime<Utc>,
}

/// Who holds this session, if it was used since `idle_since` and begun since `begun_since`.
pub async fn signed_in(
    db: impl PgExecutor<'_>,
    session: &TokenDigest,
    idle_since: DateTime<Utc>,
    begun_since: DateTime<Utc>,
) -> sqlx::Result<Option<SignedIn>> {
    sqlx::query_as!(
        SignedIn,
        r#"
        SELECT staff.id AS "staff: StaffId", staff.name, staff.email AS "email: Email", staff.role,
            sessions.seen_at
        FROM sessions JOIN staff ON staff.id = sessions.staff_id
        WHERE sessions.digest = $1 AND sessions.seen_at > $2 AND sessions.created_at > $3
            AND staff.disabled_at IS NULL
        "#,
        session as &TokenDigest,
        idle_since,
        begun_since,
    )
    .fetch_optional(db)
    .await
}

pub async fn note_use(
    db: impl PgExecutor<'_>,
    session: &TokenDigest,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE sessions SET seen_at = $2 WHERE digest = $1",
        session as &TokenDigest,
        now
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A browser that just signed in.
#[derive(Clone, Copy, Debug)]
pub struct NewSession<'a> {
    pub digest: &'a TokenDigest,
    pub staff: StaffId,
    pub address: &'a str,
    pub browser: &'a str,
}

pub async fn begin_session(
    db: impl PgExecutor<'_>,
    session: NewSession<'_>,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO sessions (digest, staff_id, created_at, seen_at, address, browser)
        VALUES ($1, $2, $3, $3, $4, $5)
        "#,
        session.digest as &TokenDigest,
        session.staff as StaffId,
        now,
        session.address,
        session.browser,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Somebody new, with a password (in PHC form) or, when invited, without.
#[derive(Clone, Copy, Debug)]
pub struct NewStaff<'a> {
    pub id: StaffId,
    pub name: &'a str,
    pub email: &'a Email,
    pub role: super::Role,
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
        if crate::kit::db::violates(&error, "staff_email_key") {
            Self::EmailTaken
        } else {
            Self::Db(error)
        }
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
