//! The renewal links of an integration: made, listed, revoked.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

use super::the::TheIntegration;
use crate::audit::Changes;
use crate::ids::RenewalId;
use crate::integrations::store::renewals::{self, NewRenewal, Renewal};
use crate::kit::secret::Secret;
use crate::kit::token;
use crate::staff::carry;
use crate::state::AppState;
use crate::web::{
    self, AccountTab, Chrome, FieldErrors, Form, Page, Path, refused, see_other, see_other_saying,
};

/// More would only be lost sight of.
const MOST_THAT_WORK: i64 = 5;

pub fn routes() -> Router<AppState> {
    let at = "/accounts/{account}/integrations/{integration}/renewals";
    Router::new()
        .route(at, get(show).post(make))
        .route(&format!("{at}/{{renewal}}/revoke"), post(revoke))
}

#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
struct RenewalForm {
    days: String,
}

impl Default for RenewalForm {
    fn default() -> Self {
        Self { days: "7".to_owned() }
    }
}

const DAYS: [(&str, &str); 4] =
    [("1", "1 day"), ("3", "3 days"), ("7", "7 days"), ("14", "14 days")];

#[derive(Template)]
#[template(path = "integrations/renewals.html")]
struct RenewalsPage {
    chrome: Chrome,
    at: String,
    configure: String,
    customer: String,
    renewals: Vec<Renewal>,
    form: RenewalForm,
    errors: FieldErrors,
    /// The link that was just made, the one time it is shown.
    link: Option<String>,
    may_make: bool,
    now: DateTime<Utc>,
}

impl RenewalsPage {
    async fn of(app: &AppState, the: &TheIntegration) -> web::Result<Self> {
        if the.integration.connection.is_none() {
            return Err(web::Error::NotFound);
        }
        let (account, id) = (the.the.account.id, the.integration.id);
        Ok(Self {
            chrome: the.the.chrome("Renewal links", AccountTab::Integrations),
            at: format!("{}/renewals", the.at()),
            configure: format!("{}/configure", the.at()),
            customer: the.the.account.name.clone(),
            renewals: renewals::renewals(&app.db, account, id).await?,
            form: RenewalForm::default(),
            errors: FieldErrors::default(),
            link: None,
            may_make: the.the.viewer.is_partner(),
            now: app.clock.now(),
        })
    }
}

impl Renewal {
    /// Its state: kind and words.
    fn state(&self, now: DateTime<Utc>) -> (&'static str, &'static str) {
        match self.ended.as_deref() {
            Some("used") => ("ok", "Used"),
            Some(_) => ("neutral", "Revoked"),
            None if self.works(now) => ("info", "Works"),
            None => ("neutral", "Expired"),
        }
    }
}

async fn show(
    State(app): State<AppState>,
    the: TheIntegration,
    headers: HeaderMap,
) -> web::Result<Response> {
    let mut page = RenewalsPage::of(&app, &the).await?;
    page.link = fresh_link(&app, &the, &headers).await?;
    let shown = page.link.is_some();
    let response = Page(page).into_response();
    if shown { carry::shown(&app, response) } else { Ok(response) }
}

/// The link that the step before this one made, if it is this integration's and works.
async fn fresh_link(
    app: &AppState,
    the: &TheIntegration,
    headers: &HeaderMap,
) -> web::Result<Option<String>> {
    let Some(token) = carry::carried(app, headers) else { return Ok(None) };
    let found = renewals::renewal(&app.db, &token::digest(token.reveal())).await?;
    let theirs = found.is_some_and(|found| {
        (found.account, found.integration) == (the.the.account.id, the.integration.id)
            && found.works(app.clock.now())
    });
    if !theirs {
        return Ok(None);
    }
    Ok(Some(app.config.public_url.join(&format!("/renew/{}", token.reveal()))?.to_string()))
}

/// Only the partner hands out a way in for somebody who has no account here.
fn partner_only(the: &TheIntegration) -> web::Result<()> {
    if the.the.viewer.is_partner() { Ok(()) } else { Err(web::Error::Forbidden) }
}

async fn make(
    State(app): State<AppState>,
    the: TheIntegration,
    Form(form): Form<RenewalForm>,
) -> web::Result<Response> {
    partner_only(&the)?;
    let page = RenewalsPage::of(&app, &the).await?;
    let days = DAYS.iter().find(|(days, _)| *days == form.days).and_then(|it| it.0.parse().ok());
    let Some(days) = days else {
        let errors = FieldErrors::just("days", "Choose for how long it works.");
        return Ok(refused(RenewalsPage { form, errors, ..page }));
    };
    if let Some(token) = insert(&app, &the, TimeDelta::days(days)).await? {
        return carry::carry(&app, see_other(page.at), &token);
    }
    let full = format!("{MOST_THAT_WORK} links work already. Revoke one that nobody needs.");
    let errors = FieldErrors::just("form", full);
    Ok(refused(RenewalsPage { form, errors, ..page }))
}

async fn insert(
    app: &AppState,
    the: &TheIntegration,
    works_for: TimeDelta,
) -> web::Result<Option<Secret>> {
    let (account, viewer, now) = (&the.the.account, &the.the.viewer, app.clock.now());
    let token = token::random();
    let new = NewRenewal {
        account: account.id,
        integration: the.integration.id,
        digest: &token::digest(token.reveal()),
        made_by: viewer.email.as_str(),
        expires_at: now + works_for,
    };
    let mut tx = app.db.begin().await?;
    if !renewals::add_renewal(&mut *tx, new, MOST_THAT_WORK, now).await? {
        return Ok(None);
    }
    let until = (now + works_for).format("%-d %B %Y, %H:%M UTC");
    let summary = format!("A renewal link was made that works once, until {until}.");
    the.note(&mut tx, "integration.renewal_link_made", summary, Changes::default(), now).await?;
    tx.commit().await?;
    Ok(Some(token))
}

#[derive(Clone, Copy, Debug, Deserialize)]
struct InPath {
    renewal: RenewalId,
}

async fn revoke(
    State(app): State<AppState>,
    the: TheIntegration,
    Path(InPath { renewal }): Path<InPath>,
) -> web::Result<Response> {
    partner_only(&the)?;
    let (account, id, now) = (the.the.account.id, the.integration.id, app.clock.now());
    let back = format!("{}/renewals", the.at());
    let mut tx = app.db.begin().await?;
    if !renewals::revoke_renewal(&mut *tx, account, id, renewal, now).await? {
        return Ok(see_other_saying(back, "That link did not work any more."));
    }
    let summary = "A renewal link was revoked.".to_owned();
    let action = "integration.renewal_link_revoked";
    the.note(&mut tx, action, summary, Changes::default(), now).await?;
    tx.commit().await?;
    Ok(see_other_saying(back, "The link is revoked: whoever follows it is told so."))
}
