//! CloudLink's users as last read, page by page and never whole in memory.

use std::collections::HashSet;
use std::future::ready;
use std::hash::BuildHasher;

use chrono::{DateTime, Utc};
use futures_util::TryStreamExt;
use sqlx::{PgExecutor, PgPool};

use crate::cloudlink;
use crate::ids::{AccountId, CloudlinkUserId};

/// Writes down what of a page of CloudLink's users is new.
pub async fn write(
    db: impl PgExecutor<'_>,
    account: AccountId,
    users: &[cloudlink::User],
) -> sqlx::Result<()> {
    let ids: Vec<_> = users.iter().map(|user| user.id.as_str()).collect();
    let names: Vec<_> = users.iter().map(|user| user.name.as_str()).collect();
    let emails: Vec<_> = users.iter().map(|user| user.email.as_str()).collect();
    sqlx::query!(
        r#"
        WITH given AS (
            SELECT DISTINCT ON (user_id) user_id, name, email
            FROM unnest($2::text[], $3::text[], $4::text[]) AS u (user_id, name, email)
        ), written AS (
            INSERT INTO cloudlink_users AS c (account_id, user_id, name, email)
            SELECT $1::uuid, g.user_id, g.name, g.email
            FROM given g LEFT JOIN cloudlink_users c ON c.account_id = $1 AND c.user_id = g.user_id
            WHERE c.user_id IS NULL OR (c.name, c.email) IS DISTINCT FROM (g.name, g.email)
            ON CONFLICT (account_id, user_id) DO UPDATE SET
                name = excluded.name, email = excluded.email
            RETURNING c.user_id
        )
        UPDATE presence_accounts SET unmatched = true
        WHERE account_id = $1 AND NOT unmatched AND EXISTS (SELECT FROM written)
        "#,
        account as AccountId,
        &ids as &[&str],
        &names as &[&str],
        &emails as &[&str],
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Who is in the table and was not named by a reading of CloudLink.
pub async fn not_named(
    db: &PgPool,
    account: AccountId,
    named: &HashSet<CloudlinkUserId, impl BuildHasher>,
) -> sqlx::Result<Vec<CloudlinkUserId>> {
    let present = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM cloudlink_users WHERE account_id = $1"#,
        account as AccountId,
    )
    .fetch_one(db)
    .await?;
    // Everybody named is in the table.
    if usize::try_from(present) == Ok(named.len()) {
        return Ok(Vec::new());
    }
    sqlx::query_scalar!(
        r#"SELECT user_id AS "id: CloudlinkUserId" FROM cloudlink_users WHERE account_id = $1"#,
        account as AccountId,
    )
    .fetch(db)
    .try_filter(|user| ready(!named.contains(user)))
    .try_collect()
    .await
}

/// Lets go of users whom CloudLink does not name any more, and makes those due of whom something
/// still stands in Teams, or is on its way there.
pub async fn let_go(
    db: impl PgExecutor<'_>,
    account: AccountId,
    users: &[CloudlinkUserId],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        WITH gone AS (
            DELETE FROM cloudlink_users WHERE account_id = $1 AND user_id = ANY($2) RETURNING user_id
        ), noted AS (
            UPDATE presence_accounts SET unmatched = true WHERE account_id = $1 AND NOT unmatched
        )
        UPDATE presences p SET due_at = $3, urgency = 3, revision = revision + 1
        FROM gone WHERE p.account_id = $1 AND p.user_id = gone.user_id
            AND (p.wanted IS NOT NULL OR p.applied IS NOT NULL)
        "#,
        account as AccountId,
        users as &[CloudlinkUserId],
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// CloudLink's users have been read.
pub async fn note_read(
    db: impl PgExecutor<'_>,
    account: AccountId,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE presence_accounts SET users_refreshed_at = $2 WHERE account_id = $1",
        account as AccountId,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}
