//! What stands around every page: forged forms refused, safe headers set.

use axum::extract::{Request, State};
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::{Error, loggable};
use crate::state::AppState;

const HX_REDIRECT: HeaderName = HeaderName::from_static("hx-redirect");

/// Refuses what another site's page sends in our visitor's name.
///
/// Browsers say where a request comes from, and pages cannot make them lie. Over
/// plain HTTP they say it by `Origin` alone, hence the second branch; a proxy in
/// front must pass `Host` through. Machines that call our hooks send neither.
pub async fn own_pages_only(request: Request, next: Next) -> Response {
    let from_a_machine = request.uri().path().starts_with("/hooks/");
    if request.method().is_safe() || from_a_machine || from_own_page(request.headers()) {
        next.run(request).await
    } else {
        Error::Forbidden.into_response()
    }
}

fn from_own_page(headers: &HeaderMap) -> bool {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    match text(HeaderName::from_static("sec-fetch-site")) {
        Some(site) => site == "same-origin",
        None => match (text(header::ORIGIN), text(header::HOST)) {
            (Some(origin), Some(host)) => {
                origin.split_once("://").is_some_and(|(_, of)| of.eq_ignore_ascii_case(host))
            }
            _ => false,
        },
    }
}

/// What every answer says to the browser about itself.
pub async fn safe_headers(State(app): State<AppState>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let cacheable = path.starts_with("/static/");
    // A path that is a secret is told to nobody, not even in the log of a proxy of our own. (Told
    // nothing at all, browsers would leave out the origin of a form, too.)
    let referrer = if loggable(path) == path { "same-origin" } else { "strict-origin" };
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    set(
        header::CONTENT_SECURITY_POLICY,
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; \
         form-action 'self'; frame-ancestors 'none'",
    );
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::X_FRAME_OPTIONS, "DENY");
    set(header::REFERRER_POLICY, referrer);
    set(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    set(HeaderName::from_static("permissions-policy"), "camera=(), microphone=(), geolocation=()");
    if !cacheable {
        set(header::CACHE_CONTROL, "no-store");
    }
    if app.config.public_url.scheme() == "https" {
        set(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000; includeSubDomains");
    }
    response
}

/// htmx would follow a redirect by itself and put a whole page into a part of one;
/// so it is told to send the browser there instead.
pub async fn no_redirect_inside_a_fragment(request: Request, next: Next) -> Response {
    let by_htmx = request.headers().contains_key("hx-request");
    let mut response = next.run(request).await;
    if by_htmx
        && response.status() == StatusCode::SEE_OTHER
        && let Some(to) = response.headers_mut().remove(header::LOCATION)
    {
        *response.status_mut() = StatusCode::OK;
        response.headers_mut().insert(HX_REDIRECT, to);
    }
    response
}
