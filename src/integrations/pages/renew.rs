//! Where a renewal link leads: a customer's own admin, who has no account here, pastes a new
//! client secret. It is tested as Configure tests it, and in force at once. The partner never
//! sees it.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

use crate::accounts::{self, Account};
use crate::audit::{self, Actor, Changes, Entry};
use crate::integrations::check::{Failed, check};
use crate::integrations::form::{ConnectionForm, Details};
use crate::integrations::save::{self, By, New, Tested};
use crate::integrations::store::renewals::{self, Renewal};
use crate::integrations::{Connected, Expiry, Integration, expiry, store};
use crate::kit::secret::Secret;
use crate::kit::token;
use crate::microsoft::{Connection, Credential};
use crate::staff::network;
use crate::staff::store::attempts::{self, Limit};
use crate::state::AppState;
use crate::web::{self, ClientAddress, FieldErrors, Form, Page, Path, see_other};

pub fn routes() -> Router<AppState> {
    Router::new().route("/renew/{token}", get(show).post(renew))
}

/// Who acts, as Activity names them.
const ACTOR: &str = "renewal link";

/// Of one link: each attempt asks Microsoft, who counts, too.
const OF_LINK: Limit = Limit {
    free: 6,
    first_wait: TimeDelta::seconds(30),
    longest_wait: TimeDelta::minutes(15),
    memory: TimeDelta::hours(2),
};
/// Of everybody behind one address.
const OF_ADDRESS: Limit = Limit { free: 30, ..OF_LINK };

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct RenewForm {
    client_secret: Secret,
    secret_expires_on: String,
}

#[derive(Template)]
#[template(path = "integrations/renew.html")]
struct RenewPage {
    customer: String,
    connection: Connected,
    expires_at: DateTime<Utc>,
    form: RenewForm,
    errors: FieldErrors,
    failed: Option<Failed>,
}

#[derive(Template)]
#[template(path = "integrations/renewal_ended.html")]
struct EndedPage {
    title: &'static str,
    why: String,
    done: bool,
}

/// A link that works, and what it is for.
struct Followed {
    renewal: Renewal,
    account: Account,
    integration: Integration,
    connection: Connected,
}

/// What a link is worth now: what it is for, or the page that says why it is worth nothing.
async fn follow(app: &AppState, token: &Secret) -> web::Result<Result<Followed, EndedPage>> {
    let found = renewals::renewal(&app.db, &token::digest(token.reveal())).await?;
    let Some(renewal) = found else { return Ok(Err(unknown())) };
    if !renewal.works(app.clock.now()) {
        return Ok(Err(ended(&renewal)));
    }
    let account = accounts::store::find(&app.db, renewal.account, None).await?;
    let integration = store::find(&app.db, renewal.account, renewal.integration).await?;
    let integration = integration.filter(|found| found.removing_since.is_none());
    let Some((account, integration)) = account.zip(integration) else { return Ok(Err(unneeded())) };
    let Some(connection) = integration.connection.clone() else { return Ok(Err(unneeded())) };
    Ok(Ok(Followed { renewal, account, integration, connection }))
}

fn unknown() -> EndedPage {
    EndedPage {
        title: "There is nothing behind this link",
        why: "Perhaps only a part of it was copied. Ask whoever sent it to you to send it again."
            .to_owned(),
        done: false,
    }
}

fn unneeded() -> EndedPage {
    EndedPage {
        title: "This link is not needed any more",
        why: "The connection it was made for is being removed. There is nothing to do.".to_owned(),
        done: false,
    }
}

fn ended(renewal: &Renewal) -> EndedPage {
    let day = |at: DateTime<Utc>| at.format("%-d %B %Y, %H:%M UTC");
    let at = day(renewal.ended_at.unwrap_or(renewal.expires_at));
    match renewal.ended.as_deref() {
        Some("used") => EndedPage {
            title: "The new client secret is in force",
            why: format!(
                "This link was used on {at}: the secret was tested with Microsoft and is used \
                 from then on. There is nothing more to do, and you can close this page."
            ),
            done: true,
        },
        Some(_) => EndedPage {
            title: "This link was revoked",
            why: format!(
                "Whoever made it took it back on {at}. Ask them for a new one if a secret is \
                 still needed."
            ),
            done: false,
        },
        None => EndedPage {
            title: "This link has expired",
            why: format!("It worked until {at}. Ask whoever sent it to you for a new one."),
            done: false,
        },
    }
}

impl EndedPage {
    fn into_answer(self) -> Response {
        let status = if self.done { StatusCode::OK } else { StatusCode::GONE };
        (status, Page(self)).into_response()
    }
}

impl RenewPage {
    fn of(followed: &Followed) -> Self {
        Self {
            customer: followed.account.name.clone(),
            connection: followed.connection.clone(),
            expires_at: followed.renewal.expires_at,
            form: RenewForm::default(),
            errors: FieldErrors::default(),
            failed: None,
        }
    }

    /// Where the customer's admin makes a new secret.
    fn secrets_page(&self) -> String {
        let Connected { cloud, tenant, client, .. } = &self.connection;
        cloud.secrets_page(*tenant, *client)
    }
}

