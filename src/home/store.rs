//! What needs a person, over all accounts somebody looks after.
//!
//! `scope` is whose accounts are meant; `None` means all. Of each cause the first few accounts
//! come with their number, so that a thousand accounts with one cause cost what five do.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgExecutor;

use crate::ids::{AccountId, ChannelId, IntegrationId, StaffId};

/// How many accounts a cause names.
pub const NAMED: i64 = 5;

/// One account with a trouble, and how many have the same.
#[derive(Clone, Debug)]
pub struct Troubled {
    pub cause: String,
    pub needs_person: bool,
    pub detail: String,
    pub since: DateTime<Utc>,
    pub account: AccountId,
    pub name: String,
    pub integration: Option<IntegrationId>,
    pub all: i64,
}

/// Troubles that need a person, that are on CloudLink's side, or that have not passed in good
/// time. The newest first in each cause.
pub async fn troubled(
    db: impl PgExecutor<'_>,
    scope: Option<StaffId>,
    patience: DateTime<Utc>,
) -> sqlx::Result<Vec<Troubled>> {
    sqlx::query_as!(
        Troubled,
        r#"
        SELECT cause AS "cause!", needs_person AS "needs_person!", detail AS "detail!",
            since AS "since!", account_id AS "account!: AccountId", name AS "name!",
            (SELECT i.id FROM integrations i WHERE i.account_id = placed.account_id
                AND i.kind = 'microsoft-teams') AS "integration: IntegrationId",
            total AS "all!"
        FROM (
            SELECT t.cause, t.needs_person, t.detail, t.since, t.account_id, a.name,
                row_number() OVER (PARTITION BY t.cause ORDER BY t.since DESC, a.id) AS place,
                count(*) OVER (PARTITION BY t.cause) AS total
            FROM presence_troubles t JOIN accounts a ON a.id = t.account_id
            WHERE (t.needs_person OR t.side = 'feed' OR t.since < $2)
                AND a.deactivated_at IS NULL
                AND NOT EXISTS (SELECT FROM integrations i
                    WHERE i.account_id = a.id AND i.removing_since IS NOT NULL)
                -- what passes by itself alarms nobody while the account is paused
                AND (t.needs_person OR NOT EXISTS (SELECT FROM presence_pauses z
                    WHERE z.account_id = a.id AND z.user_id = '' AND z.paused))
                AND ($1::uuid IS NULL OR EXISTS (
                    SELECT FROM staff_accounts s WHERE s.account_id = a.id AND s.staff_id = $1))
        ) AS placed
        WHERE place <= $3
        ORDER BY max(since) OVER (PARTITION BY cause) DESC, cause, place
        "#,
        scope as Option<StaffId>,
        patience,
        NAMED,
    )
    .fetch_all(db)
    .await
}

/// An account whose secret or certificate ends, and how many there are as urgent.
#[derive(Clone, Debug)]
pub struct Expiring {
    pub account: AccountId,
    pub name: String,
    pub integration: IntegrationId,
    pub on: NaiveDate,
    pub is_certificate: bool,
    /// 0: it has ended; 1: by `soon`; 2: later.
    pub stage: i32,
    pub all: i64,
}

