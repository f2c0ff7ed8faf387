//! Every component in every state, on pages of their own: for whoever changes them.
//! Shown beside the sandbox; it knows nobody and shows nothing of anybody.

use askama::Template;
use axum::Router;
use axum::http::HeaderMap;
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use chrono::{DateTime, Utc};

use super::{
    AccountTab, Chrome, FieldErrors, Page, Partial, Person, Place, assets, clear_shown_flash,
    flash_of, refused, see_other_saying,
};
use crate::ids::AccountId;

pub fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/styleguide", get(show).post(save))
        .route("/styleguide/dialog", get(dialog).post(refuse))
        .layer(from_fn(clear_shown_flash))
}

/// The colours of `static/css/tokens.css`.
const TOKENS: &[&str] = &[
    "ground",
    "surface",
    "sunken",
    "ink",
    "muted",
    "line",
    "line-strong",
    "link",
    "accent",
    "accent-tint",
    "danger-fill",
    "ok",
    "ok-tint",
    "info",
    "info-tint",
    "warn",
    "warn-tint",
    "danger",
    "danger-tint",
    "nav",
    "nav-ink",
    "nav-here",
];

#[derive(Template)]
#[template(path = "styleguide/index.html")]
struct IndexPage {
    chrome: Chrome,
    errors: FieldErrors,
    now: DateTime<Utc>,
    tokens: &'static [&'static str],
}

async fn show(headers: HeaderMap) -> Page<IndexPage> {
    let mut errors = FieldErrors::just("email", "That is not an e-mail address yet.");
    errors.add("tenant", "No tenant has this id. Copy it from the overview page in Entra.");
    Page(IndexPage {
        chrome: chrome(flash_of(&headers)),
        errors,
        now: DateTime::UNIX_EPOCH,
        tokens: TOKENS,
    })
}

async fn save() -> Response {
    see_other_saying("/styleguide", "Saved.")
}

#[derive(Template)]
#[template(path = "styleguide/dialog.html")]
struct DialogPage {
    chrome: Chrome,
    errors: FieldErrors,
}

#[derive(Template)]
#[template(path = "styleguide/dialog.html", block = "dialog")]
struct DialogPart {
    errors: FieldErrors,
}

async fn dialog(Partial(partial): Partial) -> Response {
    let errors = FieldErrors::default();
    if partial {
        Page(DialogPart { errors }).into_response()
    } else {
        Page(DialogPage { chrome: chrome(None), errors }).into_response()
    }
}

async fn refuse(Partial(partial): Partial) -> Response {
    let errors = FieldErrors::just("dialog-tenant", "Fill in the tenant id.");
    if partial {
        refused(DialogPart { errors })
    } else {
        refused(DialogPage { chrome: chrome(None), errors })
    }
}

fn chrome(flash: Option<String>) -> Chrome {
    Chrome {
        title: "Styleguide".to_owned(),
        place: Place::Account {
            id: AccountId::new(),
            name: "Acme Telefoni AB".to_owned(),
            deactivated: true,
            tab: AccountTab::Presence,
        },
        person: Person {
            name: "Ada Lovelace".to_owned(),
            email: "ada@example.com".to_owned(),
            role: "Partner admin",
            is_partner: true,
            may_change: true,
        },
        flash,
        assets: assets::Urls,
    }
}
