//! Messages on their way, and what became of those before.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{PgExecutor, PgPool};

use super::channels::Kept;
use crate::ids::{AccountId, ChannelId, MessageId};
use crate::kit::secret::Sealed;
use crate::notifications::Kind;
use crate::notifications::message::Message;

/// A message to one recipient.
#[derive(Debug)]
pub struct Parcel<'a> {
    pub channel: ChannelId,
    pub address: &'a str,
    pub recipient: &'a str,
    pub message: &'a Message,
    pub after: Option<MessageId>,
}

/// Puts a message into the outbox.
pub async fn post(db: impl PgExecutor<'_>, parcel: Parcel<'_>) -> anyhow::Result<()> {
    let message = parcel.message;
    sqlx::query!(
        r#"
        INSERT INTO outbox (id, channel_id, address, recipient, subject, message, after_id, state,
            created_at, due_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, 'waiting', $8, $8)
        "#,
        message.id as MessageId,
        parcel.channel as ChannelId,
        parcel.address,
        parcel.recipient,
        message.subject(),
        serde_json::to_value(message)?,
        parcel.after as Option<MessageId>,
        message.at,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A message that is ours to hand over until the claim runs out, and the channel it goes by.
#[derive(Debug)]
pub struct Claimed {
    pub channel: ChannelId,
    pub account: Option<AccountId>,
    pub kind: Kind,
    pub channel_name: String,
    pub address: String,
    pub message: Message,
    pub after: Option<MessageId>,
    pub attempts: i32,
    pub created_at: DateTime<Utc>,
    pub kept: Kept,
}

/// Claims messages that are due, and counts the attempt. To one address they go in the order
/// in which they were made: the end of a problem never comes before its beginning. One that we
/// cannot read is given up, and the others go on.
pub async fn claim(
    db: &PgPool,
    most: i64,
    now: DateTime<Utc>,
    claim: TimeDelta,
) -> anyhow::Result<Vec<Claimed>> {
    let rows = sqlx::query!(
        r#"
        WITH ours AS (
            SELECT id FROM outbox w
            WHERE state = 'waiting' AND due_at <= $1
                AND (claimed_until IS NULL OR claimed_until <= $1)
                AND NOT EXISTS (SELECT FROM outbox e WHERE e.state = 'waiting'
                    AND e.channel_id = w.channel_id AND e.address = w.address AND e.id < w.id)
            ORDER BY due_at LIMIT $3
            FOR UPDATE SKIP LOCKED
        )
        UPDATE outbox o SET claimed_until = $2, attempts = o.attempts + 1, tried_at = $1
        FROM ours, channels c
        WHERE o.id = ours.id AND c.id = o.channel_id
        RETURNING o.id AS "id: MessageId", o.channel_id AS "channel: ChannelId", c.account_id AS "account: AccountId",
            c.kind, c.name, o.address, o.message, o.after_id AS "after: MessageId", o.attempts,
            o.created_at, c.url AS "url: Sealed", c.signing_key AS "signing_key: Sealed"
        "#,
        now,
        now + claim,
        most,
    )
    .fetch_all(db)
    .await?;
    let mut claimed = Vec::with_capacity(rows.len());
    for row in rows {
        let read = (row.kind.parse::<Kind>(), serde_json::from_value::<Message>(row.message));
        let (Ok(kind), Ok(message)) = read else {
            tracing::error!(message.id = %row.id, "a message that cannot be read is given up");
            let why = "It was written by another release of the portal, and cannot be read.";
            note(db, (row.id, row.attempts), Outcome::GivenUp, why).await?;
            continue;
        };
        claimed.push(Claimed {
            channel: row.channel,
            account: row.account,
            kind,
            channel_name: row.name,
            address: row.address,
            message,
            after: row.after,
            attempts: row.attempts,
            created_at: row.created_at,
            kept: Kept { url: row.url, signing_key: row.signing_key },
        });
    }
    Ok(claimed)
}

/// What came of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Delivered,
    Again(DateTime<Utc>),
    GivenUp,
}

impl Outcome {
    fn state(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Again(_) => "waiting",
            Self::GivenUp => "given-up",
        }
    }
}

