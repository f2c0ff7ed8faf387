//! What the connection signs in with, and what lies ready to follow it: inside the dialogs.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;

use super::setup::SetupPage;
use super::the::TheIntegration;
use crate::audit::Changes;
use crate::integrations::check::{Failed, check};
use crate::integrations::credential::{CredentialKind, Spares, halves_of, takes_over_on};
use crate::integrations::form::NextForm;
use crate::integrations::reminders::{self, Reminder};
use crate::integrations::store::spare::{self, NewSpare};
use crate::integrations::{Connected, Expiry, expiry, rotation, secret_owner, store};
use crate::microsoft::{Connection, Credential, ShownCertificate};
use crate::state::AppState;
use crate::web::{
    self, FieldErrors, Form, OrNotFound, Page, Partial, Path, refused, see_other_saying,
};

pub fn routes() -> Router<AppState> {
    let at = "/accounts/{account}/integrations/{integration}";
    Router::new()
        .route(&format!("{at}/next"), post(keep_next))
        .route(&format!("{at}/next/use"), post(use_next))
        .route(&format!("{at}/next/discard"), post(discard))
        .route(&format!("{at}/certificate"), post(make_certificate))
        .route(&format!("{at}/certificate/{{which}}"), get(download))
}

#[derive(Template)]
#[template(path = "integrations/credentials.html")]
pub(super) struct Credentials {
    at: String,
    connection: Option<Connected>,
    spares: Spares,
    errors: FieldErrors,
    form: NextForm,
    failed: Option<Failed>,
    said: Option<&'static str>,
    now: DateTime<Utc>,
}

impl Credentials {
    pub(super) async fn of(app: &AppState, the: &TheIntegration) -> anyhow::Result<Self> {
        let (account, integration) = (the.the.account.id, &the.integration);
        Ok(Self {
            at: the.at(),
            connection: integration.connection.clone(),
            spares: store::spare::spares(&app.db, account, integration.id).await?,
            errors: FieldErrors::default(),
            form: NextForm::default(),
            failed: None,
            said: None,
            now: app.clock.now(),
        })
    }

    /// Whether a certificate lies ready.
    pub(super) fn has_certificate(&self) -> bool {
        let next = self.spares.next.as_ref();
        next.is_some_and(|next| next.kind == CredentialKind::Certificate)
    }

    fn today(&self) -> NaiveDate {
        self.now.date_naive()
    }

    /// A day as people write it.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "as templates pass it")]
    fn day(day: &NaiveDate) -> String {
        day.format("%-d %B %Y").to_string()
    }

    /// The days on which somebody is reminded of the end, and whether each has passed.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "as templates pass it")]
    fn schedule(ends_on: &NaiveDate) -> Vec<Reminder> {
        reminders::schedule(*ends_on)
    }

    /// When the next credential takes over by itself.
    fn takes_over(&self) -> String {
        let ends_on = self.connection.as_ref().and_then(|connection| connection.expiry.on);
        match ends_on {
            _ if self.has_certificate() => {
                "It takes over by itself as soon as Microsoft accepts it.".to_owned()
            }
            Some(day) if takes_over_on(day) > self.today() => format!(
                "It takes over by itself on {}, or at once if Microsoft refuses the one in force.",
                takes_over_on(day).format("%-d %B %Y")
            ),
            Some(_) => "It takes over by itself within a minute.".to_owned(),
            None => "It takes over by itself when Microsoft refuses the one in force.".to_owned(),
        }
    }

    /// When what was in force before is forgotten.
    fn kept_until(&self) -> Option<DateTime<Utc>> {
        let previous = self.spares.previous.as_ref()?;
        Some(previous.since + crate::integrations::credential::PROVING)
    }
}

/// Tests the next secret with the connection that is there, and lays it ready.
async fn keep_next(
    State(app): State<AppState>,
    the: TheIntegration,
    partial: Partial,
    Form(form): Form<NextForm>,
) -> web::Result<Response> {
    let now = app.clock.now();
    let (secret, expires_on) = match form.parse(now.date_naive()) {
        Ok(both) => both,
        Err(errors) => return refuse(&app, &the, partial, form, errors, None).await,
    };
    let credential = Credential::Secret(secret);
    let (account, id) = (&the.the.account, the.integration.id);
    let connection = with(&app, &the, credential).await?;
    let token = match check(&app.microsoft, &connection).await {
        Ok(token) => token,
        Err(failed) => {
            let mut errors = FieldErrors::default();
            if failed.field() == Some("client_secret") {
                errors.add("next_secret", format!("{}.", failed.title()));
            }
            return refuse(&app, &the, partial, form, errors, Some(failed)).await;
        }
    };
    let read = expiry::read(&app, &connection, &token).await;
    let by = the.the.viewer.email.as_str();
    let expiry = read.unwrap_or_else(|| Expiry::typed(expires_on, by, now));
    let (secret, _) = halves_of(&connection.credential);
    let new = NewSpare {
        kind: CredentialKind::Secret,
        sealed: &app.sealer.seal(&secret_owner(account.id, id), secret)?,
        certificate: None,
        expiry: &expiry,
        accepted_at: Some(now),
        try_at: None,
    };
    let mut tx = app.db.begin().await?;
    if !spare::put_next(&mut *tx, account.id, id, new, now).await? {
        return Err(web::Error::NotFound);
    }
    // Now somebody holds its value: later nobody could give it to the monitors.
    store::ask_monitors_for_secret(&mut *tx, account.id, id, now).await?;
    let changes = Changes::default().field(
        "Next secret expires on",
        None::<String>,
        expiry.on.map(|day| day.to_string()),
    );
    let summary = "The next client secret was laid ready, tested with Microsoft.".to_owned();
    the.note(&mut tx, "integration.next_secret", summary, changes, now).await?;
    tx.commit().await?;
    shown(&app, &the, partial, "Tested with Microsoft, and laid ready.").await
}

