//! Everything that decides what one user shows.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use crate::ids::{AccountId, CloudlinkUserId, EntraUserId};

/// A user in CloudLink, and whom they are matched with.
#[derive(Clone, Debug)]
pub struct Person {
    pub user: CloudlinkUserId,
    pub name: String,
    pub email: String,
    pub entra: Option<EntraUserId>,
    pub match_trouble: Option<String>,
    pub matched_by_hand: bool,
    pub excluded: bool,
    /// The Entra user's names, if the directory has them.
    pub entra_name: Option<String>,
    pub entra_address: Option<String>,
    pub entra_enabled: Option<bool>,
}

pub async fn person(
    db: impl PgExecutor<'_>,
    account: AccountId,
    user: &CloudlinkUserId,
) -> sqlx::Result<Option<Person>> {
    sqlx::query_as!(
        Person,
        r#"
        SELECT u.user_id AS "user: CloudlinkUserId", u.name, u.email,
            u.entra_id AS "entra: EntraUserId", u.match_trouble, u.matched_by_hand, u.excluded,
            e.display_name AS "entra_name?", e.user_principal_name AS "entra_address?",
            e.enabled AS "entra_enabled?"
        FROM cloudlink_users u
        LEFT JOIN entra_users e ON e.account_id = u.account_id AND e.entra_id = u.entra_id
        WHERE u.account_id = $1 AND u.user_id = $2
        "#,
        account as AccountId,
        user as &CloudlinkUserId,
    )
    .fetch_optional(db)
    .await
}

/// What CloudLink said last, what was decided, and what became of it.
#[derive(Clone, Debug)]
pub struct Story {
    pub state: String,
    pub entered_at: DateTime<Utc>,
    pub received_at: DateTime<Utc>,
    pub publication_id: String,
    /// The state that decided: the newest one, or one before it when that changes nothing.
    pub decided_state: Option<String>,
    pub decided_at: Option<DateTime<Utc>>,
    pub wanted: Option<String>,
    pub applied: Option<String>,
    pub applied_entra: Option<EntraUserId>,
    pub applied_at: Option<DateTime<Utc>>,
    pub expires_at: Option<DateTime<Utc>>,
    pub certain: bool,
    pub due_at: Option<DateTime<Utc>>,
    pub failures: i32,
    pub trouble: Option<String>,
    pub asked_at: Option<DateTime<Utc>>,
    pub asked_for: Option<String>,
    pub answer_status: Option<i32>,
    pub answer_ms: Option<i32>,
    pub request_id: Option<String>,
}

pub async fn story(
    db: impl PgExecutor<'_>,
    account: AccountId,
    user: &CloudlinkUserId,
) -> sqlx::Result<Option<Story>> {
    sqlx::query_as!(
        Story,
        r#"
        SELECT state, entered_at, received_at, publication_id, decided_state, decided_at, wanted,
            applied, applied_entra_id AS "applied_entra: EntraUserId", applied_at, expires_at,
            certain, due_at, failures, trouble, asked_at, asked_for, answer_status, answer_ms,
            request_id
        FROM presences
        WHERE account_id = $1 AND user_id = $2
        "#,
        account as AccountId,
        user as &CloudlinkUserId,
    )
    .fetch_optional(db)
    .await
}
