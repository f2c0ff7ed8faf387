//! Writing down what was done, and finding it again.

pub mod seals;

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;

use super::{Actor, Changes, Entry};
use crate::ids::{AccountId, StaffId};

pub async fn note(
    tx: &mut PgConnection,
    actor: &Actor,
    entry: Entry<'_>,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let (account, account_name) = entry.account.unzip();
    sqlx::query!(
        r#"
        INSERT INTO activity
            (at, staff_id, actor, address, account_id, account_name, action, summary, changes)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        "#,
        now,
        actor.staff as Option<StaffId>,
        actor.name,
        actor.address,
        account as Option<AccountId>,
        account_name,
        entry.action,
        entry.summary,
        Value::Object(entry.changes.0),
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// The same deed for each of many accounts, in one statement.
pub async fn note_each(
    tx: &mut PgConnection,
    actor: &Actor,
    action: &'static str,
    summary: &str,
    accounts: &[(AccountId, String)],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let (ids, names): (Vec<AccountId>, Vec<String>) = accounts.iter().cloned().unzip();
    sqlx::query!(
        r#"
        INSERT INTO activity (at, staff_id, actor, address, account_id, account_name, action, summary)
        SELECT $1, $2, $3, $4, account.id, account.name, $5, $6
        FROM UNNEST($7::uuid[], $8::text[]) AS account (id, name)
        "#,
        now,
        actor.staff as Option<StaffId>,
        actor.name,
        actor.address,
        action,
        summary,
        &ids as &[AccountId],
        &names,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Something that was done.
#[derive(Clone, Debug)]
pub struct Record {
    pub id: i64,
    pub at: DateTime<Utc>,
    pub actor: String,
    pub address: String,
    pub account: Option<AccountId>,
    /// The account's name as it was then.
    pub account_name: Option<String>,
    pub action: String,
    pub summary: String,
    pub changes: Changes,
}

/// Which records are wanted. What is empty does not matter.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Only of accounts that these staff look after; `None`: of all, and of none.
    pub scope: Option<StaffId>,
    pub account: Option<AccountId>,
    /// Folded words; each begins one of the summary, the actor or the account's name. Of none
    /// nothing is found.
    pub words: Option<Vec<String>>,
    /// What an action begins with, one of these, such as `integration`.
    pub kinds: &'static [&'static str],
    pub from: Option<DateTime<Utc>>,
    pub until: Option<DateTime<Utc>>,
    /// Only what is older than this one.
    pub before: Option<i64>,
}

impl Wanted {
    /// What the index of words is asked.
    fn search(&self) -> Option<String> {
        let words = self.words.as_ref()?.iter().map(|word| format!("{word}:*"));
        Some(words.collect::<Vec<_>>().join(" & "))
    }
}

/// Two statements, for one plan that has to fit both fits neither: rare words are found by their
/// index and then sorted, everything else by walking back until a page is full.
macro_rules! records_of {
    ($db:expr, $wanted:expr, $search:expr, $most:expr, $from:literal) => {
        sqlx::query_as!(
            Row,
            r#"
            SELECT id, at, actor, address, account_id AS "account: AccountId", account_name, action,
                summary, changes
            FROM "#
                + $from
                + r#"
                AND ($1::uuid IS NULL OR account_id = $1)
                AND ($2::uuid IS NULL OR account_id IN (
                    SELECT account_id FROM staff_accounts WHERE staff_id = $2))
                AND (cardinality($4::text[]) = 0 OR split_part(action, '.', 1) = ANY($4))
                AND ($5::timestamptz IS NULL OR at >= $5)
                AND ($6::timestamptz IS NULL OR at < $6)
                AND ($7::bigint IS NULL OR id < $7)
            ORDER BY id DESC
            LIMIT $8
            "#,
            $wanted.account as Option<AccountId>,
            $wanted.scope as Option<StaffId>,
            $search,
            $wanted.kinds as &[&str],
            $wanted.from,
            $wanted.until,
            $wanted.before,
            $most,
        )
        .fetch_all($db)
        .await
    };
}

struct Row {
    id: i64,
    at: DateTime<Utc>,
    actor: String,
    address: String,
    account: Option<AccountId>,
    account_name: Option<String>,
    action: String,
    summary: String,
    changes: Value,
}

/// At most `most` records, newest first.
pub async fn records(
    db: &mut PgConnection,
    wanted: &Wanted,
    most: i64,
) -> sqlx::Result<Vec<Record>> {
    let search = wanted.search();
    let rows = match &search {
        Some(search) if wanted.account.is_none() && is_rare(&mut *db, search).await? => {
            records_of!(
                db,
                wanted,
                search,
                most,
                "(SELECT * FROM activity WHERE words @@ to_tsquery('simple', $3) OFFSET 0) found WHERE true"
            )
        }
        search => records_of!(
            db,
            wanted,
            search.as_deref(),
            most,
            "activity WHERE ($3::text IS NULL OR (words @@ to_tsquery('simple', $3)) IS TRUE)"
        ),
    }?;
    let records = rows.into_iter().map(|row| Record {
        id: row.id,
        at: row.at,
        actor: row.actor,
        address: row.address,
        account: row.account,
        account_name: row.account_name,
        action: row.action,
        summary: row.summary,
        changes: Changes::read(row.changes),
    });
    Ok(records.collect())
}

/// Few enough to be sorted.
async fn is_rare(db: &mut PgConnection, search: &str) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"
        SELECT count(*) < 1000 AS "rare!" FROM (
            SELECT FROM activity WHERE words @@ to_tsquery('simple', $1) LIMIT 1000) AS few
        "#,
        search,
    )
    .fetch_one(db)
    .await
}
