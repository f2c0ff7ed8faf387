//! The pages of signing in and of the people who do.

mod invitation;
mod people;
mod person;
mod picker;
mod profile;
mod second_factor;
mod sign_in;
mod welcome;

use axum::Router;

use crate::state::AppState;

pub fn routes() -> Router<AppState> {
    Router::new()
        .merge(welcome::routes())
        .merge(sign_in::routes())
        .merge(people::routes())
        .merge(person::routes())
        .merge(invitation::routes())
        .merge(profile::routes())
        .merge(second_factor::routes())
}
