//! What each recipient was told last, problem by problem.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor};

use crate::ids::{AccountId, ChannelId, MessageId};
use crate::notifications::compare::{Hearer, Told};
use crate::notifications::reason::Reason;

/// Any number; two scans at once would tell twice.
const TURN: i64 = 0x7465_6c6c;

/// Whether it is ours to scan: one at a time does, until its transaction ends.
pub async fn take_turn(tx: &mut PgConnection) -> sqlx::Result<bool> {
    sqlx::query_scalar!(r#"SELECT pg_try_advisory_xact_lock($1) AS "taken!""#, TURN)
        .fetch_one(tx)
        .await
}

/// Every recipient of every channel; those of the partner first, so that they tell it where
/// somebody would hear of it twice.
pub async fn hearers(db: impl PgExecutor<'_>) -> sqlx::Result<Vec<Hearer>> {
    sqlx::query_as!(
        Hearer,
        r#"
        SELECT c.id AS "channel: ChannelId", c.account_id AS "account: AccountId",
            COALESCE('mailto:' || lower(r.address),
                c.kind || ':' || encode(c.url_digest, 'hex')) AS "recipient!",
            COALESCE(r.address, '') AS "address!"
        FROM channels c LEFT JOIN LATERAL unnest(c.recipients) AS r (address) ON true
        WHERE r.address IS NOT NULL OR c.url_digest IS NOT NULL
        ORDER BY c.account_id NULLS FIRST, c.id, r.address
        "#,
    )
    .fetch_all(db)
    .await
}

pub async fn told(db: impl PgExecutor<'_>) -> sqlx::Result<Vec<Told>> {
    let rows = sqlx::query!(
        r#"
        SELECT t.account_id AS "account: AccountId", a.name, t.recipient, t.problem, t.reason,
            t.message_id AS "message: MessageId", t.gone_at
        FROM told t JOIN accounts a ON a.id = t.account_id
        "#,
    )
    .fetch_all(db)
    .await?;
    let told = rows.into_iter().map(|row| Told {
        account: row.account,
        name: row.name,
        recipient: row.recipient,
        problem: row.problem,
        reason: Reason::by_key(&row.reason),
        message: row.message,
        gone_at: row.gone_at,
    });
    Ok(told.collect())
}

/// Which problem of which account a recipient was told of.
#[derive(Clone, Copy, Debug)]
pub struct Of<'a> {
    pub account: AccountId,
    pub recipient: &'a str,
    pub problem: &'a str,
}

impl<'a> From<&'a Told> for Of<'a> {
    fn from(told: &'a Told) -> Self {
        Self { account: told.account, recipient: &told.recipient, problem: &told.problem }
    }
}

/// Writes down that a message tells of it; the first one to do so stays the first.
pub async fn note_told(
    db: impl PgExecutor<'_>,
    of: Of<'_>,
    reason: &str,
    message: MessageId,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO told (account_id, recipient, problem, reason, message_id, last_id, told_at)
        VALUES ($1, $2, $3, $4, $5, $5, $6)
        ON CONFLICT (account_id, recipient, problem) DO UPDATE SET
            reason = excluded.reason, last_id = excluded.last_id, told_at = excluded.told_at,
            gone_at = NULL
        "#,
        of.account as AccountId,
        of.recipient,
        of.problem,
        reason,
        message as MessageId,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// It is not open any more, or it is again.
pub async fn note_gone(
    db: impl PgExecutor<'_>,
    of: Of<'_>,
    gone_at: Option<DateTime<Utc>>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE told SET gone_at = $4 WHERE account_id = $1 AND recipient = $2 AND problem = $3",
        of.account as AccountId,
        of.recipient,
        of.problem,
        gone_at,
    )
    .execute(db)
    .await?;
    Ok(())
}

pub async fn forget(db: impl PgExecutor<'_>, of: Of<'_>) -> sqlx::Result<()> {
    sqlx::query!(
        "DELETE FROM told WHERE account_id = $1 AND recipient = $2 AND problem = $3",
        of.account as AccountId,
        of.recipient,
        of.problem,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Forgets what a channel was to tell and gave up on: it works again, and what is still open
/// is told anew.
pub async fn forget_given_up(db: impl PgExecutor<'_>, channel: ChannelId) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        DELETE FROM told t USING outbox o
        WHERE o.channel_id = $1 AND o.state = 'given-up'
            AND t.recipient = o.recipient AND t.last_id = o.id
        "#,
        channel as ChannelId,
    )
    .execute(db)
    .await?;
    Ok(())
}