/// Tests what lies ready once more, and puts it in force at once.
async fn use_next(
    State(app): State<AppState>,
    the: TheIntegration,
    partial: Partial,
) -> web::Result<Response> {
    let (account, id) = (the.the.account.id, the.integration.id);
    let version = the.integration.connection.as_ref().or_not_found()?.version;
    let next = spare::next_of(&app.db, &app.sealer, account, id).await?;
    let Some((credential, since)) = next else {
        return shown(&app, &the, partial, "It is in force already.").await;
    };
    let connection = with(&app, &the, credential).await?;
    let (tried, now) = (check(&app.microsoft, &connection).await, app.clock.now());
    let at = (account, id, since);
    match tried {
        Ok(token) => {
            let read = expiry::read(&app, &connection, &token).await;
            spare::judge_next(&app.db, at, Ok(read.as_ref()), now).await?;
        }
        Err(failed) => {
            if let Some((cause, detail)) = failed.against_credential() {
                spare::judge_next(&app.db, at, Err((cause.key(), detail)), now).await?;
            }
            let (form, errors) = (NextForm::default(), FieldErrors::default());
            return refuse(&app, &the, partial, form, errors, Some(failed)).await;
        }
    }
    let actor = the.the.viewer.actor();
    let said = if rotation::take_over(&app, &actor, account, version, "by hand").await? {
        "It is in force. Sync has changed over to it."
    } else {
        "Somebody else changed this meanwhile. Look at it again."
    };
    Ok(see_other_saying(the.back(), said))
}

async fn discard(
    State(app): State<AppState>,
    the: TheIntegration,
    partial: Partial,
) -> web::Result<Response> {
    let (account, id) = (the.the.account.id, the.integration.id);
    let mut tx = app.db.begin().await?;
    if let Some((kind, since)) = spare::discard_next(&mut *tx, account, id).await? {
        store::spare_monitors(&mut *tx, account, id, since).await?;
        let summary = format!("The next {} was discarded.", kind.words());
        let (changes, now) = (Changes::default(), app.clock.now());
        the.note(&mut tx, "integration.next_discarded", summary, changes, now).await?;
    }
    tx.commit().await?;
    shown(&app, &the, partial, "Discarded.").await
}

async fn make_certificate(
    State(app): State<AppState>,
    the: TheIntegration,
    partial: Partial,
) -> web::Result<Response> {
    let (account, id) = (the.the.account.id, the.integration.id);
    let (made, now) = (rotation::make_certificate(&app).await?, app.clock.now());
    let mut tx = app.db.begin().await?;
    if !rotation::lay_certificate(&app, &mut tx, (account, id), &made, true, now).await? {
        return Err(web::Error::NotFound);
    }
    let summary = format!("A certificate was made, thumbprint {}.", made.shown.thumbprint());
    the.note(&mut tx, "integration.certificate_made", summary, Changes::default(), now).await?;
    tx.commit().await?;
    shown(&app, &the, partial, "Made. Download it, and upload it to Entra.").await
}

#[derive(Clone, Debug, Deserialize)]
struct WhichInPath {
    which: String,
}

/// The certificate as a file, the way Entra takes it. There is nothing secret in it.
async fn download(
    State(app): State<AppState>,
    the: TheIntegration,
    Path(WhichInPath { which }): Path<WhichInPath>,
) -> web::Result<Response> {
    let (account, integration) = (the.the.account.id, &the.integration);
    let certificate: Option<ShownCertificate> = match which.as_str() {
        "in-force" => integration.connection.as_ref().and_then(|it| it.certificate.clone()),
        "next" => {
            let spares = spare::spares(&app.db, account, integration.id).await?;
            spares.next.and_then(|next| next.certificate)
        }
        _ => None,
    };
    let certificate = certificate.or_not_found()?;
    let thumbprint = certificate.thumbprint();
    let name = format!(
        "attachment; filename=\"presence-portal-{}.cer\"",
        thumbprint.get(..8).unwrap_or(&thumbprint)
    );
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/pkix-cert")),
        (header::CONTENT_DISPOSITION, HeaderValue::try_from(name)?),
    ];
    Ok((headers, certificate.pem()?).into_response())
}

/// The connection that is there, with another credential.
async fn with(
    app: &AppState,
    the: &TheIntegration,
    credential: Credential,
) -> web::Result<Connection> {
    let account = the.the.account.id;
    let kept = store::connection_of(&app.db, &app.sealer, account).await?.or_not_found()?;
    Ok(Connection { version: 0, credential, ..kept })
}

/// The section as it is now, in place or in its dialog.
async fn shown(
    app: &AppState,
    the: &TheIntegration,
    partial: Partial,
    said: &'static str,
) -> web::Result<Response> {
    if !partial.0 {
        let dialog = if the.integration.connection.is_some() { "configure" } else { "setup" };
        return Ok(see_other_saying(format!("{}/{dialog}", the.at()), said));
    }
    let credentials = Credentials { said: Some(said), ..Credentials::of(app, the).await? };
    Ok(Page(credentials).into_response())
}

async fn refuse(
    app: &AppState,
    the: &TheIntegration,
    partial: Partial,
    form: NextForm,
    errors: FieldErrors,
    failed: Option<Failed>,
) -> web::Result<Response> {
    let credentials = Credentials { errors, form, failed, ..Credentials::of(app, the).await? };
    if partial.0 {
        return Ok(refused(credentials));
    }
    let mut page = SetupPage::new(app, the).await?;
    page.credentials = credentials;
    Ok(refused(page))
}
