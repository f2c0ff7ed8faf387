//! Something secret that its maker sees once: carried over the redirect to the page that shows it.

use axum::http::HeaderMap;
use axum::response::Response;

use super::{cookie, door};
use crate::kit::secret::Secret;
use crate::state::AppState;
use crate::web;

/// Gives it to the browser, for the page that comes next.
pub fn carry(app: &AppState, mut response: Response, secret: &Secret) -> web::Result {
    door::set_cookie(&mut response, &cookie::link_cookie(&app.config, secret))?;
    Ok(response)
}

/// What the browser brings. Anybody may send anything: look whether it is what was made.
pub fn carried(app: &AppState, headers: &HeaderMap) -> Option<Secret> {
    cookie::link_token(&app.config, headers).map(Secret::new)
}

/// It was shown: the browser forgets it.
pub fn shown(app: &AppState, mut response: Response) -> web::Result {
    door::set_cookie(&mut response, &cookie::shown_link(&app.config))?;
    Ok(response)
}
