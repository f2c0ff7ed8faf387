//! What only the demo does to the database.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor};

use crate::ids::{AccountId, IntegrationId};

/// Whether nobody was ever here, or the demo was: it has put its customers there, of which some are
/// left, or no customer is left and its admin is.
pub async fn is_of_the_demo(
    db: &mut PgConnection,
    admin: &str,
    customers: &[String],
) -> sqlx::Result<bool> {
    // Not prepared: there need not be any table yet.
    let tables: Option<String> =
        sqlx::query_scalar("SELECT to_regclass('accounts')::text").fetch_one(&mut *db).await?;
    if tables.is_none() {
        return Ok(true);
    }
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM accounts WHERE cloudlink_account_id = ANY ($2))
            OR NOT EXISTS (SELECT FROM accounts) AND (NOT EXISTS (SELECT FROM staff)
                OR EXISTS (SELECT FROM staff WHERE email = $1))",
    )
    .bind(admin)
    .bind(customers)
    .fetch_one(db)
    .await
}

/// Puts an integration back to the first release, so that there is an update to install.
pub async fn set_back(
    db: impl PgExecutor<'_>,
    account: AccountId,
    integration: IntegrationId,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE integrations SET release = 1 WHERE account_id = $1 AND id = $2",
        account as AccountId,
        integration as IntegrationId,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A week as a busy office has it: what was pushed minute by minute, and what telephones said
/// over the last day.
pub async fn pretend_a_week(
    tx: &mut PgConnection,
    account: AccountId,
    phones: &[String],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    // By the hour of the day: nobody at night, fewer at noon.
    let busy = [0, 0, 0, 0, 0, 0, 1, 3, 7, 9, 9, 8, 4, 7, 9, 8, 6, 3, 1, 0, 0, 0, 0, 0];
    sqlx::query(
        "INSERT INTO push_minutes
            (account_id, minute, pushes, failures, throttled_ms, delays, ours, microsoft)
        SELECT $1, m, n, (luck % 61 = 5)::int, (luck % 127 = 5)::int * 1500,
            array_fill(0, ARRAY[6]) || ARRAY[n - slow - slower, slow, slower] || array_fill(0, ARRAY[15]),
            ARRAY[n - slow, slow] || array_fill(0, ARRAY[22]),
            array_fill(0, ARRAY[6]) || ARRAY[n - slow, slow] || array_fill(0, ARRAY[16])
        FROM generate_series(date_trunc('minute', $2::timestamptz) - interval '6 days',
                date_trunc('minute', $2::timestamptz) - interval '1 minute', interval '1 minute') AS m
        CROSS JOIN LATERAL (SELECT ('x' || left(md5(m::text), 4))::bit(16)::int AS luck) AS dice
        CROSS JOIN LATERAL (
            SELECT ($3::int[])[1 + extract(hour FROM m AT TIME ZONE 'UTC')::int] * (luck % 100 + 30) / 100 AS n
        ) AS pushed
        CROSS JOIN LATERAL (
            SELECT n * (luck % 7) / 12 AS slow, n * (luck % 5) / 25 AS slower
        ) AS delayed
        WHERE n > 0 AND extract(isodow FROM m AT TIME ZONE 'UTC') < 6",
    )
    .bind(account)
    .bind(now)
    .bind(busy.as_slice())
    .execute(&mut *tx)
    .await?;
    sqlx::query(
        "INSERT INTO presence_history (account_id, slot, user_id, at, state, entered_at)
        SELECT $1, floor(date_part('epoch', at))::bigint / 21600 % 6, phone, at,
            (ARRAY['idle', 'ringing', 'onCall', 'idle', 'away', 'idle'])[1 + step % 6], at
        FROM unnest($2::text[]) WITH ORDINALITY AS p (phone, number)
        CROSS JOIN generate_series(0, 40) AS step
        CROSS JOIN LATERAL (SELECT $3::timestamptz - interval '23 hours'
            + (step * (20 + number % 13) + number % 17) * interval '1 minute' AS at) AS moment
        WHERE at < $3",
    )
    .bind(account)
    .bind(phones)
    .bind(now)
    .execute(&mut *tx)
    .await?;
    Ok(())
}
