//! My profile: name, password, sessions.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::super::password::{self, NewPassword};
use super::super::profile::{self, Known};
use super::super::store::{self, second_factor};
use super::super::{ABSOLUTE_LIMIT, IDLE_LIMIT, Viewer, browser, parse_name};
use super::sign_in::too_many;
use crate::kit::secret::Secret;
use crate::state::AppState;
use crate::web::{self, Chrome, FieldErrors, Form, Page, Path, Section};
use crate::web::{refused, see_other_saying};

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/profile", get(show))
        .route("/profile/name", post(rename))
        .route("/profile/password", post(change_password))
        .route("/profile/sessions/{id}/end", post(end_session))
        .route("/profile/sessions/end-others", post(end_other_sessions))
}

#[derive(Template)]
#[template(path = "staff/profile.html")]
struct ProfilePage {
    chrome: Chrome,
    typed_name: String,
    name_errors: FieldErrors,
    password_errors: FieldErrors,
    rule: &'static str,
    sessions: Vec<Session>,
    has_second_factor: bool,
}

struct Session {
    id: i64,
    browser: String,
    address: String,
    begun: DateTime<Utc>,
    used: DateTime<Utc>,
    /// The one that asks.
    is_this: bool,
}

impl ProfilePage {
    async fn of(app: &AppState, viewer: &Viewer) -> sqlx::Result<Self> {
        let now = app.clock.now();
        let (idle_since, begun_since) = (now - IDLE_LIMIT, now - ABSOLUTE_LIMIT);
        let kept = store::sessions_of(&app.db, viewer.staff, idle_since, begun_since).await?;
        let sessions = kept.into_iter().map(|kept| Session {
            id: kept.id,
            browser: browser::in_words(&kept.browser),
            address: kept.address,
            begun: kept.created_at,
            used: kept.seen_at,
            is_this: kept.digest == viewer.session,
        });
        let factor = second_factor::second_factor(&app.db, viewer.staff).await?;
        Ok(Self {
            chrome: viewer.chrome("My profile", Section::Profile),
            typed_name: viewer.name.clone(),
            name_errors: FieldErrors::default(),
            password_errors: FieldErrors::default(),
            rule: password::RULE,
            sessions: sessions.collect(),
            has_second_factor: factor.is_some_and(|factor| factor.confirmed_at.is_some()),
        })
    }
}

async fn show(State(app): State<AppState>, viewer: Viewer) -> web::Result<Response> {
    Ok(Page(ProfilePage::of(&app, &viewer).await?).into_response())
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct NameForm {
    name: String,
}

async fn rename(
    State(app): State<AppState>,
    viewer: Viewer,
    Form(form): Form<NameForm>,
) -> web::Result {
    match parse_name(&form.name) {
        Ok(name) => {
            profile::rename(&app, &viewer, &name).await?;
            Ok(see_other_saying("/profile", "Saved."))
        }
        Err(not_a_name) => {
            let page = ProfilePage::of(&app, &viewer).await?;
            let name_errors = FieldErrors::just("name", not_a_name);
            Ok(refused(ProfilePage { typed_name: form.name, name_errors, ..page }))
        }
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct PasswordForm {
    current: Secret,
    new: Secret,
}

async fn change_password(
    State(app): State<AppState>,
    viewer: Viewer,
    Form(form): Form<PasswordForm>,
) -> web::Result {
    let mut errors = FieldErrors::default();
    if form.current.is_empty() {
        errors.add("current", "Enter your current password.");
    }
    let new = errors.take("new", NewPassword::parse(&form.new, &viewer.email));
    let page = ProfilePage::of(&app, &viewer).await?;
    let Some(new) = new.filter(|_| errors.is_empty()) else {
        return Ok(refused(ProfilePage { password_errors: errors, ..page }));
    };
    let changed = match profile::knows_password(&app, &viewer, &form.current).await? {
        Known::Yes(old) => profile::change_password(&app, &viewer, &old, &new).await?,
        Known::No => false,
        Known::Closed(closed) => {
            let password_errors = FieldErrors::just("form", closed.words());
            return Ok(too_many(closed, ProfilePage { password_errors, ..page }));
        }
    };
    if changed {
        let said = "Your password is changed, and you are signed out everywhere else.";
        return Ok(see_other_saying("/profile", said));
    }
    let password_errors = FieldErrors::just("current", "That is not your current password.");
    Ok(refused(ProfilePage { password_errors, ..page }))
}

async fn end_session(
    State(app): State<AppState>,
    viewer: Viewer,
    Path(id): Path<i64>,
) -> web::Result {
    let ended = profile::end_session(&app, &viewer, id).await?;
    let said = if ended { "That session is ended." } else { "That session had ended already." };
    Ok(see_other_saying("/profile", said))
}

async fn end_other_sessions(State(app): State<AppState>, viewer: Viewer) -> web::Result {
    let said = match profile::end_other_sessions(&app, &viewer).await? {
        0 => "You are signed in nowhere else.".to_owned(),
        1 => "One other session is ended.".to_owned(),
        ended => format!("{ended} other sessions are ended."),
    };
    Ok(see_other_saying("/profile", &said))
}
