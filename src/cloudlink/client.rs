//! Asking CloudLink: accounts, users, subscriptions.

use url::Url;
use uuid::Uuid;

use super::{Cause, Cloudlink, Refusal};
use crate::ids::{CloudlinkAccountId, CloudlinkUserId, SubscriptionId};

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

/// A standing order for events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    pub id: SubscriptionId,
    /// Where its events go: the webhook's address.
    pub hook: String,
    pub topic: String,
    pub application: Option<Uuid>,
}

impl Cloudlink {
    /// The partner's accounts, all of them.
    pub async fn accounts(&self) -> Result<Vec<Account>, Refusal> {
        self.not_yet().await.map(|()| Vec::new())
    }

    /// The users of an account, all of them.
    pub async fn users(&self, account: &CloudlinkAccountId) -> Result<Vec<User>, Refusal> {
        let _ = account;
        self.not_yet().await.map(|()| Vec::new())
    }

    pub async fn subscriptions(
        &self,
        account: &CloudlinkAccountId,
    ) -> Result<Vec<Subscription>, Refusal> {
        let _ = account;
        self.not_yet().await.map(|()| Vec::new())
    }

    /// Orders the presence events of a whole account to be sent to `hook`.
    pub async fn subscribe(
        &self,
        account: &CloudlinkAccountId,
        hook: &Url,
        application: Uuid,
    ) -> Result<SubscriptionId, Refusal> {
        let _ = (account, hook, application);
        self.not_yet().await.and(Err(Refusal::new(Cause::Unreachable, "not asked yet")))
    }

    /// Ends a subscription. One that is not there counts as ended.
    pub async fn unsubscribe(
        &self,
        account: &CloudlinkAccountId,
        subscription: &SubscriptionId,
    ) -> Result<(), Refusal> {
        let _ = (account, subscription);
        self.not_yet().await
    }

    /// Signs in as the partner and reads the first accounts.
    pub async fn test(&self) -> Result<(), Refusal> {
        self.not_yet().await
    }
}