/// Secrets and certificates that have ended by `today`, or will by the last day that matters;
/// the soonest first. Accounts of which Microsoft says so itself are left to [`troubled`], and
/// nothing is to be done where a next one lies ready that Microsoft has accepted.
pub async fn expiring(
    db: impl PgExecutor<'_>,
    scope: Option<StaffId>,
    today: NaiveDate,
    soon: NaiveDate,
    last: NaiveDate,
) -> sqlx::Result<Vec<Expiring>> {
    sqlx::query_as!(
        Expiring,
        r#"
        SELECT account_id AS "account!: AccountId", name AS "name!", secret_expires_on AS "on!",
            integration_id AS "integration!: IntegrationId", is_certificate AS "is_certificate!",
            stage AS "stage!", total AS "all!"
        FROM (
            SELECT *, row_number() OVER (PARTITION BY stage ORDER BY secret_expires_on, account_id) AS place,
                count(*) OVER (PARTITION BY stage) AS total
            FROM (SELECT c.account_id, c.integration_id, a.name, c.secret_expires_on,
                c.credential = 'certificate' AS is_certificate,
                CASE WHEN c.secret_expires_on <= $2 THEN 0 WHEN c.secret_expires_on <= $5 THEN 1 ELSE 2 END AS stage
            FROM connections c JOIN accounts a ON a.id = c.account_id
            JOIN integrations i ON i.account_id = c.account_id AND i.id = c.integration_id
            WHERE c.secret_expires_on <= $3 AND a.deactivated_at IS NULL
                AND i.removing_since IS NULL
                AND NOT EXISTS (SELECT FROM spare_credentials s
                    WHERE s.account_id = c.account_id AND s.integration_id = c.integration_id
                        AND s.slot = 'next' AND s.accepted_at IS NOT NULL)
                AND NOT EXISTS (SELECT FROM presence_troubles t
                    WHERE t.account_id = c.account_id AND t.cause IN ('secret-expired', 'certificate-expired'))
                AND ($1::uuid IS NULL OR EXISTS (
                    SELECT FROM staff_accounts s WHERE s.account_id = a.id AND s.staff_id = $1))
            ) AS ending
        ) AS placed
        WHERE place <= $4
        ORDER BY stage, place
        "#,
        scope as Option<StaffId>,
        today,
        last,
        NAMED,
        soon,
    )
    .fetch_all(db)
    .await
}

/// An account with something to do, since when, and how many there are.
#[derive(Clone, Debug)]
pub struct Waiting {
    pub account: AccountId,
    pub name: String,
    pub integration: IntegrationId,
    pub since: DateTime<Utc>,
    pub all: i64,
}

/// Microsoft Teams was added, and its setup is not complete. The newest first.
pub async fn not_set_up(
    db: impl PgExecutor<'_>,
    scope: Option<StaffId>,
) -> sqlx::Result<Vec<Waiting>> {
    sqlx::query_as!(
        Waiting,
        r#"
        SELECT a.id AS "account: AccountId", a.name, i.id AS "integration: IntegrationId",
            i.added_at AS since,
            count(*) OVER () AS "all!"
        FROM integrations i JOIN accounts a ON a.id = i.account_id
        WHERE i.removing_since IS NULL AND a.deactivated_at IS NULL
            AND NOT EXISTS (SELECT FROM connections c
                WHERE c.account_id = i.account_id AND c.integration_id = i.id)
            AND ($1::uuid IS NULL OR EXISTS (
                SELECT FROM staff_accounts s WHERE s.account_id = a.id AND s.staff_id = $1))
        ORDER BY i.added_at DESC, a.id
        LIMIT $2
        "#,
        scope as Option<StaffId>,
        NAMED,
    )
    .fetch_all(db)
    .await
}

/// Presence monitors that have yet to be given a new secret, account by account.
pub async fn monitors(
    db: impl PgExecutor<'_>,
    scope: Option<StaffId>,
) -> sqlx::Result<Vec<Waiting>> {
    sqlx::query_as!(
        Waiting,
        r#"
        SELECT a.id AS "account: AccountId", a.name, m.integration_id AS "integration: IntegrationId",
            max(m.needs_secret_since) AS "since!",
            count(*) OVER () AS "all!"
        FROM presence_monitors m JOIN accounts a ON a.id = m.account_id
        WHERE m.needs_secret_since IS NOT NULL AND a.deactivated_at IS NULL
            AND ($1::uuid IS NULL OR EXISTS (
                SELECT FROM staff_accounts s WHERE s.account_id = a.id AND s.staff_id = $1))
        GROUP BY a.id, m.integration_id
        ORDER BY 4 DESC, a.id
        LIMIT $2
        "#,
        scope as Option<StaffId>,
        NAMED,
    )
    .fetch_all(db)
    .await
}

