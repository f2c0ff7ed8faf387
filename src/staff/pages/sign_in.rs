//! In and out.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use serde::Deserialize;

use super::super::door::{self, Door};
use super::super::sign_in::{self, Outcome};
use super::super::throttle::Closed;
use super::super::{Viewer, cookie, store};
use crate::audit::{self, Actor};
use crate::kit::email::Email;
use crate::kit::secret::Secret;
use crate::state::AppState;
use crate::web::see_other_saying;
use crate::web::{self, FieldErrors, Form, Page, Query, flash_of, refused, see_other};

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/sign-in", get(show).post(enter)).route("/sign-out", post(leave))
}

#[derive(Template)]
#[template(path = "staff/sign_in.html")]
struct SignInPage {
    flash: Option<String>,
    errors: FieldErrors,
    email: String,
    next: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Wanted {
    next: String,
}

async fn show(
    State(app): State<AppState>,
    viewer: Result<Viewer, web::Error>,
    Query(Wanted { next }): Query<Wanted>,
    headers: HeaderMap,
) -> web::Result {
    match viewer {
        Ok(_) => return Ok(see_other(door::own_path(&next))),
        Err(web::Error::SignInFirst) => {}
        Err(error) => return Err(error),
    }
    if store::is_empty(&app.db).await? {
        return Ok(see_other("/welcome"));
    }
    let next = door::own_path(&next).to_owned();
    let errors = FieldErrors::default();
    let page = SignInPage { flash: flash_of(&headers), errors, email: String::new(), next };
    Ok(Page(page).into_response())
}

/// As typed, but for the password, which never goes back.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct SignInForm {
    email: String,
    password: Secret,
    next: String,
}

async fn enter(
    State(app): State<AppState>,
    door: Door,
    Form(form): Form<SignInForm>,
) -> web::Result {
    let mut errors = FieldErrors::default();
    let email = errors.take("email", Email::parse(&form.email));
    if form.password.is_empty() {
        errors.add("password", "Enter your password.");
    }
    let next = door::own_path(&form.next).to_owned();
    let back = |errors| SignInPage { flash: None, errors, email: form.email, next: next.clone() };
    let Some(email) = email.filter(|_| errors.is_empty()) else {
        return Ok(refused(back(errors)));
    };
    match sign_in::with_password(&app, &door, &email, &form.password).await? {
        Outcome::Welcome(arrival) => door::welcome(&app.config, &arrival, &next),
        Outcome::Wrong => {
            Ok(refused(back(FieldErrors::just("form", "Wrong e-mail address or password."))))
        }
        Outcome::Closed(closed) => {
            Ok(too_many(closed, back(FieldErrors::just("form", closed.words()))))
        }
    }
}

/// The page again, and how long to wait also in a way that machines read.
pub(super) fn too_many<T: Template>(closed: Closed, page: T) -> axum::response::Response {
    let wait = [(header::RETRY_AFTER, closed.seconds().to_string())];
    (StatusCode::TOO_MANY_REQUESTS, wait, Page(page)).into_response()
}

/// Also when the session has ended by itself: whoever wants out is out.
async fn leave(State(app): State<AppState>, door: Door) -> web::Result {
    if let Some(session) = &door.session {
        let mut tx = app.db.begin().await?;
        if let Some((staff, email)) = store::end_session(&mut *tx, session).await? {
            let actor = Actor::staff(staff, &email, door.address);
            let signed_out = sign_in::entry("sign_in.ended", "Signed out.");
            audit::note(&mut tx, &actor, signed_out, app.clock.now()).await?;
        }
        tx.commit().await?;
    }
    let mut response = see_other_saying("/sign-in", "You are signed out.");
    door::set_cookie(&mut response, &cookie::ended_session(&app.config))?;
    Ok(response)
}
