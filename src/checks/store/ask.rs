//! What is to be checked, and by whom.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{PgExecutor, PgPool};
use uuid::Uuid;

use crate::checks::errand::Errand;
use crate::ids::{AccountId, CloudlinkAccountId, EntraUserId, IntegrationId, NodeId};

/// An integration that was set up longer ago than this is not in a hurry.
const NEW: TimeDelta = TimeDelta::hours(1);

/// What somebody asks for.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    pub account: AccountId,
    pub integration: IntegrationId,
    /// The user, and their name, on whom to try whether presence can be set.
    pub pilot: Option<(EntraUserId, &'a str)>,
}

/// Makes a check due at once.
pub async fn ask(
    db: impl PgExecutor<'_>,
    Ask { account, integration, pilot }: Ask<'_>,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO setup_checks AS s (account_id, integration_id, due_at, asked_at, pilot, pilot_name)
        VALUES ($1, $2, $3, $3, $4, $5)
        ON CONFLICT (account_id, integration_id) DO UPDATE SET due_at = $3, asked_at = $3,
            pilot = coalesce(excluded.pilot, s.pilot),
            pilot_name = coalesce(excluded.pilot_name, s.pilot_name)
        "#,
        account as AccountId,
        integration as IntegrationId,
        now,
        pilot.map(|(user, _)| user) as Option<EntraUserId>,
        pilot.map(|(_, name)| name),
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Takes integrations in that were set up and never checked, and makes those due whose
/// connection or switch has changed since they were, or whose sync has come to need a person, or
/// needs none any more.
pub async fn enrol(db: &PgPool, now: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO setup_checks (account_id, integration_id, due_at)
        SELECT c.account_id, c.integration_id,
            CASE WHEN c.updated_at > $2 THEN $1::timestamptz
                ELSE $1::timestamptz + random() * interval '6 hours' END
        FROM connections c
        JOIN integrations i ON i.account_id = c.account_id AND i.id = c.integration_id
        JOIN accounts a ON a.id = c.account_id
        WHERE i.removing_since IS NULL AND a.deactivated_at IS NULL AND a.deleting_since IS NULL
            AND NOT EXISTS (SELECT FROM setup_checks s
                WHERE s.account_id = c.account_id AND s.integration_id = c.integration_id)
        ON CONFLICT DO NOTHING
        "#,
        now,
        now - NEW,
    )
    .execute(db)
    .await?;
    // A switch is looked at a minute later, when the worker has done what it leads to.
    sqlx::query!(
        r#"
        UPDATE setup_checks s SET due_at = changed.due_at
        FROM (
            SELECT s.account_id, s.integration_id, CASE
                WHEN s.version IS DISTINCT FROM c.version OR s.troubled <> t.troubled THEN $1
                ELSE greatest($1, f.changed_at + interval '1 minute') END AS due_at
            FROM setup_checks s
            JOIN connections c ON c.account_id = s.account_id
                AND c.integration_id = s.integration_id
            LEFT JOIN features f ON f.account_id = s.account_id
                AND f.integration_id = s.integration_id AND f.feature = 'presence-sync'
            CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM presence_troubles p
                WHERE p.account_id = s.account_id AND p.needs_person) AS troubled) t
            WHERE s.finished_at IS NOT NULL AND s.run IS NULL
                AND (s.version IS DISTINCT FROM c.version OR f.changed_at > s.finished_at
                    OR s.troubled <> t.troubled)
        ) AS changed
        WHERE s.account_id = changed.account_id AND s.integration_id = changed.integration_id
            AND s.due_at > changed.due_at
        "#,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Claims what is due, as much as there are hands: first what somebody waits for, and of the
