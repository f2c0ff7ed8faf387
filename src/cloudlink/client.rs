//! Asking CloudLink: accounts, users, subscriptions.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use url::Url;
use uuid::Uuid;

use super::ask::{Ask, Verb};
use super::wire::{self, Subscribe};
use super::{Cause, Cloudlink, Refusal, TOPIC, UNSAID};
use crate::ids::{CloudlinkAccountId, CloudlinkUserId, SubscriptionId};
use crate::kit::fresh::{Fetch, Held};
use crate::kit::secret::Secret;

/// A customer's account, as CloudLink knows it. What it does not say is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub id: CloudlinkAccountId,
    pub number: String,
    pub name: String,
    pub active: bool,
    pub country: String,
    /// The street.
    pub address: String,
    pub city: String,
    pub postal_code: String,
    /// A language tag such as `en-GB`.
    pub language: String,
    pub support_emails: Vec<String>,
}

/// A person with a telephone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub id: CloudlinkUserId,
    pub name: String,
    /// Empty when CloudLink knows none.
    pub email: String,
    pub extension: String,
}

/// Some of an account's users.
#[derive(Clone, Debug)]
pub struct Users {
    pub users: Vec<User>,
    /// Where there are more.
    pub next: Option<Url>,
}

/// A standing order for events.
#[derive(Clone, Debug)]
pub struct Subscription {
    pub id: SubscriptionId,
    /// Where its events go: the webhook's address, and in it the webhook's key.
    pub hook: Secret,
    pub topic: String,
    pub application: Option<Uuid>,
}

/// A page of 1,000 is well below this.
const LONGEST_PAGE: usize = 16 * 1024 * 1024;

/// How long a list that was read serves whoever searches in it.
const OF_LATE: TimeDelta = TimeDelta::seconds(30);

/// A collection with more pages than this leads in a circle.
pub const MOST_PAGES: usize = 2_000;

impl Cloudlink {
    /// The partner's accounts, all of them.
    pub async fn accounts(&self) -> Result<Vec<Account>, Refusal> {
        let ask = Ask::new("accounts", &self.credentials()?.partner_account);
        let url = self.place("admin", "/accounts?$top=1000")?;
        self.all(ask, url, wire::account).await
    }

