//! Handing messages over: claimed by one node at a time, tried until taken or given up.

use anyhow::Context;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use chrono::TimeDelta;
use futures_util::future::join_all;

use super::message::{Message, link};
use super::store::channels::{self, Kept};
use super::store::outbox::{self, Claimed, Outcome, Parcel};
use super::store::told;
use super::{Channel, Kind, key_owner, pace, url_owner, words};
use crate::ids::{AccountId, ChannelId, MessageId};
use crate::kit::email::Email;
use crate::post::{Letter, Refused, Taken, sign};
use crate::state::AppState;

/// Longer than any attempt takes: after that its node is gone.
const CLAIM: TimeDelta = TimeDelta::minutes(2);
const AT_ONCE: i64 = 8;

/// Hands over what is due, a few at once; how many were tried.
pub async fn deliver(app: &AppState) -> anyhow::Result<usize> {
    let claimed = outbox::claim(&app.db, AT_ONCE, app.clock.now(), CLAIM).await?;
    let done = join_all(claimed.iter().map(|claimed| attempt(app, claimed))).await;
    done.into_iter().collect::<anyhow::Result<Vec<()>>>()?;
    Ok(claimed.len())
}

async fn attempt(app: &AppState, claimed: &Claimed) -> anyhow::Result<()> {
    let way = Way {
        channel: claimed.channel,
        account: claimed.account,
        kind: claimed.kind,
        name: &claimed.channel_name,
        kept: &claimed.kept,
    };
    let answer = way.hand_over(app, &claimed.address, &claimed.message, claimed.after).await;
    let now = app.clock.now();
    let (outcome, said) = match &answer {
        Ok(Taken { answer }) => (Outcome::Delivered, answer),
        Err(refused) => {
            let next = pace::next(refused, claimed.attempts, claimed.created_at, now);
            (next.map_or(Outcome::GivenUp, Outcome::Again), &refused.answer)
        }
    };
    let mut tx = app.db.begin().await?;
    let attempt = (claimed.message.id, claimed.attempts);
    if outbox::note(&mut *tx, attempt, outcome, said).await? {
        note_health(&mut tx, app, claimed.channel, &answer).await?;
    }
    tx.commit().await?;
    if outcome == Outcome::GivenUp {
        tracing::warn!(channel.id = %claimed.channel, "a message was given up: {said}");
    }
    Ok(())
}

/// What an attempt says of the channel. One that works again tells what it could not.
async fn note_health(
    tx: &mut sqlx::PgConnection,
    app: &AppState,
    channel: ChannelId,
    answer: &Result<Taken, Refused>,
) -> sqlx::Result<()> {
    let now = app.clock.now();
    match answer {
        Ok(_) => {
            if channels::note_taken(&mut *tx, channel).await? {
                told::forget_given_up(&mut *tx, channel).await?;
                outbox::hurry(&mut *tx, channel, now).await?;
            }
        }
        Err(refused) => channels::note_refused(&mut *tx, channel, &refused.answer, now).await?,
    }
    Ok(())
}

/// What came of a test, recipient by recipient: the address, and what was answered.
pub type Tried = Vec<(String, Result<Taken, Refused>)>;

/// **Send a test**: at once, to every recipient of the channel.
pub async fn send_test(app: &AppState, channel: &Channel) -> anyhow::Result<Tried> {
    let kept = channels::kept(&app.db, channel.id).await?.unwrap_or_default();
    let way = Way {
        channel: channel.id,
        account: channel.account,
        kind: channel.kind,
        name: &channel.name,
        kept: &kept,
    };
    let addresses = match channel.kind {
        Kind::Mail => channel.recipients.clone(),
        _ => vec![String::new()],
    };
    let now = app.clock.now();
    let tests: Vec<_> = addresses.iter().map(|_| Message::test(&app.config, now)).collect();
    let sending = addresses.iter().zip(&tests);
    let answers = join_all(sending.map(|(to, test)| way.hand_over(app, to, test, None))).await;

    let mut tx = app.db.begin().await?;
    for ((address, message), answer) in addresses.iter().zip(&tests).zip(&answers) {
        let (outcome, said) = match answer {
            Ok(taken) => (Outcome::Delivered, &taken.answer),
            Err(refused) => (Outcome::GivenUp, &refused.answer),
        };
        // A test tells of nothing: nobody looks for it by its recipient.
        let parcel = Parcel { channel: channel.id, address, recipient: "", message, after: None };
        outbox::note_tried(&mut *tx, parcel, outcome, said).await?;
        note_health(&mut tx, app, channel.id, answer).await?;
    }
    tx.commit().await?;
    Ok(addresses.into_iter().zip(answers).collect())
}

/// A channel, as far as handing something over needs it.
struct Way<'a> {
    channel: ChannelId,
    account: Option<AccountId>,
    kind: Kind,
    name: &'a str,
    kept: &'a Kept,
}

impl Way<'_> {
    async fn hand_over(
        &self,
        app: &AppState,
        address: &str,
        message: &Message,
        after: Option<MessageId>,
    ) -> Result<Taken, Refused> {
        // Ours to fix, and no secret in it: the channel shows it as it shows every refusal.
        let ours = |error: anyhow::Error| Refused {
            answer: format!("It could not be sent: {error}"),
            lasting: true,
            retry_after: None,
        };
        match self.kind {
            Kind::Mail => {
                let to = Email::parse(address).map_err(|error| ours(error.into()))?;
                let managed = link(&app.config.public_url, &self.page());
                let text = words::letter(message, self.name, &managed);
                let subject = message.subject();
                let id = message.id;
                let letter = Letter { id, to: &to, subject: &subject, text: &text, after };
                app.post.mail.send(letter).await
            }
            kind => {
                let now = app.clock.now();
                let url = self.url(app).map_err(ours)?;
                let body = words::body(kind, message).map_err(ours)?;
                let headers = self.headers(app, message, &body).map_err(ours)?;
                app.post.hooks.send(&url, headers, body, now).await
            }
        }
    }

    /// Where the channel is managed.
    fn page(&self) -> String {
        match self.account {
            Some(account) => format!("/accounts/{account}/notifications/{}", self.channel),
            None => format!("/settings/notifications/{}", self.channel),
        }
    }

    fn url(&self, app: &AppState) -> anyhow::Result<crate::post::HookUrl> {
        let sealed = self.kept.url.as_ref().context("it has no URL")?;
        let url = app.sealer.open(&url_owner(self.channel), sealed)?;
        Ok(app.post.hooks.parse(&url)?)
    }

    fn headers(&self, app: &AppState, message: &Message, body: &[u8]) -> anyhow::Result<HeaderMap> {
        let mut headers = HeaderMap::new();
        let mut set = |name, value: &str| -> anyhow::Result<()> {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value)?);
            Ok(())
        };
        let now = app.clock.now();
        set("webhook-id", &message.id.to_string())?;
        set("webhook-timestamp", &now.timestamp().to_string())?;
        set("x-presence-portal-event", message.event.as_str())?;
        if let Some(sealed) = &self.kept.signing_key {
            let key = app.sealer.open(&key_owner(self.channel), sealed)?;
            set("webhook-signature", &sign::signature(&key, message.id, now, body)?)?;
        }
        Ok(headers)
    }
}
