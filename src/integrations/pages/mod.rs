//! The pages of an account's integrations, and the account's own page, which shows them.

mod add;
mod credentials;
mod delete;
mod information;
mod monitors;
mod panel;
mod remove;
mod renew;
mod renewals;
mod setup;
mod the;

use axum::Router;

pub use the::TheIntegration;

use crate::state::AppState;

pub fn routes() -> Router<AppState> {
    Router::new()
        .merge(information::routes())
        .merge(delete::routes())
        .merge(panel::routes())
        .merge(add::routes())
        .merge(setup::routes())
        .merge(remove::routes())
        .merge(renewals::routes())
        .merge(renew::routes())
        .merge(monitors::routes())
        .merge(credentials::routes())
}
