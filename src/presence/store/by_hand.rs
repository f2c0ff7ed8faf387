//! What a person changes of one user, and asks of the worker. The caller rings the bell.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::{matching, steps};
use crate::ids::{AccountId, CloudlinkUserId, EntraUserId};

/// Leaves a user out of the sync, or takes them in again. Says whether that changed anything.
/// Whoever comes back and was matched by hand with somebody who is another's by now is left to
/// automatic matching: two would drive one presence.
pub async fn set_excluded(
    tx: &mut PgConnection,
    account: AccountId,
    user: &CloudlinkUserId,
    excluded: bool,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let changed = sqlx::query!(
        r#"
        UPDATE cloudlink_users c SET excluded = $3, match_changed = true,
            matched_by_hand = matched_by_hand AND ($3 OR NOT EXISTS (
                SELECT FROM cloudlink_users o
                WHERE o.account_id = $1 AND o.entra_id = c.entra_id AND o.user_id <> $2
                    AND o.matched_by_hand AND NOT o.excluded))
        WHERE c.account_id = $1 AND c.user_id = $2 AND c.excluded <> $3
        "#,
        account as AccountId,
        user as &CloudlinkUserId,
        excluded,
    )
    .execute(&mut *tx)
    .await?;
    // Whoever is left out claims no Entra user, so another may be matched with theirs.
    matching::rematch(&mut *tx, account, now).await?;
    hurry(tx, account, user, now).await?;
    Ok(changed.rows_affected() == 1)
}

/// Matches a user with an Entra user, and keeps the automatic matching away from both.
pub async fn match_with(
    tx: &mut PgConnection,
    account: AccountId,
    user: &CloudlinkUserId,
    entra: EntraUserId,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        UPDATE cloudlink_users SET entra_id = $3, match_trouble = NULL, matched_by_hand = true,
            refused_entra_id = NULL, refused_at = NULL, match_changed = true
        WHERE account_id = $1 AND user_id = $2
        "#,
        account as AccountId,
        user as &CloudlinkUserId,
        entra as EntraUserId,
    )
    .execute(&mut *tx)
    .await?;
    // Whoever was matched with that Entra user automatically is a duplicate now.
    matching::rematch(&mut *tx, account, now).await?;
    hurry(tx, account, user, now).await
}

/// Leaves the match of a user to their address again.
pub async fn match_automatically(
    tx: &mut PgConnection,
    account: AccountId,
    user: &CloudlinkUserId,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        UPDATE cloudlink_users
        SET matched_by_hand = false, refused_entra_id = NULL, refused_at = NULL,
            match_changed = true
        WHERE account_id = $1 AND user_id = $2
        "#,
        account as AccountId,
        user as &CloudlinkUserId,
    )
    .execute(&mut *tx)
    .await?;
    matching::rematch(&mut *tx, account, now).await?;
    hurry(tx, account, user, now).await
}

/// Matches many users at once, each as [`match_with`] does.
pub async fn match_all(
    tx: &mut PgConnection,
    account: AccountId,
    pairs: &[(CloudlinkUserId, EntraUserId)],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let (users, entra): (Vec<_>, Vec<_>) = pairs.iter().cloned().unzip();
    sqlx::query!(
        r#"
        UPDATE cloudlink_users c SET entra_id = g.entra_id, match_trouble = NULL,
            matched_by_hand = true, refused_entra_id = NULL, refused_at = NULL,
            match_changed = true
        FROM unnest($2::text[], $3::uuid[]) AS g (user_id, entra_id)
        WHERE c.account_id = $1 AND c.user_id = g.user_id
        "#,
        account as AccountId,
        &users as &[CloudlinkUserId],
        &entra as &[EntraUserId],
    )
    .execute(&mut *tx)
    .await?;
    matching::rematch(&mut *tx, account, now).await?;
    hurry_all(tx, account, &users, now).await
}

/// Leaves the matches of many users to their addresses again. Those of them who were matched
/// by hand: id, name, and the address of whom they were matched with.
pub async fn match_all_automatically(
    tx: &mut PgConnection,
    account: AccountId,
    users: &[CloudlinkUserId],
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<(CloudlinkUserId, String, Option<String>)>> {
    let undone = sqlx::query!(
        r#"
        WITH undone AS (
            UPDATE cloudlink_users SET matched_by_hand = false, refused_entra_id = NULL,
                refused_at = NULL, match_changed = true
            WHERE account_id = $1 AND user_id = ANY($2) AND matched_by_hand
            RETURNING user_id, name, entra_id
        )
        SELECT u.user_id AS "user!: CloudlinkUserId", u.name AS "name!", e.user_principal_name AS "address?"
        FROM undone u LEFT JOIN entra_users e ON e.account_id = $1 AND e.entra_id = u.entra_id
        ORDER BY u.name
        "#,
        account as AccountId,
        users as &[CloudlinkUserId],
    )
    .fetch_all(&mut *tx)
    .await?;
    matching::rematch(&mut *tx, account, now).await?;
    hurry_all(tx, account, users, now).await?;
    Ok(undone.into_iter().map(|row| (row.user, row.name, row.address)).collect())
}

async fn hurry_all(
    tx: &mut PgConnection,
    account: AccountId,
    users: &[CloudlinkUserId],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        UPDATE presences SET due_at = $3, urgency = least(urgency, 1), failures = 0,
            revision = revision + 1
        WHERE account_id = $1 AND user_id = ANY($2)
        "#,
        account as AccountId,
        users as &[CloudlinkUserId],
        now,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Makes the worker look at a user at once, whatever failed before.
async fn hurry(
    tx: &mut PgConnection,
    account: AccountId,
    user: &CloudlinkUserId,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        UPDATE presences SET due_at = $3, urgency = least(urgency, 1), failures = 0,
            revision = revision + 1
        WHERE account_id = $1 AND user_id = $2
        "#,
        account as AccountId,
        user as &CloudlinkUserId,
        now,
    )
    .execute(&mut *tx)
    .await?;
    Ok(())
}

/// Asks the worker to read both directories now, and to try again what was refused. Says whether
/// there is a worker to ask.
pub async fn ask_for_sync(
    tx: &mut PgConnection,
    account: AccountId,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let asked = sqlx::query!(
        "UPDATE presence_accounts SET sync_asked_at = $2 WHERE account_id = $1",
        account as AccountId,
        now,
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        r#"
        UPDATE presences SET due_at = $2, urgency = least(urgency, 1), failures = 0,
            revision = revision + 1
        WHERE account_id = $1 AND trouble IS NOT NULL
        "#,
        account as AccountId,
        now,
    )
    .execute(&mut *tx)
    .await?;
    steps::clear(tx, account).await?;
    Ok(asked.rows_affected() == 1)
}
