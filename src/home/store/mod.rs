//! What needs a person, over all accounts somebody looks after.
//!
//! `scope` is whose accounts are meant; `None` means all. Of each cause the first few accounts
//! come with their number, so that a thousand accounts with one cause cost what five do.

mod people;
pub mod waiting;

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgExecutor;

use crate::ids::{AccountId, ChannelId, IntegrationId, MonitorId, StaffId};

pub use people::{Totals, Unmatched, count_people, totals, unmatched};

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

/// Whatever is in the way of a sync, also when it passes by itself. The cause met first comes
/// first, and in each the oldest.
pub async fn troubled(
    db: impl PgExecutor<'_>,
    scope: Option<StaffId>,
) -> sqlx::Result<Vec<Troubled>> {
    sqlx::query_as!(
        Troubled,
        r#"
        WITH met AS MATERIALIZED (
            SELECT t.cause, t.needs_person, t.detail, t.since, t.account_id
            FROM presence_troubles t JOIN account_list l ON l.account_id = t.account_id
            WHERE l.active AND l.health <> 'removing'
                -- what passes by itself alarms nobody while the account is paused
                AND (t.needs_person OR l.health <> 'paused')
                AND ($1::uuid IS NULL OR EXISTS (
                    SELECT FROM staff_accounts s WHERE s.account_id = t.account_id AND s.staff_id = $1))
        ), placed AS (
            SELECT met.*, row_number() OVER cause AS place, count(*) OVER (PARTITION BY cause) AS total,
                min(since) OVER (PARTITION BY cause) AS oldest
            FROM met WINDOW cause AS (PARTITION BY cause ORDER BY since, account_id)
        )
        SELECT cause AS "cause!", needs_person AS "needs_person!", detail AS "detail!",
            since AS "since!", account_id AS "account!: AccountId",
            (SELECT a.name FROM accounts a WHERE a.id = placed.account_id) AS "name!",
            (SELECT i.id FROM integrations i WHERE i.account_id = placed.account_id
                AND i.kind = 'microsoft-teams') AS "integration: IntegrationId",
            total AS "all!"
        FROM placed
        WHERE place <= $2
        ORDER BY oldest, cause, place
        "#,
        scope as Option<StaffId>,
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

/// Microsoft Teams was added, and its setup is not complete. The oldest first.
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
        FROM account_list l
        JOIN integrations i ON i.account_id = l.account_id AND i.kind = 'microsoft-teams'
        JOIN accounts a ON a.id = l.account_id
        WHERE l.health = 'setup' AND l.active
            AND ($1::uuid IS NULL OR EXISTS (
                SELECT FROM staff_accounts s WHERE s.account_id = a.id AND s.staff_id = $1))
        ORDER BY i.added_at, a.id
        LIMIT $2
        "#,
        scope as Option<StaffId>,
        NAMED,
    )
    .fetch_all(db)
    .await
}

/// A presence monitor that has yet to be given a new secret, and how many there are.
#[derive(Clone, Debug)]
pub struct WaitingMonitor {
    pub account: AccountId,
    pub name: String,
    pub integration: IntegrationId,
    pub monitor: MonitorId,
    pub monitor_name: String,
    pub note: String,
    pub since: DateTime<Utc>,
    pub all: i64,
}

/// The oldest first.
pub async fn monitors(
    db: impl PgExecutor<'_>,
    scope: Option<StaffId>,
) -> sqlx::Result<Vec<WaitingMonitor>> {
    sqlx::query_as!(
        WaitingMonitor,
        r#"
        SELECT a.id AS "account: AccountId", a.name, m.integration_id AS "integration: IntegrationId",
            m.id AS "monitor: MonitorId", m.name AS monitor_name, m.note,
            m.needs_secret_since AS "since!", count(*) OVER () AS "all!"
        FROM presence_monitors m JOIN accounts a ON a.id = m.account_id
        WHERE m.needs_secret_since IS NOT NULL AND a.deactivated_at IS NULL
            AND ($1::uuid IS NULL OR EXISTS (
                SELECT FROM staff_accounts s WHERE s.account_id = a.id AND s.staff_id = $1))
        ORDER BY m.needs_secret_since, a.id, m.name, m.id
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

/// When something was wrong last, and passed; else when the first account was added.
pub async fn well_since(
    db: impl PgExecutor<'_>,
    scope: Option<StaffId>,
) -> sqlx::Result<Option<DateTime<Utc>>> {
    sqlx::query_scalar!(
        r#"
        SELECT coalesce(max(well_since), min(created_at)) FROM account_list l
        WHERE $1::uuid IS NULL OR EXISTS (
            SELECT FROM staff_accounts s WHERE s.account_id = l.account_id AND s.staff_id = $1)
        "#,
        scope as Option<StaffId>,
    )
    .fetch_one(db)
    .await
}
