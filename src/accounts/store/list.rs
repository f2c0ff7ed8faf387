//! The list of accounts: searched, filtered, sorted, a page at a time.
//!
//! All of it is read from `account_list`, which the database keeps beside the accounts.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use super::words::{Health, Sort};
use crate::ids::{AccountId, CloudlinkAccountId, StaffId};
use crate::kit::text;

/// Which accounts are wanted. What is empty does not matter.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Only those that these staff look after; `None`: all.
    pub scope: Option<StaffId>,
    /// Folded words, each found in the name, the CloudLink id or the city.
    pub words: Vec<String>,
    pub active: Option<bool>,
    pub health: Option<Health>,
}

impl Wanted {
    /// Each word as a pattern that finds it anywhere.
    fn patterns(&self) -> Vec<String> {
        self.words.iter().map(|word| text::anywhere(word)).collect()
    }
}

/// An account as the list shows it.
#[derive(Clone, Debug)]
pub struct Listed {
    pub id: AccountId,
    pub name: String,
    pub cloudlink_id: CloudlinkAccountId,
    pub city: String,
    pub country: String,
    pub deactivated_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    health: String,
    /// What is wrong, by its key.
    pub cause: Option<String>,
    /// How many lines of the setup check need a person.
    urgent: i32,
}

impl Listed {
    pub fn health(&self) -> Health {
        self.health.parse().unwrap_or(Health::None)
    }

    /// Whether only the setup check knows of something that a person has to mend.
    pub fn check_is_red(&self) -> bool {
        self.cause.is_none() && self.deactivated_at.is_none() && self.urgent > 0
    }
}

/// How many accounts fit a search, by how they are doing and whether they are active.
#[derive(Clone, Debug, Default)]
pub struct Counts(Vec<Count>);

#[derive(Clone, Debug)]
struct Count {
    health: String,
    active: bool,
    n: i64,
}

impl Counts {
    /// How many of them are wanted in these respects.
    pub fn of(&self, active: Option<bool>, health: Option<Health>) -> i64 {
        let fits = |count: &&Count| {
            active.is_none_or(|active| active == count.active)
                && health.is_none_or(|health| health.as_str() == count.health)
        };
        self.0.iter().filter(fits).map(|count| count.n).sum()
    }
}

/// Each order is a statement of its own, so that each can walk its index and stop early; and so is
/// each source, for one plan that has to fit all of them fits none.
macro_rules! page_in_order {
    ($db:expr, $wanted:expr, $most:expr, $skip:expr, $from:literal, $order:literal) => {
        sqlx::query_as!(
            Listed,
            r#"
            WITH page AS (
                SELECT l.account_id FROM "#
                + $from
                + r#"
                    AND ($3::boolean IS NULL OR l.active = $3)
                    AND ($4::text IS NULL OR l.health = $4)
                ORDER BY "#
                + $order
                + r#" LIMIT $5 OFFSET $6
            )
            SELECT a.id AS "id: AccountId", a.name,
                a.cloudlink_account_id AS "cloudlink_id: CloudlinkAccountId",
                a.city, a.country, a.deactivated_at, a.created_at, l.health AS "health!",
                l.cause AS "cause?", coalesce((SELECT max(s.urgent) FROM setup_checks s
                    WHERE s.account_id = page.account_id), 0) AS "urgent!"
            FROM page JOIN account_list l ON l.account_id = page.account_id
            JOIN accounts a ON a.id = page.account_id
            ORDER BY "#
                + $order,
            $wanted.scope as Option<StaffId>,
            &$wanted.patterns(),
            $wanted.active,
            $wanted.health.map(Health::as_str),
            $most,
            $skip,
        )
        .fetch_all($db)
        .await
    };
}

macro_rules! page_from {
    ($db:expr, $wanted:expr, $sort:expr, $most:expr, $skip:expr, $from:literal) => {
        match $sort {
            Sort::Name => page_in_order!($db, $wanted, $most, $skip, $from, "l.name, l.account_id"),
            Sort::NameBackwards => {
                page_in_order!($db, $wanted, $most, $skip, $from, "l.name DESC, l.account_id DESC")
            }
            Sort::Gravest => {
                page_in_order!($db, $wanted, $most, $skip, $from, "l.gravity, l.name, l.account_id")
            }
            Sort::Newest => page_in_order!(
                $db,
                $wanted,
                $most,
                $skip,
                $from,
                "l.created_at DESC, l.account_id DESC"
            ),
            Sort::Oldest => {
                page_in_order!($db, $wanted, $most, $skip, $from, "l.created_at, l.account_id")
            }
        }
    };
}

