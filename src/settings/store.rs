//! The database's own state, and the processes that share it.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use crate::ids::NodeId;

#[derive(Clone, Debug)]
pub struct Database {
    /// Such as `15.18`.
    pub version: String,
    pub bytes: i64,
    pub connections: i64,
}

pub async fn database(db: impl PgExecutor<'_>) -> sqlx::Result<Database> {
    sqlx::query_as!(
        Database,
        r#"
        SELECT split_part(current_setting('server_version'), ' ', 1) AS "version!",
            pg_database_size(current_database()) AS "bytes!",
            (SELECT count(*) FROM pg_stat_activity
                WHERE datname = current_database()) AS "connections!"
        "#,
    )
    .fetch_one(db)
    .await
}

/// One running process of the portal.
#[derive(Clone, Debug)]
pub struct Node {
    pub id: NodeId,
    pub version: String,
    pub started_at: DateTime<Utc>,
    pub seen_at: DateTime<Utc>,
    /// It has said so within the last 15 seconds, by the database's clock.
    pub alive: bool,
    pub accounts: i64,
}

/// Nodes seen within the last hour, the oldest first.
pub async fn nodes(db: impl PgExecutor<'_>) -> sqlx::Result<Vec<Node>> {
    sqlx::query_as!(
        Node,
        r#"
        SELECT n.id AS "id: NodeId", n.version, n.started_at, n.seen_at,
            n.seen_at > now() - interval '15 seconds' AS "alive!",
            (SELECT count(*) FROM presence_accounts p WHERE p.node_id = n.id) AS "accounts!"
        FROM nodes n
        WHERE n.seen_at > now() - interval '1 hour'
        ORDER BY n.started_at, n.id
        "#,
    )
    .fetch_all(db)
    .await
}
