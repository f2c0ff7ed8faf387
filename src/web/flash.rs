//! One sentence that survives a redirect: "Saved."

use axum::extract::Request;
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

const COOKIE_NAME: &str = "flash";

/// The value of a cookie of ours that is no secret.
pub(super) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|cookies| cookies.to_str().ok());
    cookies
        .flat_map(|cookies| cookies.split("; "))
        .find_map(|cookie| cookie.strip_prefix(name)?.strip_prefix('='))
}

/// The sentence a page before this one left for us.
pub fn flash_of(headers: &HeaderMap) -> Option<String> {
    cookie(headers, COOKIE_NAME)
        .and_then(|text| percent_decode_str(text).decode_utf8().ok())
        .map(std::borrow::Cow::into_owned)
        .filter(|text| !text.is_empty())
}

pub(super) fn leave_flash(response: &mut Response, sentence: &str) {
    let text = utf8_percent_encode(sentence, NON_ALPHANUMERIC);
    let cookie = format!("{COOKIE_NAME}={text}; Path=/; HttpOnly; SameSite=Lax; Max-Age=60");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
}

/// Takes the sentence away once a whole page has shown it.
pub async fn clear_shown_flash(request: Request, next: Next) -> Response {
    let shown = flash_of(request.headers()).is_some()
        && request.method().is_safe()
        && !request.headers().contains_key("hx-request")
        && !request.uri().path().starts_with("/static/");
    let mut response = next.run(request).await;
    if shown && !response.status().is_redirection() {
        let gone = HeaderValue::from_static("flash=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0");
        response.headers_mut().append(SET_COOKIE, gone);
    }
    response
}
