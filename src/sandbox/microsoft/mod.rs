//! The pretend Microsoft 365: a login, a directory and a presence service for each tenant.
//!
//! Everything of one tenant lies behind one lock of its own, so tenants do not wait for each other.

mod answers;
pub(super) mod apps;
pub(super) mod assertion;
mod delta;
pub(super) mod directory;
mod discovery;
mod graph;
mod login;
pub(super) mod presence;
mod presence_calls;
pub(super) mod quota;
mod sign_in;
mod tokens;
mod users;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use uuid::Uuid;

pub(super) use self::discovery::answer as answer_discovery;
pub(super) use self::graph::{Asked, Caller, answer as answer_graph};
pub(super) use self::login::answer as answer_login;
pub(super) use self::presence_calls::usual_preference;

use self::apps::{Registration, Standing, Uses};
use self::directory::Directory;
use self::presence::Presence;
use self::quota::{Limit, Quota};
use super::jwt::SigningKey;
use super::world::{Customer, World};
use crate::ids::{ClientId, EntraUserId, TenantId};

pub(super) struct Microsoft {
    tenants: RwLock<HashMap<TenantId, Arc<Tenant>>>,
    key: SigningKey,
}

pub(super) struct Tenant {
    pub(super) id: TenantId,
    pub(super) name: String,
    pub(super) domain: String,
    pub(super) graph_host: &'static str,
    state: Mutex<TenantState>,
}

pub(super) struct TenantState {
    /// The portal's own registration comes first.
    pub(super) apps: Vec<Registration>,
    pub(super) directory: Directory,
    pub(super) presence: HashMap<EntraUserId, Presence>,
    pub(super) manners: Manners,
    pub(super) tally: Tally,
    quotas: HashMap<ClientId, Quotas>,
}

struct Quotas {
    presence: Quota,
    directory: Quota,
}

/// How a tenant behaves, for whoever wants it otherwise than usual.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct Manners {
    /// Login and Graph know of no such tenant.
    pub unknown: bool,
    /// A Conditional Access policy blocks the app.
    pub conditional_access: bool,
    /// Login is in passing trouble of its own (AADSTS90033).
    pub login_trouble: bool,
    pub token_lifetime: TimeDelta,
    /// Tokens that nobody can read: "treat them as unknown".
    pub opaque_tokens: bool,
    /// Tokens of an older generation are refused.
    pub token_generation: u32,
    pub presence_limit: Limit,
    pub directory_limit: Limit,
    /// `Retry-After` with a fraction, as older copies of the pages show it.
    pub fractional_retry_after: bool,
    /// 429 without `Retry-After`.
    pub silent_about_retry: bool,
    /// Users on a page of `/users/delta`, and of `/users` at most.
    pub page_size: usize,
    /// Deltas with an empty page and with somebody twice, as Graph may send them.
    pub awkward_delta: bool,
    /// Links into the directory are `https`: somebody in front of the sandbox speaks TLS.
    pub links_by_https: bool,
    /// What a presence call about somebody without Teams is answered: 404, or 403 to be nasty.
    pub no_teams_status: u16,
}

/// What an app's requests came to, for one tenant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    pub graph_requests: u64,
    pub presence_requests: u64,
    pub tokens: u64,
    pub throttled: u64,
    /// Sent although `Retry-After` had not passed.
    pub before_retry_after: u64,
    /// Presence requests that changed nothing: the same again in the first half of a
    /// session, or the end of a session that was not there.
    pub changed_nothing: u64,
}

impl Default for Manners {
    fn default() -> Self {
        Self {
            unknown: false,
            conditional_access: false,
            login_trouble: false,
            token_lifetime: TimeDelta::seconds(3599),
            opaque_tokens: false,
            token_generation: 0,
            presence_limit: Limit::PRESENCE,
            directory_limit: Limit::DIRECTORY,
            fractional_retry_after: false,
            silent_about_retry: false,
            page_size: 999,
            awkward_delta: false,
            links_by_https: false,
            no_teams_status: 404,
        }
    }
}

impl Microsoft {
    pub(super) fn of(world: &World, now: DateTime<Utc>) -> Self {
        let tenants = world.customers.iter().map(|customer| {
            let tenant = Tenant::of(customer, now);
            (tenant.id, Arc::new(tenant))
        });
        Self { tenants: RwLock::new(tenants.collect()), key: SigningKey::random() }
    }

    pub(super) fn tenant(&self, id: TenantId) -> Option<Arc<Tenant>> {
        self.tenants.read().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    /// By GUID or by domain, as login takes them.
    fn tenant_called(&self, name: &str) -> Option<Arc<Tenant>> {
        if let Ok(id) = name.parse() {
            return self.tenant(id);
        }
        let tenants = self.tenants.read().unwrap_or_else(PoisonError::into_inner);
        tenants.values().find(|tenant| tenant.domain.eq_ignore_ascii_case(name)).cloned()
    }
}

impl Tenant {
    fn of(customer: &Customer, now: DateTime<Utc>) -> Self {
        Self {
            id: customer.tenant,
            name: customer.name.clone(),
            domain: customer.domain.clone(),
            graph_host: customer.graph_host,
            state: Mutex::new(TenantState {
                apps: vec![Registration::of(&customer.app, now)],
                directory: Directory::of(&customer.people),
                presence: HashMap::new(),
                manners: Manners::default(),
                tally: Tally::default(),
                quotas: HashMap::new(),
            }),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, TenantState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TenantState {
    pub(super) fn portal(&mut self) -> Option<&mut Registration> {
        self.apps.first_mut()
    }

    /// Writes down what a key was good for.
    fn used(&mut self, client: ClientId, key: Uuid, count: impl FnOnce(&mut Uses)) {
        if let Some(app) = self.apps.iter_mut().find(|app| app.client == client) {
            count(app.uses.entry(key).or_default());
        }
    }

    fn app(&self, client: ClientId) -> Option<&Registration> {
        self.apps.iter().find(|app| app.client == client && app.standing != Standing::Deleted)
    }

    /// The windows of this app, with the limits that hold now.
    fn quotas(&mut self, client: ClientId) -> &mut Quotas {
        let (presence, directory) = (self.manners.presence_limit, self.manners.directory_limit);
        let quotas = self.quotas.entry(client).or_insert_with(|| Quotas {
            presence: Quota::new(presence),
            directory: Quota::new(directory),
        });
        quotas.presence.limit = presence;
        quotas.directory.limit = directory;
        quotas
    }

    /// Refuses the app's every request until then.
    pub(super) fn close_until(&mut self, until: Option<DateTime<Utc>>) {
        let Some(client) = self.apps.first().map(|app| app.client) else { return };
        let quotas = self.quotas(client);
        for quota in [&mut quotas.presence, &mut quotas.directory] {
            match until {
                Some(_) => quota.closed_until = until,
                None => quota.open(),
            }
        }
    }

    pub(super) fn closed_until(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let client = self.apps.first()?.client;
        self.quotas.get(&client)?.presence.closed_until.filter(|until| *until > now)
    }
}
