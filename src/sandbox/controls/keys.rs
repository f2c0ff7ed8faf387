//! The keys of an app registration: client secrets and certificates.

use chrono::TimeDelta;
use uuid::Uuid;

use super::super::microsoft::apps::{KeptSecret, Uses};
use super::super::microsoft::assertion::KeptCertificate;
use super::{Controls, NotThere};
use crate::ids::TenantId;

impl Controls {
    /// The secrets of the portal's app, oldest first.
    pub fn secrets(&self, tenant: TenantId) -> Vec<KeptSecret> {
        self.of_app(tenant, |app| app.secrets.clone()).unwrap_or_default()
    }

    /// Every secret of the portal's app has expired as of now.
    pub fn expire_secrets(&self, tenant: TenantId) -> Result<(), NotThere> {
        let now = self.now();
        self.of_app(tenant, |app| app.secrets.iter_mut().for_each(|secret| secret.until = now))
    }

    /// A further secret for the portal's app, good for half a year.
    pub fn new_secret(&self, tenant: TenantId) -> Result<KeptSecret, NotThere> {
        let now = self.now();
        self.of_app(tenant, |app| app.new_secret(now, TimeDelta::days(180)))
    }

    /// A new secret, and the old ones deleted: whoever still has one of those has a wrong one.
    pub fn replace_secrets(&self, tenant: TenantId) -> Result<KeptSecret, NotThere> {
        let now = self.now();
        self.of_app(tenant, |app| {
            app.secrets.clear();
            app.new_secret(now, TimeDelta::days(180))
        })
    }

    /// One secret of the portal's app has expired as of now, and the others have not.
    pub fn expire_secret(&self, tenant: TenantId, secret: Uuid) -> Result<(), NotThere> {
        let now = self.now();
        let there = self.of_app(tenant, |app| {
            let found = app.secrets.iter_mut().find(|kept| kept.id == secret);
            found.map(|kept| kept.until = now).is_some()
        })?;
        there.then_some(()).ok_or_else(|| NotThere("such secret".to_owned()))
    }

    /// The certificates of the portal's app, oldest first.
    pub fn certificates(&self, tenant: TenantId) -> Vec<KeptCertificate> {
        self.of_app(tenant, |app| app.certificates.clone()).unwrap_or_default()
    }

    /// Uploads a certificate, as an admin does on the Certificates tab.
    pub fn upload_certificate(
        &self,
        tenant: TenantId,
        text: &str,
    ) -> Result<KeptCertificate, NotThere> {
        let kept = KeptCertificate::read(text)
            .ok_or_else(|| NotThere("certificate in that text".to_owned()))?;
        self.of_app(tenant, |app| {
            app.certificates.retain(|other| other.digest != kept.digest);
            app.certificates.push(kept.clone());
        })?;
        Ok(kept)
    }

    /// Every certificate of the portal's app has expired as of now.
    pub fn expire_certificates(&self, tenant: TenantId) -> Result<(), NotThere> {
        let now = self.now();
        self.of_app(tenant, |app| app.certificates.iter_mut().for_each(|it| it.until = now))
    }

    pub fn delete_certificates(&self, tenant: TenantId) -> Result<(), NotThere> {
        self.of_app(tenant, |app| app.certificates.clear())
    }

    /// What a secret or certificate of the portal's app was good for so far.
    pub fn uses(&self, tenant: TenantId, key: Uuid) -> Uses {
        self.of_app(tenant, |app| app.uses.get(&key).copied().unwrap_or_default())
            .unwrap_or_default()
    }
}
