//! The first run: the set-up code makes the first partner admin.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;

use super::super::door::{self, Door};
use super::super::password::{self, NewPassword};
use super::super::setup::{self, FirstAdmin};
use super::super::throttle::Attempt;
use super::super::{parse_name, store};
use super::sign_in::too_many;
use crate::kit::email::Email;
use crate::kit::secret::Secret;
use crate::state::AppState;
use crate::web::{self, Error, FieldErrors, Form, Page, refused};

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/welcome", get(show).post(begin))
}

#[derive(Template)]
#[template(path = "staff/welcome.html")]
struct WelcomePage {
    errors: FieldErrors,
    form: WelcomeForm,
    rule: &'static str,
}

impl WelcomePage {
    fn with(form: WelcomeForm, errors: FieldErrors) -> Self {
        Self { errors, form, rule: password::RULE }
    }
}

/// Once there are staff there is no such page.
async fn show(State(app): State<AppState>) -> web::Result {
    if !store::is_empty(&app.db).await? {
        return Err(Error::NotFound);
    }
    let page = WelcomePage::with(WelcomeForm::default(), FieldErrors::default());
    Ok(Page(page).into_response())
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct WelcomeForm {
    code: Secret,
    name: String,
    email: String,
    password: Secret,
}

impl WelcomeForm {
    fn parse(&self) -> Result<FirstAdmin, FieldErrors> {
        let mut errors = FieldErrors::default();
        if self.code.reveal().trim().is_empty() {
            errors.add("code", "Enter the set-up code that the portal printed when it started.");
        }
        let name = errors.take("name", parse_name(&self.name));
        let email = errors.take("email", Email::parse(&self.email));
        let password = email
            .clone()
            .and_then(|email| errors.take("password", NewPassword::parse(&self.password, &email)));
        match (name, email, password) {
            (Some(name), Some(email), Some(password)) if errors.is_empty() => {
                Ok(FirstAdmin { code: setup::digest(self.code.reveal()), name, email, password })
            }
            _ => Err(errors),
        }
    }
}

async fn begin(
    State(app): State<AppState>,
    door: Door,
    Form(form): Form<WelcomeForm>,
) -> web::Result<Response> {
    if !store::is_empty(&app.db).await? {
        return Err(Error::NotFound);
    }
    let first = match form.parse() {
        Ok(first) => first,
        Err(errors) => return Ok(refused(WelcomePage::with(form, errors))),
    };
    let attempt = Attempt::with_setup_code(door.address);
    if let Err(closed) = attempt.take(&app.db, app.clock.now()).await? {
        let errors = FieldErrors::just("form", closed.words());
        return Ok(too_many(closed, WelcomePage::with(form, errors)));
    }
    if let Some(session) = setup::begin(&app, &door, &first).await? {
        return door::let_in(&app.config, &session, "/");
    }
    let wrong =
        "That is not the code. The portal prints a new one each time it starts: take the newest.";
    Ok(refused(WelcomePage::with(form, FieldErrors::just("code", wrong))))
}
