//! Which accounts a run goes over.

use sqlx::PgExecutor;

use crate::ids::{AccountId, RunId};

/// How many integrations are set up, and how many of them are behind the newest release.
#[derive(Clone, Copy, Debug, Default)]
pub struct Releases {
    pub all: i64,
    pub behind: i64,
}

pub async fn releases(db: impl PgExecutor<'_>, newest: i32) -> sqlx::Result<Releases> {
    sqlx::query_as!(
        Releases,
        r#"
        SELECT count(*) AS "all!", count(*) FILTER (WHERE i.release < $1) AS "behind!"
        FROM integrations i JOIN connections c
            ON c.account_id = i.account_id AND c.integration_id = i.id
        WHERE i.removing_since IS NULL
        "#,
        newest,
    )
    .fetch_one(db)
    .await
}

/// Accounts with an update to install. Those that sync well go first: whatever goes wrong with
/// them is the update's doing.
pub async fn behind(
    db: impl PgExecutor<'_>,
    newest: i32,
) -> sqlx::Result<Vec<(AccountId, String)>> {
    let rows = sqlx::query!(
        r#"
        SELECT a.id AS "id: AccountId", a.name
        FROM integrations i
        JOIN connections c ON c.account_id = i.account_id AND c.integration_id = i.id
        JOIN accounts a ON a.id = i.account_id
        JOIN account_health h ON h.account_id = i.account_id
        WHERE i.release < $1 AND i.removing_since IS NULL
        ORDER BY (h.health <> 'syncing'), (h.health = 'attention'), lower(a.name), a.id
        "#,
        newest,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
}

/// Whether presence sync still stands as that run has switched it.
pub async fn is_as_switched(
    db: impl PgExecutor<'_>,
    account: AccountId,
    run: RunId,
) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"
        SELECT EXISTS (
            SELECT FROM run_items i JOIN features f ON f.account_id = i.account_id
                AND f.feature = 'presence-sync' AND f.changed_at = i.ended_at
            WHERE i.account_id = $1 AND i.run_id = $2 AND i.state = 'done') AS "is!"
        "#,
        account as AccountId,
        run as RunId,
    )
    .fetch_one(db)
    .await
}

/// The accounts whose items ended like that, in their order, as they are called now.
pub async fn that_ended(
    db: impl PgExecutor<'_>,
    run: RunId,
    state: &str,
) -> sqlx::Result<Vec<(AccountId, String)>> {
    let rows = sqlx::query!(
        r#"
        SELECT i.account_id AS "id: AccountId", coalesce(a.name, i.account_name) AS "name!"
        FROM run_items i LEFT JOIN accounts a ON a.id = i.account_id
        WHERE i.run_id = $1 AND i.state = $2 ORDER BY i.place
        "#,
        run as RunId,
        state,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
}
