//! Channels, and what is sealed in them.

use anyhow::Context;
use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use crate::ids::{AccountId, ChannelId};
use crate::kit::secret::Sealed;
use crate::kit::token::TokenDigest;
use crate::notifications::Channel;

struct Row {
    id: ChannelId,
    account: Option<AccountId>,
    kind: String,
    name: String,
    recipients: Vec<String>,
    url_shown: String,
    failures: i32,
    failing_since: Option<DateTime<Utc>>,
    failure: String,
    created_at: DateTime<Utc>,
}

impl Row {
    fn channel(self) -> anyhow::Result<Channel> {
        Ok(Channel {
            id: self.id,
            account: self.account,
            kind: self.kind.parse().context("a kind in the database")?,
            name: self.name,
            recipients: self.recipients,
            url_shown: self.url_shown,
            failures: self.failures,
            failing_since: self.failing_since,
            failure: self.failure,
            created_at: self.created_at,
        })
    }
}

/// Those of one account, or of the partner, the oldest first; one of them alone if asked, so
/// that another's is not found.
pub async fn of(
    db: impl PgExecutor<'_>,
    account: Option<AccountId>,
    id: Option<ChannelId>,
) -> anyhow::Result<Vec<Channel>> {
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT id AS "id: ChannelId", account_id AS "account: AccountId", kind, name, recipients,
            url_shown, failures, failing_since, failure, created_at
        FROM channels
        WHERE account_id IS NOT DISTINCT FROM $1 AND ($2::uuid IS NULL OR id = $2)
        ORDER BY created_at, id
        "#,
        account as Option<AccountId>,
        id as Option<ChannelId>,
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Row::channel).collect()
}

/// Where a channel leads, as it is kept.
#[derive(Debug, Default)]
pub struct Place<'a> {
    pub recipients: &'a [String],
    pub url: Option<&'a Sealed>,
    pub url_shown: &'a str,
    pub url_digest: Option<&'a TokenDigest>,
}

#[derive(Debug)]
pub struct NewChannel<'a> {
    pub id: ChannelId,
    pub account: Option<AccountId>,
    pub kind: &'a str,
    pub name: &'a str,
    pub place: Place<'a>,
    pub signing_key: Option<&'a Sealed>,
}

/// Adds a channel. False when there are as many as there may be.
pub async fn insert(
    db: impl PgExecutor<'_>,
    new: NewChannel<'_>,
    most: i64,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        r#"
        INSERT INTO channels (id, account_id, kind, name, recipients, url, url_shown, url_digest,
            signing_key, created_at)
        SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10
        WHERE (SELECT count(*) FROM channels WHERE account_id IS NOT DISTINCT FROM $2) < $11
        "#,
        new.id as ChannelId,
        new.account as Option<AccountId>,
        new.kind,
        new.name,
        new.place.recipients,
        new.place.url as Option<&Sealed>,
        new.place.url_shown,
        new.place.url_digest as Option<&TokenDigest>,
        new.signing_key as Option<&Sealed>,
        now,
        most,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Changes a channel, and gives it a new chance. Without a URL it keeps the one it has.
pub async fn change(
    db: impl PgExecutor<'_>,
    id: ChannelId,
    name: &str,
    place: Place<'_>,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        UPDATE channels SET name = $2, recipients = $3, url = COALESCE($4, url),
            url_shown = CASE WHEN $4::bytea IS NULL THEN url_shown ELSE $5 END,
            url_digest = COALESCE($6, url_digest),
            failures = 0, failing_since = NULL, failure = ''
        WHERE id = $1
        "#,
        id as ChannelId,
        name,
        place.recipients,
        place.url as Option<&Sealed>,
        place.url_shown,
        place.url_digest as Option<&TokenDigest>,
    )
    .execute(db)
    .await?;
    Ok(())
}

pub async fn set_signing_key(
    db: impl PgExecutor<'_>,
    id: ChannelId,
    key: &Sealed,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE channels SET signing_key = $2 WHERE id = $1",
        id as ChannelId,
        key as &Sealed,
    )
    .execute(db)
    .await?;
    Ok(())
}

pub async fn remove(db: impl PgExecutor<'_>, id: ChannelId) -> sqlx::Result<bool> {
    let done =
        sqlx::query!("DELETE FROM channels WHERE id = $1", id as ChannelId).execute(db).await?;
    Ok(done.rows_affected() > 0)
}

/// A channel's sealed URL and signing key.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    pub url: Option<Sealed>,
    pub signing_key: Option<Sealed>,
}

pub async fn kept(db: impl PgExecutor<'_>, id: ChannelId) -> sqlx::Result<Option<Kept>> {
    sqlx::query_as!(
        Kept,
        r#"
        SELECT url AS "url: Sealed", signing_key AS "signing_key: Sealed"
        FROM channels WHERE id = $1
        "#,
        id as ChannelId,
    )
    .fetch_optional(db)
    .await
}

/// Something was taken. True when the channel had failed before.
pub async fn note_taken(db: impl PgExecutor<'_>, id: ChannelId) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        r#"
        UPDATE channels SET failures = 0, failing_since = NULL, failure = ''
        WHERE id = $1 AND failing_since IS NOT NULL
        "#,
        id as ChannelId,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() > 0)
}

pub async fn note_refused(
    db: impl PgExecutor<'_>,
    id: ChannelId,
    answer: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        UPDATE channels SET failures = failures + 1,
            failing_since = COALESCE(failing_since, $3), failure = $2
        WHERE id = $1
        "#,
        id as ChannelId,
        answer,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}
