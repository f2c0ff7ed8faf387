//! Which node works for which account.
//!
//! The database's clock decides who is gone, so that nodes need not agree on the time.

use std::collections::HashSet;
use std::time::Duration;

use sqlx::postgres::types::PgInterval;
use sqlx::{PgConnection, PgExecutor};

use crate::ids::{AccountId, NodeId, TenantId};
use crate::kit::secret::Sealed;
use crate::kit::token::TokenDigest;

/// One node's right to work for one account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    pub account: AccountId,
    /// Rises with every change of hands.
    pub term: i64,
}

/// What a node hears when it says that it is alive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Company {
    /// Which other nodes are alive.
    pub others: Vec<NodeId>,
    /// There are accounts that were given back or are new, and nobody's.
    pub unclaimed: bool,
}

impl Company {
    /// How many nodes are alive, this one included.
    pub fn live(&self) -> i64 {
        i64::try_from(self.others.len()).unwrap_or(i64::MAX).saturating_add(1)
    }
}

/// Says that this node is alive: all that is said while nothing changes.
pub async fn heartbeat(
    db: impl PgExecutor<'_>,
    node: NodeId,
    gone_after: Duration,
) -> sqlx::Result<Company> {
    sqlx::query_as!(
        Company,
        r#"
        WITH beat AS (
            INSERT INTO nodes (id, started_at, seen_at, version) VALUES ($1, now(), now(), $2)
            ON CONFLICT (id) DO UPDATE SET seen_at = now()
        ), buried AS (
            DELETE FROM nodes WHERE id <> $1 AND seen_at < now() - interval '1 day'
        )
        SELECT coalesce(array_agg(id ORDER BY id), '{}') AS "others!: Vec<NodeId>",
            EXISTS (SELECT FROM presence_accounts WHERE node_id IS NULL) AS "unclaimed!"
        FROM nodes WHERE id <> $1 AND seen_at > now() - $3::interval
        "#,
        node as NodeId,
        env!("CARGO_PKG_VERSION"),
        interval(gone_after),
    )
    .fetch_one(db)
    .await
}

/// Accounts that want a worker and have no row for one yet.
pub async fn newcomers(db: impl PgExecutor<'_>) -> sqlx::Result<Vec<AccountId>> {
    sqlx::query_scalar!(
        r#"
        SELECT i.account_id AS "id: AccountId"
        FROM integrations i
        JOIN accounts a ON a.id = i.account_id
        LEFT JOIN connections c ON c.account_id = i.account_id AND c.integration_id = i.id
        LEFT JOIN features f ON f.account_id = i.account_id AND f.integration_id = i.id
            AND f.feature = 'presence-sync'
        WHERE (i.removing_since IS NOT NULL OR (f.enabled AND c.version IS NOT NULL
                AND a.deactivated_at IS NULL AND a.deleting_since IS NULL))
            AND NOT EXISTS (SELECT 1 FROM presence_accounts p WHERE p.account_id = i.account_id)
        "#,
    )
    .fetch_all(db)
    .await
}

/// Gives accounts the rows that workers need, each with the key of its webhook.
pub async fn admit(
    db: impl PgExecutor<'_>,
    accounts: &[AccountId],
    digests: &[TokenDigest],
    keys: &[Sealed],
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO presence_accounts (account_id, hook_digest, hook_key)
        SELECT * FROM unnest($1::uuid[], $2::bytea[], $3::bytea[])
        ON CONFLICT (account_id) DO NOTHING
        "#,
        accounts as &[AccountId],
        digests as &[TokenDigest],
        keys as &[Sealed],
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Every lease that a node holds.
#[derive(Debug)]
pub struct Taken {
    pub leases: Vec<Lease>,
    /// Those of them that were given back before they were taken just now: nothing of theirs was
    /// left in the middle.
    pub clean: HashSet<AccountId>,
}

/// Takes this node's fair share of the accounts that nobody works for, and returns every lease
/// it holds. Whoever takes an account over looks at its subscription first: nobody knows what
/// became of it meanwhile.
///
/// Accounts of one tenant go together, and to whoever works for the tenant already: its budget
/// and its waits are kept in one place, exactly, and not divided among nodes.
pub async fn take(
    tx: &mut PgConnection,
    node: NodeId,
    live: i64,
    gone_after: Duration,
) -> sqlx::Result<Taken> {
    let clean = sqlx::query_scalar!(
        r#"
        WITH share AS (
            SELECT ceil(count(*)::float8 / greatest($2::bigint, 1))::bigint
                   - count(*) FILTER (WHERE node_id = $1) AS free
            FROM presence_accounts
        ), orphans AS (
            SELECT p.account_id, p.node_id IS NULL AS clean, c.tenant_id,
                   coalesce(c.tenant_id, p.account_id) AS household
            FROM presence_accounts p LEFT JOIN connections c ON c.account_id = p.account_id
            WHERE p.node_id IS NULL OR NOT EXISTS (
                SELECT 1 FROM nodes n WHERE n.id = p.node_id
                    AND (n.id = $1 OR n.seen_at > now() - $3::interval))
            FOR UPDATE OF p SKIP LOCKED
        ), households AS (
            SELECT o.household, count(DISTINCT o.account_id) AS size,
                   min(o.account_id::text) AS first,
                   coalesce(bool_or(mate.node_id = $1), false) AS ours,
                   coalesce(bool_or(mate.node_id <> $1), false) AS theirs
            FROM orphans o
            LEFT JOIN LATERAL (
                SELECT q.node_id FROM connections m
                JOIN presence_accounts q ON q.account_id = m.account_id
                JOIN nodes n ON n.id = q.node_id
                    AND (n.id = $1 OR n.seen_at > now() - $3::interval)
                WHERE m.tenant_id = o.tenant_id
            ) AS mate ON true
            GROUP BY o.household
        ), fitting AS (
            SELECT household FROM (
                SELECT household, ours,
                       sum(size) OVER (PARTITION BY ours ORDER BY first) - size AS before
                FROM households WHERE ours OR NOT theirs
            ) AS h WHERE ours OR before < (SELECT free FROM share)
        ), taken AS (
            UPDATE presence_accounts p
            SET node_id = $1, term = term + 1, subscription_checked_at = NULL
            FROM orphans o JOIN fitting USING (household) WHERE p.account_id = o.account_id
            RETURNING p.account_id, o.clean
        )
        SELECT account_id AS "id: AccountId" FROM taken WHERE clean
        "#,
        node as NodeId,
        live,
        interval(gone_after),
    )
    .fetch_all(&mut *tx)
    .await?;
    let leases = sqlx::query_as!(
        Lease,
        r#"
        SELECT account_id AS "account: AccountId", term FROM presence_accounts
        WHERE node_id = $1 ORDER BY account_id
        "#,
        node as NodeId,
    )
    .fetch_all(tx)
    .await?;
    Ok(Taken { leases, clean: clean.into_iter().collect() })
}

/// Whether another node works for this tenant, by way of another account.
pub async fn tenant_is_elsewhere(
    db: impl PgExecutor<'_>,
    node: NodeId,
    tenant: TenantId,
    gone_after: Duration,
) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"
        SELECT EXISTS (
            SELECT 1 FROM connections m
            JOIN presence_accounts q ON q.account_id = m.account_id
            JOIN nodes n ON n.id = q.node_id
            WHERE m.tenant_id = $2 AND n.id <> $1 AND n.seen_at > now() - $3::interval
        ) AS "elsewhere!"
        "#,
        node as NodeId,
        tenant as TenantId,
        interval(gone_after),
    )
    .fetch_one(db)
    .await
}