/// At most `most` accounts, after the first `skip`.
pub async fn page(
    db: impl PgExecutor<'_>,
    wanted: &Wanted,
    sort: Sort,
    most: i64,
    skip: i64,
) -> sqlx::Result<Vec<Listed>> {
    match (wanted.scope, wanted.words.is_empty()) {
        (Some(_), _) => page_from!(
            db,
            wanted,
            sort,
            most,
            skip,
            "staff_accounts s JOIN account_list l ON l.account_id = s.account_id
             WHERE s.staff_id = $1 AND l.searched LIKE ALL ($2::text[])"
        ),
        (None, true) => page_from!(
            db,
            wanted,
            sort,
            most,
            skip,
            "account_list l WHERE $1::uuid IS NULL AND $2::text[] IS NOT NULL"
        ),
        (None, false) => page_from!(
            db,
            wanted,
            sort,
            most,
            skip,
            "account_list l WHERE $1::uuid IS NULL AND l.searched LIKE ALL ($2::text[])"
        ),
    }
}

/// How many fit the words, whatever their health and whether active or not.
pub async fn count(db: impl PgExecutor<'_>, wanted: &Wanted) -> sqlx::Result<Counts> {
    let counts = match wanted.scope {
        None if wanted.words.is_empty() => sqlx::query_as!(
            Count,
            r#"SELECT health, active, sum(n) AS "n!" FROM account_tally GROUP BY health, active"#
        )
        .fetch_all(db)
        .await?,
        None => {
            sqlx::query_as!(
                Count,
                r#"
                SELECT health, active, count(*) AS "n!" FROM account_list
                WHERE searched LIKE ALL ($1::text[]) GROUP BY health, active
                "#,
                &wanted.patterns(),
            )
            .fetch_all(db)
            .await?
        }
        Some(staff) => {
            sqlx::query_as!(
                Count,
                r#"
                SELECT health, active, count(*) AS "n!"
                FROM staff_accounts s JOIN account_list l ON l.account_id = s.account_id
                WHERE s.staff_id = $1 AND searched LIKE ALL ($2::text[]) GROUP BY health, active
                "#,
                staff as StaffId,
                &wanted.patterns(),
            )
            .fetch_all(db)
            .await?
        }
    };
    Ok(Counts(counts))
}

/// Ids and names of all that are wanted, in the order of their names.
pub async fn all(
    db: impl PgExecutor<'_>,
    wanted: &Wanted,
) -> sqlx::Result<Vec<(AccountId, String)>> {
    let rows = sqlx::query!(
        r#"
        SELECT a.id AS "id: AccountId", a.name
        FROM account_list l JOIN accounts a ON a.id = l.account_id
        WHERE ($1::uuid IS NULL OR EXISTS (
                SELECT FROM staff_accounts s WHERE s.account_id = a.id AND s.staff_id = $1))
            AND l.searched LIKE ALL ($2::text[])
            AND ($3::boolean IS NULL OR l.active = $3)
            AND ($4::text IS NULL OR l.health = $4)
        ORDER BY l.name, l.account_id
        "#,
        wanted.scope as Option<StaffId>,
        &wanted.patterns(),
        wanted.active,
        wanted.health.map(Health::as_str),
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
}

/// Those of `ids` that the scope looks after, with their names, in the order of these.
pub async fn named(
    db: impl PgExecutor<'_>,
    ids: &[AccountId],
    scope: Option<StaffId>,
) -> sqlx::Result<Vec<(AccountId, String)>> {
    let rows = sqlx::query!(
        r#"
        SELECT a.id AS "id: AccountId", a.name FROM accounts a
        WHERE a.id = ANY($1::uuid[]) AND ($2::uuid IS NULL OR EXISTS (
            SELECT FROM staff_accounts s WHERE s.account_id = a.id AND s.staff_id = $2))
        ORDER BY lower(a.name), a.id
        "#,
        ids as &[AccountId],
        scope as Option<StaffId>,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
}

/// Sums up what changed lately, so that there is less to add up.
pub async fn fold(db: impl PgExecutor<'_>) -> sqlx::Result<()> {
    sqlx::query!("SELECT fold_account_tally()").fetch_one(db).await?;
    Ok(())
}
