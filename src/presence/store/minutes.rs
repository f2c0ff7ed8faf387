//! What was pushed, minute by minute: of one account, of those somebody looks after, of all.

use chrono::{DateTime, Utc};
use sqlx::{PgExecutor, PgPool};

use crate::ids::{AccountId, StaffId};
use crate::presence::delays::Delays;

/// One minute in which something was pushed.
#[derive(Clone, Debug)]
pub struct Minute {
    pub at: DateTime<Utc>,
    pub pushes: i64,
    pub failures: i64,
    pub throttled_ms: i64,
    pub delays: Delays,
}

struct Row {
    minute: DateTime<Utc>,
    pushes: i64,
    failures: i64,
    throttled_ms: i64,
    delays: Vec<i64>,
}

impl From<Row> for Minute {
    fn from(row: Row) -> Self {
        let Row { minute: at, pushes, failures, throttled_ms, delays: counts } = row;
        let mut delays = Delays::default();
        delays.add(&counts);
        Self { at, pushes, failures, throttled_ms, delays }
    }
}

/// The minutes of one account from `from` on, oldest first; those without a push are left out.
pub async fn of_account(
    db: impl PgExecutor<'_>,
    account: AccountId,
    from: DateTime<Utc>,
) -> sqlx::Result<Vec<Minute>> {
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT minute, pushes::bigint AS "pushes!", failures::bigint AS "failures!", throttled_ms,
            delays::bigint[] AS "delays!"
        FROM push_minutes
        WHERE account_id = $1 AND minute >= $2
        ORDER BY minute
        "#,
        account as AccountId,
        from,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(Minute::from).collect())
}

/// The minutes of the accounts that `staff` looks after, added up.
pub async fn of_staff(
    db: impl PgExecutor<'_>,
    staff: StaffId,
    from: DateTime<Utc>,
) -> sqlx::Result<Vec<Minute>> {
    let rows = sqlx::query_as!(
        Row,
        r#"
        WITH theirs AS (
            SELECT p.* FROM push_minutes p JOIN staff_accounts s USING (account_id)
            WHERE s.staff_id = $1 AND p.minute >= $2
        ), sums AS (
            SELECT minute, sum(pushes)::bigint AS pushes, sum(failures)::bigint AS failures,
                sum(throttled_ms)::bigint AS throttled_ms
            FROM theirs GROUP BY minute
        ), buckets AS (
            SELECT minute, bucket, sum(count)::bigint AS count
            FROM theirs, unnest(delays) WITH ORDINALITY AS d (count, bucket)
            GROUP BY minute, bucket
        )
        SELECT minute, pushes AS "pushes!", failures AS "failures!",
            throttled_ms AS "throttled_ms!",
            coalesce((SELECT array_agg(count ORDER BY bucket) FROM buckets b
                WHERE b.minute = sums.minute), '{}') AS "delays!"
        FROM sums
        ORDER BY minute
        "#,
        staff as StaffId,
        from,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(Minute::from).collect())
}

/// The minutes of all accounts. Those before `closed` get no more pushes: they are added up
/// once and kept, so that a picture of the hour costs no more than its last minutes.
pub async fn of_all(
    db: &PgPool,
    from: DateTime<Utc>,
    closed: DateTime<Utc>,
) -> sqlx::Result<Vec<Minute>> {
    add_up(db, from, closed).await?;
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT minute AS "minute!", pushes AS "pushes!", failures AS "failures!",
            throttled_ms AS "throttled_ms!", delays AS "delays!"
        FROM push_totals
        WHERE minute >= $1 AND minute < $2
        UNION ALL
        (SELECT minute, sum(pushes)::bigint, sum(failures)::bigint, sum(throttled_ms)::bigint,
            '{}'::bigint[]
        FROM push_minutes
        WHERE minute >= $2
        GROUP BY minute)
        ORDER BY 1
        "#,
        from,
        closed,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(Minute::from).collect())
}

async fn add_up(
    db: impl PgExecutor<'_>,
    from: DateTime<Utc>,
    closed: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        WITH missing AS MATERIALIZED (
            SELECT m.minute
            FROM generate_series($1::timestamptz, $2::timestamptz - interval '1 minute',
                interval '1 minute') AS m (minute)
            WHERE NOT EXISTS (SELECT FROM push_totals t WHERE t.minute = m.minute)
        ), theirs AS MATERIALIZED (
            SELECT p.minute, p.pushes, p.failures, p.throttled_ms, p.delays
            FROM missing JOIN push_minutes p USING (minute)
        ), buckets AS (
            SELECT minute, bucket, sum(count)::bigint AS count
            FROM theirs, unnest(delays) WITH ORDINALITY AS d (count, bucket)
            GROUP BY minute, bucket
        ), arrays AS (
            SELECT minute, array_agg(count ORDER BY bucket) AS delays
            FROM buckets GROUP BY minute
        ), sums AS (
            SELECT minute, sum(pushes)::bigint AS pushes, sum(failures)::bigint AS failures,
                sum(throttled_ms)::bigint AS throttled_ms
            FROM theirs GROUP BY minute
        )
        INSERT INTO push_totals (minute, pushes, failures, throttled_ms, delays)
        SELECT m.minute, coalesce(s.pushes, 0), coalesce(s.failures, 0),
            coalesce(s.throttled_ms, 0), coalesce(a.delays, '{}')
        FROM missing m LEFT JOIN sums s USING (minute) LEFT JOIN arrays a USING (minute)
        ON CONFLICT (minute) DO NOTHING
        "#,
        from,
        closed,
    )
    .execute(db)
    .await?;
    Ok(())
}
