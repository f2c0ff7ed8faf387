//! The time zone of whoever looks, which their browser tells in a cookie (app.js): moments are
//! written by their clocks at once, and nothing moves once the page stands.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::flash::cookie;
use crate::state::AppState;

/// UTC until a browser has said otherwise.
#[derive(Clone, Copy, Debug)]
pub struct Zone(pub Tz);

impl<S: Send + Sync> FromRequestParts<S> for Zone {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(told(&parts.headers).unwrap_or(Tz::UTC)))
    }
}

/// Whether the browser runs our scripts: only they say where it is.
#[derive(Clone, Copy, Debug)]
pub struct Scripted(pub bool);

impl<S: Send + Sync> FromRequestParts<S> for Scripted {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(cookie(&parts.headers, "zone").is_some()))
    }
}

fn told(headers: &HeaderMap) -> Option<Tz> {
    cookie(headers, "zone")?.parse().ok()
}

tokio::task_local! {
    /// When and where the page that is being drawn is looked at.
    static HERE: (DateTime<Utc>, Tz);
}

/// Around every page, so that templates may write moments as their reader's clock shows them.
pub async fn by_their_clocks(
    State(app): State<AppState>,
    request: Request,
    next: Next,
) -> Response {
    match told(request.headers()) {
        Some(zone) => HERE.scope((app.clock.now(), zone), next.run(request)).await,
        None => next.run(request).await,
    }
}

/// A moment in words.
#[derive(Debug)]
pub struct Said {
    pub words: String,
    /// Where the reader's clock is not known it is in UTC, and app.js puts that right.
    pub in_utc: bool,
}

/// The day and the minute; of today only the minute.
pub fn moment(milliseconds: i64) -> Said {
    said(milliseconds, "today, %H:%M", "%-d %b %Y, %H:%M", "%-d %b %Y, %H:%M UTC")
}

/// To the second, where the day goes without saying.
pub fn clock(milliseconds: i64) -> Said {
    said(milliseconds, "%H:%M:%S", "%-d %b %Y, %H:%M:%S", "%H:%M:%S UTC")
}

fn said(milliseconds: i64, today: &str, another_day: &str, utc: &str) -> Said {
    let at = DateTime::from_timestamp_millis(milliseconds).unwrap_or_default();
    let here = HERE.try_with(|(now, zone)| (now.with_timezone(zone), at.with_timezone(zone)));
    match here {
        Ok((now, there)) => {
            let format = if now.date_naive() == there.date_naive() { today } else { another_day };
            Said { words: there.format(format).to_string(), in_utc: false }
        }
        Err(_) => Said { words: at.format(utc).to_string(), in_utc: true },
    }
}
