//! The pages of an account's presence: how it is doing, why a user shows what they show, and
//! what a telephone's state means in Teams.

mod changes;
mod cost;
mod doctor;
mod file;
mod forget;
mod health;
mod mapping;
mod mapping_form;
mod matching;
mod older;
mod overview;
mod past;
mod pause;
mod pause_form;
mod pausing;
mod people;
mod preview;
mod read_back;
mod sync;
mod user;
mod verdict;

use askama::Template;
use axum::Router;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

pub use health::{Mend, at, mend, title_of};

use crate::state::AppState;
use crate::web;

pub fn routes() -> Router<AppState> {
    Router::new()
        .merge(overview::routes())
        .merge(user::routes())
        .merge(changes::routes())
        .merge(forget::routes())
        .merge(matching::routes())
        .merge(doctor::routes())
        .merge(mapping::routes())
        .merge(preview::routes())
        .merge(sync::routes())
        .merge(pause::routes())
        .merge(file::routes())
}

/// A part of a page that refreshes itself. It carries a digest of what it shows; asked with
/// the same digest again, the answer is that nothing changed: so a reader's selection and
/// focus stay, and a screen reader stays quiet.
#[derive(Clone, Debug)]
pub struct Live {
    pub inner: String,
    pub digest: String,
}

impl Live {
    pub fn of(part: &impl Template) -> web::Result<Self> {
        let inner = part.render()?;
        let digest = Sha256::digest(inner.as_bytes());
        Ok(Self { inner, digest: URL_SAFE_NO_PAD.encode(digest) })
    }

    /// `whole` unless the reader has `seen` it already.
    pub fn unless_seen(&self, seen: &str, whole: &impl Template) -> web::Result<Response> {
        if self.digest == seen {
            return Ok(StatusCode::NO_CONTENT.into_response());
        }
        Ok(Html(whole.render()?).into_response())
    }
}
