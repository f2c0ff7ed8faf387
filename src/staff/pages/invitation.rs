//! Where a one-time link leads: choose a password, and in.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;

use super::super::door::{self, Door};
use super::super::link::{self, Purpose};
use super::super::password::{self, NewPassword};
use super::super::store::{self, Link};
use crate::kit::secret::Secret;
use crate::kit::token;
use crate::state::AppState;
use crate::web::{self, FieldErrors, Form, Page, Path, refused};

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/invitation/{token}", get(show).post(accept))
}

#[derive(Template)]
#[template(path = "staff/invitation.html")]
struct InvitationPage {
    errors: FieldErrors,
    name: String,
    email: String,
    /// Of somebody who comes for the first time, rather than one who forgot their password.
    first_time: bool,
    rule: &'static str,
}

impl InvitationPage {
    fn with(link: &Link, errors: FieldErrors) -> Self {
        Self {
            errors,
            name: link.name.clone(),
            email: link.email.to_string(),
            first_time: link.purpose == Purpose::Invitation.as_str(),
            rule: password::RULE,
        }
    }
}

#[derive(Template)]
#[template(path = "staff/dead_link.html")]
struct DeadLinkPage {
    why: &'static str,
}

fn dead(why: &'static str) -> Response {
    (StatusCode::GONE, Page(DeadLinkPage { why })).into_response()
}

/// What there is to say of a link that vanished while its page was open.
const GONE_MEANWHILE: &str = "It has been used, revoked or replaced a moment ago.";

async fn show(State(app): State<AppState>, Path(token): Path<Secret>) -> web::Result {
    let link = store::link(&app.db, &token::digest(token.reveal())).await?;
    Ok(match (link::trouble(link.as_ref(), app.clock.now()), link) {
        (None, Some(link)) => {
            Page(InvitationPage::with(&link, FieldErrors::default())).into_response()
        }
        (why, _) => dead(why.unwrap_or(GONE_MEANWHILE)),
    })
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct AcceptForm {
    password: Secret,
}

async fn accept(
    State(app): State<AppState>,
    door: Door,
    Path(token): Path<Secret>,
    Form(form): Form<AcceptForm>,
) -> web::Result {
    let digest = token::digest(token.reveal());
    let link = store::link(&app.db, &digest).await?;
    if let Some(why) = link::trouble(link.as_ref(), app.clock.now()) {
        return Ok(dead(why));
    }
    let Some(link) = link else { return Ok(dead(GONE_MEANWHILE)) };
    let password = match NewPassword::parse(&form.password, &link.email) {
        Ok(password) => password,
        Err(unfit) => {
            let errors = FieldErrors::just("password", unfit);
            return Ok(refused(InvitationPage::with(&link, errors)));
        }
    };
    match link::follow(&app, &door, &link, &digest, &password).await? {
        Some(arrival) => door::welcome(&app.config, &arrival, "/"),
        None => Ok(dead(GONE_MEANWHILE)),
    }
}
