//! The phones, and how CloudLink tells of them.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::super::cloudlink::delivery::Deliveries;
use super::super::cloudlink::publication::Publication;
use super::super::cloudlink::{Account, Manners, Subscription};
use super::super::storm::Storm;
use super::super::world::Phone;
use super::{Controls, NotThere};
use crate::ids::{CloudlinkAccountId, CloudlinkUserId};

/// What a phone is doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PhoneState {
    pub status: String,
    pub since: DateTime<Utc>,
}

impl Controls {
    pub fn lift(
        &self,
        account: &CloudlinkAccountId,
        user: &CloudlinkUserId,
    ) -> Result<(), NotThere> {
        self.phone(account, user, "onCall")
    }

    pub fn ring(
        &self,
        account: &CloudlinkAccountId,
        user: &CloudlinkUserId,
    ) -> Result<(), NotThere> {
        self.phone(account, user, "ringing")
    }

    pub fn hang_up(
        &self,
        account: &CloudlinkAccountId,
        user: &CloudlinkUserId,
    ) -> Result<(), NotThere> {
        self.phone(account, user, "available")
    }

    /// Puts a phone into a state, whatever it is called, and tells the subscribers.
    pub fn phone(
        &self,
        account: &CloudlinkAccountId,
        user: &CloudlinkUserId,
        status: &str,
    ) -> Result<(), NotThere> {
        self.phone_since(account, user, status, self.now())
    }

    /// As `phone`, with the time at which it is said to have happened: an event that comes late.
    pub fn phone_since(
        &self,
        account: &CloudlinkAccountId,
        user: &CloudlinkUserId,
        status: &str,
        entered_on: DateTime<Utc>,
    ) -> Result<(), NotThere> {
        let account = self.account(account)?;
        if let Some(user) = account.state().user_mut(user) {
            status.clone_into(&mut user.status);
            user.since = entered_on;
        } else {
            return Err(NotThere(format!("phone {user}")));
        }
        self.publish(&account, user, status, entered_on);
        Ok(())
    }

    /// Tells of somebody CloudLink's own list of users does not have.
    pub fn phone_of_stranger(
        &self,
        account: &CloudlinkAccountId,
        user: &CloudlinkUserId,
        status: &str,
    ) -> Result<(), NotThere> {
        let account = self.account(account)?;
        self.publish(&account, user, status, self.now());
        Ok(())
    }

    fn publish(
        &self,
        account: &Arc<Account>,
        user: &CloudlinkUserId,
        status: &str,
        entered_on: DateTime<Utc>,
    ) {
        let publication = Publication {
            id: Uuid::new_v4(),
            account: account.id.clone(),
            user: user.clone(),
            status: status.to_owned(),
            entered_on,
            published_on: self.now(),
        };
        self.0.outbox.publish(self.cloudlink(), account, &publication);
        self.poke();
    }

    /// Delivers the account's last publication once more, under the same id.
    pub fn repeat_last(&self, account: &CloudlinkAccountId) -> Result<(), NotThere> {
        let account = self.account(account)?;
        let last = account.state().last_publication.clone();
        let last = last.ok_or_else(|| NotThere("publication yet".to_owned()))?;
        self.0.outbox.publish(self.cloudlink(), &account, &last);
        Ok(())
    }

    /// Sets off many changes; they go on by themselves until all are made.
    pub fn storm(&self, storm: Storm) {
        self.0.storms.order(storm);
    }

    pub fn phone_state(
        &self,
        account: &CloudlinkAccountId,
        user: &CloudlinkUserId,
    ) -> Option<PhoneState> {
        let account = self.account(account).ok()?;
        let state = account.state();
        let user = state.user(user)?;
        Some(PhoneState { status: user.status.clone(), since: user.since })
    }

    /// Everybody with a phone in this account, and what it does.
    pub fn phones(
        &self,
        account: &CloudlinkAccountId,
    ) -> Result<Vec<(Phone, PhoneState)>, NotThere> {
        let account = self.account(account)?;
        let state = account.state();
        let phones = state.users().map(|user| {
            (
                Phone::clone(&user.phone),
                PhoneState { status: user.status.clone(), since: user.since },
            )
        });
        Ok(phones.collect())
    }

