//! One-time links by which a person sets a password.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor};

use super::super::link::Purpose;
use crate::ids::StaffId;
use crate::kit::email::Email;
use crate::kit::token::TokenDigest;

/// A link, and whose it is.
#[derive(Clone, Debug)]
pub struct Link {
    pub staff: StaffId,
    pub name: String,
    pub email: Email,
    pub purpose: String,
    pub expires_at: DateTime<Utc>,
    /// `used`, `revoked` or `replaced`.
    pub ended: Option<String>,
    pub has_second_factor: bool,
}

/// Links of disabled people are not found.
pub async fn link(db: impl PgExecutor<'_>, digest: &TokenDigest) -> sqlx::Result<Option<Link>> {
    sqlx::query_as!(
        Link,
        r#"
        SELECT staff.id AS "staff: StaffId", staff.name, staff.email AS "email: Email",
            link.purpose, link.expires_at, link.ended,
            EXISTS (
                SELECT FROM second_factors AS factor
                WHERE factor.staff_id = staff.id AND factor.confirmed_at IS NOT NULL
            ) AS "has_second_factor!"
        FROM one_time_links AS link JOIN staff ON staff.id = link.staff_id
        WHERE link.digest = $1 AND staff.disabled_at IS NULL
        "#,
        digest as &TokenDigest,
    )
    .fetch_optional(db)
    .await
}

/// A link that works from now on, in place of the one that did.
#[derive(Clone, Copy, Debug)]
pub struct NewLink<'a> {
    pub digest: &'a TokenDigest,
    pub staff: StaffId,
    pub purpose: Purpose,
    pub expires_at: DateTime<Utc>,
}

pub async fn replace_link(
    tx: &mut PgConnection,
    link: NewLink<'_>,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    // Whoever makes a link for the same person at the same time waits here.
    sqlx::query!("SELECT FROM staff WHERE id = $1 FOR UPDATE", link.staff as StaffId)
        .fetch_optional(&mut *tx)
        .await?;
    sqlx::query!(
        "UPDATE one_time_links SET ended = 'replaced' WHERE staff_id = $1 AND ended IS NULL",
        link.staff as StaffId,
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        r#"
        INSERT INTO one_time_links (digest, staff_id, purpose, made_at, expires_at)
        VALUES ($1, $2, $3, $4, $5)
        "#,
        link.digest as &TokenDigest,
        link.staff as StaffId,
        link.purpose.as_str(),
        now,
        link.expires_at,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Uses the link up. Of two who use it at once, one is told no.
pub async fn use_link(
    tx: impl PgExecutor<'_>,
    digest: &TokenDigest,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let used = sqlx::query!(
        r#"
        UPDATE one_time_links SET ended = 'used'
        WHERE digest = $1 AND ended IS NULL AND expires_at > $2
        "#,
        digest as &TokenDigest,
        now,
    )
    .execute(tx)
    .await?;
    Ok(used.rows_affected() == 1)
}

/// False when there was none that worked.
pub async fn revoke_link(
    db: impl PgExecutor<'_>,
    staff: StaffId,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let revoked = sqlx::query!(
        r#"
        UPDATE one_time_links SET ended = 'revoked'
        WHERE staff_id = $1 AND ended IS NULL AND expires_at > $2
        "#,
        staff as StaffId,
        now,
    )
    .execute(db)
    .await?;
    Ok(revoked.rows_affected() == 1)
}
