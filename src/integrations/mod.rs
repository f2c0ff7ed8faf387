//! The applications of an account: so far Microsoft Teams, its credentials and its features.
//!
//! An integration is *added*, then *set up* with a connection that was tested, then does what
//! its features are switched to. Removed, it stays until the worker has cleared what it set in
//! Teams: only then [`store::forget`] lets go of the credentials.

pub mod catalog;
pub mod check;
pub mod credential;
pub mod expiry;
mod form;
mod pages;
pub mod reminders;
pub mod rotation;
mod save;
pub mod store;

use chrono::{DateTime, Utc};

use crate::ids::{AccountId, ClientId, IntegrationId, MonitorId, RunId, TenantId};
use crate::microsoft::{Cloud, ShownCertificate};
use crate::runs::ItemState;

pub use catalog::{Ability, Feature, Kind, Release};
pub use check::Failed;
pub use credential::{CredentialKind, Expiry};
pub use pages::{TheIntegration, routes};

/// An application that was added to an account.
#[derive(Clone, Debug)]
pub struct Integration {
    pub id: IntegrationId,
    pub account: AccountId,
    pub kind: Kind,
    pub release: i32,
    pub added_at: DateTime<Utc>,
    pub removing_since: Option<DateTime<Utc>>,
    /// None until the setup is complete.
    pub connection: Option<Connected>,
    pub presence_sync: bool,
    /// What the worker says is wrong.
    pub trouble: Option<Trouble>,
    /// The newest update, while it goes on and until somebody has seen how it ended.
    pub update: Option<Update>,
    /// What the setup check found last.
    pub checked: Option<Checked>,
}

/// An update that is being installed, or was.
#[derive(Clone, Debug)]
pub struct Update {
    pub run: RunId,
    pub state: ItemState,
    pub plan: Vec<String>,
    pub step: i16,
    pub said: String,
}

/// What a setup check came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    pub at: DateTime<Utc>,
    pub reds: i32,
    pub ambers: i32,
    /// Who is matched, in a sentence; empty when that is not known.
    pub matching: String,
}

/// What is wrong with an integration's sync: what a person has to mend before what passes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// By its key.
    pub cause: String,
    pub detail: String,
    pub since: DateTime<Utc>,
    pub needs_person: bool,
}

/// What may be shown of a connection: everything but its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connected {
    pub name: String,
    pub tenant: TenantId,
    pub client: ClientId,
    pub cloud: Cloud,
    pub credential: CredentialKind,
    /// Where that is what it signs in with.
    pub certificate: Option<ShownCertificate>,
    /// When the secret or certificate ends.
    pub expiry: Expiry,
    /// None: saved without testing, because Microsoft could not be reached.
    pub tested_at: Option<DateTime<Utc>>,
    pub version: i32,
}

/// A presence monitor on an integration's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Monitor {
    pub id: MonitorId,
    pub name: String,
    pub note: String,
    /// Since when it has yet to be given the new secret.
    pub needs_secret_since: Option<DateTime<Utc>>,
}

/// The row a secret is sealed for.
pub fn secret_owner(account: AccountId, integration: IntegrationId) -> String {
    format!("connection/{account}/{integration}")
}
