//! The second factor: setting it up, being asked for it, turning it off.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use serde::Deserialize;

use super::super::door::{self, Door};
use super::super::profile::{self, Known};
use super::super::second_factor::{self, Confirmed, Offer};
use super::super::sign_in::Outcome;
use super::super::store::second_factor as kept;
use super::super::{HALF_LIMIT, Viewer, store};
use super::sign_in::too_many;
use crate::kit::secret::Secret;
use crate::state::AppState;
use crate::web::{self, Chrome, FieldErrors, Form, Page, Query, Section};
use crate::web::{refused, see_other, see_other_saying};

const HOME: &str = "/profile/second-factor";

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route(HOME, get(show).post(offer))
        .route("/profile/second-factor/confirm", post(confirm))
        .route("/profile/second-factor/kept", post(keep_codes))
        .route("/profile/second-factor/off", post(turn_off))
        .route("/sign-in/code", get(ask).post(enter))
}

#[derive(Template)]
#[template(path = "staff/second_factor.html")]
struct SecondFactorPage {
    chrome: Chrome,
    errors: FieldErrors,
    stand: Stand,
}

/// Where setting it up has come to.
enum Stand {
    Off,
    Offered(Offer),
    /// On; recovery codes still shown, and how many are left.
    On {
        unread: Vec<String>,
        left: i64,
    },
}

impl SecondFactorPage {
    async fn with(app: &AppState, viewer: &Viewer, errors: FieldErrors) -> anyhow::Result<Self> {
        let stand = match kept::second_factor(&app.db, viewer.staff).await? {
            None => Stand::Off,
            Some(factor) if factor.confirmed_at.is_none() => {
                Stand::Offered(Offer::of(app, viewer, &factor)?)
            }
            Some(factor) => Stand::On {
                unread: second_factor::unread_codes(app, viewer.staff, &factor)?,
                left: factor.codes_left,
            },
        };
        let chrome = viewer.chrome("Second factor", Section::Profile);
        Ok(Self { chrome, errors, stand })
    }
}

async fn show(State(app): State<AppState>, viewer: Viewer) -> web::Result {
    let page = SecondFactorPage::with(&app, &viewer, FieldErrors::default()).await?;
    Ok(Page(page).into_response())
}

async fn offer(State(app): State<AppState>, viewer: Viewer) -> web::Result {
    second_factor::offer(&app, &viewer).await?;
    Ok(see_other(HOME))
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct CodeForm {
    code: Secret,
    next: String,
}

async fn confirm(
    State(app): State<AppState>,
    viewer: Viewer,
    Form(form): Form<CodeForm>,
) -> web::Result {
    let factor = kept::second_factor(&app.db, viewer.staff).await?;
    let Some(factor) = factor.filter(|factor| factor.confirmed_at.is_none()) else {
        return Ok(see_other(HOME));
    };
    match second_factor::confirm(&app, &viewer, &factor, form.code.reveal()).await? {
        Confirmed::On => Ok(see_other_saying(HOME, "The second factor is on.")),
        Confirmed::Wrong => {
            let wrong = "That is not the code the app shows now. Check the clock of your phone.";
            let errors = FieldErrors::just("code", wrong);
            Ok(refused(SecondFactorPage::with(&app, &viewer, errors).await?))
        }
        Confirmed::Closed(closed) => {
            let errors = FieldErrors::just("form", closed.words());
            Ok(too_many(closed, SecondFactorPage::with(&app, &viewer, errors).await?))
        }
    }
}

async fn keep_codes(State(app): State<AppState>, viewer: Viewer) -> web::Result {
    kept::keep_recovery_codes(&app.db, viewer.staff).await?;
    Ok(see_other("/profile"))
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct OffForm {
    password: Secret,
}

async fn turn_off(
    State(app): State<AppState>,
    viewer: Viewer,
    Form(form): Form<OffForm>,
) -> web::Result {
    let errors = match profile::knows_password(&app, &viewer, &form.password).await? {
        Known::Yes(_) => {
            second_factor::turn_off(&app, &viewer, (viewer.staff, &viewer.email)).await?;
            return Ok(see_other_saying("/profile", "The second factor is off."));
        }
        Known::No => FieldErrors::just("password", "That is not your password."),
        Known::Closed(closed) => {
            let errors = FieldErrors::just("form", closed.words());
            return Ok(too_many(closed, SecondFactorPage::with(&app, &viewer, errors).await?));
        }
    };
    Ok(refused(SecondFactorPage::with(&app, &viewer, errors).await?))
}

#[derive(Template)]
#[template(path = "staff/code.html")]
struct CodePage {
    errors: FieldErrors,
    next: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Wanted {
    next: String,
}

async fn ask(
    State(app): State<AppState>,
    door: Door,
    Query(Wanted { next }): Query<Wanted>,
) -> web::Result {
    let since = app.clock.now() - HALF_LIMIT;
    let half = match &door.half {
        Some(half) => store::half_signed_in(&app.db, half, since).await?,
        None => None,
    };
    if half.is_none() {
        return Ok(see_other("/sign-in"));
    }
    let next = door::own_path(&next).to_owned();
    Ok(Page(CodePage { errors: FieldErrors::default(), next }).into_response())
}

async fn enter(State(app): State<AppState>, door: Door, Form(form): Form<CodeForm>) -> web::Result {
    let next = door::own_path(&form.next).to_owned();
    let outcome = match &door.half {
        Some(half) => second_factor::with_code(&app, &door, half, form.code.reveal()).await?,
        None => None,
    };
    match outcome {
        None => Ok(see_other_saying("/sign-in", "That took too long. Sign in again.")),
        Some(Outcome::Welcome(arrival)) => door::welcome(&app.config, &arrival, &next),
        Some(Outcome::Wrong) => {
            let wrong = "That is not the code, or it was used already. Wait for the next one.";
            Ok(refused(CodePage { errors: FieldErrors::just("code", wrong), next }))
        }
        Some(Outcome::Closed(closed)) => {
            let errors = FieldErrors::just("form", closed.words());
            Ok(too_many(closed, CodePage { errors, next }))
        }
    }
}
