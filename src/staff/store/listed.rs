//! People as the staff pages show them, and what is done to them there.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor};

use super::super::Role;
use crate::ids::StaffId;
use crate::kit::email::Email;

/// Somebody, and where they stand.
#[derive(Clone, Debug)]
pub struct Person {
    pub id: StaffId,
    pub name: String,
    pub email: Email,
    pub role: Role,
    pub has_password: bool,
    pub disabled_at: Option<DateTime<Utc>>,
    pub last_sign_in_at: Option<DateTime<Utc>>,
    pub accounts: i64,
    /// The only account's name, when it is one.
    pub account_name: Option<String>,
    pub has_second_factor: bool,
    /// Until when their one-time link works.
    pub link_until: Option<DateTime<Utc>>,
}

/// Whose name or e-mail address holds `sought` (folded; empty for everybody), by name.
pub async fn people(
    db: impl PgExecutor<'_>,
    sought: &str,
    now: DateTime<Utc>,
    most: i64,
) -> sqlx::Result<Vec<Person>> {
    sqlx::query_as!(
        Person,
        r#"
        SELECT id AS "id!: StaffId", name AS "name!", email AS "email!: Email",
            role AS "role!: Role", has_password AS "has_password!", disabled_at, last_sign_in_at,
            accounts AS "accounts!", account_name, has_second_factor AS "has_second_factor!",
            (SELECT expires_at FROM one_time_links
             WHERE staff_id = people.id AND ended IS NULL AND expires_at > $2) AS link_until
        FROM people
        WHERE $1 = '' OR position($1 in lower(name)) > 0 OR position($1 in lower(email)) > 0
        ORDER BY lower(name), id LIMIT $3
        "#,
        sought,
        now,
        most,
    )
    .fetch_all(db)
    .await
}

pub async fn person(
    db: impl PgExecutor<'_>,
    id: StaffId,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<Person>> {
    sqlx::query_as!(
        Person,
        r#"
        SELECT id AS "id!: StaffId", name AS "name!", email AS "email!: Email",
            role AS "role!: Role", has_password AS "has_password!", disabled_at, last_sign_in_at,
            accounts AS "accounts!", account_name, has_second_factor AS "has_second_factor!",
            (SELECT expires_at FROM one_time_links
             WHERE staff_id = people.id AND ended IS NULL AND expires_at > $2) AS link_until
        FROM people WHERE id = $1
        "#,
        id as StaffId,
        now,
    )
    .fetch_optional(db)
    .await
}

/// Every partner admin who could sign in. Until the transaction ends nobody else can change
/// that: who would take the right from the last of them waits, and then sees it.
pub async fn lock_partner_admins(tx: &mut PgConnection) -> sqlx::Result<Vec<StaffId>> {
    sqlx::query_scalar!(
        r#"
        SELECT id AS "id: StaffId" FROM staff
        WHERE role = 'partner-admin' AND disabled_at IS NULL AND password_hash IS NOT NULL
        ORDER BY id FOR UPDATE
        "#
    )
    .fetch_all(tx)
    .await
}

pub async fn set_role(db: impl PgExecutor<'_>, id: StaffId, role: Role) -> sqlx::Result<()> {
    sqlx::query!("UPDATE staff SET role = $2 WHERE id = $1", id as StaffId, role.as_str())
        .execute(db)
        .await?;
    Ok(())
}

pub async fn rename(db: impl PgExecutor<'_>, id: StaffId, name: &str) -> sqlx::Result<()> {
    sqlx::query!("UPDATE staff SET name = $2 WHERE id = $1", id as StaffId, name)
        .execute(db)
        .await?;
    Ok(())
}

/// False when it was so already.
pub async fn disable(
    db: impl PgExecutor<'_>,
    id: StaffId,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let disabled = sqlx::query!(
        "UPDATE staff SET disabled_at = $2 WHERE id = $1 AND disabled_at IS NULL",
        id as StaffId,
        now
    );
    Ok(disabled.execute(db).await?.rows_affected() == 1)
}

/// False when it was so already.
pub async fn enable(db: impl PgExecutor<'_>, id: StaffId) -> sqlx::Result<bool> {
    let enabled = sqlx::query!(
        "UPDATE staff SET disabled_at = NULL WHERE id = $1 AND disabled_at IS NOT NULL",
        id as StaffId
    );
    Ok(enabled.execute(db).await?.rows_affected() == 1)
}

/// Forgets somebody who was invited and never came; false when they have a password.
pub async fn forget_invited(db: impl PgExecutor<'_>, id: StaffId) -> sqlx::Result<bool> {
    let gone =
        sqlx::query!("DELETE FROM staff WHERE id = $1 AND password_hash IS NULL", id as StaffId);
    Ok(gone.execute(db).await?.rows_affected() == 1)
}
