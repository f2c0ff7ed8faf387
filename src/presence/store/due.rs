//! What is due, for many accounts at once.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use crate::ids::{AccountId, CloudlinkUserId, EntraUserId, NodeId, TenantId};
use crate::microsoft::Shows;
use crate::presence::plan::pause::{self, Pause};
use crate::presence::plan::{Facts, Held};

use super::pauses;

/// What one worker asks.
#[derive(Clone, Copy, Debug)]
pub struct Ask {
    pub account: AccountId,
    pub term: i64,
    /// How many users at most.
    pub most: i64,
}

/// What it is told.
#[derive(Clone, Debug)]
pub struct Told {
    pub standing: Standing,
    /// The most urgent first.
    pub users: Vec<DueUser>,
    /// When the next user will be due, of those who are not yet.
    pub next: Option<DateTime<Utc>>,
}

/// How the account stands: what people want, and when it was last looked after.
#[derive(Clone, Debug)]
pub struct Standing {
    /// Sync is wanted; else everything of ours is to be cleared.
    pub syncing: bool,
    pub removing: bool,
    /// The connection, by tenant and version; none while the setup is not complete.
    pub tenant: Option<TenantId>,
    pub version: Option<i32>,
    pub sync_asked_at: Option<DateTime<Utc>>,
    pub stranger_at: Option<DateTime<Utc>>,
    pub refreshed_at: Option<DateTime<Utc>>,
    pub checked_at: Option<DateTime<Utc>>,
    pub last_event_at: Option<DateTime<Utc>>,
    pub throttled_until: Option<DateTime<Utc>>,
    /// Rules have changed then, and not everybody was decided anew yet.
    pub remapped_at: Option<DateTime<Utc>>,
    pub marks: Marks,
    pub pause: Option<AccountPause>,
}

/// What the worker has yet to follow up.
#[derive(Clone, Copy, Debug)]
pub struct Marks {
    /// Matches have changed, and nobody was made due for that yet.
    pub rematched: bool,
    /// The same for pauses; or that of a user is over, and is to be forgotten.
    pub repaused: bool,
    /// Somebody watches Sync now until everybody who waits has been told.
    pub counting: bool,
}

/// What was said about the whole account.
#[derive(Clone, Copy, Debug)]
pub struct AccountPause {
    pub said: Pause,
    /// As the lists of accounts have it.
    pub noted: bool,
    pub rest: pause::Rest,
}

/// One user of whom something may be to be done.
#[derive(Clone, Debug)]
pub struct DueUser {
    pub user: CloudlinkUserId,
    pub facts: Facts,
    pub urgency: i16,
    pub revision: i64,
    pub failures: i32,
    pub waiting_since: Option<DateTime<Utc>>,
}

/// Answers many workers in three statements. One whose lease is another's by now is told nothing.
pub async fn due(
    db: &mut PgConnection,
    node: NodeId,
    asks: &[Ask],
    now: DateTime<Utc>,
) -> sqlx::Result<HashMap<AccountId, Told>> {
    let mut told = standings(&mut *db, node, asks, now).await?;
    let held: Vec<_> = asks.iter().filter(|ask| told.contains_key(&ask.account)).collect();
    let accounts: Vec<_> = held.iter().map(|ask| ask.account).collect();
    let most: Vec<_> = held.iter().map(|ask| ask.most).collect();
    for (account, next) in next_due(&mut *db, &accounts, now).await? {
        if let Some(told) = told.get_mut(&account) {
            told.next = next;
        }
    }
    for (account, mut user, own) in due_users(&mut *db, &accounts, &most, now).await? {
        let Some(told) = told.get_mut(&account) else { continue };
        let whole = told.standing.pause.map(|pause| pause.said);
        let said: Vec<_> = whole.into_iter().chain(own).collect();
        let rest = pause::rest(&said, now);
        user.facts.on = user.facts.on.filter(|_| !rest.now);
        user.facts.turns_at = rest.turns_at;
        told.users.push(user);
    }
    for told in told.values_mut() {
        let syncing = told.standing.syncing;
        told.users.sort_by_key(|user| user.urgency);
        for user in told.users.iter_mut().filter(|_| !syncing) {
            user.facts.on = None;
        }
    }
    Ok(told)
}

