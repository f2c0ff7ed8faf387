//! The pages of accounts. What an account's own page shows comes with its integrations.

mod activity;
mod deactivate;
mod edit;
mod filters;
mod import;
mod index;

use axum::Router;

use crate::state::AppState;

pub fn routes() -> Router<AppState> {
    Router::new()
        .merge(index::routes())
        .merge(filters::routes())
        .merge(edit::routes())
        .merge(import::routes())
        .merge(deactivate::routes())
        .merge(activity::routes())
}
