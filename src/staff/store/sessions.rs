//! Sessions, and sign-ins that still owe a code.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor};

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

/// Whose session it was, if it was one.
pub async fn end_session(
    db: impl PgExecutor<'_>,
    session: &TokenDigest,
) -> sqlx::Result<Option<(StaffId, Email)>> {
    let ended = sqlx::query!(
        r#"
        DELETE FROM sessions USING staff
        WHERE staff.id = sessions.staff_id AND digest = $1
        RETURNING staff.id AS "id: StaffId", staff.email AS "email: Email"
        "#,
        session as &TokenDigest
    )
    .fetch_optional(db)
    .await?;
    Ok(ended.map(|ended| (ended.id, ended.email)))
}

/// Signs somebody out everywhere, half sign-ins included; `kept` is the session they keep.
pub async fn end_sessions(
    tx: &mut PgConnection,
    staff: StaffId,
    kept: Option<&TokenDigest>,
) -> sqlx::Result<u64> {
    sqlx::query!("DELETE FROM half_sign_ins WHERE staff_id = $1", staff as StaffId)
        .execute(&mut *tx)
        .await?;
    let ended = sqlx::query!(
        "DELETE FROM sessions WHERE staff_id = $1 AND ($2::bytea IS NULL OR digest <> $2)",
        staff as StaffId,
        kept as Option<&TokenDigest>,
    )
    .execute(tx)
    .await?;
    Ok(ended.rows_affected())
}

/// Ends one session of theirs; false when it had ended already.
pub async fn end_session_of(
    db: impl PgExecutor<'_>,
    staff: StaffId,
    id: i64,
) -> sqlx::Result<bool> {
    let ended =
        sqlx::query!("DELETE FROM sessions WHERE staff_id = $1 AND id = $2", staff as StaffId, id)
            .execute(db)
            .await?;
    Ok(ended.rows_affected() == 1)
}

/// A session as its owner sees it.
#[derive(Clone, Debug)]
pub struct Session {
    pub id: i64,
    pub digest: TokenDigest,
    pub created_at: DateTime<Utc>,
    pub seen_at: DateTime<Utc>,
    pub address: String,
    pub browser: String,
}

/// Their sessions that hold, the last used first.
pub async fn sessions_of(
    db: impl PgExecutor<'_>,
    staff: StaffId,
    idle_since: DateTime<Utc>,
    begun_since: DateTime<Utc>,
) -> sqlx::Result<Vec<Session>> {
    sqlx::query_as!(
        Session,
        r#"
        SELECT id, digest AS "digest: TokenDigest", created_at, seen_at, address, browser
        FROM sessions WHERE staff_id = $1 AND seen_at > $2 AND created_at > $3
        ORDER BY seen_at DESC, id DESC
        "#,
        staff as StaffId,
        idle_since,
        begun_since,
    )
    .fetch_all(db)
    .await
}

pub async fn begin_half_sign_in(
    db: impl PgExecutor<'_>,
    digest: &TokenDigest,
    staff: StaffId,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO half_sign_ins (digest, staff_id, created_at) VALUES ($1, $2, $3)",
        digest as &TokenDigest,
        staff as StaffId,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Who is half signed in, and has been since `since` at most.
pub async fn half_signed_in(
    db: impl PgExecutor<'_>,
    digest: &TokenDigest,
    since: DateTime<Utc>,
) -> sqlx::Result<Option<(StaffId, Email)>> {
    let found = sqlx::query!(
        r#"
        SELECT staff.id AS "id: StaffId", staff.email AS "email: Email"
        FROM half_sign_ins AS half JOIN staff ON staff.id = half.staff_id
        WHERE half.digest = $1 AND half.created_at > $2 AND staff.disabled_at IS NULL
        "#,
        digest as &TokenDigest,
        since,
    )
    .fetch_optional(db)
    .await?;
    Ok(found.map(|found| (found.id, found.email)))
}

/// False when it had ended already.
pub async fn end_half_sign_in(db: impl PgExecutor<'_>, digest: &TokenDigest) -> sqlx::Result<bool> {
    let ended = sqlx::query!("DELETE FROM half_sign_ins WHERE digest = $1", digest as &TokenDigest);
    Ok(ended.execute(db).await?.rows_affected() == 1)
}
