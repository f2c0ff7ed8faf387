//! The switches as JSON over HTTP.

use axum::Router;

use super::Controls;

pub(super) fn routes() -> Router<Controls> {
    Router::new()
}