/// Writes down what came of an attempt, unless somebody else has made another since.
pub async fn note(
    db: impl PgExecutor<'_>,
    (id, attempts): (MessageId, i32),
    outcome: Outcome,
    answer: &str,
) -> sqlx::Result<bool> {
    let due = match outcome {
        Outcome::Again(due) => Some(due),
        Outcome::Delivered | Outcome::GivenUp => None,
    };
    let done = sqlx::query!(
        r#"
        UPDATE outbox SET state = $3, answer = $4, due_at = COALESCE($5, due_at),
            claimed_until = NULL
        WHERE id = $1 AND attempts = $2 AND state = 'waiting'
        "#,
        id as MessageId,
        attempts,
        outcome.state(),
        answer,
        due,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Writes down a message that was handed over at once, or could not be.
pub async fn note_tried(
    db: impl PgExecutor<'_>,
    parcel: Parcel<'_>,
    outcome: Outcome,
    answer: &str,
) -> anyhow::Result<()> {
    let message = parcel.message;
    sqlx::query!(
        r#"
        INSERT INTO outbox (id, channel_id, address, recipient, subject, message, state,
            created_at, due_at, attempts, tried_at, answer)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, 1, $8, $9)
        "#,
        message.id as MessageId,
        parcel.channel as ChannelId,
        parcel.address,
        parcel.recipient,
        message.subject(),
        serde_json::to_value(message)?,
        outcome.state(),
        message.at,
        answer,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The channel works again, or leads somewhere else: what waits need not wait longer.
pub async fn hurry(
    db: impl PgExecutor<'_>,
    channel: ChannelId,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE outbox SET due_at = least(due_at, $2) WHERE channel_id = $1 AND state = 'waiting'",
        channel as ChannelId,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Forgets what waits for addresses that a channel does not have any more.
pub async fn drop_strangers(
    db: impl PgExecutor<'_>,
    channel: ChannelId,
    recipients: &[String],
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        DELETE FROM outbox
        WHERE channel_id = $1 AND state = 'waiting' AND address <> '' AND address <> ALL($2)
        "#,
        channel as ChannelId,
        recipients,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A message, as a page lists it.
#[derive(Clone, Debug)]
pub struct Delivery {
    pub channel: ChannelId,
    pub channel_name: String,
    pub address: String,
    pub subject: String,
    pub state: String,
    pub created_at: DateTime<Utc>,
    pub tried_at: Option<DateTime<Utc>>,
    pub due_at: DateTime<Utc>,
    pub attempts: i32,
    pub answer: String,
}

/// The newest messages of an account's channels, or of the partner's; of one channel alone if
/// asked.
pub async fn latest(
    db: impl PgExecutor<'_>,
    account: Option<AccountId>,
    channel: Option<ChannelId>,
    most: i64,
) -> sqlx::Result<Vec<Delivery>> {
    sqlx::query_as!(
        Delivery,
        r#"
        SELECT o.channel_id AS "channel: ChannelId", c.name AS channel_name, o.address, o.subject,
            o.state, o.created_at, o.tried_at, o.due_at, o.attempts, o.answer
        FROM outbox o JOIN channels c ON c.id = o.channel_id
        WHERE c.account_id IS NOT DISTINCT FROM $1 AND ($2::uuid IS NULL OR c.id = $2)
        ORDER BY o.id DESC LIMIT $3
        "#,
        account as Option<AccountId>,
        channel as Option<ChannelId>,
        most,
    )
    .fetch_all(db)
    .await
}

/// Forgets messages that ended before this.
pub async fn forget_ended(db: impl PgExecutor<'_>, before: DateTime<Utc>) -> sqlx::Result<u64> {
    let done =
        sqlx::query!("DELETE FROM outbox WHERE state <> 'waiting' AND created_at < $1", before,)
            .execute(db)
            .await?;
    Ok(done.rows_affected())
}