async fn standings(
    db: &mut PgConnection,
    node: NodeId,
    asks: &[Ask],
    now: DateTime<Utc>,
) -> sqlx::Result<HashMap<AccountId, Told>> {
    let accounts: Vec<_> = asks.iter().map(|ask| ask.account).collect();
    let terms: Vec<_> = asks.iter().map(|ask| ask.term).collect();
    let rows = sqlx::query!(
        r#"
        SELECT p.account_id AS "account: AccountId",
               i.removing_since IS NOT NULL OR a.deleting_since IS NOT NULL AS "removing!",
               (coalesce(f.enabled, false) AND i.removing_since IS NULL AND c.version IS NOT NULL
                   AND a.deactivated_at IS NULL AND a.deleting_since IS NULL) AS "syncing!",
               c.tenant_id AS "tenant?: TenantId", c.version AS "version?",
               p.sync_asked_at, p.stranger_at, p.subscription_checked_at, p.throttled_until,
               p.last_event_at, p.remapped_at,
               EXISTS (SELECT 1 FROM cloudlink_users u WHERE u.account_id = p.account_id
                   AND u.match_changed) AS "rematched!",
               (EXISTS (SELECT 1 FROM presence_pauses z WHERE z.account_id = p.account_id
                   AND z.changed)
               OR EXISTS (SELECT 1 FROM presence_pauses z WHERE z.account_id = p.account_id
                   AND z.user_id <> '' AND z.zone IS NULL AND z.paused_until <= $4)) AS "repaused!",
               EXISTS (SELECT 1 FROM presence_sync_steps s WHERE s.account_id = p.account_id
                   AND s.step = 'push' AND s.ended_at IS NULL) AS "counting!",
               z.paused AS "paused?", z.paused_until, z.zone, z.days, z.from_minute, z.to_minute,
               least(p.directory_refreshed_at, p.users_refreshed_at) AS refreshed_at,
               -- or read and, as the process ended then, never matched
               p.directory_refreshed_at IS NULL OR p.users_refreshed_at IS NULL OR p.unmatched
                   AS "never_read!"
        FROM unnest($1::uuid[], $2::bigint[]) AS ask (account_id, term)
        JOIN presence_accounts p ON p.account_id = ask.account_id
            AND p.term = ask.term AND p.node_id = $3
        JOIN accounts a ON a.id = p.account_id
        LEFT JOIN integrations i ON i.account_id = p.account_id AND i.kind = 'microsoft-teams'
        LEFT JOIN connections c ON c.account_id = i.account_id AND c.integration_id = i.id
        LEFT JOIN features f ON f.account_id = i.account_id AND f.integration_id = i.id
            AND f.feature = 'presence-sync'
        LEFT JOIN presence_pauses z ON z.account_id = p.account_id AND z.user_id = ''
        "#,
        &accounts as &[AccountId],
        &terms,
        node as NodeId,
        now,
    )
    .fetch_all(db)
    .await?;
    let told = rows.into_iter().map(|row| {
        let said = Pause::from(pauses::Row {
            until: row.paused_until,
            zone: row.zone,
            days: row.days,
            from: row.from_minute,
            to: row.to_minute,
        });
        let pause =
            row.paused.map(|noted| AccountPause { said, noted, rest: pause::rest(&[said], now) });
        let standing = Standing {
            syncing: row.syncing,
            removing: row.removing,
            tenant: row.tenant,
            version: row.version,
            sync_asked_at: row.sync_asked_at,
            stranger_at: row.stranger_at,
            refreshed_at: row.refreshed_at.filter(|_| !row.never_read),
            checked_at: row.subscription_checked_at,
            last_event_at: row.last_event_at,
            throttled_until: row.throttled_until,
            remapped_at: row.remapped_at,
            marks: Marks {
                rematched: row.rematched,
                repaused: row.repaused,
                counting: row.counting,
            },
            pause,
        };
        (row.account, Told { standing, users: Vec::new(), next: None })
    });
    Ok(told.collect())
}

async fn next_due(
    db: &mut PgConnection,
    accounts: &[AccountId],
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<(AccountId, Option<DateTime<Utc>>)>> {
    let rows = sqlx::query!(
        r#"
        SELECT ask.account_id AS "account!: AccountId", min(soonest.due_at) AS next
        FROM unnest($1::uuid[]) AS ask (account_id)
        CROSS JOIN (VALUES (0::smallint), (1::smallint), (2::smallint), (3::smallint)) AS u (urgency)
        CROSS JOIN LATERAL (
            SELECT due_at FROM presences q
            WHERE q.account_id = ask.account_id AND q.urgency = u.urgency AND q.due_at > $2
            ORDER BY due_at LIMIT 1
        ) AS soonest
        GROUP BY ask.account_id
        "#,
        accounts as &[AccountId],
        now,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|row| (row.account, row.next)).collect())
}

