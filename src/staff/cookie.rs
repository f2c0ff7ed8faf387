//! The cookies of signing in: nobody's script reads them, no other site sends them.

use axum::http::HeaderMap;
use axum::http::header::COOKIE;

use crate::config::Config;
use crate::kit::secret::Secret;

/// Over https the browser itself holds a cookie to this host and to https.
fn named(config: &Config, name: &str) -> String {
    if is_https(config) { format!("__Host-{name}") } else { name.to_owned() }
}

fn is_https(config: &Config) -> bool {
    config.public_url.scheme() == "https"
}

/// Without `seconds` it goes when the browser closes.
fn cookie(config: &Config, name: &str, value: &str, seconds: Option<u32>) -> String {
    let name = named(config, name);
    let age = seconds.map(|seconds| format!("; Max-Age={seconds}")).unwrap_or_default();
    let secure = if is_https(config) { "; Secure" } else { "" };
    format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{age}{secure}")
}

fn read<'a>(config: &Config, headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let name = named(config, name);
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|cookies| cookies.to_str().ok())
        .flat_map(|cookies| cookies.split(';'))
        .find_map(|cookie| cookie.trim().strip_prefix(&name)?.strip_prefix('='))
        .filter(|value| !value.is_empty())
}

/// The `Set-Cookie` value that signs a browser in.
pub fn session_cookie(config: &Config, token: &Secret) -> String {
    cookie(config, "session", token.reveal(), None)
}

/// The `Set-Cookie` value that takes it away.
pub fn ended_session(config: &Config) -> String {
    cookie(config, "session", "", Some(0))
}

/// The session token a browser sent.
pub(super) fn session_token<'a>(config: &Config, headers: &'a HeaderMap) -> Option<&'a str> {
    read(config, headers, "session")
}

/// For a browser that gave the right password and still owes a code.
pub(super) fn half_cookie(config: &Config, token: &Secret) -> String {
    cookie(config, "half", token.reveal(), Some(600))
}

pub(super) fn ended_half(config: &Config) -> String {
    cookie(config, "half", "", Some(0))
}

pub(super) fn half_token<'a>(config: &Config, headers: &'a HeaderMap) -> Option<&'a str> {
    read(config, headers, "half")
}

/// Carries a new one-time link over the redirect to the page that shows it.
pub(super) fn link_cookie(config: &Config, token: &Secret) -> String {
    cookie(config, "link", token.reveal(), Some(60))
}

pub(super) fn shown_link(config: &Config) -> String {
    cookie(config, "link", "", Some(0))
}

pub(super) fn link_token<'a>(config: &Config, headers: &'a HeaderMap) -> Option<&'a str> {
    read(config, headers, "link")
}
