//! What was pushed, minute by minute.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use crate::ids::{AccountId, NodeId};

/// What one account did in one minute, or in a part of it.
#[derive(Clone, Debug)]
pub struct Minute {
    pub account: AccountId,
    pub minute: DateTime<Utc>,
    pub pushes: i32,
    pub failures: i32,
    pub throttled_ms: i64,
    /// As Postgres writes an array: `{1,0,2}`.
    pub delays: String,
    pub ours: String,
    pub microsoft: String,
    pub succeeded_at: Option<DateTime<Utc>>,
}

/// Adds to what is there.
pub async fn add(db: impl PgExecutor<'_>, minutes: &[Minute]) -> sqlx::Result<()> {
    let accounts: Vec<_> = minutes.iter().map(|m| m.account).collect();
    let times: Vec<_> = minutes.iter().map(|m| m.minute).collect();
    let pushes: Vec<_> = minutes.iter().map(|m| m.pushes).collect();
    let failures: Vec<_> = minutes.iter().map(|m| m.failures).collect();
    let throttled: Vec<_> = minutes.iter().map(|m| m.throttled_ms).collect();
    let delays: Vec<_> = minutes.iter().map(|m| m.delays.clone()).collect();
    let ours: Vec<_> = minutes.iter().map(|m| m.ours.clone()).collect();
    let microsoft: Vec<_> = minutes.iter().map(|m| m.microsoft.clone()).collect();
    let succeeded: Vec<_> = minutes.iter().map(|m| m.succeeded_at).collect();
    sqlx::query!(
        r#"
        WITH given AS (
            SELECT g.* FROM unnest($1::uuid[], $2::timestamptz[], $3::int[], $4::int[], $5::bigint[],
                $6::text[], $7::text[], $8::text[], $9::timestamptz[])
                AS g (account_id, minute, pushes, failures, throttled_ms, delays, ours, microsoft,
                    succeeded_at)
            WHERE EXISTS (SELECT 1 FROM presence_accounts p WHERE p.account_id = g.account_id)
        ), seen AS (
            UPDATE presence_accounts p SET last_pushed_at = greatest(p.last_pushed_at, g.succeeded_at),
                last_success_at = greatest(p.last_success_at, g.succeeded_at)
            FROM given g WHERE p.account_id = g.account_id AND g.succeeded_at IS NOT NULL
        )
        INSERT INTO push_minutes AS m
            (account_id, minute, pushes, failures, throttled_ms, delays, ours, microsoft)
        SELECT account_id, minute, pushes, failures, throttled_ms, delays::int[], ours::int[],
            microsoft::int[]
        FROM given
        ORDER BY account_id, minute
        ON CONFLICT (account_id, minute) DO UPDATE SET
            pushes = m.pushes + excluded.pushes,
            failures = m.failures + excluded.failures,
            throttled_ms = m.throttled_ms + excluded.throttled_ms,
            delays = (
                SELECT coalesce(array_agg(coalesce(was, 0) + coalesce(more, 0) ORDER BY n), '{}')
                FROM unnest(m.delays, excluded.delays) WITH ORDINALITY AS t (was, more, n)
            ),
            ours = (
                SELECT coalesce(array_agg(coalesce(was, 0) + coalesce(more, 0) ORDER BY n), '{}')
                FROM unnest(m.ours, excluded.ours) WITH ORDINALITY AS t (was, more, n)
            ),
            microsoft = (
                SELECT coalesce(array_agg(coalesce(was, 0) + coalesce(more, 0) ORDER BY n), '{}')
                FROM unnest(m.microsoft, excluded.microsoft) WITH ORDINALITY AS t (was, more, n)
            )
        "#,
        &accounts as &[AccountId],
        &times,
        &pushes,
        &failures,
        &throttled,
        &delays,
        &ours,
        &microsoft,
        &succeeded as &[Option<DateTime<Utc>>],
    )
    .execute(db)
    .await?;
    Ok(())
}

/// How much Teams holds of ours, for the accounts of one node.
#[derive(Clone, Copy, Debug)]
pub struct Sessions {
    pub held: f64,
    /// Due for renewal, and waiting for it.
    pub renewals_due: f64,
}

pub async fn sessions(
    db: impl PgExecutor<'_>,
    node: NodeId,
    now: DateTime<Utc>,
) -> sqlx::Result<Sessions> {
    sqlx::query_as!(
        Sessions,
        r#"
        SELECT count(*)::float8 AS "held!",
            (count(*) FILTER (WHERE p.urgency = 2 AND p.due_at <= $2))::float8 AS "renewals_due!"
        FROM presences p JOIN presence_accounts a ON a.account_id = p.account_id
        WHERE a.node_id = $1 AND p.applied IS NOT NULL
        "#,
        node as NodeId,
        now,
    )
    .fetch_one(db)
    .await
}

/// Lets go of minutes nobody looks at any more, and of events from the future that have come to pass.
pub async fn tidy(db: &sqlx::PgPool, before: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query!("DELETE FROM push_minutes WHERE minute < $1", before).execute(db).await?;
    sqlx::query!("DELETE FROM push_totals WHERE minute < $1", before).execute(db).await?;
    sqlx::query!("DELETE FROM push_hours WHERE hour < $1", before).execute(db).await?;
    sqlx::query!("DELETE FROM push_hours_closed WHERE hour < $1", before).execute(db).await?;
    sqlx::query!("DELETE FROM future_events WHERE received_at < $1", before).execute(db).await?;
    Ok(())
}
