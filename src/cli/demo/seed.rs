//! The demo's customers: in the portal's database as people would have put them there.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::store;
use crate::accounts::form::Details;
use crate::audit::{self, Actor, Changes, Entry};
use crate::ids::{AccountId, IntegrationId};
use crate::integrations::credential::{CERTIFICATE_LASTS, CredentialKind, Expiry, ExpirySource};
use crate::integrations::store::NewConnection;
use crate::integrations::store::spare::{self, NewSpare};
use crate::integrations::{Feature, Kind, secret_owner};
use crate::kit::secret::Sealer;
use crate::microsoft::{Certificate, Cloud};
use crate::presence::plan::pause::Pause;
use crate::presence::store::pauses;
use crate::sandbox::{Customer, World};
use crate::{accounts, integrations};

/// How far somebody got with a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    /// No integration yet.
    Account,
    /// Microsoft Teams was added, and its setup left for later.
    Added,
    /// Set up, and not switched on.
    SetUp,
    Syncing,
    /// Syncing on the release before the newest.
    Behind,
    /// The customer left.
    Deactivated,
}

fn progress(name: &str) -> Progress {
    match name {
        "Papadakis Olive Oil" => Progress::Added,
        "Northgate Vets" => Progress::SetUp,
        "St. Brigid's Hospice" => Progress::Account,
        "Tamarind Hotels" => Progress::Deactivated,
        "Calder Valley Brewing"
        | "Lindqvist Logistik"
        | "Meridian Travel"
        | "Westmoor Building Society" => Progress::Behind,
        _ => Progress::Syncing,
    }
}

/// Fills an empty database with the customers of the sandbox.
///
/// What is wrong with some of them (a secret that has expired, a permission that is missing)
/// is wrong in the sandbox: the portal finds out by itself.
pub async fn seed(
    tx: &mut PgConnection,
    sealer: &Sealer,
    world: &World,
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    for customer in &world.customers {
        let seed = Seed { customer, account: AccountId::new(), sealer, now };
        seed.plant(&mut *tx).await?;
    }
    Ok(())
}

struct Seed<'a> {
    customer: &'a Customer,
    account: AccountId,
    sealer: &'a Sealer,
    now: DateTime<Utc>,
}

impl Seed<'_> {
    async fn plant(&self, tx: &mut PgConnection) -> anyhow::Result<()> {
        let (account, now) = (self.account, self.now);
        accounts::store::insert(&mut *tx, account, &details(self.customer), now).await?;
        self.note(&mut *tx, "account.created", format!("Added {}.", self.customer.name)).await?;
        let progress = progress(&self.customer.name);
        if matches!(progress, Progress::Deactivated) {
            accounts::store::set_deactivated(&mut *tx, account, true, now).await?;
            let summary = format!("Deactivated {}.", self.customer.name);
            self.note(&mut *tx, "account.deactivated", summary).await?;
        }
        if matches!(progress, Progress::Account | Progress::Deactivated) {
            return Ok(());
        }
        let id = IntegrationId::new();
        integrations::store::add(&mut *tx, account, id, Kind::MicrosoftTeams, now).await?;
        self.note(&mut *tx, "integration.added", "Microsoft Teams was added.".to_owned()).await?;
        if progress == Progress::Added {
            return Ok(());
        }
        self.connect(&mut *tx, id).await?;
        if self.customer.name == "Westmoor Building Society" {
            self.lay_certificate(&mut *tx, id).await?;
        }
        if progress == Progress::Behind {
            store::set_back(&mut *tx, account, id).await?;
        }
        if progress != Progress::SetUp {
            let (feature, on) = (Feature::PresenceSync, true);
            integrations::store::set_feature(&mut *tx, account, id, feature, on, now).await?;
        }
        match self.customer.name.as_str() {
            "Brightwater Dental" | "Harbour & Finch Solicitors" => {
                let phones = self.customer.phones.iter().map(|phone| phone.user.to_string());
                let phones: Vec<_> = phones.collect();
                store::pretend_a_week(&mut *tx, account, &phones, now).await?;
            }
            "Oakfield Academy" => {
                let until = Some(now + chrono::TimeDelta::hours(3));
                let pause = Pause { until, hours: None };
                pauses::save(&mut *tx, account, None, pause, true).await?;
                let summary = "Presence sync is paused for 3 hours.".to_owned();
                self.note(&mut *tx, "presence.paused", summary).await?;
            }
            _ => {}
        }
        Ok(())
    }

    async fn connect(&self, tx: &mut PgConnection, id: IntegrationId) -> anyhow::Result<()> {
        let app = &self.customer.app;
        let sealed = self.sealer.seal(&secret_owner(self.account, id), &app.secret.value)?;
        let expiry = Expiry {
            on: Some((self.now + app.secret.lasts).date_naive()),
            source: Some(ExpirySource::Typed),
            by: Some("admin@partner.example".to_owned()),
            at: Some(self.now),
        };
        let connection = NewConnection {
            name: &app.name,
            tenant: self.customer.tenant,
            client: app.client,
            cloud: Cloud::Global,
            secret: Some(&sealed),
            certificate: None,
            expiry: &expiry,
            tested_at: Some(self.now),
            is_new_version: true,
        };
        let (account, now) = (self.account, self.now);
        integrations::store::save_connection(&mut *tx, account, id, None, connection, now).await?;
        self.note(tx, "integration.set_up", "Microsoft Teams was set up.".to_owned()).await
    }

    /// Its secret ends soon; somebody has made a certificate, and has yet to upload it.
    async fn lay_certificate(
        &self,
        tx: &mut PgConnection,
        id: IntegrationId,
    ) -> anyhow::Result<()> {
        let made = Certificate::make("presence-portal demo", self.now, CERTIFICATE_LASTS)?;
        let owner = secret_owner(self.account, id);
        let new = NewSpare {
            kind: CredentialKind::Certificate,
            sealed: &self.sealer.seal(&owner, made.private_key())?,
            certificate: Some(made.shown.der()),
            expiry: &Expiry::certificate(&made.shown),
            accepted_at: None,
            try_at: Some(self.now),
        };
        spare::put_next(&mut *tx, self.account, id, new, self.now).await?;
        let summary = format!("A certificate was made, thumbprint {}.", made.shown.thumbprint());
        self.note(tx, "integration.certificate_made", summary).await
    }

    async fn note(
        &self,
        tx: &mut PgConnection,
        action: &'static str,
        summary: String,
    ) -> anyhow::Result<()> {
        let account = Some((self.account, self.customer.name.as_str()));
        let entry = Entry { action, summary, account, changes: Changes::default() };
        Ok(audit::note(tx, &Actor::portal(), entry, self.now).await?)
    }
}

fn details(customer: &Customer) -> Details {
    Details {
        name: customer.name.clone(),
        cloudlink_id: customer.account.clone(),
        country: customer.country.clone(),
        address: customer.street.clone(),
        city: customer.city.clone(),
        postal_code: customer.postal_code.clone(),
        language: customer.language.clone(),
        support_emails: vec![customer.contact.clone()],
    }
}