    pub fn add_phone(&self, account: &CloudlinkAccountId, phone: Phone) -> Result<(), NotThere> {
        self.account(account)?.state().add(Arc::new(phone), self.now());
        self.poke();
        Ok(())
    }

    /// Changes what CloudLink knows of somebody, such as the address.
    pub fn change_phone(
        &self,
        account: &CloudlinkAccountId,
        user: &CloudlinkUserId,
        change: impl FnOnce(&mut Phone),
    ) -> Result<(), NotThere> {
        let account = self.account(account)?;
        let mut state = account.state();
        let found = state.user_mut(user).ok_or_else(|| NotThere(format!("phone {user}")))?;
        change(Arc::make_mut(&mut found.phone));
        drop(state);
        self.poke();
        Ok(())
    }

    pub fn remove_phone(
        &self,
        account: &CloudlinkAccountId,
        user: &CloudlinkUserId,
    ) -> Result<(), NotThere> {
        let there = self.account(account)?.state().remove(user);
        self.poke();
        there.then_some(()).ok_or_else(|| NotThere(format!("phone {user}")))
    }

    pub fn subscriptions(&self, account: &CloudlinkAccountId) -> Vec<Subscription> {
        self.account(account)
            .map(|account| account.state().subscriptions.clone())
            .unwrap_or_default()
    }

    /// Forgets the account's subscriptions without a word to anybody.
    pub fn drop_subscriptions(&self, account: &CloudlinkAccountId) -> Result<(), NotThere> {
        self.account(account)?.state().subscriptions.clear();
        self.poke();
        Ok(())
    }

    /// The account's subscriptions deliver nothing any more, though they are listed as before.
    pub fn deafen_subscriptions(&self, account: &CloudlinkAccountId) -> Result<(), NotThere> {
        let account = self.account(account)?;
        account.state().subscriptions.iter_mut().for_each(|one| one.deaf = true);
        Ok(())
    }

    /// Makes a second subscription like each there is, as a lost answer to the first would have.
    pub fn double_subscriptions(&self, account: &CloudlinkAccountId) -> Result<(), NotThere> {
        let account = self.account(account)?;
        let mut state = account.state();
        let twins: Vec<Subscription> = state
            .subscriptions
            .iter()
            .map(|one| Subscription { id: Uuid::new_v4().to_string(), ..one.clone() })
            .collect();
        state.subscriptions.extend(twins);
        Ok(())
    }

    /// CloudLink no longer lets the partner act in this account, or does so again.
    pub fn refuse_account(
        &self,
        account: &CloudlinkAccountId,
        refused: bool,
    ) -> Result<(), NotThere> {
        self.account(account)?.state().refused = refused;
        self.poke();
        Ok(())
    }

    pub fn refuses(&self, account: &CloudlinkAccountId) -> bool {
        self.account(account).is_ok_and(|account| account.state().refused)
    }

    /// How long a CloudLink token for this account lasts.
    pub fn cloudlink_token_lifetime(
        &self,
        account: &CloudlinkAccountId,
        lifetime: TimeDelta,
    ) -> Result<(), NotThere> {
        self.account(account)?.state().token_lifetime = Some(lifetime);
        Ok(())
    }

    /// Changes how CloudLink behaves as a whole.
    pub fn cloudlink_manners(&self, change: impl FnOnce(&mut Manners)) {
        change(&mut self.cloudlink().manners());
        self.poke();
    }

    /// How many accounts or users CloudLink puts on a page at most.
    pub fn cloudlink_page_size(&self, size: usize) {
        self.cloudlink().page_size.store(size, std::sync::atomic::Ordering::Relaxed);
    }

    pub fn deliveries(&self) -> Deliveries {
        self.0.outbox.deliveries()
    }

    /// How long the first repetition of a failed delivery waits; each further one twice as long.
    pub fn retry_deliveries_after(&self, first: Duration) {
        *self.0.outbox.first_rest.lock().unwrap_or_else(PoisonError::into_inner) = first;
    }

    pub(in crate::sandbox) fn account(
        &self,
        id: &CloudlinkAccountId,
    ) -> Result<Arc<Account>, NotThere> {
        self.cloudlink().account(id.as_str()).ok_or_else(|| NotThere(format!("account {id}")))
    }
}
