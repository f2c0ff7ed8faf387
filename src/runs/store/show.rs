//! Runs and their items, as pages show them.

use sqlx::PgExecutor;

use crate::ids::{AccountId, RunId, StaffId};
use crate::runs::{Deed, Item, ItemState, Kind, Run, State};

macro_rules! runs {
    ($where:literal, $($argument:expr),*) => {
        sqlx::query_as!(
            Run,
            r#"
            SELECT id AS "id: RunId", deed AS "deed: Deed", kind AS "kind: Kind",
                staff_id AS "staff: StaffId", actor, begun_at, state AS "state: State", stopped_why,
                ended_at, cancelled_at, ring, next_ring_at, items, done, nothing, failed,
                undoes AS "undoes: RunId",
                (SELECT u.id FROM runs u WHERE u.undoes = r.id ORDER BY u.begun_at DESC LIMIT 1)
                    AS "undone_by: RunId"
            FROM runs r WHERE "#
                + $where,
            $($argument),*
        )
    };
}

/// The run, if it is one of those that `scope` began (`None`: whoever began it).
pub async fn of(
    db: impl PgExecutor<'_>,
    id: RunId,
    scope: Option<StaffId>,
) -> sqlx::Result<Option<Run>> {
    runs!("id = $1 AND ($2::uuid IS NULL OR staff_id = $2)", id as RunId, scope as Option<StaffId>)
        .fetch_optional(db)
        .await
}

/// The newest runs of a kind, the newest first.
pub async fn recent(
    db: impl PgExecutor<'_>,
    kind: Kind,
    scope: Option<StaffId>,
    most: i64,
) -> sqlx::Result<Vec<Run>> {
    runs!(
        "kind = $1 AND ($2::uuid IS NULL OR staff_id = $2) ORDER BY begun_at DESC, id DESC LIMIT $3",
        kind as Kind,
        scope as Option<StaffId>,
        most
    )
    .fetch_all(db)
    .await
}

macro_rules! items {
    ($where:literal, $($argument:expr),*) => {
        sqlx::query_as!(
            Item,
            r#"
            SELECT account_id AS "account: AccountId", account_name AS name, ring,
                state AS "state: ItemState", plan, step, said, advice, detail, ended_at
            FROM run_items i WHERE "#
                + $where,
            $($argument),*
        )
    };
}

/// Items in one of these states (none: in any), in their order.
pub async fn items(
    db: impl PgExecutor<'_>,
    run: RunId,
    states: &[ItemState],
    most: i64,
    skip: i64,
) -> sqlx::Result<Vec<Item>> {
    let states: Vec<&str> = states.iter().map(|state| state.as_str()).collect();
    items!(
        "run_id = $1 AND (cardinality($2::text[]) = 0 OR state = ANY($2)) ORDER BY place LIMIT $3 OFFSET $4",
        run as RunId,
        &states as &[&str],
        most,
        skip
    )
    .fetch_all(db)
    .await
}

/// An account's part in a run.
pub async fn item(
    db: impl PgExecutor<'_>,
    account: AccountId,
    run: RunId,
) -> sqlx::Result<Option<Item>> {
    items!("account_id = $1 AND run_id = $2", account as AccountId, run as RunId)
        .fetch_optional(db)
        .await
}

/// The run in which an account's integration is being updated, be it its own or the fleet's; one
/// in which it only waits for its ring does not count.
pub async fn open_update(
    db: impl PgExecutor<'_>,
    account: AccountId,
) -> sqlx::Result<Option<RunId>> {
    sqlx::query_scalar!(
        r#"
        SELECT i.run_id AS "id: RunId" FROM run_items i JOIN runs r ON r.id = i.run_id
        WHERE i.account_id = $1 AND r.deed = 'update' AND i.state IN ('waiting', 'working')
            AND (r.kind = 'one' OR i.state = 'working')
        ORDER BY r.begun_at LIMIT 1
        "#,
        account as AccountId,
    )
    .fetch_optional(db)
    .await
}

/// How many items stand in each state, by ring.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    pub ring: i16,
    pub items: i64,
    pub working: i64,
    pub ended: i64,
    pub failed: i64,
}

pub async fn found(db: impl PgExecutor<'_>, run: RunId) -> sqlx::Result<Vec<Found>> {
    sqlx::query_as!(
        Found,
        r#"
        SELECT ring, count(*) AS "items!",
            count(*) FILTER (WHERE state = 'working') AS "working!",
            count(*) FILTER (WHERE state NOT IN ('waiting', 'working')) AS "ended!",
            count(*) FILTER (WHERE state = 'failed') AS "failed!"
        FROM run_items WHERE run_id = $1 GROUP BY ring ORDER BY ring
        "#,
        run as RunId,
    )
    .fetch_all(db)
    .await
}
