//! The pages of long work: an account's own update, runs over ticked accounts, and the fleet.

mod begin;
mod fleet;
mod run;
mod steer;
mod update;

use axum::Router;
use axum::extract::DefaultBodyLimit;

use crate::state::AppState;

/// Ten thousand ticked accounts.
const LONGEST_SELECTION: usize = 1024 * 1024;

pub fn routes() -> Router<AppState> {
    Router::new()
        .merge(update::routes())
        .merge(begin::routes().layer(DefaultBodyLimit::max(LONGEST_SELECTION)))
        .merge(run::routes())
        .merge(steer::routes())
        .merge(fleet::routes())
}
