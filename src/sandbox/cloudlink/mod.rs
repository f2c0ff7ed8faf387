//! The pretend CloudLink: accounts, their phones, and webhooks about them.

mod admin;
mod authentication;
mod calls;
pub(super) mod delivery;
pub(super) mod publication;
mod subscriptions;

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use chrono::{DateTime, TimeDelta, Utc};

pub(super) use self::calls::{Asked, Caller, answer};
pub use self::publication::ContentShape;
pub use self::subscriptions::Subscription;

use self::publication::Publication;
use super::jwt::SigningKey;
use super::world::{Customer, Partner, Phone, World};
use crate::ids::{CloudlinkAccountId, CloudlinkUserId};

pub(super) struct Cloudlink {
    pub(super) partner: Partner,
    accounts: RwLock<Vec<Arc<Account>>>,
    places: HashMap<String, usize>,
    key: SigningKey,
    /// Users or accounts on a page at most.
    pub(super) page_size: AtomicUsize,
    pub(super) manners: Mutex<Manners>,
}

/// How CloudLink behaves, for whoever wants it otherwise than usual.
#[derive(Clone, Debug)]
pub struct Manners {
    /// The partner's client is refused: its secret was changed, say.
    pub refuse_partner: bool,
    pub token_lifetime: TimeDelta,
    /// `_links.next` as a path instead of a whole URL.
    pub relative_links: bool,
    /// How presence publications are shaped, which Mitel does not publish.
    pub content: ContentShape,
    /// Every publication is delivered so many times.
    pub copies: u32,
}

pub(super) struct Account {
    pub(super) id: CloudlinkAccountId,
    pub(super) number: String,
    pub(super) name: String,
    details: Details,
    state: Mutex<AccountState>,
}

/// What the Admin API says of an account beside its name.
struct Details {
    country: String,
    city: String,
    street: String,
    postal_code: String,
    language: String,
    contact: String,
}

#[derive(Default)]
pub(super) struct AccountState {
    users: Vec<User>,
    places: HashMap<CloudlinkUserId, usize>,
    pub(super) subscriptions: Vec<Subscription>,
    /// In place of the usual lifetime.
    pub(super) token_lifetime: Option<TimeDelta>,
    /// The partner may no longer act in this account.
    pub(super) refused: bool,
    pub(super) last_publication: Option<Publication>,
}

#[derive(Clone, Debug)]
pub(super) struct User {
    pub(super) phone: Arc<Phone>,
    pub(super) status: String,
    pub(super) since: DateTime<Utc>,
    removed: bool,
}

impl Default for Manners {
    fn default() -> Self {
        Self {
            refuse_partner: false,
            // As in the vendor's sample: an hour and a little.
            token_lifetime: TimeDelta::seconds(3_747),
            relative_links: false,
            content: ContentShape::Aggregate,
            copies: 1,
        }
    }
}

impl Cloudlink {
    pub(super) fn of(world: &World, now: DateTime<Utc>) -> Self {
        let accounts: Vec<_> =
            world.customers.iter().map(|customer| Arc::new(Account::of(customer, now))).collect();
        let mut places = HashMap::with_capacity(accounts.len() * 2);
        for (place, account) in accounts.iter().enumerate() {
            places.insert(account.id.to_string(), place);
            places.insert(account.number.clone(), place);
        }
        Self {
            partner: world.partner.clone(),
            accounts: RwLock::new(accounts),
            places,
            key: SigningKey::random(),
            page_size: AtomicUsize::new(1_000),
            manners: Mutex::default(),
        }
    }

    /// By GUID or by number.
    pub(super) fn account(&self, id: &str) -> Option<Arc<Account>> {
        let accounts = self.accounts.read().unwrap_or_else(PoisonError::into_inner);
        accounts.get(*self.places.get(id)?).cloned()
    }

    pub(super) fn accounts(&self) -> Vec<Arc<Account>> {
        self.accounts.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn manners(&self) -> MutexGuard<'_, Manners> {
        self.manners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn page_size(&self) -> usize {
        self.page_size.load(Ordering::Relaxed).max(1)
    }
}

impl Account {
    fn of(customer: &Customer, now: DateTime<Utc>) -> Self {
        let mut state = AccountState::default();
        for phone in &customer.phones {
            state.add(Arc::clone(phone), now);
        }
        Self {
            id: customer.account.clone(),
            number: customer.account_number.clone(),
            name: customer.name.clone(),
            details: Details {
                country: customer.country.clone(),
                city: customer.city.clone(),
                street: customer.street.clone(),
                postal_code: customer.postal_code.clone(),
                language: customer.language.clone(),
                contact: customer.contact.clone(),
            },
            state: Mutex::new(state),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, AccountState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AccountState {
    pub(super) fn users(&self) -> impl Iterator<Item = &User> {
        self.users.iter().filter(|user| !user.removed)
    }

    pub(super) fn user(&self, id: &CloudlinkUserId) -> Option<&User> {
        self.users.get(*self.places.get(id)?).filter(|user| !user.removed)
    }

    pub(super) fn user_mut(&mut self, id: &CloudlinkUserId) -> Option<&mut User> {
        self.users.get_mut(*self.places.get(id)?).filter(|user| !user.removed)
    }

    pub(super) fn add(&mut self, phone: Arc<Phone>, now: DateTime<Utc>) {
        self.places.insert(phone.user.clone(), self.users.len());
        self.users.push(User { phone, status: "available".to_owned(), since: now, removed: false });
    }

    pub(super) fn remove(&mut self, id: &CloudlinkUserId) -> bool {
        self.user_mut(id).map(|user| user.removed = true).is_some()
    }
}
