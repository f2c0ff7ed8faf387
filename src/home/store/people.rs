//! Unmatched users and held sessions, over all accounts somebody looks after.

use sqlx::PgExecutor;

use super::NAMED;
use crate::ids::{AccountId, StaffId};

/// An account with unmatched users, and how many there are of both.
#[derive(Clone, Debug)]
pub struct Unmatched {
    pub account: AccountId,
    pub name: String,
    pub users: i64,
    pub all_users: i64,
    pub all: i64,
}

/// Where sync is on and users were looked for in Entra and not matched; the most first.
pub async fn unmatched(
    db: impl PgExecutor<'_>,
    scope: Option<StaffId>,
) -> sqlx::Result<Vec<Unmatched>> {
    let Some(staff) = scope else { return unmatched_anywhere(db).await };
    sqlx::query_as!(
        Unmatched,
        r#"
        SELECT a.id AS "account: AccountId", a.name, c.unmatched::bigint AS "users!",
            sum(c.unmatched) OVER () AS "all_users!", count(*) OVER () AS "all!"
        FROM staff_accounts s JOIN people_counts c ON c.account_id = s.account_id
        JOIN account_list l ON l.account_id = s.account_id JOIN accounts a ON a.id = s.account_id
        WHERE s.staff_id = $1 AND c.unmatched > 0
            AND l.active AND l.health IN ('syncing', 'waiting', 'attention', 'paused')
        ORDER BY c.unmatched DESC, c.account_id
        LIMIT $2
        "#,
        staff as StaffId,
        NAMED,
    )
    .fetch_all(db)
    .await
}

/// The first few are found by walking an index; of the sum, what does not sync is taken away.
async fn unmatched_anywhere(db: impl PgExecutor<'_>) -> sqlx::Result<Vec<Unmatched>> {
    sqlx::query_as!(
        Unmatched,
        r#"
        WITH named AS MATERIALIZED (
            SELECT c.account_id, c.unmatched FROM people_counts c
            WHERE c.unmatched > 0 AND (SELECT active AND health IN ('syncing', 'waiting', 'attention', 'paused')
                FROM account_list l WHERE l.account_id = c.account_id)
            ORDER BY c.unmatched DESC, c.account_id
            LIMIT $1
        ), everywhere AS (
            SELECT sum(unmatched) AS users, count(*) AS accounts FROM people_counts WHERE unmatched > 0
        ), idle AS (
            SELECT coalesce(sum(c.unmatched), 0) AS users, count(*) AS accounts
            FROM account_list l JOIN people_counts c ON c.account_id = l.account_id
            WHERE NOT (l.active AND l.health IN ('syncing', 'waiting', 'attention', 'paused'))
                AND c.unmatched > 0
        )
        SELECT a.id AS "account: AccountId", a.name, named.unmatched::bigint AS "users!",
            everywhere.users - idle.users AS "all_users!",
            everywhere.accounts - idle.accounts AS "all!"
        FROM named JOIN accounts a ON a.id = named.account_id, everywhere, idle
        ORDER BY named.unmatched DESC, named.account_id
        "#,
        NAMED,
    )
    .fetch_all(db)
    .await
}

/// How much there is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Totals {
    /// Active ones.
    pub accounts: i64,
    pub syncing: i64,
    /// Sessions of ours that Teams holds.
    pub held: i64,
}

pub async fn totals(db: impl PgExecutor<'_>, scope: Option<StaffId>) -> sqlx::Result<Totals> {
    let Some(staff) = scope else {
        return sqlx::query_as!(
            Totals,
            r#"
            SELECT coalesce(sum(n) FILTER (WHERE active), 0) AS "accounts!",
                coalesce(sum(n) FILTER (WHERE active AND health = 'syncing'), 0) AS "syncing!",
                (SELECT coalesce(sum(held), 0) FROM people_counts) AS "held!"
            FROM account_tally
            "#,
        )
        .fetch_one(db)
        .await;
    };
    sqlx::query_as!(
        Totals,
        r#"
        SELECT count(*) FILTER (WHERE l.active) AS "accounts!",
            count(*) FILTER (WHERE l.active AND l.health = 'syncing') AS "syncing!",
            coalesce(sum(c.held), 0) AS "held!"
        FROM staff_accounts s JOIN account_list l ON l.account_id = s.account_id
        LEFT JOIN people_counts c ON c.account_id = s.account_id
        WHERE s.staff_id = $1
        "#,
        staff as StaffId,
    )
    .fetch_one(db)
    .await
}

/// Adds up what changed of people since somebody did, for [`unmatched`] and [`totals`].
pub async fn count_people(db: impl PgExecutor<'_>) -> sqlx::Result<()> {
    sqlx::query!("SELECT count_people()").fetch_one(db).await?;
    Ok(())
}
