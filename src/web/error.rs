//! Refusals are data until the edge, where each becomes one of our pages.

use askama::Template;
use axum::extract::Request;
use axum::http::header::{CONTENT_TYPE, HOST, LOCATION, REFERER, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::kit::db;

pub type Result<T = Response> = std::result::Result<T, Error>;

/// Why a handler has no page to show.
#[derive(Debug)]
pub enum Error {
    NotFound,
    Forbidden,
    BadRequest,
    SignInFirst,
    /// Postgres cannot be reached. It will be back; so may they.
    Away(anyhow::Error),
    /// Ours to fix. The person sees an apology, the log sees the cause.
    Internal(anyhow::Error),
}

/// `?` on anything means "this was not supposed to happen". Every error a
/// person can cause is named by hand.
impl<E: Into<anyhow::Error>> From<E> for Error {
    fn from(error: E) -> Self {
        let error = error.into();
        match error.downcast_ref::<sqlx::Error>() {
            Some(refusal) if db::is_away(refusal) => Self::Away(error),
            _ => Self::Internal(error),
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let status = match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::SignInFirst => StatusCode::UNAUTHORIZED,
            Self::Away(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let mut response = status.into_response();
        match self {
            Self::Away(cause) | Self::Internal(cause) => {
                response.extensions_mut().insert(Cause(format!("{cause:#}")));
            }
            Self::SignInFirst => {
                response.extensions_mut().insert(AskToSignIn);
            }
            Self::NotFound | Self::Forbidden | Self::BadRequest => {}
        }
        response
    }
}

/// What the log is told and the page is not.
#[derive(Clone)]
struct Cause(String);

#[derive(Clone)]
struct AskToSignIn;

pub trait OrNotFound<T> {
    fn or_not_found(self) -> Result<T>;
}

impl<T> OrNotFound<T> for Option<T> {
    fn or_not_found(self) -> Result<T> {
        self.ok_or(Error::NotFound)
    }
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage<'a> {
    title: &'a str,
    advice: &'a str,
    reference: &'a str,
    /// The words on the nearest way on, and where it leads.
    way: Option<(&'static str, String)>,
}

#[derive(Template)]
#[template(path = "ui/notice.html")]
struct ProblemNotice<'a> {
    title: &'a str,
    advice: &'a str,
    reference: &'a str,
}

/// Renders every refusal, ours or the framework's, as one of our pages, or as a
/// notice where htmx asked for a part. A refusal that is HTML already is left alone,
/// and so is what is said to machines (`/hooks`, `/health`).
pub async fn show_problems(request: Request, next: Next) -> Response {
    let uri = request.uri().clone();
    let wants_fragment = request.headers().contains_key("hx-request");
    let reference = reference(request.headers());
    let again = request.method().is_safe();
    let is_page = again && !wants_fragment;
    let from = came_from(request.headers());
    let mut response = next.run(request).await;

    let status = response.status();
    if let Some(Cause(cause)) = response.extensions_mut().remove() {
        tracing::error!(
            url.path = loggable(uri.path()),
            request.id = reference,
            "request failed: {cause}"
        );
    }
    if !(status.is_client_error() || status.is_server_error())
        || is_html(response.headers())
        || ["/hooks/", "/health/"].iter().any(|machines| uri.path().starts_with(machines))
    {
        return response;
    }
    if response.extensions_mut().remove::<AskToSignIn>().is_some() {
        let here =
            is_page.then(|| uri.path_and_query().map_or("/", |path| path.as_str()).to_owned());
        return sign_in_first(here.or(from).as_deref().unwrap_or("/"), wants_fragment);
    }
    let (title, advice) = words(status);
    let rendered = if wants_fragment {
        ProblemNotice { title, advice, reference: &reference }.render()
    } else {
        let way = way_on(status, again.then(|| uri.to_string()), from);
        ProblemPage { title, advice, reference: &reference, way }.render()
    };
    let mut page = (status, Html(rendered.unwrap_or_else(|_| title.to_owned()))).into_response();
    for kept in [RETRY_AFTER, axum::http::header::ALLOW] {
        if let Some(value) = response.headers_mut().remove(&kept) {
            page.headers_mut().insert(kept, value);
        }
    }
    if status == StatusCode::SERVICE_UNAVAILABLE {
        page.headers_mut().entry(RETRY_AFTER).or_insert(HeaderValue::from_static("5"));
    }
    page
}

/// The page of ours that led here, as the browser says.
pub fn came_from(headers: &HeaderMap) -> Option<String> {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let from: Uri = text(REFERER)?.parse().ok()?;
    let is_ours = from.authority()?.as_str() == text(HOST)?;
    is_ours.then(|| from.path_and_query().map_or("/", |path| path.as_str()).to_owned())
}

/// What passes by itself is worth another try; from the rest one goes back to where one was.
fn way_on(
    status: StatusCode,
    here: Option<String>,
    from: Option<String>,
) -> Option<(&'static str, String)> {
    let passes = status.is_server_error()
        || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT);
    match here {
        Some(here) if passes => Some(("Try again", here)),
        here => from.filter(|from| here.as_ref() != Some(from)).map(|from| ("Go back", from)),
    }
}

/// A path as the log may hold it: what only one person or machine should know is left out.
pub fn loggable(path: &str) -> &str {
    const SECRET_ENDINGS: [(&str, &str); 4] = [
        ("/invitation/", "/invitation/{token}"),
        ("/hooks/cloudlink/", "/hooks/cloudlink/{key}"),
        ("/ical/", "/ical/{token}"),
        ("/renew/", "/renew/{token}"),
    ];
    let secret = SECRET_ENDINGS.iter().find(|(start, _)| path.starts_with(start));
    secret.map_or(path, |(_, shown)| shown)
}

/// Set by the request-id layer, which stands outside of us.
fn reference(headers: &HeaderMap) -> String {
    headers.get("x-request-id").and_then(|id| id.to_str().ok()).unwrap_or("none").to_owned()
}

/// `wanted` is the page to be led back to: where a form or a part was asked for, the one it
/// belongs to.
fn sign_in_first(wanted: &str, wants_fragment: bool) -> Response {
    let to = match wanted {
        "/" => "/sign-in".to_owned(),
        wanted => format!("/sign-in?next={}", utf8_percent_encode(wanted, NON_ALPHANUMERIC)),
    };
    let Ok(to) = HeaderValue::from_str(&to) else { return StatusCode::BAD_REQUEST.into_response() };
    if wants_fragment {
        return ([(axum::http::HeaderName::from_static("hx-redirect"), to)], "").into_response();
    }
    (StatusCode::SEE_OTHER, [(LOCATION, to)]).into_response()
}

/// What a person is told: what happened, and what to do now.
fn words(status: StatusCode) -> (&'static str, &'static str) {
    match status {
        StatusCode::NOT_FOUND => (
            "There is no such page",
            "It may have been removed, or it belongs to an account you do not look after.",
        ),
        StatusCode::FORBIDDEN => (
            "You may look, but not change this",
            "Your role does not allow it. A partner admin can change your role.",
        ),
        StatusCode::METHOD_NOT_ALLOWED => {
            ("That cannot be done here", "Go back and use the button on the page.")
        }
        StatusCode::PAYLOAD_TOO_LARGE => {
            ("That was too much to take in", "Shorten what you sent and try again.")
        }
        StatusCode::UNPROCESSABLE_ENTITY | StatusCode::BAD_REQUEST => {
            ("We could not read what you sent", "Go back, reload the page and try again.")
        }
        StatusCode::TOO_MANY_REQUESTS => {
            ("Too many attempts", "Wait a moment before you try again.")
        }
        StatusCode::SERVICE_UNAVAILABLE => (
            "The portal cannot reach its database",
            "Nothing is lost. It tries again by itself; so may you, in a few seconds.",
        ),
        StatusCode::REQUEST_TIMEOUT | StatusCode::GATEWAY_TIMEOUT => {
            ("That took too long", "Try again in a moment.")
        }
        status if status.is_client_error() => ("That did not work", "Go back and try again."),
        _ => (
            "Something went wrong on our side",
            "It has been written down. Try again; if it stays, pass on the reference below.",
        ),
    }
}

fn is_html(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}

#[cfg(test)]
mod tests {
    use super::loggable;

    #[test]
    fn the_log_learns_no_secret_from_a_path() {
        assert_eq!(loggable("/accounts/1"), "/accounts/1");
        assert_eq!(loggable("/invitation/s3cret"), "/invitation/{token}");
        assert_eq!(loggable("/ical/s3cret.ics"), "/ical/{token}");
        assert_eq!(loggable("/renew/s3cret"), "/renew/{token}");
        assert_eq!(loggable("/hooks/cloudlink/s3cret"), "/hooks/cloudlink/{key}");
    }
}
