//! Who can be a pilot, and what the sync does for them meanwhile.

use chrono::{DateTime, Utc};
use sqlx::{PgExecutor, PgPool};

use crate::ids::{AccountId, EntraUserId};
use crate::presence::store::candidates as entra;

/// Somebody in Entra who is enabled, to choose from.
#[derive(Clone, Debug)]
pub struct Candidate {
    pub id: EntraUserId,
    pub name: String,
    pub address: String,
}

/// Those whose name or address holds `search`, the first few by name.
pub async fn candidates(
    db: &PgPool,
    account: AccountId,
    search: &str,
    limit: i64,
) -> sqlx::Result<Vec<Candidate>> {
    let named = entra::named(db, account, search, true, limit).await?;
    sqlx::query_as!(
        Candidate,
        r#"
        SELECT entra_id AS "id: EntraUserId", display_name AS name, user_principal_name AS address
        FROM entra_users
        WHERE account_id = $1 AND entra_id = ANY ($2)
        ORDER BY lower(display_name), entra_id
        "#,
        account as AccountId,
        &named as &[EntraUserId],
    )
    .fetch_all(db)
    .await
}

pub async fn candidate(
    db: impl PgExecutor<'_>,
    account: AccountId,
    id: EntraUserId,
) -> sqlx::Result<Option<Candidate>> {
    sqlx::query_as!(
        Candidate,
        r#"
        SELECT entra_id AS "id: EntraUserId", display_name AS name, user_principal_name AS address
        FROM entra_users
        WHERE account_id = $1 AND entra_id = $2 AND enabled AND NOT gone
        "#,
        account as AccountId,
        id as EntraUserId,
    )
    .fetch_optional(db)
    .await
}

/// Whether the sync shows something for this Entra user, or is about to.
pub async fn is_in_use(
    db: impl PgExecutor<'_>,
    account: AccountId,
    user: EntraUserId,
) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"
        SELECT EXISTS (
            SELECT FROM presences
            WHERE account_id = $1 AND applied IS NOT NULL AND applied_entra_id = $2
        ) OR EXISTS (
            SELECT FROM cloudlink_users u
            JOIN presences p ON p.account_id = u.account_id AND p.user_id = u.user_id
            WHERE u.account_id = $1 AND u.entra_id = $2 AND NOT u.excluded AND p.wanted IS NOT NULL
        ) AS "there!"
        "#,
        account as AccountId,
        user as EntraUserId,
    )
    .fetch_one(db)
    .await
}

/// Has the sync set anew what it may have set for this user in the meantime.
pub async fn look_again_at(
    db: impl PgExecutor<'_>,
    account: AccountId,
    user: EntraUserId,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        UPDATE presences SET certain = false, due_at = $3, urgency = least(urgency, 1),
            revision = revision + 1
        WHERE account_id = $1 AND applied IS NOT NULL AND applied_entra_id = $2
        "#,
        account as AccountId,
        user as EntraUserId,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Whether the worker leaves something alone until a person does something.
pub async fn waits_for_a_person(db: impl PgExecutor<'_>, account: AccountId) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"
        SELECT EXISTS (SELECT FROM presence_troubles WHERE account_id = $1 AND needs_person)
            AS "waits!"
        "#,
        account as AccountId,
    )
    .fetch_one(db)
    .await
}
