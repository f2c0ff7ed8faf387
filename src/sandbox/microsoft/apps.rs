//! App registrations: secrets that expire, permissions that are granted.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, TimeDelta, Utc};
use rand::distr::{Alphanumeric, SampleString};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use super::super::world::{App, Permission};
use super::assertion::KeptCertificate;
use crate::ids::ClientId;
use crate::kit::secret::Secret;

pub(crate) struct Registration {
    pub(crate) name: String,
    pub(crate) client: ClientId,
    pub(crate) secrets: Vec<KeptSecret>,
    pub(crate) certificates: Vec<KeptCertificate>,
    /// What each key, by its id, was good for so far.
    pub(crate) uses: HashMap<Uuid, Uses>,
    pub(crate) permissions: BTreeSet<Permission>,
    pub(crate) standing: Standing,
}

/// What came of one key: tokens given for it, and requests to Graph made with those.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Uses {
    pub tokens: u64,
    pub requests: u64,
}

/// How an application stands in its tenant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    #[default]
    Good,
    /// Disabled among the tenant's enterprise applications.
    Disabled,
    /// It exists, and nobody has consented to it here: there is no service principal.
    WithoutConsent,
    /// The directory knows of no such application.
    Deleted,
}

/// A client secret as the directory keeps it.
#[derive(Clone, Debug)]
pub struct KeptSecret {
    /// The Secret ID.
    pub id: Uuid,
    pub value: Secret,
    pub from: DateTime<Utc>,
    pub until: DateTime<Utc>,
}

impl Registration {
    pub(super) fn of(app: &App, now: DateTime<Utc>) -> Self {
        let secret = KeptSecret {
            id: app.secret.id,
            value: app.secret.value.clone(),
            from: now - TimeDelta::days(90),
            until: now + app.secret.lasts,
        };
        Self {
            name: app.name.clone(),
            client: app.client,
            secrets: vec![secret],
            certificates: Vec::new(),
            uses: HashMap::new(),
            permissions: app.permissions.iter().copied().collect(),
            standing: Standing::Good,
        }
    }

    /// A further secret, as the portal of Entra makes them; the others stay.
    pub(crate) fn new_secret(&mut self, now: DateTime<Utc>, lasts: TimeDelta) -> KeptSecret {
        let letters = Alphanumeric.sample_string(&mut rand::rng(), 37);
        let (start, end) = letters.split_at_checked(3).unwrap_or(("abc", ""));
        let secret = KeptSecret {
            id: Uuid::new_v4(),
            value: Secret::new(format!("{start}8Q~{end}")),
            from: now,
            until: now + lasts,
        };
        self.secrets.push(secret.clone());
        secret
    }

    /// The secret with this value, whether it has expired or not.
    pub(super) fn secret(&self, value: &str) -> Option<&KeptSecret> {
        self.secrets
            .iter()
            .find(|secret| bool::from(secret.value.reveal().as_bytes().ct_eq(value.as_bytes())))
    }
}
