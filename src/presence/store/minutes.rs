//! What was pushed, minute by minute: of the accounts somebody looks after, and of all.
//!
//! Buckets of delays are added up one by one, all 24 of them: ten times as fast as taking the
//! arrays apart. A test holds the number to that of the code.

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use sqlx::{PgExecutor, PgPool};

use crate::ids::StaffId;
use crate::presence::delays::Delays;

/// By then every push of a minute is written down.
const CLOSED_AFTER: TimeDelta = TimeDelta::minutes(2);

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
    /// A bucket that no minute had is null.
    delays: Vec<Option<i64>>,
}

impl From<Row> for Minute {
    fn from(row: Row) -> Self {
        let Row { minute: at, pushes, failures, throttled_ms, delays: counts } = row;
        let mut delays = Delays::default();
        let counts: Vec<_> = counts.into_iter().map(Option::unwrap_or_default).collect();
        delays.add(&counts);
        Self { at, pushes, failures, throttled_ms, delays }
    }
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
        SELECT p.minute, sum(p.pushes)::bigint AS "pushes!", sum(p.failures)::bigint AS "failures!",
            sum(p.throttled_ms)::bigint AS "throttled_ms!",
            ARRAY[
                sum(p.delays[1]), sum(p.delays[2]), sum(p.delays[3]), sum(p.delays[4]),
                sum(p.delays[5]), sum(p.delays[6]), sum(p.delays[7]), sum(p.delays[8]),
                sum(p.delays[9]), sum(p.delays[10]), sum(p.delays[11]), sum(p.delays[12]),
                sum(p.delays[13]), sum(p.delays[14]), sum(p.delays[15]), sum(p.delays[16]),
                sum(p.delays[17]), sum(p.delays[18]), sum(p.delays[19]), sum(p.delays[20]),
                sum(p.delays[21]), sum(p.delays[22]), sum(p.delays[23]), sum(p.delays[24])
            ]::bigint[] AS "delays!: Vec<Option<i64>>"
        FROM push_minutes p JOIN staff_accounts s USING (account_id)
        WHERE s.staff_id = $1 AND p.minute >= $2
        GROUP BY p.minute
        ORDER BY p.minute
        "#,
        staff as StaffId,
        from,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(Minute::from).collect())
}

/// The minutes of all accounts. Those that have closed are added up once and kept, so that a
/// picture of the hour costs no more than its last minutes.
pub async fn of_all(
    db: &PgPool,
    from: DateTime<Utc>,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<Minute>> {
    let closed = now.duration_trunc(TimeDelta::minutes(1)).unwrap_or(now) - CLOSED_AFTER;
    add_up(db, from, closed).await?;
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT minute AS "minute!", pushes AS "pushes!", failures AS "failures!",
            throttled_ms AS "throttled_ms!", delays AS "delays!: Vec<Option<i64>>"
        FROM push_totals
        WHERE minute >= $1 AND minute < $2
        UNION ALL
        (SELECT minute, sum(pushes)::bigint, sum(failures)::bigint, sum(throttled_ms)::bigint,
            ARRAY[
                sum(delays[1]), sum(delays[2]), sum(delays[3]), sum(delays[4]),
                sum(delays[5]), sum(delays[6]), sum(delays[7]), sum(delays[8]),
                sum(delays[9]), sum(delays[10]), sum(delays[11]), sum(delays[12]),
                sum(delays[13]), sum(delays[14]), sum(delays[15]), sum(delays[16]),
                sum(delays[17]), sum(delays[18]), sum(delays[19]), sum(delays[20]),
                sum(delays[21]), sum(delays[22]), sum(delays[23]), sum(delays[24])
            ]::bigint[]
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

/// Adds up what has closed within the last hour, so that whoever looks at Home does not wait for it.
pub async fn keep_totals(db: impl PgExecutor<'_>, now: DateTime<Utc>) -> sqlx::Result<()> {
    let running = now.duration_trunc(TimeDelta::minutes(1)).unwrap_or(now);
    add_up(db, running - TimeDelta::minutes(59), running - CLOSED_AFTER).await
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
        ), sums AS (
            SELECT minute, sum(pushes)::bigint AS pushes, sum(failures)::bigint AS failures,
                sum(throttled_ms)::bigint AS throttled_ms,
                ARRAY[
                    sum(delays[1]), sum(delays[2]), sum(delays[3]), sum(delays[4]),
                    sum(delays[5]), sum(delays[6]), sum(delays[7]), sum(delays[8]),
                    sum(delays[9]), sum(delays[10]), sum(delays[11]), sum(delays[12]),
                    sum(delays[13]), sum(delays[14]), sum(delays[15]), sum(delays[16]),
                    sum(delays[17]), sum(delays[18]), sum(delays[19]), sum(delays[20]),
                    sum(delays[21]), sum(delays[22]), sum(delays[23]), sum(delays[24])
                ]::bigint[] AS delays
            FROM missing JOIN push_minutes USING (minute)
            GROUP BY minute
        )
        INSERT INTO push_totals (minute, pushes, failures, throttled_ms, delays)
        SELECT m.minute, coalesce(s.pushes, 0), coalesce(s.failures, 0),
            coalesce(s.throttled_ms, 0), coalesce(s.delays, '{}')
        FROM missing m LEFT JOIN sums s USING (minute)
        ON CONFLICT (minute) DO NOTHING
        "#,
        from,
        closed,
    )
    .execute(db)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::presence::delays::BUCKETS;

    #[test]
    fn the_statements_add_up_every_bucket() {
        let text = include_str!("minutes.rs");
        let last = format!("delays[{BUCKETS}])");
        assert_eq!(text.matches(last.as_str()).count(), 3, "{last}");
        let beyond = format!("delays[{}])", BUCKETS + 1);
        assert!(!text.contains(beyond.as_str()));
    }
}
