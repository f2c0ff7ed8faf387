//! What the pretend systems hold when they start: customers, their phones and their directories.
//!
//! Every id and secret is derived from a name, so a demo that is started again
//! finds its own data still right.

mod demo;
mod names;
mod stable;

use std::sync::Arc;

use chrono::TimeDelta;

pub use self::demo::Quirk;
use crate::ids::{ClientId, CloudlinkAccountId, CloudlinkUserId, EntraUserId, TenantId};
use crate::kit::secret::Secret;

/// Everything there is: one partner and its customers.
#[derive(Clone, Debug)]
pub struct World {
    pub partner: Partner,
    pub customers: Vec<Customer>,
}

/// The Mitel partner: whose CloudLink client sees every customer's account.
#[derive(Clone, Debug)]
pub struct Partner {
    pub name: String,
    pub account: CloudlinkAccountId,
    pub client_id: String,
    pub client_secret: Secret,
}

/// One customer, in both systems.
#[derive(Clone, Debug)]
pub struct Customer {
    pub name: String,
    /// Of every address: `brightwater-dental.example`.
    pub domain: String,
    pub country: String,
    pub city: String,
    pub street: String,
    pub postal_code: String,
    /// Such as `en-GB`.
    pub language: String,
    pub contact: String,
    pub account: CloudlinkAccountId,
    /// The account's number, which CloudLink takes as well as its GUID.
    pub account_number: String,
    pub tenant: TenantId,
    /// The host of its cloud's Graph, for which tokens are asked.
    pub graph_host: &'static str,
    pub app: App,
    /// The users CloudLink knows; shared with the running CloudLink, which may hold a million.
    pub phones: Vec<Arc<Phone>>,
    /// The users Microsoft Entra knows.
    pub people: Vec<Arc<Person>>,
}

/// The customer's app registration, made for the portal.
#[derive(Clone, Debug)]
pub struct App {
    pub name: String,
    pub client: ClientId,
    pub secret: AppSecret,
    pub permissions: Vec<Permission>,
}

/// One client secret of an app registration.
#[derive(Clone, Debug)]
pub struct AppSecret {
    /// The Secret ID, which people paste where the value belongs.
    pub id: uuid::Uuid,
    pub value: Secret,
    /// From the sandbox's start; negative for one that has expired.
    pub lasts: TimeDelta,
}

/// An application permission of Microsoft Graph, granted by an admin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Permission {
    ReadUsers,
    ReadWritePresence,
    ReadPresence,
    ReadApplications,
}

/// A CloudLink user.
#[derive(Clone, Debug)]
pub struct Phone {
    pub user: CloudlinkUserId,
    pub name: String,
    /// Empty for a phone that belongs to a room.
    pub email: String,
    pub extension: String,
}

/// An Entra user.
#[derive(Clone, Debug)]
pub struct Person {
    pub id: EntraUserId,
    pub name: String,
    pub user_principal_name: String,
    pub mail: Option<String>,
    /// Further addresses, without `smtp:`.
    pub aliases: Vec<String>,
    pub enabled: bool,
    /// Whether the licence includes Teams.
    pub teams: bool,
    /// Invited from another tenant.
    pub guest: bool,
}

impl Permission {
    pub const ALL: [Self; 4] =
        [Self::ReadUsers, Self::ReadWritePresence, Self::ReadPresence, Self::ReadApplications];

    /// As it stands in a token's `roles`.
    pub fn role(self) -> &'static str {
        match self {
            Self::ReadUsers => "User.Read.All",
            Self::ReadWritePresence => "Presence.ReadWrite.All",
            Self::ReadPresence => "Presence.Read.All",
            Self::ReadApplications => "Application.Read.All",
        }
    }

    pub fn of_role(role: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|permission| permission.role() == role)
    }
}

impl Default for World {
    fn default() -> Self {
        Self::empty()
    }
}

impl World {
    /// A partner without customers.
    pub fn empty() -> Self {
        let partner = Partner {
            name: "Beacon Telecom".to_owned(),
            account: stable::cloudlink_account("partner"),
            client_id: "presence-portal".to_owned(),
            client_secret: stable::secret("partner"),
        };
        Self { partner, customers: Vec::new() }
    }

    /// Adds a customer.
    #[must_use]
    pub fn with(mut self, customer: Customer) -> Self {
        self.customers.push(customer);
        self
    }

    /// One customer, Brightwater Dental, where Ann Miller, Bob Stone and Cleo Hart have a phone and Teams.
    pub fn small() -> Self {
        let customer = ["Ann Miller", "Bob Stone", "Cleo Hart"]
            .into_iter()
            .fold(Customer::named("Brightwater Dental"), Customer::employs);
        Self::empty().with(customer)
    }

    /// As many customers as asked for, each of the same size, all of them in order.
    pub fn of_size(customers: usize, people_each: usize) -> Self {
        let customers = (1..=customers)
            .map(|number| Customer::named(&format!("Customer {number}")).of_size(people_each));
        Self { customers: customers.collect(), ..Self::empty() }
    }

    pub fn customer(&self, name: &str) -> Option<&Customer> {
        self.customers.iter().find(|customer| customer.name == name)
    }
}

impl Customer {
    /// A customer with an app registration that has all it needs, and nobody in it yet.
    pub fn named(name: &str) -> Self {
        let domain = format!("{}.example", stable::slug(name));
        Self {
            domain: domain.clone(),
            country: "United Kingdom".to_owned(),
            city: "Leeds".to_owned(),
            street: "1 Station Road".to_owned(),
            postal_code: "LS1 4DY".to_owned(),
            language: "en-GB".to_owned(),
            contact: format!("it@{domain}"),
            account: stable::cloudlink_account(name),
            account_number: stable::account_number(name),
            tenant: stable::guid(&["tenant", name]).into(),
            graph_host: "graph.microsoft.com",
            app: App {
                name: "Presence Portal".to_owned(),
                client: stable::guid(&["app", name]).into(),
                secret: AppSecret {
                    id: stable::guid(&["secret id", name]),
                    value: stable::secret(name),
                    lasts: TimeDelta::days(180),
                },
                permissions: vec![Permission::ReadUsers, Permission::ReadWritePresence],
            },
            phones: Vec::new(),
            people: Vec::new(),
            name: name.to_owned(),
        }
    }

    /// Somebody with a phone and with Teams, under the same address.
    #[must_use]
    pub fn employs(self, name: &str) -> Self {
        self.employs_with(name, Quirk::None)
    }

    /// How long the first secret lasts from the start; negative: it has expired already.
    #[must_use]
    pub fn with_secret_for(mut self, lasts: TimeDelta) -> Self {
        self.app.secret.lasts = lasts;
        self
    }

    #[must_use]
    pub fn without(mut self, permission: Permission) -> Self {
        self.app.permissions.retain(|granted| *granted != permission);
        self
    }

    #[must_use]
    pub fn granting(mut self, permission: Permission) -> Self {
        self.app.permissions.push(permission);
        self
    }

    /// The phone of whoever has this name.
    pub fn phone(&self, name: &str) -> Option<&Phone> {
        self.phones.iter().map(Arc::as_ref).find(|phone| phone.name == name)
    }

    /// The Entra user who has this name.
    pub fn person(&self, name: &str) -> Option<&Person> {
        self.people.iter().map(Arc::as_ref).find(|person| person.name == name)
    }
}
