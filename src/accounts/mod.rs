//! The partner's customers.

pub mod asked;
pub mod confirm;
pub mod csv;
mod extract;
pub mod form;
mod pages;
mod places;
pub mod selection;
pub mod store;
pub mod trouble;

use chrono::{DateTime, Utc};

use crate::ids::{AccountId, CloudlinkAccountId};

pub use csv::harmless;
pub use extract::{TheAccount, TheAccountToChange};
pub use pages::routes;

/// A customer of the partner.
#[derive(Clone, Debug)]
pub struct Account {
    pub id: AccountId,
    pub name: String,
    pub cloudlink_id: CloudlinkAccountId,
    pub country: String,
    pub address: String,
    pub city: String,
    pub postal_code: String,
    /// A language tag such as `en-GB`; may be empty.
    pub language: String,
    pub support_emails: Vec<String>,
    pub deactivated_at: Option<DateTime<Utc>>,
    /// It goes as soon as nothing of ours stands in Teams any more.
    pub deleting_since: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
}

impl Account {
    pub fn is_active(&self) -> bool {
        self.deactivated_at.is_none()
    }
}
