//! The figures of one account over an hour, a day or a week; the minutes added up by the hour,
//! so that a week is read as quickly as an hour.

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use sqlx::PgExecutor;

use crate::ids::AccountId;
use crate::presence::delays::Delays;

/// By then every push of an hour is written down.
const CLOSED_AFTER: TimeDelta = TimeDelta::minutes(2);
/// Hours older than this that nobody added up are let go.
const LOOK_BACK: TimeDelta = TimeDelta::hours(48);

/// What was pushed in one minute or hour.
#[derive(Clone, Debug)]
pub struct Figures {
    pub at: DateTime<Utc>,
    pub pushes: i64,
    pub failures: i64,
    pub throttled_ms: i64,
    pub delays: Delays,
    /// Our share of the delays, and Microsoft's.
    pub ours: Delays,
    pub microsoft: Delays,
}

struct Row {
    at: DateTime<Utc>,
    pushes: i64,
    failures: i64,
    throttled_ms: i64,
    delays: Vec<i64>,
    ours: Vec<i64>,
    microsoft: Vec<i64>,
}

impl From<Row> for Figures {
    fn from(row: Row) -> Self {
        let counted = |counts: &[i64]| {
            let mut delays = Delays::default();
            delays.add(counts);
            delays
        };
        Self {
            at: row.at,
            pushes: row.pushes,
            failures: row.failures,
            throttled_ms: row.throttled_ms,
            delays: counted(&row.delays),
            ours: counted(&row.ours),
            microsoft: counted(&row.microsoft),
        }
    }
}

/// Minute by minute, the oldest first; those without a push are left out.
pub async fn by_minute(
    db: impl PgExecutor<'_>,
    account: AccountId,
    from: DateTime<Utc>,
) -> sqlx::Result<Vec<Figures>> {
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT minute AS at, pushes::bigint AS "pushes!", failures::bigint AS "failures!",
            throttled_ms, delays::bigint[] AS "delays!", ours::bigint[] AS "ours!",
            microsoft::bigint[] AS "microsoft!"
        FROM push_minutes
        WHERE account_id = $1 AND minute >= $2
        ORDER BY minute
        "#,
        account as AccountId,
        from,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(Figures::from).collect())
}

/// Hour by hour as far as the hours have been added up, and the minutes since then.
pub async fn by_hour(
    db: impl PgExecutor<'_>,
    account: AccountId,
    from: DateTime<Utc>,
) -> sqlx::Result<Vec<Figures>> {
    let rows = sqlx::query_as!(
        Row,
        r#"
        WITH closed AS MATERIALIZED (
            SELECT coalesce(max(hour) + interval '1 hour', $2) AS at FROM push_hours_closed
        )
        SELECT hour AS "at!", pushes AS "pushes!", failures AS "failures!",
            throttled_ms AS "throttled_ms!", delays AS "delays!", ours AS "ours!",
            microsoft AS "microsoft!"
        FROM push_hours
        WHERE account_id = $1 AND hour >= $2 AND hour < (SELECT at FROM closed)
        UNION ALL
        SELECT minute, pushes, failures, throttled_ms, delays::bigint[], ours::bigint[],
            microsoft::bigint[]
        FROM push_minutes
        WHERE account_id = $1 AND minute >= greatest((SELECT at FROM closed), $2)
        ORDER BY 1
        "#,
        account as AccountId,
        from,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(Figures::from).collect())
}

/// Adds up the hours that have closed, each once, whichever node comes first.
pub async fn close(db: impl PgExecutor<'_>, now: DateTime<Utc>) -> sqlx::Result<()> {
    let hour = |at: DateTime<Utc>| at.duration_trunc(TimeDelta::hours(1)).unwrap_or(at);
    sqlx::query!(
        r#"
        WITH closed AS (
            INSERT INTO push_hours_closed (hour)
            SELECT h FROM generate_series($1::timestamptz, $2::timestamptz - interval '1 hour',
                interval '1 hour') AS h
            ON CONFLICT DO NOTHING
            RETURNING hour
        ), minutes AS MATERIALIZED (
            SELECT m.*, c.hour FROM closed c
            JOIN push_minutes m ON m.minute >= c.hour AND m.minute < c.hour + interval '1 hour'
        ), buckets AS (
            SELECT account_id, hour, kind, n, sum(count)::bigint AS count
            FROM minutes CROSS JOIN LATERAL (
                SELECT 'd' AS kind, n, count FROM unnest(delays) WITH ORDINALITY AS d (count, n)
                UNION ALL
                SELECT 'o', n, count FROM unnest(ours) WITH ORDINALITY AS o (count, n)
                UNION ALL
                SELECT 'm', n, count FROM unnest(microsoft) WITH ORDINALITY AS m (count, n)
            ) AS each
            GROUP BY account_id, hour, kind, n
        ), arrays AS (
            SELECT account_id, hour,
                array_agg(count ORDER BY n) FILTER (WHERE kind = 'd') AS delays,
                array_agg(count ORDER BY n) FILTER (WHERE kind = 'o') AS ours,
                array_agg(count ORDER BY n) FILTER (WHERE kind = 'm') AS microsoft
            FROM buckets GROUP BY account_id, hour
        ), sums AS (
            SELECT account_id, hour, sum(pushes)::bigint AS pushes, sum(failures)::bigint AS failures,
                sum(throttled_ms)::bigint AS throttled_ms
            FROM minutes GROUP BY account_id, hour
        )
        INSERT INTO push_hours
            (account_id, hour, pushes, failures, throttled_ms, delays, ours, microsoft)
        SELECT s.account_id, s.hour, s.pushes, s.failures, s.throttled_ms,
            coalesce(a.delays, '{}'), coalesce(a.ours, '{}'), coalesce(a.microsoft, '{}')
        FROM sums s LEFT JOIN arrays a USING (account_id, hour)
        ON CONFLICT DO NOTHING
        "#,
        hour(now - LOOK_BACK),
        hour(now - CLOSED_AFTER),
    )
    .execute(db)
    .await?;
    Ok(())
}
