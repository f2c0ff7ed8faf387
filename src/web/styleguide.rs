//! Every component in every state, on pages of their own: for whoever changes them.
//! Shown beside the sandbox; it knows nobody and shows nothing of anybody.

use askama::Template;
use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::chart::{self, Axis, Picture};
use super::{
    AccountTab, Chrome, Error, FieldErrors, Page, Partial, Path, Person, Place, Result, assets,
    clear_shown_flash, flash_of, refused, see_other_saying,
};
use crate::ids::AccountId;

pub fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/styleguide", get(show).post(save))
        .route("/styleguide/dialog", get(dialog).post(refuse))
        .route("/styleguide/problem/{status}", get(problem))
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
    bars: Picture,
    lines: Picture,
}

async fn show(headers: HeaderMap) -> Result<Page<IndexPage>> {
    let mut errors = FieldErrors::just("email", "That is not an e-mail address yet.");
    errors.add("tenant", "No tenant has this id. Copy it from the overview page in Entra.");
    let (bars, lines) = pictures()?;
    Ok(Page(IndexPage {
        bars,
        lines,
        chrome: chrome(flash_of(&headers)),
        errors,
        now: DateTime::UNIX_EPOCH,
        tokens: TOKENS,
    }))
}

/// Bars and lines over an hour in which something failed and something was not measured.
fn pictures() -> anyhow::Result<(Picture, Picture)> {
    let axis = Axis::hour(DateTime::UNIX_EPOCH, Tz::UTC);
    let minutes = || (0..60_u32).map(f64::from);
    let sent: Vec<_> = minutes().map(|minute| (minute * 7.0) % 11.0 + 3.0).collect();
    let failed: Vec<_> = minutes().map(|minute| (minute * 3.0) % 4.0).collect();
    let slow = |by: f64| -> Vec<_> {
        minutes().map(|m| (!(25.0..=32.0).contains(&m)).then_some((m * 5.0) % 40.0 + by)).collect()
    };
    let bars = chart::bars(axis, &sent, &failed, chart::whole)?;
    Ok((bars, chart::lines(axis, &slow(60.0), &slow(140.0))?))
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

/// A refusal, as whoever meets it sees it.
async fn problem(Path(status): Path<u16>) -> Response {
    let status = StatusCode::from_u16(status).ok();
    let status = status.filter(|status| status.is_client_error() || status.is_server_error());
    status.map_or_else(|| Error::NotFound.into_response(), IntoResponse::into_response)
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
