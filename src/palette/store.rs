//! Accounts by the words of their names.

use sqlx::PgExecutor;

use crate::ids::{AccountId, StaffId};

/// As many as can be taken in at a glance.
const MOST: i64 = 8;

#[derive(Clone, Debug)]
pub struct Found {
    pub id: AccountId,
    pub name: String,
    pub cloudlink_id: String,
}

/// Accounts in which each word is found; those whose name begins with the first come first.
pub async fn accounts(
    db: impl PgExecutor<'_>,
    words: &[String],
    scope: Option<StaffId>,
) -> sqlx::Result<Vec<Found>> {
    let escaped = |word: &String| word.replace('\\', r"\\").replace('%', r"\%").replace('_', r"\_");
    let anywhere: Vec<_> = words.iter().map(|word| format!("%{}%", escaped(word))).collect();
    let first = words.first().map(|word| format!("{}%", escaped(word))).unwrap_or_default();
    sqlx::query_as!(
        Found,
        r#"
        SELECT a.id AS "id: AccountId", a.name, a.cloudlink_account_id AS cloudlink_id
        FROM (
            SELECT account_id, name FROM account_list l
            WHERE searched LIKE ALL ($1::text[]) AND ($3::uuid IS NULL OR EXISTS (
                SELECT FROM staff_accounts s WHERE s.account_id = l.account_id AND s.staff_id = $3))
            ORDER BY name LIKE $2 DESC, name, account_id LIMIT $4
        ) AS found JOIN accounts a ON a.id = found.account_id
        ORDER BY found.name LIKE $2 DESC, found.name, a.id
        "#,
        &anywhere,
        first,
        scope as Option<StaffId>,
        MOST,
    )
    .fetch_all(db)
    .await
}
