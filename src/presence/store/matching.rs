//! Which CloudLink user is which Entra user.
//!
//! An Entra user answers to its principal name, else its mail, else any of its addresses; the
//! best of these decides. Nobody is matched by guess: two Entra users that answer equally well
//! to one CloudLink user are a duplicate, and so are two CloudLink users that lead to the same
//! Entra user, unless all but one of them are excluded or one was matched by hand.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgExecutor;

use crate::ids::{AccountId, CloudlinkUserId, EntraUserId};

/// A user whom Microsoft refused is not asked about again for so long, unless somebody presses Sync now.
const REFUSAL_LASTS: TimeDelta = TimeDelta::hours(24);

/// Whether matching anew may come to something else than the last time: something was read that
/// nobody has been matched with, or a refusal is long enough ago.
pub async fn is_due(
    db: impl PgExecutor<'_>,
    account: AccountId,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let due = sqlx::query_scalar!(
        r#"
        SELECT p.unmatched OR EXISTS (
            SELECT FROM cloudlink_users c
            WHERE c.account_id = $1 AND c.entra_id IS NULL AND NOT c.excluded
                AND c.match_trouble = 'no-teams' AND c.refused_at <= $2
        ) AS "due!"
        FROM presence_accounts p WHERE p.account_id = $1
        "#,
        account as AccountId,
        now - REFUSAL_LASTS,
    )
    .fetch_optional(db)
    .await?;
    Ok(due.unwrap_or(false))
}

/// What has been read is about to be matched, in the same transaction.
pub async fn note_matched(db: impl PgExecutor<'_>, account: AccountId) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE presence_accounts SET unmatched = false WHERE account_id = $1 AND unmatched",
        account as AccountId,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Matches an account's users anew, and marks those whose match has changed. Returns how many
/// those are. Whoever calls it rings the account's bell: the worker goes through the marks.
pub async fn rematch(
    db: impl PgExecutor<'_>,
    account: AccountId,
    now: DateTime<Utc>,
) -> sqlx::Result<u64> {
    let changed = sqlx::query_scalar!(
        r#"
        WITH keys AS (
            SELECT entra_id, enabled, lower(user_principal_name) AS address, 1 AS rank
            FROM entra_users WHERE account_id = $1
            UNION ALL
            SELECT entra_id, enabled, lower(mail), 2 FROM entra_users
            WHERE account_id = $1 AND mail <> ''
            UNION ALL
            SELECT entra_id, enabled, lower(address), 3
            FROM entra_users, unnest(proxy_addresses) AS address WHERE account_id = $1
        ), ranked AS (
            SELECT c.user_id, k.entra_id, k.enabled, k.rank,
                   min(k.rank) OVER (PARTITION BY c.user_id) AS best
            FROM cloudlink_users c JOIN keys k ON k.address = lower(btrim(c.email))
            WHERE c.account_id = $1 AND NOT c.matched_by_hand AND btrim(c.email) <> ''
        ), found AS (
            SELECT user_id, count(DISTINCT entra_id) AS candidates,
                   min(entra_id::text)::uuid AS entra_id, bool_and(enabled) AS enabled
            FROM ranked WHERE rank = best GROUP BY user_id
        ), claims AS (
            SELECT claimed.entra_id, count(*) AS claimants FROM (
                SELECT f.entra_id FROM found f
                JOIN cloudlink_users c ON c.account_id = $1 AND c.user_id = f.user_id
                WHERE f.candidates = 1 AND f.enabled AND NOT c.excluded
                UNION ALL
                SELECT entra_id FROM cloudlink_users
                WHERE account_id = $1 AND matched_by_hand AND NOT excluded AND entra_id IS NOT NULL
            ) AS claimed GROUP BY claimed.entra_id
        ), verdicts AS (
            SELECT c.user_id, f.entra_id, CASE
                WHEN f.user_id IS NULL
                    AND EXISTS (SELECT FROM entra_users WHERE account_id = $1) THEN 'not-in-entra'
                WHEN f.candidates > 1 THEN 'duplicate'
                WHEN NOT f.enabled THEN 'disabled'
                WHEN l.claimants > 1 AND NOT c.excluded THEN 'duplicate'
                WHEN c.refused_entra_id = f.entra_id AND c.refused_at > $2 THEN 'no-teams'
            END AS trouble
            FROM cloudlink_users c
            LEFT JOIN found f ON f.user_id = c.user_id
            LEFT JOIN claims l ON l.entra_id = f.entra_id
            WHERE c.account_id = $1 AND NOT c.matched_by_hand
        ), matched AS (
            UPDATE cloudlink_users c SET
                entra_id = CASE WHEN v.trouble IS NULL THEN v.entra_id END,
                match_trouble = v.trouble, match_changed = true
            FROM verdicts v
            WHERE c.account_id = $1 AND c.user_id = v.user_id
                AND (c.entra_id IS DISTINCT FROM CASE WHEN v.trouble IS NULL THEN v.entra_id END
                    OR c.match_trouble IS DISTINCT FROM v.trouble)
            RETURNING c.user_id
        )
        SELECT count(*) AS "changed!" FROM matched
        "#,
        account as AccountId,
        now - REFUSAL_LASTS,
    )
    .fetch_one(db)
    .await?;
    Ok(u64::try_from(changed).unwrap_or(0))
}

/// Goes through the marks: makes everybody due whose match has changed.
///
/// After the changes and not with them: so that no event slips through that is written at the
/// same moment and looked at with the old match.
pub async fn make_changed_due(
    db: impl PgExecutor<'_>,
    account: AccountId,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        WITH marked AS (
            UPDATE cloudlink_users SET match_changed = false
            WHERE account_id = $1 AND match_changed RETURNING user_id
        )
        UPDATE presences p SET due_at = $2, urgency = least(p.urgency, 1), revision = p.revision + 1
        FROM marked m
        WHERE p.account_id = $1 AND p.user_id = m.user_id
            AND (p.wanted IS NOT NULL OR p.applied IS NOT NULL)
        "#,
        account as AccountId,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Microsoft says that this Entra user has no Teams. Nothing is held against another whom the
/// CloudLink user has been matched with since.
pub async fn note_refusal(
    db: impl PgExecutor<'_>,
    account: AccountId,
    (user, on): (&CloudlinkUserId, EntraUserId),
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        UPDATE cloudlink_users SET refused_entra_id = entra_id, refused_at = $3,
            match_trouble = CASE WHEN matched_by_hand THEN match_trouble ELSE 'no-teams' END,
            entra_id = CASE WHEN matched_by_hand THEN entra_id END
        WHERE account_id = $1 AND user_id = $2 AND entra_id = $4
        "#,
        account as AccountId,
        user as &CloudlinkUserId,
        now,
        on as EntraUserId,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Somebody wants it tried again.
pub async fn forget_refusals(db: impl PgExecutor<'_>, account: AccountId) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        UPDATE cloudlink_users SET refused_entra_id = NULL, refused_at = NULL
        WHERE account_id = $1 AND refused_at IS NOT NULL
        "#,
        account as AccountId,
    )
    .execute(db)
    .await?;
    Ok(())
}
