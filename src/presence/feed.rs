//! Looking after an account's subscription to CloudLink's events.

use chrono::{DateTime, TimeDelta, Utc};
use metrics::counter;
use url::Url;
use uuid::Uuid;

use super::figures;
use super::problem::Problem;
use super::shared::Shared;
use super::store::feed::{self as store, Feed};
use super::store::health;
use super::trouble::{Side, Trouble};
use crate::cloudlink::{self, Subscription};
use crate::ids::{AccountId, SubscriptionId};
use crate::kit::secret::Secret;
use crate::state::AppState;

/// For whom a webhook's key is sealed.
pub fn key_owner(account: AccountId) -> String {
    format!("hook/{account}")
}

/// Makes sure that there is one subscription of ours, and only one.
///
/// One that had gone missing is made anew and said to have been missing, until the next look
/// finds it in its place. One that has been silent for long is made anew, too, without a word.
pub async fn look_after(shared: &Shared, account: AccountId) -> Result<(), Problem> {
    let outcome = make_sure(shared, account).await;
    let result = if outcome.is_ok() { "done" } else { "failed" };
    counter!(figures::SUBSCRIPTION_CHECKS, "result" => result).increment(1);
    outcome
}

async fn make_sure(shared: &Shared, account: AccountId) -> Result<(), Problem> {
    let (db, cloudlink) = (&shared.app.db, &shared.app.cloudlink);
    let Some(feed) = store::feed(db, account).await? else { return Ok(()) };
    let hook = hook(&shared.app, account, &feed)?;
    let found = cloudlink.subscriptions(&feed.cloudlink_id).await?;
    let (ours, others) = sort_out(found, &feed, &hook, account);
    for extra in others {
        tracing::info!(account.id = %account, subscription.id = %extra, "a duplicate subscription is ended");
        cloudlink.unsubscribe(&feed.cloudlink_id, &extra).await?;
    }
    let now = shared.app.clock.now();
    let (kept, worn) = match ours {
        Some(id) if is_worn(&feed, now) => (None, Some(id)),
        ours => (ours, None),
    };
    let made = kept.is_none();
    let id = match kept {
        Some(id) => id,
        None => cloudlink.subscribe(&feed.cloudlink_id, &hook, account.into()).await?,
    };
    store::note_subscription(db, account, Some(&id), made, now).await?;
    // Only now: what is published in between comes twice, and counts once.
    if let Some(worn) = worn.as_ref().filter(|worn| **worn != id) {
        tracing::info!(account.id = %account, "after a long silence the subscription is made anew");
        cloudlink.unsubscribe(&feed.cloudlink_id, worn).await?;
    }
    if made && worn.is_none() && feed.subscription.is_some() {
        tracing::warn!(account.id = %account, "CloudLink had lost our subscription; it was made again");
        let trouble = Trouble::FeedSilent;
        let said = (trouble.key(), trouble.needs_person(), "CloudLink had lost our subscription.");
        health::note_trouble(db, account, Side::Feed, said, now).await?;
    } else {
        health::clear_trouble(db, account, Side::Feed).await?;
    }
    Ok(())
}

/// Whether a subscription has been silent for so long that it may be one in name only.
///
/// Nobody can tell that from people who do not telephone, and CloudLink has no question that
/// would. So it is made anew, after an hour of silence, and again each time the silence has
/// doubled since: a handful of requests in a quiet night, and no false alarm.
fn is_worn(feed: &Feed, now: DateTime<Utc>) -> bool {
    let Some(made) = feed.made_at else { return false };
    let last = feed.last_event_at.unwrap_or(made - A_DAY);
    let silent_when_made = (made - last).max(TimeDelta::zero());
    now - made.max(last) >= SILENCE.max(silent_when_made)
}

const SILENCE: TimeDelta = TimeDelta::hours(1);
const A_DAY: TimeDelta = TimeDelta::hours(24);

/// What there is of an account's subscription, looked at and left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Those of ours that lead to our webhook as it is now.
    pub leading_here: usize,
    /// Those that lead elsewhere: to a key or an address of before.
    pub stale: usize,
    pub last_event_at: Option<chrono::DateTime<chrono::Utc>>,
}

/// Looks for an account's subscription. None while nobody works for the account.
pub async fn look(
    app: &AppState,
    account: AccountId,
) -> anyhow::Result<Option<Result<Seen, cloudlink::Refusal>>> {
    let Some(feed) = store::feed(&app.db, account).await? else { return Ok(None) };
    let hook = hook(app, account, &feed)?;
    let found = match app.cloudlink.subscriptions(&feed.cloudlink_id).await {
        Ok(found) => found,
        Err(refusal) => return Ok(Some(Err(refusal))),
    };
    let leads_here = |one: &&Subscription| one.hook.reveal() == hook.as_str();
    let leading_here = found.iter().filter(leads_here).count();
    let ours = found.iter().filter(|one| one.application == Some(Uuid::from(account)));
    let stale = ours.filter(|one| !leads_here(one)).count();
    Ok(Some(Ok(Seen { leading_here, stale, last_event_at: feed.last_event_at })))
}

/// Ends every subscription of ours.
pub async fn end(shared: &Shared, account: AccountId) -> Result<(), Problem> {
    let (db, cloudlink) = (&shared.app.db, &shared.app.cloudlink);
    let Some(feed) = store::feed(db, account).await? else { return Ok(()) };
    if !cloudlink.is_configured() {
        return Ok(());
    }
    let hook = hook(&shared.app, account, &feed)?;
    let found = cloudlink.subscriptions(&feed.cloudlink_id).await?;
    let (ours, others) = sort_out(found, &feed, &hook, account);
    for id in ours.into_iter().chain(others) {
        cloudlink.unsubscribe(&feed.cloudlink_id, &id).await?;
    }
    store::note_subscription(db, account, None, false, shared.app.clock.now()).await?;
    Ok(())
}

/// The one subscription to keep, and the others of ours.
///
/// Ours are those that lead to our webhook, or were made under our application id (with a key
/// that has been forgotten since, or a public URL that has changed).
fn sort_out(
    found: Vec<Subscription>,
    feed: &Feed,
    hook: &Url,
    account: AccountId,
) -> (Option<SubscriptionId>, Vec<SubscriptionId>) {
    let application = Uuid::from(account);
    let leads_here = |one: &Subscription| one.hook.reveal() == hook.as_str();
    let (good, stale): (Vec<_>, Vec<_>) = found
        .into_iter()
        .filter(|one| leads_here(one) || one.application == Some(application))
        .partition(leads_here);
    let known = good.iter().position(|one| Some(&one.id) == feed.subscription.as_ref());
    let mut good: Vec<_> = good.into_iter().map(|one| one.id).collect();
    let keep = if good.is_empty() { None } else { Some(good.swap_remove(known.unwrap_or(0))) };
    good.extend(stale.into_iter().map(|one| one.id));
    (keep, good)
}

fn hook(app: &AppState, account: AccountId, feed: &Feed) -> anyhow::Result<Url> {
    let key: Secret = app.sealer.open(&key_owner(account), &feed.hook_key)?;
    let mut hook = app.config.public_url.clone();
    let path = format!("{}/hooks/cloudlink/{}", hook.path().trim_end_matches('/'), key.reveal());
    hook.set_path(&path);
    Ok(hook)
}
