//! The pages of channels: those of the partner under Settings, those of an account under it.

mod add;
mod calendars;
mod channel;
mod index;
mod whose;

use axum::Router;

use crate::state::AppState;

/// Both places have the same pages.
const PLACES: [&str; 2] = ["/settings/notifications", "/accounts/{account}/notifications"];

pub fn routes() -> Router<AppState> {
    PLACES
        .into_iter()
        .fold(Router::new(), |site, at| {
            site.merge(index::routes(at)).merge(add::routes(at)).merge(channel::routes(at))
        })
        .merge(calendars::routes())
}
