//! How a run goes on: ring by ring, stopped by failures, let go on, cancelled.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor};

use crate::ids::{AccountId, RunId};

/// Makes a run what its items say it is: stopped, in the next ring, ended, or as it was.
///
/// A ring is left only when all of it has ended; and not while an account that was updated in
/// it has needed a person since.
pub(super) async fn advance(
    tx: &mut PgConnection,
    run: RunId,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        WITH this AS (
            SELECT *, failed - forgiven >= stops_after AS too_many FROM runs
            WHERE id = $1 AND state IN ('running', 'stopped') FOR UPDATE
        ), open AS (
            SELECT min(i.ring) AS ring FROM run_items i, this
            WHERE i.run_id = this.id AND i.state IN ('waiting', 'working')
        ), hurt AS (
            SELECT min(i.account_name) AS name FROM this, open, run_items i
            WHERE open.ring > this.ring AND this.kind = 'fleet'
                AND i.run_id = this.id AND i.state = 'done' AND EXISTS (
                    SELECT FROM presence_troubles t WHERE t.account_id = i.account_id
                        AND t.needs_person AND t.since >= greatest(i.ended_at, this.resumed_at))
        ), next AS (
            SELECT this.*, open.ring AS open_ring, CASE
                WHEN open.ring IS NULL OR cancelled_at IS NOT NULL THEN NULL
                WHEN too_many AND failed - forgiven = 1 THEN 'One account failed.'
                WHEN too_many THEN failed - forgiven || ' accounts failed.'
                WHEN hurt.name IS NOT NULL THEN
                    hurt.name || ' needs attention since it was updated.'
                END AS why
            FROM this, open, hurt
        )
        UPDATE runs r SET
            state = CASE
                WHEN open_ring IS NULL AND r.cancelled_at IS NULL THEN 'done'
                WHEN open_ring IS NULL THEN 'cancelled'
                WHEN why IS NOT NULL THEN 'stopped'
                ELSE r.state END,
            stopped_why = CASE WHEN open_ring IS NOT NULL THEN coalesce(why, r.stopped_why) END,
            ended_at = CASE WHEN open_ring IS NULL THEN $2::timestamptz END,
            ring = CASE WHEN open_ring > r.ring AND why IS NULL AND r.state = 'running'
                    AND (r.rest_seconds = 0 OR r.next_ring_at <= $2::timestamptz)
                THEN open_ring ELSE r.ring END,
            next_ring_at = CASE
                WHEN open_ring > r.ring AND why IS NULL AND r.rest_seconds > 0
                        AND r.next_ring_at IS NULL
                    THEN $2::timestamptz + make_interval(secs => r.rest_seconds)
                WHEN why IS NULL AND r.next_ring_at > $2::timestamptz THEN r.next_ring_at END
        FROM next
        WHERE r.id = next.id
        "#,
        run as RunId,
        now,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Keeps others from steering the run until the transaction ends.
pub async fn lock(tx: &mut PgConnection, run: RunId) -> sqlx::Result<()> {
    sqlx::query!("SELECT FROM runs WHERE id = $1 FOR UPDATE", run as RunId).execute(tx).await?;
    Ok(())
}

/// Goes on with the runs whose rest between two rings is over.
pub async fn end_rests(db: &mut PgConnection, now: DateTime<Utc>) -> sqlx::Result<()> {
    let over = sqlx::query_scalar!(
        r#"SELECT id AS "id: RunId" FROM runs WHERE state = 'running' AND next_ring_at <= $1"#,
        now,
    )
    .fetch_all(&mut *db)
    .await?;
    for run in over {
        advance(&mut *db, run, now).await?;
    }
    Ok(())
}

/// Lets a stopped run go on, until as many fail again. False when it was not stopped.
pub async fn resume(tx: &mut PgConnection, run: RunId, now: DateTime<Utc>) -> sqlx::Result<bool> {
    let resumed = sqlx::query!(
        r#"
        UPDATE runs r SET state = 'running', stopped_why = NULL, next_ring_at = NULL,
            forgiven = r.failed, resumed_at = $2,
            ring = coalesce((SELECT min(i.ring) FROM run_items i
                WHERE i.run_id = r.id AND i.state IN ('waiting', 'working')), r.ring)
        WHERE id = $1 AND state = 'stopped'
        "#,
        run as RunId,
        now,
    )
    .execute(&mut *tx)
    .await?;
    if resumed.rows_affected() == 0 {
        return Ok(false);
    }
    advance(tx, run, now).await?;
    Ok(true)
}

/// Begins nothing further; what is under way is finished. False when it had ended.
pub async fn cancel(tx: &mut PgConnection, run: RunId, now: DateTime<Utc>) -> sqlx::Result<bool> {
    let cancelled = sqlx::query!(
        r#"
        UPDATE runs SET cancelled_at = $2, state = 'running', stopped_why = NULL, next_ring_at = NULL
        WHERE id = $1 AND state IN ('running', 'stopped') AND cancelled_at IS NULL
        "#,
        run as RunId,
        now,
    )
    .execute(&mut *tx)
    .await?;
    if cancelled.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query!(
        r#"
        UPDATE run_items SET state = 'cancelled', ended_at = $2
        WHERE run_id = $1 AND state = 'waiting'
        "#,
        run as RunId,
        now,
    )
    .execute(&mut *tx)
    .await?;
    advance(tx, run, now).await?;
    Ok(true)
}

/// Somebody has seen how an item ended, and needs to be told no more.
pub async fn seen(
    db: impl PgExecutor<'_>,
    account: AccountId,
    run: RunId,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        UPDATE run_items SET seen_at = $3
        WHERE account_id = $1 AND run_id = $2 AND seen_at IS NULL
        "#,
        account as AccountId,
        run as RunId,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Forgets runs that ended before then, with what came of each account.
pub async fn forget_ended(db: impl PgExecutor<'_>, before: DateTime<Utc>) -> sqlx::Result<u64> {
    let done = sqlx::query!(
        "DELETE FROM runs WHERE state IN ('done', 'cancelled') AND ended_at < $1",
        before,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}
