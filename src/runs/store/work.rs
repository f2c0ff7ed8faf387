//! What a runner asks and writes: claims, steps, and how items end.

use std::time::Duration;

use chrono::{DateTime, Utc};
use metrics::counter;
use sqlx::postgres::types::PgInterval;
use sqlx::{PgConnection, PgExecutor};

use super::steer::advance;
use crate::audit::Actor;
use crate::ids::{AccountId, NodeId, RunId, StaffId};
use crate::runs::{Deed, Failure, Job, Kind, Outcome, figures};

/// Claims up to `most` items that nobody works on: what was begun elsewhere and left, and what
/// waits in a ring that has been reached. An account's own update waits for no fleet.
pub async fn claim(
    db: impl PgExecutor<'_>,
    node: NodeId,
    lease: Duration,
    most: i64,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<Job>> {
    let rows = sqlx::query!(
        r#"
        WITH free AS (
            SELECT picked.account_id, picked.run_id
            FROM (SELECT * FROM runs WHERE state IN ('running', 'stopped')) AS r
            CROSS JOIN LATERAL (
                SELECT i.account_id, i.run_id, i.place FROM run_items i
                WHERE i.run_id = r.id AND i.state IN ('waiting', 'working')
                    AND (i.claimed_until IS NULL OR i.claimed_until < now())
                    AND (i.state = 'working' OR (r.state = 'running'
                        AND i.ring <= r.ring AND r.next_ring_at IS NULL))
                ORDER BY i.place LIMIT $3
                FOR UPDATE SKIP LOCKED
            ) AS picked
            ORDER BY (r.kind <> 'one'), r.begun_at, picked.place
            LIMIT $3
        )
        UPDATE run_items i SET state = 'working', node_id = $1, claim = i.claim + 1,
            tries = i.tries + 1, claimed_until = now() + $2::interval, begun_at = coalesce(i.begun_at, $4)
        FROM free, runs r
        WHERE i.account_id = free.account_id AND i.run_id = free.run_id AND r.id = i.run_id
        RETURNING i.run_id AS "run: RunId", r.deed AS "deed: Deed", r.kind AS "kind: Kind",
            r.staff_id AS "staff: StaffId", r.actor, r.address, r.undoes AS "undoes: RunId",
            i.account_id AS "account: AccountId", i.account_name AS name, i.step, i.claim, i.tries
        "#,
        node as NodeId,
        interval(lease),
        most,
        now,
    )
    .fetch_all(db)
    .await?;
    let jobs = rows.into_iter().map(|row| Job {
        run: row.run,
        deed: row.deed,
        kind: row.kind,
        actor: Actor::of_parts(row.staff, row.actor, row.address),
        undoes: row.undoes,
        account: row.account,
        name: row.name,
        step: row.step,
        claim: row.claim,
        tries: row.tries,
    });
    Ok(jobs.collect())
}

/// Keeps a claim for as long again. False when it is another's by now.
pub async fn keep(db: impl PgExecutor<'_>, job: &Job, lease: Duration) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        r#"
        UPDATE run_items SET claimed_until = now() + $4::interval
        WHERE account_id = $1 AND run_id = $2 AND claim = $3 AND state = 'working'
        "#,
        job.account as AccountId,
        job.run as RunId,
        job.claim,
        interval(lease),
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// So many steps of the plan are done. False when the claim is another's by now.
pub async fn step_done(
    db: impl PgExecutor<'_>,
    job: &Job,
    step: usize,
    plan: &[&str],
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        r#"
        UPDATE run_items SET step = $4, plan = $5,
            tries = CASE WHEN step < $4 THEN 0 ELSE tries END
        WHERE account_id = $1 AND run_id = $2 AND claim = $3 AND state = 'working'
        "#,
        job.account as AccountId,
        job.run as RunId,
        job.claim,
        i16::try_from(step).unwrap_or(i16::MAX),
        plan as &[&str],
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Ends an item, in the transaction of what was done for it. False when the claim is another's
/// by now: then that has to be taken back.
pub async fn finish(
    tx: &mut PgConnection,
    job: &Job,
    outcome: &Outcome,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let none = Failure::default();
    let (state, said, failure) = match outcome {
        Outcome::Done(said) => ("done", said, &none),
        Outcome::Nothing(said) => ("nothing", said, &none),
        Outcome::Failed(failure) => ("failed", &failure.title, failure),
    };
    let ended = sqlx::query!(
        r#"
        UPDATE run_items SET state = $4, said = $5, advice = $6, detail = $7, ended_at = $8,
            step = CASE WHEN $4 = 'failed' THEN step ELSE cardinality(plan) END,
            node_id = NULL, claimed_until = NULL
        WHERE account_id = $1 AND run_id = $2 AND claim = $3 AND state = 'working'
        "#,
        job.account as AccountId,
        job.run as RunId,
        job.claim,
        state,
        said,
        failure.advice,
        failure.detail,
        now,
    )
    .execute(&mut *tx)
    .await?;
    if ended.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query!(
        r#"
        UPDATE runs SET done = done + ($2 = 'done')::int, nothing = nothing + ($2 = 'nothing')::int,
            failed = failed + ($2 = 'failed')::int
        WHERE id = $1
        "#,
        job.run as RunId,
        state,
    )
    .execute(&mut *tx)
    .await?;
    advance(tx, job.run, now).await?;
    counter!(figures::ITEMS, "deed" => job.deed.as_str(), "result" => state).increment(1);
    Ok(true)
}

/// Gives back what this node has claimed, so that others need not wait. It was no try.
pub async fn give_up(db: impl PgExecutor<'_>, node: NodeId) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE run_items SET claimed_until = NULL, tries = greatest(tries - 1, 0)
        WHERE node_id = $1 AND state = 'working'",
        node as NodeId,
    )
    .execute(db)
    .await?;
    Ok(())
}

fn interval(duration: Duration) -> PgInterval {
    let microseconds = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
    PgInterval { months: 0, days: 0, microseconds }
}
