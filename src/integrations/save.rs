//! Saving a connection that was tested, whole or not at all.

use chrono::{DateTime, Utc};

use super::form::Details;
use super::store::{self, NewConnection, WriteError, spare};
use super::{Connected, Expiry, Integration, secret_owner};
use crate::accounts::{Account, TheAccountToChange};
use crate::audit::{self, Actor, Changes, Entry};
use crate::ids::RenewalId;
use crate::microsoft::Certificate;
use crate::state::AppState;

/// Whether Microsoft has accepted a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tested {
    Now,
    /// Nothing has changed that Microsoft would care about.
    Before,
    NotYet,
}

pub(super) struct New<'a> {
    pub details: &'a Details,
    pub tested: Tested,
    /// When the secret ends, if Entra said so.
    pub read: Option<Expiry>,
    /// The certificate that lay ready, for a first connection without a secret.
    pub certificate: Option<&'a Certificate>,
}

/// For whom, by whom, and with which renewal link, if with one.
pub(super) struct By<'a> {
    pub account: &'a Account,
    pub actor: Actor,
    pub renewal: Option<RenewalId>,
}

/// Saves it in place of the one in `integration`, and wakes the worker. False when somebody
/// else has changed it meanwhile: then nothing is saved.
pub(super) async fn save(
    app: &AppState,
    the: &TheAccountToChange,
    integration: &Integration,
    new: New<'_>,
) -> anyhow::Result<bool> {
    let by = By { account: &the.account, actor: the.viewer.actor(), renewal: None };
    save_by(app, &by, integration, new).await
}

/// The same, by anybody. A renewal link is used up with it, or nothing is saved.
pub(super) async fn save_by(
    app: &AppState,
    by: &By<'_>,
    integration: &Integration,
    New { details, tested, read, certificate }: New<'_>,
) -> anyhow::Result<bool> {
    let (account, id, now) = (by.account, integration.id, app.clock.now());
    let old = integration.connection.as_ref();
    let owner = secret_owner(account.id, id);
    let secret = details.secret.as_ref().or(certificate.map(Certificate::private_key));
    let sealed = secret.map(|secret| app.sealer.seal(&owner, secret)).transpose()?;
    let expiry = match (certificate, read) {
        (Some(certificate), _) => Expiry::certificate(&certificate.shown),
        (None, Some(read)) => read,
        (None, None) => expiry_of(old, details, by.actor.name(), now),
    };
    let connection = NewConnection {
        name: &details.name,
        tenant: details.tenant,
        client: details.client,
        cloud: details.cloud,
        secret: sealed.as_ref(),
        certificate: certificate.map(|certificate| certificate.shown.der()),
        expiry: &expiry,
        tested_at: match tested {
            Tested::Now => Some(now),
            Tested::Before => old.and_then(|old| old.tested_at),
            Tested::NotYet => None,
        },
        // It may be a permission granted since that made the test succeed: tokens of before
        // do not carry it.
        is_new_version: tested != Tested::Before,
    };

    let mut tx = app.db.begin().await?;
    if let Some(renewal) = by.renewal
        && !store::renewals::use_renewal(&mut *tx, account.id, renewal, now).await?
    {
        return Ok(false);
    }
    let seen = old.map(|old| old.version);
    match store::save_connection(&mut tx, account.id, id, seen, connection, now).await {
        Ok(()) => {}
        Err(WriteError::Changed) => return Ok(false),
        Err(error) => return Err(error.into()),
    }
    if let Some(old) = old.filter(|old| details.is_another_than(old)) {
        let anew = details.is_another_application(old);
        spare::begin_anew(&mut tx, account.id, id, anew, now).await?;
    }
    if old.is_some() && details.secret.is_some() {
        store::ask_monitors_for_secret(&mut *tx, account.id, id, now).await?;
    }
    if certificate.is_some() {
        spare::discard_next(&mut *tx, account.id, id).await?;
    }
    let (action, summary) = deed(old, details, tested);
    let changes = changes(old, details, &expiry);
    let account_is = (account.id, account.name.as_str());
    let entry = Entry { action, summary, account: Some(account_is), changes };
    audit::note(&mut tx, &by.actor, entry, now).await?;
    tx.commit().await?;

    app.wakes.ring(account.id);
    app.check_bell.notify_one();
    Ok(true)
}

/// When the credential ends, as far as was said: what was known before keeps whoever said it.
fn expiry_of(old: Option<&Connected>, new: &Details, by: &str, now: DateTime<Utc>) -> Expiry {
    match old {
        Some(old) if new.secret.is_none() && !new.is_dated_anew(old) => old.expiry.clone(),
        _ => Expiry::typed(new.secret_expires_on, by, now),
    }
}

fn deed(old: Option<&Connected>, details: &Details, tested: Tested) -> (&'static str, String) {
    let how = match tested {
        Tested::Now => "tested with Microsoft",
        Tested::Before => "without need of a test",
        Tested::NotYet => "not tested, because Microsoft could not be reached",
    };
    match (old, &details.secret) {
        (None, _) => ("integration.set_up", format!("Microsoft Teams was set up, {how}.")),
        (Some(_), Some(_)) => {
            ("integration.secret_replaced", format!("The client secret was replaced, {how}."))
        }
        (Some(_), None) => {
            ("integration.configured", format!("Microsoft Teams was configured, {how}."))
        }
    }
}

/// Old and new of every field; of the secret no more than that there is a new one.
fn changes(old: Option<&Connected>, new: &Details, expiry: &Expiry) -> Changes {
    let text = |of: fn(&Connected) -> String| old.map(of);
    let day = |day: Option<chrono::NaiveDate>| day.map(|day| day.to_string());
    Changes::default()
        .field("Name", text(|old| old.name.clone()), new.name.as_str())
        .field("Tenant Id", text(|old| old.tenant.to_string()), new.tenant.to_string())
        .field(
            "Application (Client) Id",
            text(|old| old.client.to_string()),
            new.client.to_string(),
        )
        .field("Cloud", text(|old| old.cloud.label().to_owned()), new.cloud.label())
        .field("Secret expires on", old.and_then(|old| day(old.expiry.on)), day(expiry.on))
}