/// rest what has been due longest. Of two nodes that ask at once each gets its own.
pub async fn claim(
    db: impl PgExecutor<'_>,
    node: NodeId,
    most: usize,
    most_by_night: usize,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<Errand>> {
    sqlx::query_as!(
        Errand,
        r#"
        WITH asked AS (
            SELECT s.account_id, s.integration_id
            FROM setup_checks s
            JOIN integrations i ON i.account_id = s.account_id AND i.id = s.integration_id
            JOIN accounts a ON a.id = s.account_id
            WHERE s.asked_at IS NOT NULL AND s.due_at <= $4
                AND (s.run IS NULL OR s.run_until < now())
                AND i.removing_since IS NULL AND a.deleting_since IS NULL
            ORDER BY s.due_at LIMIT $2
            FOR UPDATE OF s SKIP LOCKED
        ), by_night AS (
            SELECT s.account_id, s.integration_id
            FROM setup_checks s
            JOIN integrations i ON i.account_id = s.account_id AND i.id = s.integration_id
            JOIN accounts a ON a.id = s.account_id
            WHERE s.asked_at IS NULL AND s.due_at <= $4
                AND (s.run IS NULL OR s.run_until < now())
                AND i.removing_since IS NULL AND a.deleting_since IS NULL
                AND a.deactivated_at IS NULL
            ORDER BY s.due_at LIMIT greatest($3 - (SELECT count(*) FROM asked), 0)
            FOR UPDATE OF s SKIP LOCKED
        ), free AS (
            SELECT *, true AS asked FROM asked UNION ALL SELECT *, false FROM by_night
        )
        UPDATE setup_checks s SET run = gen_random_uuid(), node_id = $1, started_at = $4,
            run_until = now() + interval '2 minutes'
        FROM free
        JOIN accounts a ON a.id = free.account_id
        LEFT JOIN connections c ON c.account_id = free.account_id
            AND c.integration_id = free.integration_id
        WHERE s.account_id = free.account_id AND s.integration_id = free.integration_id
        RETURNING s.run AS "run!: Uuid", s.account_id AS "account: AccountId",
            a.cloudlink_account_id AS "cloudlink_id: CloudlinkAccountId",
            s.integration_id AS "integration: IntegrationId", s.pilot AS "pilot: EntraUserId",
            coalesce(s.pilot_name, '') AS "pilot_name!", free.asked AS "asked!",
            coalesce(s.asked_at > s.braked_at, false) AS "believes!",
            s.started_at AS "started_at!", c.version AS "version?"
        "#,
        node as NodeId,
        i64::try_from(most).unwrap_or(i64::MAX),
        i64::try_from(most_by_night).unwrap_or(i64::MAX),
        now,
    )
    .fetch_all(db)
    .await
}

/// Enters an integration that has not been entered yet.
pub async fn enter(
    db: impl PgExecutor<'_>,
    account: AccountId,
    integration: IntegrationId,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO setup_checks (account_id, integration_id, due_at)
        SELECT account_id, id, $3 FROM integrations WHERE account_id = $1 AND id = $2
        ON CONFLICT DO NOTHING
        "#,
        account as AccountId,
        integration as IntegrationId,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Claims one integration's check, whenever it is due. None while it is somebody else's.
pub async fn claim_one(
    db: impl PgExecutor<'_>,
    node: NodeId,
    (account, integration): (AccountId, IntegrationId),
    now: DateTime<Utc>,
) -> sqlx::Result<Option<Errand>> {
    sqlx::query_as!(
        Errand,
        r#"
        UPDATE setup_checks s SET run = gen_random_uuid(), node_id = $3, started_at = $4,
            run_until = now() + interval '2 minutes'
        FROM accounts a
        LEFT JOIN connections c ON c.account_id = a.id AND c.integration_id = $2
        WHERE s.account_id = $1 AND s.integration_id = $2 AND a.id = $1
            AND (s.run IS NULL OR s.run_until < now())
        RETURNING s.run AS "run!: Uuid", s.account_id AS "account: AccountId",
            a.cloudlink_account_id AS "cloudlink_id: CloudlinkAccountId",
            s.integration_id AS "integration: IntegrationId", s.pilot AS "pilot: EntraUserId",
            coalesce(s.pilot_name, '') AS "pilot_name!", true AS "asked!",
            coalesce(s.asked_at > s.braked_at, false) AS "believes!",
            s.started_at AS "started_at!", c.version AS "version?"
        "#,
        account as AccountId,
        integration as IntegrationId,
        node as NodeId,
        now,
    )
    .fetch_optional(db)
    .await
}
