//! Calendars' addresses, and the days that stand in them.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use sqlx::PgExecutor;

use crate::ids::{AccountId, CalendarId, IntegrationId, StaffId};
use crate::integrations::CredentialKind;
use crate::kit::token::TokenDigest;

/// A calendar, as the page lists it.
#[derive(Clone, Debug)]
pub struct Calendar {
    pub id: CalendarId,
    pub name: String,
    pub made_by: String,
    pub made_at: DateTime<Utc>,
    pub read_at: Option<DateTime<Utc>>,
}

/// The partner's (`None`), or those of one of the staff.
pub async fn of(db: impl PgExecutor<'_>, whose: Option<StaffId>) -> sqlx::Result<Vec<Calendar>> {
    sqlx::query_as!(
        Calendar,
        r#"
        SELECT id AS "id: CalendarId", name, made_by, made_at, read_at FROM calendars
        WHERE staff_id IS NOT DISTINCT FROM $1 ORDER BY made_at DESC, id
        "#,
        whose as Option<StaffId>,
    )
    .fetch_all(db)
    .await
}

#[derive(Debug)]
pub struct NewCalendar<'a> {
    pub id: CalendarId,
    pub whose: Option<StaffId>,
    pub name: &'a str,
    pub digest: &'a TokenDigest,
    pub made_by: &'a str,
}

/// False when there are as many as there may be.
pub async fn insert(
    db: impl PgExecutor<'_>,
    new: NewCalendar<'_>,
    most: i64,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        r#"
        INSERT INTO calendars (id, staff_id, name, digest, made_by, made_at)
        SELECT $1, $2, $3, $4, $5, $6
        WHERE (SELECT count(*) FROM calendars WHERE staff_id IS NOT DISTINCT FROM $2) < $7
        "#,
        new.id as CalendarId,
        new.whose as Option<StaffId>,
        new.name,
        new.digest as &TokenDigest,
        new.made_by,
        now,
        most,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// From now on its address leads nowhere. The name it had; none when it is not theirs.
pub async fn revoke(
    db: impl PgExecutor<'_>,
    whose: Option<StaffId>,
    id: CalendarId,
) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!(
        "DELETE FROM calendars WHERE id = $1 AND staff_id IS NOT DISTINCT FROM $2 RETURNING name",
        id as CalendarId,
        whose as Option<StaffId>,
    )
    .fetch_optional(db)
    .await
}

/// Which calendar an address leads to. Not that of somebody who is disabled.
#[derive(Clone, Debug)]
pub struct Found {
    pub id: CalendarId,
    pub whose: Option<StaffId>,
    pub name: String,
}

pub async fn by_digest(
    db: impl PgExecutor<'_>,
    digest: &TokenDigest,
) -> sqlx::Result<Option<Found>> {
    sqlx::query_as!(
        Found,
        r#"
        SELECT c.id AS "id: CalendarId", c.staff_id AS "whose: StaffId", c.name
        FROM calendars c LEFT JOIN staff s ON s.id = c.staff_id
        WHERE c.digest = $1 AND s.disabled_at IS NULL
        "#,
        digest as &TokenDigest,
    )
    .fetch_optional(db)
    .await
}

/// Writes down that it was read, at most once an hour.
pub async fn note_read(
    db: impl PgExecutor<'_>,
    id: CalendarId,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE calendars SET read_at = $2 WHERE id = $1 AND (read_at IS NULL OR read_at < $3)",
        id as CalendarId,
        now,
        now - TimeDelta::hours(1),
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A secret or certificate that ends on a day.
#[derive(Clone, Debug)]
pub struct Day {
    pub account: AccountId,
    pub account_name: String,
    pub integration: IntegrationId,
    pub name: String,
    pub what: CredentialKind,
    pub on: NaiveDate,
    pub changed_at: DateTime<Utc>,
    pub version: i32,
}

/// Every day that is known, among the accounts that `scope` looks after (`None`: all).
pub async fn days(db: impl PgExecutor<'_>, scope: Option<StaffId>) -> sqlx::Result<Vec<Day>> {
    sqlx::query_as!(
        Day,
        r#"
        SELECT c.account_id AS "account: AccountId", a.name AS account_name,
            c.integration_id AS "integration: IntegrationId", c.name,
            c.credential AS "what: CredentialKind",
            c.secret_expires_on AS "on!", c.updated_at AS changed_at, c.version
        FROM connections c
        JOIN accounts a ON a.id = c.account_id
        JOIN integrations i ON i.account_id = c.account_id AND i.id = c.integration_id
        WHERE c.secret_expires_on IS NOT NULL AND a.deactivated_at IS NULL
            AND i.removing_since IS NULL
            AND ($1::uuid IS NULL OR EXISTS (
                SELECT FROM staff_accounts s WHERE s.account_id = a.id AND s.staff_id = $1))
        ORDER BY c.secret_expires_on, lower(a.name), a.id
        "#,
        scope as Option<StaffId>,
    )
    .fetch_all(db)
    .await
}
