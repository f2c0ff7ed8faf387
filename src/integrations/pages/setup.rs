//! Complete setup, and Configure: the dialog with the credentials, tested before they are saved.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;

use super::credentials::Credentials;
use super::monitors::Monitors;
use super::the::TheIntegration;
use crate::integrations::check::{Failed, check};
use crate::integrations::form::{ConnectionForm, Details};
use crate::integrations::save::{self, New, Tested};
use crate::integrations::store::spare;
use crate::integrations::{Connected, Expiry, Integration, Trouble, expiry, store};
use crate::microsoft::{Cause, Certificate, Cloud, Connection, Credential, Permission};
use crate::state::AppState;
use crate::web::{
    self, AccountTab, Chrome, FieldErrors, Form, Partial, refused_in, see_other_saying,
    whole_or_part,
};

pub fn routes() -> Router<AppState> {
    let at = "/accounts/{account}/integrations/{integration}";
    Router::new()
        .route(&format!("{at}/setup"), get(ask).post(submit))
        .route(&format!("{at}/configure"), get(ask).post(submit))
}

#[derive(Template)]
#[template(path = "integrations/setup.html", blocks = ["dialog"])]
pub(super) struct SetupPage {
    chrome: Chrome,
    at: String,
    back: String,
    integration: Integration,
    form: ConnectionForm,
    errors: FieldErrors,
    /// What the test found.
    failed: Option<Failed>,
    pub(super) monitors: Monitors,
    pub(super) credentials: Credentials,
}

impl SetupPage {
    /// The page as it is when it is opened.
    pub(super) async fn new(app: &AppState, the: &TheIntegration) -> web::Result<Self> {
        let integration = the.integration.clone();
        let title = match &integration.connection {
            None => "Complete setup",
            Some(_) => "Configure Microsoft Teams",
        };
        Ok(Self {
            chrome: the.the.chrome(title, AccountTab::Integrations),
            at: the.at(),
            back: the.back(),
            form: integration.connection.as_ref().map(ConnectionForm::from).unwrap_or_default(),
            monitors: Monitors::of(app, the).await?,
            credentials: Credentials::of(app, the).await?,
            integration,
            errors: FieldErrors::default(),
            failed: None,
        })
    }

    /// What Microsoft refuses the connection in force for, until a person mends it.
    fn refused(&self) -> Option<(Cause, &Trouble)> {
        let trouble = self.integration.trouble.as_ref().filter(|trouble| trouble.needs_person)?;
        Some((Cause::by_key(&trouble.cause)?, trouble))
    }

    fn is_set_up(&self) -> bool {
        self.integration.connection.is_some()
    }

    /// Whether a first connection has to be given a secret: not where a certificate lies ready.
    fn needs_secret(&self) -> bool {
        !self.is_set_up() && !self.credentials.has_certificate()
    }

    fn action(&self) -> String {
        format!("{}/{}", self.at, if self.is_set_up() { "configure" } else { "setup" })
    }

    fn secret_hint(&self) -> &'static str {
        let certificate = self.credentials.has_certificate();
        match (self.errors.is_empty() && self.failed.is_none(), self.is_set_up()) {
            (_, false) if certificate => "Leave it empty to sign in with the certificate below.",
            (true, true) => "Leave it empty to keep the one there is. It is never shown again.",
            (false, true) => {
                "A secret is never put into a page. Type a new one again, or leave it empty to keep the old one."
            }
            (true, false) => "It is kept sealed and never shown again.",
            (false, false) => "A secret is never put into a page, so type it again.",
        }
    }

    fn clouds() -> [(&'static str, &'static str); 3] {
        Cloud::ALL.map(|cloud| (cloud.as_str(), cloud.label()))
    }

    /// The cloud that is chosen, for the guide's links.
    fn cloud(&self) -> Cloud {
        self.form.cloud.parse().unwrap_or_default()
    }

    /// The Entra page where what is missing can be mended.
    fn mending_page(&self) -> Option<String> {
        let tenant = self.form.tenant_id.trim().parse().ok()?;
        let client = self.form.client_id.trim().parse().ok()?;
        match self.failed.as_ref()? {
            Failed::Missing(_) => Some(self.cloud().permissions_page(tenant, client)),
            Failed::Refused(refusal) => match refusal.cause.field()?.as_str() {
                "client_secret" => Some(self.cloud().secrets_page(tenant, client)),
                _ => None,
            },
        }
    }
}

async fn ask(
    State(app): State<AppState>,
    the: TheIntegration,
    partial: Partial,
) -> web::Result<Response> {
    let page = SetupPage::new(&app, &the).await?;
    Ok(whole_or_part(partial, &page, page.as_dialog()))
}