async fn due_users(
    db: &mut PgConnection,
    accounts: &[AccountId],
    most: &[i64],
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<(AccountId, DueUser, Option<Pause>)>> {
    let rows = sqlx::query!(
        r#"
        SELECT ask.account_id AS "account!: AccountId", p.user_id AS "user: CloudlinkUserId",
               p.wanted, p.applied, p.applied_entra_id AS "applied_entra_id: EntraUserId",
               p.applied_at, p.expires_at, p.certain, p.urgency, p.revision, p.failures,
               p.waiting_since,
               CASE WHEN NOT c.excluded THEN c.entra_id END AS "matched: EntraUserId",
               z.user_id AS "paused?", z.paused_until, z.zone, z.days, z.from_minute, z.to_minute
        FROM unnest($1::uuid[], $2::bigint[]) AS ask (account_id, most)
        CROSS JOIN LATERAL (
            SELECT few.* FROM
                (VALUES (0::smallint), (1::smallint), (2::smallint), (3::smallint)) AS u (urgency)
            CROSS JOIN LATERAL (
                SELECT * FROM presences q
                WHERE q.account_id = ask.account_id AND q.urgency = u.urgency AND q.due_at <= $3
                ORDER BY q.due_at LIMIT ask.most
            ) AS few
            ORDER BY few.urgency, few.due_at LIMIT ask.most
        ) AS p
        LEFT JOIN cloudlink_users c ON c.account_id = ask.account_id AND c.user_id = p.user_id
        LEFT JOIN presence_pauses z ON z.account_id = ask.account_id AND z.user_id = p.user_id
        ORDER BY ask.account_id, p.urgency, p.due_at
        "#,
        accounts as &[AccountId],
        most,
        now,
    )
    .fetch_all(db)
    .await?;
    let users = rows.into_iter().map(|row| {
        let held = held(
            row.applied.as_deref(),
            row.applied_entra_id,
            row.applied_at.zip(row.expires_at),
            row.certain,
        );
        let wanted = row.wanted.as_deref().and_then(known);
        let user = DueUser {
            user: row.user,
            facts: Facts { wanted, on: row.matched, held, turns_at: None },
            urgency: row.urgency,
            revision: row.revision,
            failures: row.failures,
            waiting_since: row.waiting_since,
        };
        let pause = row.paused.map(|_| {
            let (until, zone) = (row.paused_until, row.zone);
            let (days, from, to) = (row.days, row.from_minute, row.to_minute);
            Pause::from(pauses::Row { until, zone, days, from, to })
        });
        (row.account, user, pause)
    });
    Ok(users.collect())
}

fn held(
    applied: Option<&str>,
    on: Option<EntraUserId>,
    lasts: Option<(DateTime<Utc>, DateTime<Utc>)>,
    certain: bool,
) -> Option<Held> {
    let (shows, on, (since, until)) = (applied.and_then(known)?, on?, lasts?);
    Some(Held { shows, on, since, until, certain })
}

fn known(shows: &str) -> Option<Shows> {
    shows.parse().ok()
}

/// Accounts of this node with changes that nobody took up: a bell was lost on its way here.
pub async fn overlooked(
    db: impl sqlx::PgExecutor<'_>,
    node: NodeId,
    since: DateTime<Utc>,
) -> sqlx::Result<Vec<AccountId>> {
    sqlx::query_scalar!(
        r#"
        -- what is due stands in an index of its own, which is read as a whole
        SELECT DISTINCT p.account_id AS "id: AccountId"
        FROM presences p JOIN presence_accounts a ON a.account_id = p.account_id
        WHERE a.node_id = $1 AND p.due_at <= $2 AND p.urgency <> 2
        "#,
        node as NodeId,
        since,
    )
    .fetch_all(db)
    .await
}

/// The clock went back: whatever was put off until a moment of the old time is looked at now.
pub async fn hurry(
    db: impl sqlx::PgExecutor<'_>,
    node: NodeId,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        UPDATE presences p SET due_at = $2 FROM presence_accounts a
        WHERE a.node_id = $1 AND p.account_id = a.account_id AND p.due_at > $2
        "#,
        node as NodeId,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}
