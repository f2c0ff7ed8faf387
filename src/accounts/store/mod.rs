//! What the database knows of accounts.

pub mod filters;
mod import;
mod list;
mod words;

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor};

use super::Account;
use super::form::Details;
use crate::ids::{AccountId, CloudlinkAccountId, StaffId};
use crate::kit::db::violates;

pub use import::{NewAccount, import, present};
pub use list::{Counts, Listed, Wanted, all, count, fold, named, page};
pub use words::{Health, Sort};

#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error("another account has that CloudLink account id")]
    CloudlinkIdTaken,
    #[error("the phones of the present CloudLink account are in sync")]
    CloudlinkIdInUse,
    #[error(transparent)]
    Db(sqlx::Error),
}

impl From<sqlx::Error> for WriteError {
    fn from(error: sqlx::Error) -> Self {
        if violates(&error, "accounts_cloudlink_account_id_key") {
            Self::CloudlinkIdTaken
        } else {
            Self::Db(error)
        }
    }
}

/// The account, if it is among those `scope` looks after (`None`: among all).
pub async fn find(
    db: impl PgExecutor<'_>,
    id: AccountId,
    scope: Option<StaffId>,
) -> sqlx::Result<Option<Account>> {
    sqlx::query_as!(
        Account,
        r#"
        SELECT id AS "id: AccountId", name,
            cloudlink_account_id AS "cloudlink_id: CloudlinkAccountId",
            country, address, city, postal_code, language, support_emails,
            deactivated_at, deleting_since, created_at
        FROM accounts
        WHERE id = $1 AND ($2::uuid IS NULL OR EXISTS (
            SELECT FROM staff_accounts WHERE account_id = id AND staff_id = $2))
        "#,
        id as AccountId,
        scope as Option<StaffId>,
    )
    .fetch_optional(db)
    .await
}

pub async fn insert(
    db: impl PgExecutor<'_>,
    id: AccountId,
    details: &Details,
    now: DateTime<Utc>,
) -> Result<(), WriteError> {
    sqlx::query!(
        r#"
        INSERT INTO accounts (id, name, cloudlink_account_id, country, address, city,
            postal_code, language, support_emails, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)
        "#,
        id as AccountId,
        details.name,
        details.cloudlink_id.as_str(),
        details.country,
        details.address,
        details.city,
        details.postal_code,
        details.language,
        &details.support_emails,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Saves what is said of an account. Its CloudLink id stays while anything is synced by it:
/// the subscription and the users are those of the old one.
pub async fn update(
    db: impl PgExecutor<'_>,
    id: AccountId,
    details: &Details,
    now: DateTime<Utc>,
) -> Result<(), WriteError> {
    let done = sqlx::query!(
        r#"
        UPDATE accounts SET name = $2, cloudlink_account_id = $3, country = $4, address = $5,
            city = $6, postal_code = $7, language = $8, support_emails = $9, updated_at = $10
        WHERE id = $1 AND (cloudlink_account_id = $3 OR NOT (
            EXISTS (SELECT FROM presence_accounts WHERE account_id = $1)
            OR EXISTS (SELECT FROM features WHERE account_id = $1 AND enabled)))
        "#,
        id as AccountId,
        details.name,
        details.cloudlink_id.as_str(),
        details.country,
        details.address,
        details.city,
        details.postal_code,
        details.language,
        &details.support_emails,
        now,
    )
    .execute(db)
    .await?;
    if done.rows_affected() == 0 { Err(WriteError::CloudlinkIdInUse) } else { Ok(()) }
}

/// Deactivates the account, or takes that back. False when it was so already.
pub async fn set_deactivated(
    db: impl PgExecutor<'_>,
    id: AccountId,
    deactivated: bool,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        r#"
        UPDATE accounts SET deactivated_at = CASE WHEN $2 THEN $3::timestamptz END, updated_at = $3
        WHERE id = $1 AND (deactivated_at IS NULL) = $2
        "#,
        id as AccountId,
        deactivated,
        now,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Keeps others from adding anything to the account until the transaction ends; its row as it is.
pub async fn lock(tx: &mut PgConnection, id: AccountId) -> sqlx::Result<bool> {
    let found = sqlx::query_scalar!(
        r#"SELECT true AS "found!" FROM accounts WHERE id = $1 FOR UPDATE"#,
        id as AccountId,
    )
    .fetch_optional(tx)
    .await?;
    Ok(found.is_some())
}

/// Lets the account go as soon as nothing of ours stands in Teams any more.
pub async fn begin_deleting(
    db: impl PgExecutor<'_>,
    id: AccountId,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        r#"
        UPDATE accounts SET deleting_since = $2, updated_at = $2
        WHERE id = $1 AND deleting_since IS NULL
        "#,
        id as AccountId,
        now,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Deletes the account and what hangs on it. One that still has an integration is refused by
/// the database.
pub async fn delete(db: impl PgExecutor<'_>, id: AccountId) -> sqlx::Result<()> {
    sqlx::query!("DELETE FROM accounts WHERE id = $1", id as AccountId).execute(db).await?;
    Ok(())
}