async fn submit(
    State(app): State<AppState>,
    the: TheIntegration,
    partial: Partial,
    Form(form): Form<ConnectionForm>,
) -> web::Result<Response> {
    let old = the.integration.connection.as_ref();
    let ready = ready_certificate(&app, &the).await?;
    let details = match form.parse(old, ready.is_some(), app.clock.now().date_naive()) {
        Ok(details) => details,
        Err(errors) => return refuse(&app, &the, partial, form, errors, None).await,
    };
    let ready = ready.filter(|_| details.secret.is_none());
    let is_renamed = old.is_some_and(|old| old.tested_at.is_some() && details.is_only_renamed(old));
    let tried =
        if is_renamed { Ok(None) } else { test(&app, &the, &details, ready.as_ref()).await? };
    let (failed, read) = (tried.as_ref().err().cloned(), tried.ok().flatten());
    match failed {
        Some(failed) if !(failed.is_away() && form.untested.is_some()) => {
            let mut errors = FieldErrors::default();
            if let Some(field) = failed.field() {
                errors.add(field, format!("{}.", failed.title()));
            }
            return refuse(&app, &the, partial, form, errors, Some(failed)).await;
        }
        failed => {
            let tested = match (failed, is_renamed) {
                (Some(_), _) => Tested::NotYet,
                (None, true) => Tested::Before,
                (None, false) => Tested::Now,
            };
            let is_undated = read.is_none()
                && details.secret_expires_on.is_none()
                && !form.secret_expires_on.trim().is_empty();
            let new = New { details: &details, tested, read, certificate: ready.as_ref() };
            if !save::save(&app, &the.the, &the.integration, new).await? {
                let complaint = "Somebody else changed this meanwhile. Close it, look at it again, and then change it.";
                let errors = FieldErrors::just("form", complaint);
                return refuse(&app, &the, partial, form, errors, None).await;
            }
            let mut said = said(old, tested).to_owned();
            if is_undated {
                said = format!("{}; say when the new one expires.", said.trim_end_matches('.'));
            }
            Ok(see_other_saying(the.back(), &said))
        }
    }
}

async fn refuse(
    app: &AppState,
    the: &TheIntegration,
    partial: Partial,
    form: ConnectionForm,
    errors: FieldErrors,
    failed: Option<Failed>,
) -> web::Result<Response> {
    let page = SetupPage { form, errors, failed, ..SetupPage::new(app, the).await? };
    Ok(refused_in(partial, &page, page.as_dialog()))
}

/// The certificate that was made before the first connection, to be used without a secret.
async fn ready_certificate(
    app: &AppState,
    the: &TheIntegration,
) -> anyhow::Result<Option<Certificate>> {
    let (account, id) = (the.the.account.id, the.integration.id);
    if the.integration.connection.is_some() {
        return Ok(None);
    }
    Ok(match spare::next_of(&app.db, &app.sealer, account, id).await? {
        Some((Credential::Certificate(certificate), _)) => Some(certificate),
        _ => None,
    })
}

/// Tries what is to be saved, with the credential that is kept where no secret was typed. When
/// the secret ends, if that can be read.
async fn test(
    app: &AppState,
    the: &TheIntegration,
    details: &Details,
    ready: Option<&Certificate>,
) -> web::Result<Result<Option<Expiry>, Failed>> {
    let account = the.the.account.id;
    let credential = match (&details.secret, ready) {
        (Some(secret), _) => Credential::Secret(secret.clone()),
        (None, Some(certificate)) => Credential::Certificate(certificate.clone()),
        (None, None) => match store::connection_of(&app.db, &app.sealer, account).await? {
            Some(kept) => kept.credential,
            None => return Err(web::Error::NotFound),
        },
    };
    let connection = Connection {
        account,
        version: 0,
        tenant: details.tenant,
        client: details.client,
        cloud: details.cloud,
        credential,
    };
    Ok(match check(&app.microsoft, &connection).await {
        Ok(token) => Ok(expiry::read(app, &connection, &token).await),
        Err(failed) => Err(failed),
    })
}

fn said(old: Option<&Connected>, tested: Tested) -> &'static str {
    match (old, tested) {
        (None, Tested::NotYet) => {
            "Saved without testing. It is tried as soon as Microsoft can be reached."
        }
        (None, _) => {
            "Microsoft Teams is set up. Now switch presence sync on, under Available features."
        }
        (Some(_), Tested::NotYet) => {
            "Saved without testing. Save it again when Microsoft can be reached, to test it."
        }
        (Some(_), Tested::Now) => "Saved, and tested with Microsoft.",
        (Some(_), Tested::Before) => "Saved.",
    }
}
