//! Files of matches that somebody has sent, and what each line would come to.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::types::Json;
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use crate::ids::{AccountId, CloudlinkUserId, EntraUserId, StaffId};
use crate::presence::match_file::Line;

/// A file that nobody confirms is kept for so long.
const KEPT: TimeDelta = TimeDelta::days(1);

/// Keeps a file until it is confirmed, and forgets those nobody confirmed.
pub async fn keep(
    tx: &mut PgConnection,
    account: AccountId,
    staff: StaffId,
    lines: &[Line],
    now: DateTime<Utc>,
) -> sqlx::Result<Uuid> {
    let id = Uuid::now_v7();
    sqlx::query!("DELETE FROM match_files WHERE sent_at < $1", now - KEPT)
        .execute(&mut *tx)
        .await?;
    sqlx::query!(
        "INSERT INTO match_files (account_id, id, staff_id, sent_at, rows) VALUES ($1, $2, $3, $4, $5)",
        account as AccountId,
        id,
        staff as StaffId,
        now,
        Json(lines) as _,
    )
    .execute(tx)
    .await?;
    Ok(id)
}

/// The lines of a file that this person has sent.
pub async fn find(
    db: impl PgExecutor<'_>,
    account: AccountId,
    id: Uuid,
    staff: StaffId,
) -> sqlx::Result<Option<Vec<Line>>> {
    let rows = sqlx::query_scalar!(
        r#"
        SELECT rows AS "rows: Json<Vec<Line>>" FROM match_files
        WHERE account_id = $1 AND id = $2 AND staff_id = $3
        "#,
        account as AccountId,
        id,
        staff as StaffId,
    )
    .fetch_optional(db)
    .await?;
    Ok(rows.map(|rows| rows.0))
}

pub async fn forget(db: impl PgExecutor<'_>, account: AccountId, id: Uuid) -> sqlx::Result<()> {
    sqlx::query!(
        "DELETE FROM match_files WHERE account_id = $1 AND id = $2",
        account as AccountId,
        id,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// One line of a file, with what is known of both.
#[derive(Clone, Debug)]
pub struct Known {
    pub number: i32,
    /// None: CloudLink has no such user in this account.
    pub name: Option<String>,
    pub by_hand: Option<bool>,
    pub was: Option<EntraUserId>,
    pub was_address: Option<String>,
    /// How many in Entra answer equally well, and one of them.
    pub candidates: i64,
    pub entra: Option<EntraUserId>,
    pub address: Option<String>,
    pub enabled: Option<bool>,
    pub taken_by: Option<CloudlinkUserId>,
    pub taken_by_name: Option<String>,
}

/// Looks every line up in one statement. What a line matches with answers to its object id, its
/// principal name, its mail, or another of its addresses; the best of these decides.
pub async fn know(
    db: impl PgExecutor<'_>,
    account: AccountId,
    numbers: &[i32],
    users: &[CloudlinkUserId],
    with: &[String],
) -> sqlx::Result<Vec<Known>> {
    sqlx::query_as!(
        Known,
        r#"
        WITH given AS (
            SELECT * FROM unnest($2::int[], $3::text[], $4::text[]) AS g (number, user_id, target)
        ), keys AS (
            SELECT entra_id, entra_id::text AS key, 0 AS rank FROM entra_users
            WHERE account_id = $1 AND NOT gone
            UNION ALL
            SELECT entra_id, lower(user_principal_name), 1 FROM entra_users
            WHERE account_id = $1 AND NOT gone
            UNION ALL
            SELECT entra_id, lower(mail), 2 FROM entra_users
            WHERE account_id = $1 AND NOT gone AND mail <> ''
            UNION ALL
            SELECT entra_id, address, 3 FROM entra_users, unnest(proxy_addresses) AS address
            WHERE account_id = $1 AND NOT gone
        ), hits AS (
            SELECT g.number, k.entra_id, k.rank, min(k.rank) OVER (PARTITION BY g.number) AS best
            FROM given g JOIN keys k ON k.key = g.target
        ), found AS (
            SELECT number, count(DISTINCT entra_id) AS candidates,
                min(entra_id::text)::uuid AS entra_id
            FROM hits WHERE rank = best GROUP BY number
        )
        SELECT g.number AS "number!", u.name AS "name?", u.matched_by_hand AS "by_hand?",
            u.entra_id AS "was?: EntraUserId", w.user_principal_name AS "was_address?", coalesce(f.candidates, 0) AS "candidates!",
            f.entra_id AS "entra?: EntraUserId", e.user_principal_name AS "address?",
            e.enabled AS "enabled?", t.user_id AS "taken_by?: CloudlinkUserId",
            t.name AS "taken_by_name?"
        FROM given g
        LEFT JOIN cloudlink_users u ON u.account_id = $1 AND u.user_id = g.user_id
        LEFT JOIN entra_users w ON w.account_id = $1 AND w.entra_id = u.entra_id
        LEFT JOIN found f ON f.number = g.number
        LEFT JOIN entra_users e ON e.account_id = $1 AND e.entra_id = f.entra_id
        LEFT JOIN LATERAL (
            SELECT o.user_id, o.name FROM cloudlink_users o
            WHERE o.account_id = $1 AND o.entra_id = f.entra_id AND o.user_id <> g.user_id
                AND NOT o.excluded LIMIT 1
        ) AS t ON true
        ORDER BY g.number
        "#,
        account as AccountId,
        numbers,
        users as &[CloudlinkUserId],
        with,
    )
    .fetch_all(db)
    .await
}