/// A channel that takes nothing, and how many there are.
#[derive(Clone, Debug)]
pub struct Failing {
    pub channel: ChannelId,
    pub channel_name: String,
    /// None: the partner’s own.
    pub account: Option<AccountId>,
    pub name: Option<String>,
    pub since: DateTime<Utc>,
    pub failure: String,
    pub all: i64,
}

/// Channels that have failed twice in a row, those of the partner apart from those of accounts;
/// the newest first.
pub async fn failing_channels(
    db: impl PgExecutor<'_>,
    scope: Option<StaffId>,
    of_partner: bool,
) -> sqlx::Result<Vec<Failing>> {
    sqlx::query_as!(
        Failing,
        r#"
        SELECT c.id AS "channel: ChannelId", c.name AS channel_name,
            c.account_id AS "account: AccountId", a.name AS "name?", c.failing_since AS "since!",
            c.failure, count(*) OVER () AS "all!"
        FROM channels c LEFT JOIN accounts a ON a.id = c.account_id
        WHERE c.failing_since IS NOT NULL AND c.failures >= 2
            AND (c.account_id IS NULL) = $2 AND a.deactivated_at IS NULL
            AND ($1::uuid IS NULL OR EXISTS (
                SELECT FROM staff_accounts s WHERE s.account_id = a.id AND s.staff_id = $1))
        ORDER BY c.failing_since DESC, c.id
        LIMIT $3
        "#,
        scope as Option<StaffId>,
        of_partner,
        NAMED,
    )
    .fetch_all(db)
    .await
}

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
    sqlx::query_as!(
        Unmatched,
        r#"
        SELECT a.id AS "account: AccountId", a.name, u.users AS "users!",
            (sum(u.users) OVER ())::bigint AS "all_users!", count(*) OVER () AS "all!"
        FROM (
            SELECT account_id, count(*) AS users FROM cloudlink_users
            WHERE entra_id IS NULL AND match_trouble IS NOT NULL AND NOT excluded
            GROUP BY account_id
        ) AS u
        JOIN accounts a ON a.id = u.account_id
        JOIN features f ON f.account_id = a.id AND f.feature = 'presence-sync' AND f.enabled
        WHERE a.deactivated_at IS NULL
            AND ($1::uuid IS NULL OR EXISTS (
                SELECT FROM staff_accounts s WHERE s.account_id = a.id AND s.staff_id = $1))
        ORDER BY u.users DESC, a.id
        LIMIT $2
        "#,
        scope as Option<StaffId>,
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
    sqlx::query_as!(
        Totals,
        r#"
        SELECT
            (SELECT count(*) FROM accounts a
                WHERE a.deactivated_at IS NULL AND ($1::uuid IS NULL OR EXISTS (
                    SELECT FROM staff_accounts s
                    WHERE s.account_id = a.id AND s.staff_id = $1))) AS "accounts!",
            (SELECT count(*) FROM features f
                JOIN accounts a ON a.id = f.account_id AND a.deactivated_at IS NULL
                JOIN integrations i ON i.account_id = f.account_id AND i.id = f.integration_id
                    AND i.removing_since IS NULL
                WHERE f.feature = 'presence-sync' AND f.enabled
                    AND ($1::uuid IS NULL OR EXISTS (
                        SELECT FROM staff_accounts s
                        WHERE s.account_id = a.id AND s.staff_id = $1))) AS "syncing!",
            (SELECT count(*) FROM presences p
                WHERE p.applied IS NOT NULL AND ($1::uuid IS NULL OR EXISTS (
                    SELECT FROM staff_accounts s
                    WHERE s.account_id = p.account_id AND s.staff_id = $1))) AS "held!"
        "#,
        scope as Option<StaffId>,
    )
    .fetch_one(db)
    .await
}
