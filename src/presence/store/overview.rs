//! How an account's sync is doing: its state, its troubles, its numbers.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use crate::ids::{AccountId, IntegrationId};

/// How far Microsoft Teams has come in an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "kebab-case")]
pub enum Stage {
    #[default]
    NotAdded,
    NotSetUp,
    /// Presence sync is switched off.
    Off,
    On,
    Removing,
}

/// What the switch and the worker say.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    pub stage: Stage,
    pub integration: Option<IntegrationId>,
    /// A node works for it.
    pub staffed: bool,
    pub last_event_at: Option<DateTime<Utc>>,
    pub directory_refreshed_at: Option<DateTime<Utc>>,
    pub users_refreshed_at: Option<DateTime<Utc>>,
    pub sync_asked_at: Option<DateTime<Utc>>,
    pub throttled_until: Option<DateTime<Utc>>,
    pub last_success_at: Option<DateTime<Utc>>,
    pub last_pushed_at: Option<DateTime<Utc>>,
}

/// A node that was not seen for 15 seconds works for nobody; the database's clock says so, as
/// it does for the leases.
pub async fn standing(db: impl PgExecutor<'_>, account: AccountId) -> sqlx::Result<Standing> {
    sqlx::query_as!(
        Standing,
        r#"
        SELECT CASE
                WHEN i.id IS NULL THEN 'not-added'
                WHEN i.removing_since IS NOT NULL THEN 'removing'
                WHEN c.integration_id IS NULL THEN 'not-set-up'
                WHEN f.enabled THEN 'on'
                ELSE 'off'
            END AS "stage!: Stage", i.id AS "integration?: IntegrationId",
            n.seen_at IS NOT NULL AS "staffed!",
            p.last_event_at, p.directory_refreshed_at, p.users_refreshed_at, p.sync_asked_at,
            p.throttled_until, p.last_success_at, p.last_pushed_at
        FROM (VALUES ($1::uuid)) AS a (id)
        LEFT JOIN integrations i ON i.account_id = a.id AND i.kind = 'microsoft-teams'
        LEFT JOIN connections c ON c.account_id = a.id AND c.integration_id = i.id
        LEFT JOIN features f
            ON f.account_id = a.id AND f.integration_id = i.id AND f.feature = 'presence-sync'
        LEFT JOIN presence_accounts p ON p.account_id = a.id
        LEFT JOIN nodes n ON n.id = p.node_id AND n.seen_at > now() - interval '15 seconds'
        "#,
        account as AccountId,
    )
    .fetch_one(db)
    .await
}

/// Whether a worker has the account, or is about to.
pub async fn has_worker(db: impl PgExecutor<'_>, account: AccountId) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM presence_accounts WHERE account_id = $1) AS "there!""#,
        account as AccountId,
    )
    .fetch_one(db)
    .await
}

/// How many users the account's directory has, as last read.
pub async fn in_entra(db: impl PgExecutor<'_>, account: AccountId) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"SELECT count(*) AS "users!" FROM entra_users WHERE account_id = $1 AND NOT gone"#,
        account as AccountId,
    )
    .fetch_one(db)
    .await
}

/// Something that is wrong with an account's sync.
#[derive(Clone, Debug)]
pub struct Trouble {
    /// `microsoft`, `directory` or `feed`.
    pub side: String,
    /// The cause's key.
    pub cause: String,
    pub detail: String,
    pub since: DateTime<Utc>,
    pub last_at: DateTime<Utc>,
    pub needs_person: bool,
}

/// The gravest first.
pub async fn troubles(db: impl PgExecutor<'_>, account: AccountId) -> sqlx::Result<Vec<Trouble>> {
    sqlx::query_as!(
        Trouble,
        r#"
        SELECT side, cause, detail, since, last_at, needs_person
        FROM presence_troubles
        WHERE account_id = $1
        ORDER BY needs_person DESC, since
        "#,
        account as AccountId,
    )
    .fetch_all(db)
    .await
}

/// How many people there are, and how they are doing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Numbers {
    pub users: i64,
    pub excluded: i64,
    pub not_in_entra: i64,
    pub duplicate: i64,
    pub disabled: i64,
    pub no_teams: i64,
    /// Not matched, excluded ones aside; the four above are its parts.
    pub unmatched: i64,
    pub held: i64,
    pub failing: i64,
}

impl Numbers {
    pub fn matched(&self) -> i64 {
        self.users - self.excluded - self.unmatched
    }
}

/// How many users there are is kept; every other count is read from an index that holds little else.
pub async fn numbers(db: impl PgExecutor<'_>, account: AccountId) -> sqlx::Result<Numbers> {
    sqlx::query_as!(
        Numbers,
        r#"
        SELECT
            (SELECT coalesce(sum(users), 0) FROM people_counts WHERE account_id = $1)
                + (SELECT coalesce(sum(users), 0) FROM people_changes WHERE account_id = $1) AS "users!",
            (SELECT count(*) FROM cloudlink_users WHERE account_id = $1 AND excluded) AS "excluded!",
            u.not_in_entra AS "not_in_entra!", u.duplicate AS "duplicate!",
            u.disabled AS "disabled!", u.no_teams AS "no_teams!", u.unmatched AS "unmatched!",
            (SELECT count(*) FROM presences
                WHERE account_id = $1 AND applied IS NOT NULL) AS "held!",
            (SELECT count(*) FROM presences
                WHERE account_id = $1 AND trouble IS NOT NULL) AS "failing!"
        FROM (
            SELECT count(*) FILTER (WHERE match_trouble = 'not-in-entra') AS not_in_entra,
                count(*) FILTER (WHERE match_trouble = 'duplicate') AS duplicate,
                count(*) FILTER (WHERE match_trouble = 'disabled') AS disabled,
                count(*) FILTER (WHERE match_trouble = 'no-teams') AS no_teams,
                count(*) AS unmatched
            FROM cloudlink_users
            WHERE account_id = $1 AND entra_id IS NULL AND NOT excluded
        ) u
        "#,
        account as AccountId,
    )
    .fetch_one(db)
    .await
}
