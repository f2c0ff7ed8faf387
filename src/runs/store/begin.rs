//! Writing down what is to be done.

use chrono::{DateTime, Utc};
use metrics::counter;
use sqlx::PgConnection;

use crate::audit::Actor;
use crate::ids::{AccountId, RunId, StaffId};
use crate::runs::{Deed, Kind, figures, rings};

/// A run as somebody asks for it.
#[derive(Debug)]
pub struct NewRun<'a> {
    pub deed: Deed,
    pub kind: Kind,
    pub actor: &'a Actor,
    /// One, then a tenth, then all.
    pub in_rings: bool,
    /// How long to look on between two rings.
    pub rest_seconds: i32,
    /// After how many failures it stops; none: never.
    pub stops_after: Option<i32>,
    pub undoes: Option<RunId>,
}

impl<'a> NewRun<'a> {
    /// Over accounts in no rings, whatever fails.
    pub fn plain(deed: Deed, kind: Kind, actor: &'a Actor) -> Self {
        Self {
            deed,
            kind,
            actor,
            in_rings: false,
            rest_seconds: 0,
            stops_after: None,
            undoes: None,
        }
    }
}

/// Begins a run over these accounts, in this order. Whoever calls it rings the runner.
pub async fn begin(
    tx: &mut PgConnection,
    run: &NewRun<'_>,
    accounts: &[(AccountId, String)],
    now: DateTime<Utc>,
) -> sqlx::Result<RunId> {
    let id = RunId::new();
    let (staff, actor, address) = run.actor.parts();
    let count = i32::try_from(accounts.len()).unwrap_or(i32::MAX);
    sqlx::query!(
        r#"
        INSERT INTO runs (id, deed, kind, staff_id, actor, address, begun_at, rest_seconds,
            stops_after, items, undoes, state, ended_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7::timestamptz, $8, $9, $10, $11,
            CASE WHEN $10 = 0 THEN 'done' ELSE 'running' END, CASE WHEN $10 = 0 THEN $7::timestamptz END)
        "#,
        id as RunId,
        run.deed as Deed,
        run.kind as Kind,
        staff as Option<StaffId>,
        actor,
        address,
        now,
        run.rest_seconds,
        run.stops_after,
        count,
        run.undoes as Option<RunId>,
    )
    .execute(&mut *tx)
    .await?;
    let (ids, names): (Vec<AccountId>, Vec<String>) = accounts.iter().cloned().unzip();
    sqlx::query!(
        r#"
        INSERT INTO run_items (account_id, run_id, account_name, ring, place)
        SELECT id, $1, name, ring, place
        FROM unnest($2::uuid[], $3::text[], $4::smallint[])
            WITH ORDINALITY AS account (id, name, ring, place)
        "#,
        id as RunId,
        &ids as &[AccountId],
        &names,
        &rings(accounts.len(), run.in_rings),
    )
    .execute(tx)
    .await?;
    counter!(figures::RUNS, "deed" => run.deed.as_str(), "kind" => run.kind.as_str()).increment(1);
    Ok(id)
}

/// Writes down a run that was done at once, with what there is to say of each account.
pub async fn record(
    tx: &mut PgConnection,
    run: &NewRun<'_>,
    done: &[(AccountId, String)],
    said: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<RunId> {
    let id = begin(&mut *tx, run, done, now).await?;
    sqlx::query!(
        r#"
        UPDATE run_items SET state = 'done', said = $2, begun_at = $3, ended_at = $3
        WHERE run_id = $1
        "#,
        id as RunId,
        said,
        now,
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        "UPDATE runs SET state = 'done', done = items, ended_at = $2 WHERE id = $1",
        id as RunId,
        now,
    )
    .execute(tx)
    .await?;
    Ok(id)
}