    /// The same, as they were a moment ago: for somebody who searches in them letter by letter.
    pub async fn accounts_of_late(&self) -> Result<Arc<[Account]>, Refusal> {
        let now = self.0.clock.now();
        let fetch = || -> Fetch<'_, Arc<[Account]>, Refusal> {
            Box::pin(async move {
                let ends_at = now + OF_LATE;
                Ok(Held { value: self.accounts().await?.into(), renew_at: ends_at, ends_at })
            })
        };
        self.0.listed.get((), 0, now, fetch).await
    }

    /// One account, as a partner who looks after it sees it.
    pub async fn account(&self, account: &CloudlinkAccountId) -> Result<Account, Refusal> {
        const LONGEST: usize = 256 * 1024;
        let url = self.place("admin", &format!("/accounts/{account}"))?;
        let ask = Ask::new("account", account);
        let answer = self.ask(ask, Verb::<()>::Get, &url, LONGEST).await?;
        let account = serde_json::from_slice::<Value>(&answer).ok();
        account
            .as_ref()
            .and_then(wire::account)
            .ok_or_else(|| Refusal::new(Cause::Garbled, "what came is not an account"))
    }

    /// The same, and how far CloudLink's clock is ahead of ours, as far as an answer said.
    pub async fn account_and_time(
        &self,
        account: &CloudlinkAccountId,
    ) -> (Result<Account, Refusal>, Option<TimeDelta>) {
        self.0.ahead.store(UNSAID, Ordering::Relaxed);
        let answered = self.account(account).await;
        let ahead = self.0.ahead.load(Ordering::Relaxed);
        (answered, (ahead != UNSAID).then(|| TimeDelta::seconds(ahead)))
    }

    /// A page of an account's users: the first, or the one that `link` leads to.
    pub async fn users(
        &self,
        account: &CloudlinkAccountId,
        link: Option<&Url>,
    ) -> Result<Users, Refusal> {
        let ask = Ask::new("users", account);
        let url = match link {
            Some(link) => link.clone(),
            None => self.place("admin", &format!("/accounts/{account}/users?$top=1000"))?,
        };
        let page = self.page(ask, &url).await?;
        let users = page.items.iter().filter_map(wire::user).collect();
        Ok(Users { users, next: next_page(&url, page.next)? })
    }

    /// The account's subscriptions, ours and those of others.
    pub async fn subscriptions(
        &self,
        account: &CloudlinkAccountId,
    ) -> Result<Vec<Subscription>, Refusal> {
        let url = self.place("notifications", "/subscriptions")?;
        self.all(Ask::new("subscriptions", account), url, wire::subscription).await
    }

    /// Orders the presence events of a whole account to be sent to `hook`.
    pub async fn subscribe(
        &self,
        account: &CloudlinkAccountId,
        hook: &Url,
        application: Uuid,
    ) -> Result<SubscriptionId, Refusal> {
        const LONGEST: usize = 64 * 1024;
        let url = self.place("notifications", "/subscriptions")?;
        let order = Subscribe {
            application_id: application,
            device_id: hook.as_str(),
            transport: "webhook",
            topic: TOPIC,
            subject_filter: "/presentities/[^/]+$",
            method_filter: "PUT",
        };
        let ask = Ask::new("subscribe", account);
        let answer = self.ask(ask, Verb::Post(&order), &url, LONGEST).await?;
        let made = serde_json::from_slice::<Value>(&answer).ok();
        made.as_ref()
            .and_then(wire::subscription)
            .map(|made| made.id)
            .ok_or_else(|| Refusal::new(Cause::Garbled, "the new subscription has no id"))
    }

    /// Ends a subscription. One that is not there counts as ended.
    pub async fn unsubscribe(
        &self,
        account: &CloudlinkAccountId,
        subscription: &SubscriptionId,
    ) -> Result<(), Refusal> {
        const LONGEST: usize = 64 * 1024;
        let url = self.place("notifications", &format!("/subscriptions/{subscription}"))?;
        let ask = Ask::new("unsubscribe", account);
        match self.ask(ask, Verb::<()>::Delete, &url, LONGEST).await {
            Ok(_) => Ok(()),
            Err(refusal) if refusal.cause == Cause::Unknown => Ok(()),
            Err(refusal) => Err(refusal),
        }
    }

    /// Signs in as the partner and reads the first accounts.
    pub async fn test(&self) -> Result<(), Refusal> {
        let tried = self.try_it().await;
        let mut tested_at = self.0.tested_at.lock().unwrap_or_else(PoisonError::into_inner);
        *tested_at = tried.is_ok().then(|| self.0.clock.now());
        tried
    }

    async fn try_it(&self) -> Result<(), Refusal> {
        let ask = Ask::new("test", &self.credentials()?.partner_account);
        let url = self.place("admin", "/accounts?$top=1")?;
        self.page(ask, &url).await.map(|_| ())
    }

    /// When this node tested the connection last, if that went well.
    pub fn tested_at(&self) -> Option<DateTime<Utc>> {
        *self.0.tested_at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything in a collection that `read` makes something of, page after page.
    async fn all<T>(
        &self,
        ask: Ask<'_>,
        first: Url,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Result<Vec<T>, Refusal> {
        let mut all = Vec::new();
        let mut here = first;
        for _ in 0..MOST_PAGES {
            let page = self.page(ask, &here).await?;
            all.extend(page.items.iter().filter_map(&read));
            let Some(next) = next_page(&here, page.next)? else { return Ok(all) };
            here = next;
        }
        Err(Refusal::endless())
    }

    async fn page(&self, ask: Ask<'_>, url: &Url) -> Result<wire::Page, Refusal> {
        let body = self.ask(ask, Verb::<()>::Get, url, LONGEST_PAGE).await?;
        wire::page(&body)
            .map_err(|why| Refusal::new(Cause::Garbled, format!("the answer is of no use: {why}")))
    }
}

fn next_page(here: &Url, next: Option<String>) -> Result<Option<Url>, Refusal> {
    let Some(next) = next else { return Ok(None) };
    own_link(here, &next)
        .map(Some)
        .ok_or_else(|| Refusal::new(Cause::Garbled, "the next page is said to be on another host"))
}

/// Where a link on a page leads, if to the same host: following it anywhere else would hand our
/// token to whoever is there.
fn own_link(here: &Url, next: &str) -> Option<Url> {
    let next = here.join(next).ok()?;
    let same = next.origin() == here.origin()
        && next.username().is_empty()
        && next.password().is_none()
        && next != *here;
    same.then_some(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_followed_only_on_its_own_host() {
        let here = Url::parse("https://admin.api.mitel.io/2017-09-01/accounts?$top=1000").unwrap();
        let leads = |next: &str| own_link(&here, next).map(|url| url.to_string());
        let there = "https://admin.api.mitel.io/2017-09-01/accounts?$skip=2";
        assert_eq!(leads(there).as_deref(), Some(there));
        assert_eq!(leads("/2017-09-01/accounts?$skip=2").as_deref(), Some(there));
        assert_eq!(leads("accounts?$skip=2").as_deref(), Some(there));
        assert_eq!(leads("?$skip=2").as_deref(), Some(there));
        for elsewhere in [
            "https://evil.example/2017-09-01/accounts",
            "//evil.example/accounts",
            "http://admin.api.mitel.io/2017-09-01/accounts?$skip=2",
            "https://admin.api.mitel.io:444/2017-09-01/accounts",
            "https://ann:secret@admin.api.mitel.io/2017-09-01/accounts",
            "file:///etc/passwd",
            here.as_str(),
        ] {
            assert_eq!(leads(elsewhere), None, "{elsewhere}");
        }
    }
}
