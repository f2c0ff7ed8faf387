//! The one HTTP client for everything outside.

use std::time::Duration;

use anyhow::Context;
use rustls::crypto::ring;

/// Opens the client that every outside call shares.
///
/// It follows no redirect, so that a bearer goes nowhere but where it was sent; it gives every
/// request a time-out; and it speaks HTTP/2 wherever the server does.
pub fn http_client() -> anyhow::Result<reqwest::Client> {
    // Somebody else may have installed one already, which is as good.
    let _ = ring::default_provider().install_default();
    reqwest::Client::builder()
        .user_agent(concat!("presence-portal/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(5))
        .timeout(Duration::from_secs(30))
        .build()
        .context("could not set up the HTTP client")
}
