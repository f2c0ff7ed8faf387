//! A browser at the door: how it is let in, and sent away.

use std::convert::Infallible;
use std::net::IpAddr;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use chrono::{DateTime, Utc};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sqlx::PgConnection;

use super::sign_in::Arrival;
use super::{cookie, store};
use crate::config::Config;
use crate::ids::StaffId;
use crate::kit::secret::Secret;
use crate::kit::token::{self, TokenDigest};
use crate::state::AppState;
use crate::web::{self, ClientAddress, see_other};

/// A browser may call itself what it likes, but not at any length.
const LONGEST_BROWSER: usize = 300;

/// Whoever asks to be let in.
#[derive(Clone, Debug)]
pub(super) struct Door {
    pub address: IpAddr,
    browser: String,
    /// The session it came with; signing in ends it.
    pub session: Option<TokenDigest>,
    /// The right password it gave a moment ago, when it still owes a code.
    pub half: Option<TokenDigest>,
}

impl FromRequestParts<AppState> for Door {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, Infallible> {
        let ClientAddress(address) = ClientAddress::from_request_parts(parts, app).await?;
        let browser = parts.headers.get(header::USER_AGENT);
        let browser = browser.and_then(|browser| browser.to_str().ok()).unwrap_or_default();
        Ok(Self {
            address,
            browser: browser.chars().take(LONGEST_BROWSER).collect(),
            session: cookie::session_token(&app.config, &parts.headers).map(token::digest),
            half: cookie::half_token(&app.config, &parts.headers).map(token::digest),
        })
    }
}

impl Door {
    /// Begins a session under a new token, in place of the one the browser came with.
    pub(super) async fn begin_session(
        &self,
        tx: &mut PgConnection,
        staff: StaffId,
        now: DateTime<Utc>,
    ) -> sqlx::Result<Secret> {
        if let Some(old) = &self.session {
            store::end_session(&mut *tx, old).await?;
        }
        let token = token::random();
        let session = store::NewSession {
            digest: &token::digest(token.reveal()),
            staff,
            address: &self.address.to_string(),
            browser: &self.browser,
        };
        store::begin_session(tx, session, now).await?;
        Ok(token)
    }

    /// Notes that the password was right; the code of the second factor is still owed.
    pub(super) async fn begin_half(
        &self,
        tx: &mut PgConnection,
        staff: StaffId,
        now: DateTime<Utc>,
    ) -> sqlx::Result<Secret> {
        let token = token::random();
        store::begin_half_sign_in(tx, &token::digest(token.reveal()), staff, now).await?;
        Ok(token)
    }
}

/// In, or one step further.
pub(super) fn welcome(config: &Config, arrival: &Arrival, to: &str) -> web::Result {
    match arrival {
        Arrival::In(session) => let_in(config, session, to),
        Arrival::CodeNext(half) => {
            let next = utf8_percent_encode(own_path(to), NON_ALPHANUMERIC);
            let mut response = see_other(format!("/sign-in/code?next={next}"));
            set_cookie(&mut response, &cookie::half_cookie(config, half))?;
            Ok(response)
        }
    }
}

/// In, with the session's cookie.
pub(super) fn let_in(config: &Config, session: &Secret, to: &str) -> web::Result {
    let mut response = see_other(own_path(to));
    set_cookie(&mut response, &cookie::session_cookie(config, session))?;
    set_cookie(&mut response, &cookie::ended_half(config))?;
    Ok(response)
}

pub(super) fn set_cookie(response: &mut Response, cookie: &str) -> web::Result<()> {
    response.headers_mut().append(header::SET_COOKIE, HeaderValue::from_str(cookie)?);
    Ok(())
}

/// Where somebody wanted to go, if that is one of our own pages; else Home.
///
/// Browsers take `//host` and `/\host` for another site, and drop tabs and line ends
/// before they look.
pub(super) fn own_path(wanted: &str) -> &str {
    let own = wanted.starts_with('/')
        && !wanted.starts_with("//")
        && !wanted.contains(|c: char| c == '\\' || c.is_control() || c.is_whitespace())
        && wanted.len() <= 2000
        && wanted.is_ascii();
    if own { wanted } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::own_path;

    #[test]
    fn only_our_own_pages_are_led_to() {
        for ours in ["/", "/accounts", "/accounts/1/presence?q=a%20b#users"] {
            assert_eq!(own_path(ours), ours);
        }
        for theirs in [
            "",
            "accounts",
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            " //evil.example",
            "javascript:alert(1)",
            "/a\\b",
        ] {
            assert_eq!(own_path(theirs), "/", "{theirs:?}");
        }
    }
}
