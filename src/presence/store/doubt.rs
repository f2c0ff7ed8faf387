//! What Teams may hold without our knowing: a request was on its way when whoever sent it ended,
//! or lost its lease.
//!
//! Such a user is written down as one for whom Teams holds *something* of ours for a while: so the
//! next step is not left out for being needless. This claims nothing to be applied, and needs no
//! lease.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgExecutor;

use crate::ids::{AccountId, CloudlinkUserId, EntraUserId};

/// As long as the longest session.
const LONGEST: TimeDelta = TimeDelta::hours(1);

/// The workers of these accounts ended without a word. Whatever they had in hand is due still,
/// and was due when they asked: from then on it is in doubt, for an hour where we know of nothing,
/// and else for as long as a call's session lasts. Whoever takes over does so well within that.
pub async fn in_hand(
    db: impl PgExecutor<'_>,
    accounts: &[AccountId],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        WITH due AS (
            SELECT q.account_id, q.user_id, c.entra_id
            FROM presences q
            LEFT JOIN cloudlink_users c ON c.account_id = q.account_id AND c.user_id = q.user_id
            WHERE q.account_id = ANY($1) AND q.due_at <= $2
                AND (q.applied IS NOT NULL OR c.entra_id IS NOT NULL)
            ORDER BY q.account_id, q.user_id FOR UPDATE OF q
        )
        UPDATE presences p SET certain = false, applied = coalesce(p.applied, 'in-a-call'),
            applied_entra_id = coalesce(p.applied_entra_id, due.entra_id),
            applied_at = coalesce(p.applied_at, $2),
            expires_at = greatest(p.expires_at, p.due_at +
                CASE WHEN p.applied IS NULL THEN interval '1 hour' ELSE interval '5 minutes' END)
        FROM due WHERE p.account_id = due.account_id AND p.user_id = due.user_id
        "#,
        accounts as &[AccountId],
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A request for this user was done, or may have been, by a node that had lost its lease: whoever
/// has it now looks after the user once more.
pub async fn of_user(
    db: impl PgExecutor<'_>,
    account: AccountId,
    user: &CloudlinkUserId,
    on: EntraUserId,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        UPDATE presences SET certain = false, applied = coalesce(applied, 'in-a-call'),
            applied_entra_id = coalesce(applied_entra_id, $3),
            applied_at = coalesce(applied_at, $4), expires_at = greatest(expires_at, $5),
            due_at = $4, urgency = least(urgency, 1), revision = revision + 1
        WHERE account_id = $1 AND user_id = $2
        "#,
        account as AccountId,
        user as &CloudlinkUserId,
        on as EntraUserId,
        now,
        now + LONGEST,
    )
    .execute(db)
    .await?;
    Ok(())
}
