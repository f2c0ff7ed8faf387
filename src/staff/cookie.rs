//! The session cookie: nobody's script reads it, no other site sends it.

use axum::http::HeaderMap;
use axum::http::header::COOKIE;

use crate::config::Config;
use crate::kit::secret::Secret;

/// Over https the browser itself holds the cookie to this host and to https.
fn name(config: &Config) -> &'static str {
    if is_https(config) { "__Host-session" } else { "session" }
}

fn is_https(config: &Config) -> bool {
    config.public_url.scheme() == "https"
}

/// The `Set-Cookie` value that signs a browser in. It goes when the browser closes.
pub fn session_cookie(config: &Config, token: &Secret) -> String {
    let secure = if is_https(config) { "; Secure" } else { "" };
    format!("{}={}; Path=/; HttpOnly; SameSite=Lax{secure}", name(config), token.reveal())
}

/// The `Set-Cookie` value that takes it away.
pub fn ended_session(config: &Config) -> String {
    let secure = if is_https(config) { "; Secure" } else { "" };
    format!("{}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0{secure}", name(config))
}

/// The token a browser sent.
pub(super) fn session_token<'a>(config: &Config, headers: &'a HeaderMap) -> Option<&'a str> {
    let name = name(config);
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|cookies| cookies.to_str().ok())
        .flat_map(|cookies| cookies.split(';'))
        .find_map(|cookie| cookie.trim().strip_prefix(name)?.strip_prefix('='))
        .filter(|token| !token.is_empty())
}