/// The accounts a node should leave to others, who have fewer than their share: as many as it
/// may without leaving fewer than its own, tenant by tenant.
pub async fn surplus(
    db: impl PgExecutor<'_>,
    node: NodeId,
    share: i64,
) -> sqlx::Result<Vec<AccountId>> {
    sqlx::query_scalar!(
        r#"
        WITH ours AS (
            SELECT p.account_id, coalesce(c.tenant_id, p.account_id) AS household
            FROM presence_accounts p LEFT JOIN connections c ON c.account_id = p.account_id
            WHERE p.node_id = $1
        ), leaving AS (
            SELECT household,
                   sum(count(*)) OVER (ORDER BY count(*), max(account_id::text) DESC) AS gone
            FROM ours GROUP BY household
        )
        SELECT account_id AS "id: AccountId" FROM ours JOIN leaving USING (household)
        WHERE gone <= (SELECT count(*) FROM ours) - $2
        "#,
        node as NodeId,
        share,
    )
    .fetch_all(db)
    .await
}

/// How the accounts lie.
#[derive(Clone, Copy, Debug)]
pub struct Spread {
    /// How many accounts each node should work for, at most.
    pub share: i64,
    /// How many nobody works for.
    pub unclaimed: i64,
}

pub async fn spread(
    db: impl PgExecutor<'_>,
    node: NodeId,
    live: i64,
    gone_after: Duration,
) -> sqlx::Result<Spread> {
    sqlx::query_as!(
        Spread,
        r#"
        SELECT ceil(count(*)::float8 / greatest($2::bigint, 1))::bigint AS "share!",
            count(*) FILTER (WHERE n.id IS NULL
                OR (n.id <> $1 AND n.seen_at <= now() - $3::interval)) AS "unclaimed!"
        FROM presence_accounts p LEFT JOIN nodes n ON n.id = p.node_id
        "#,
        node as NodeId,
        live,
        interval(gone_after),
    )
    .fetch_one(db)
    .await
}

/// Gives leases back, so that others need not wait until we are gone.
pub async fn give_back(
    db: impl PgExecutor<'_>,
    node: NodeId,
    accounts: &[AccountId],
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE presence_accounts SET node_id = NULL WHERE node_id = $1 AND account_id = ANY($2)",
        node as NodeId,
        accounts as &[AccountId],
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Leaves: every lease that is left is free at once.
pub async fn leave(db: impl PgExecutor<'_>, node: NodeId) -> sqlx::Result<()> {
    sqlx::query!("DELETE FROM nodes WHERE id = $1", node as NodeId).execute(db).await?;
    Ok(())
}

/// The channel on which nodes ring each other's bells.
pub const BELLS: &str = "presence_bells";

/// Rings the bells of these accounts on whichever node listens; none means "look around".
pub async fn ring_elsewhere(db: impl PgExecutor<'_>, accounts: &[AccountId]) -> sqlx::Result<()> {
    let ids: Vec<_> = accounts.iter().map(ToString::to_string).collect();
    sqlx::query!("SELECT pg_notify($1, $2)", BELLS, ids.join(",")).execute(db).await?;
    Ok(())
}

/// Whether nobody works for one of these accounts: it may want a worker.
pub async fn lacks_a_worker(db: impl PgExecutor<'_>, accounts: &[AccountId]) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"
        SELECT EXISTS (
            SELECT FROM unnest($1::uuid[]) AS rung (account_id)
            LEFT JOIN presence_accounts p ON p.account_id = rung.account_id
            WHERE p.node_id IS NULL
        ) AS "lacks!"
        "#,
        accounts as &[AccountId],
    )
    .fetch_one(db)
    .await
}

fn interval(duration: Duration) -> PgInterval {
    let microseconds = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
    PgInterval { months: 0, days: 0, microseconds }
}