async fn show(State(app): State<AppState>, Path(token): Path<Secret>) -> web::Result {
    Ok(match follow(&app, &token).await? {
        Ok(followed) => Page(RenewPage::of(&followed)).into_response(),
        Err(ended) => ended.into_answer(),
    })
}

async fn renew(
    State(app): State<AppState>,
    ClientAddress(address): ClientAddress,
    Path(token): Path<Secret>,
    Form(form): Form<RenewForm>,
) -> web::Result {
    let followed = match follow(&app, &token).await? {
        Ok(followed) => followed,
        Err(ended) => return Ok(ended.into_answer()),
    };
    let refuse = |form, errors, failed| {
        let page = RenewPage { form, errors, failed, ..RenewPage::of(&followed) };
        Ok((StatusCode::UNPROCESSABLE_ENTITY, Page(page)).into_response())
    };
    let details = match meant(&form, &followed.connection, &app) {
        Ok(details) => details,
        Err(errors) => return refuse(form, errors, None),
    };
    let subjects =
        [format!("renewal {}", followed.renewal.id), format!("renewal by {}", network(address))];
    if let Err(until) = take_attempt(&app, &subjects).await? {
        let wait = (until - app.clock.now()).num_seconds().max(1);
        let complaint = format!("Too many attempts. Try again in {wait} seconds.");
        let errors = FieldErrors::just("form", complaint);
        let page = RenewPage { form, errors, ..RenewPage::of(&followed) };
        return Ok((StatusCode::TOO_MANY_REQUESTS, Page(page)).into_response());
    }
    let actor = Actor::stranger(ACTOR, address);
    let read = match test(&app, &followed, &details).await {
        Ok(read) => read,
        Err(failed) => {
            note_refused(&app, &followed, &actor, &failed).await?;
            let mut errors = FieldErrors::default();
            // There is one field here: whatever is wrong with the secret stands beside it.
            if failed.field() == Some("client_secret") {
                errors.add("client_secret", format!("{}.", failed.title()));
            }
            return refuse(form, errors, Some(failed));
        }
    };
    let by = By { account: &followed.account, actor, renewal: Some(followed.renewal.id) };
    let new = New { details: &details, tested: Tested::Now, read, certificate: None };
    if !save::save_by(&app, &by, &followed.integration, new).await? {
        if let Err(ended) = follow(&app, &token).await? {
            return Ok(ended.into_answer());
        }
        let complaint = "Somebody else changed this connection meanwhile. Look at it again, and paste the secret again.";
        return refuse(form, FieldErrors::just("form", complaint), None);
    }
    for subject in &subjects {
        attempts::forget(&app.db, subject).await?;
    }
    Ok(see_other(format!("/renew/{}", token.reveal())))
}

/// The connection as it is, with the new secret; its expiry date is the new one's, or unknown.
fn meant(form: &RenewForm, kept: &Connected, app: &AppState) -> Result<Details, FieldErrors> {
    if form.client_secret.reveal().trim().is_empty() {
        return Err(FieldErrors::just("client_secret", "Paste the Value of the client secret."));
    }
    let whole = ConnectionForm {
        client_secret: form.client_secret.clone(),
        secret_expires_on: form.secret_expires_on.clone(),
        ..ConnectionForm::from(kept)
    };
    // Nothing stands in the field beforehand: whatever is there is said of the new one.
    let undated = Connected { expiry: Expiry::default(), ..kept.clone() };
    whole.parse(Some(&undated), false, app.clock.now().date_naive())
}

async fn take_attempt(
    app: &AppState,
    subjects: &[String; 2],
) -> sqlx::Result<Result<(), DateTime<Utc>>> {
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    for (subject, limit) in subjects.iter().zip([OF_LINK, OF_ADDRESS]) {
        if let Err(until) = attempts::take(&mut tx, subject, limit, now).await? {
            return Ok(Err(until));
        }
    }
    tx.commit().await?;
    Ok(Ok(()))
}

/// Tries the new secret. When it ends, if that can be read.
async fn test(
    app: &AppState,
    followed: &Followed,
    details: &Details,
) -> Result<Option<Expiry>, Failed> {
    let connection = Connection {
        account: followed.account.id,
        version: 0,
        tenant: details.tenant,
        client: details.client,
        cloud: details.cloud,
        credential: Credential::Secret(details.secret.clone().unwrap_or_default()),
    };
    let token = check(&app.microsoft, &connection).await?;
    Ok(expiry::read(app, &connection, &token).await)
}

async fn note_refused(
    app: &AppState,
    followed: &Followed,
    actor: &Actor,
    failed: &Failed,
) -> sqlx::Result<()> {
    let entry = Entry {
        action: "integration.renewal_refused",
        summary: format!(
            "A client secret pasted by a renewal link was refused: {}.",
            failed.title()
        ),
        account: Some((followed.account.id, &followed.account.name)),
        changes: Changes::default(),
    };
    let mut tx = app.db.begin().await?;
    audit::note(&mut tx, actor, entry, app.clock.now()).await?;
    tx.commit().await
}
