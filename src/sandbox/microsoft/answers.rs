//! Graph's answers: its error envelope and the headers that come with everything.

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::quota::whole_seconds;

/// What a call came to, before it is put into HTTP.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    headers: Vec<(&'static str, String)>,
    body: Body,
}

#[derive(Debug)]
enum Body {
    Empty,
    Json(Value),
    Error { code: &'static str, message: String, throttled: bool },
}

impl Answer {
    pub(super) fn ok(body: Value) -> Self {
        Self { status: StatusCode::OK, headers: Vec::new(), body: Body::Json(body) }
    }

    /// 200 without a word, as the presence actions answer.
    pub(super) fn done() -> Self {
        Self { status: StatusCode::OK, headers: Vec::new(), body: Body::Empty }
    }

    pub(super) fn bare(status: StatusCode) -> Self {
        Self { status, headers: Vec::new(), body: Body::Empty }
    }

    pub(super) fn refused(
        status: StatusCode,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        let body = Body::Error { code, message: message.into(), throttled: false };
        Self { status, headers: Vec::new(), body }
    }

    pub(super) fn invalid_argument(message: impl Into<String>) -> Self {
        Self::refused(StatusCode::BAD_REQUEST, "InvalidArgument", message)
    }

    /// A presence call without the role: the message is empty.
    pub(super) fn forbidden() -> Self {
        Self::refused(StatusCode::FORBIDDEN, "Forbidden", "")
    }

    /// A directory call without the role.
    pub(super) fn denied() -> Self {
        let message = "Insufficient privileges to complete the operation.";
        Self::refused(StatusCode::FORBIDDEN, "Authorization_RequestDenied", message)
    }

    pub(super) fn no_such_resource(named: &str) -> Self {
        let message = format!(
            "Resource '{named}' does not exist or one of its queried reference-property objects are not present."
        );
        Self::refused(StatusCode::NOT_FOUND, "Request_ResourceNotFound", message)
    }

    pub(super) fn no_such_segment(path: &str) -> Self {
        let last = path.rsplit('/').next().unwrap_or_default();
        let message = format!("Resource not found for the segment '{last}'.");
        Self::refused(StatusCode::BAD_REQUEST, "BadRequest", message)
    }

    pub(super) fn not_allowed() -> Self {
        let message = "Specified HTTP method is not allowed for the request target.";
        Self::refused(StatusCode::METHOD_NOT_ALLOWED, "Request_BadRequest", message)
    }

    pub(super) fn bad_token(message: &str) -> Self {
        let challenge = "Bearer realm=\"\", authorization_uri=\"https://login.microsoftonline.com/common/oauth2/authorize\", client_id=\"00000003-0000-0000-c000-000000000000\"";
        Self::refused(StatusCode::UNAUTHORIZED, "InvalidAuthenticationToken", message)
            .with("www-authenticate", challenge)
    }

    pub(super) fn throttled(wait: TimeDelta, fraction: bool, silent: bool) -> Self {
        let body = Body::Error {
            code: "TooManyRequests",
            message: "Please retry again later.".to_owned(),
            throttled: true,
        };
        let answer = Self { status: StatusCode::TOO_MANY_REQUESTS, headers: Vec::new(), body };
        let milliseconds = wait.num_milliseconds().max(1);
        match (silent, fraction) {
            (true, _) => answer,
            (_, true) => {
                let seconds = format!("{}.{:03}", milliseconds / 1000, milliseconds % 1000);
                answer.with("retry-after", seconds)
            }
            _ => answer.with("retry-after", whole_seconds(wait).num_seconds().to_string()),
        }
    }

    #[must_use]
    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Into HTTP, under an id of its own that the client may quote.
    pub(crate) fn into_response(
        self,
        asked: &HeaderMap,
        request_id: Uuid,
        now: DateTime<Utc>,
    ) -> Response {
        let client_id = asked.get("client-request-id").and_then(|id| id.to_str().ok());
        let client_id = client_id.map_or_else(|| request_id.to_string(), str::to_owned);
        let mut response = match self.body {
            Body::Empty => self.status.into_response(),
            Body::Json(body) => (self.status, axum::Json(body)).into_response(),
            Body::Error { code, message, throttled } => {
                let mut inner = json!({
                    "date": now.format("%Y-%m-%dT%H:%M:%S").to_string(),
                    "request-id": request_id,
                    "client-request-id": client_id,
                });
                if let (true, Some(inner)) = (throttled, inner.as_object_mut()) {
                    inner.insert("code".to_owned(), json!("429"));
                    inner.insert("message".to_owned(), json!("Please retry after"));
                    inner.insert("status".to_owned(), json!("429"));
                }
                let body =
                    json!({"error": {"code": code, "message": message, "innerError": inner}});
                (self.status, axum::Json(body)).into_response()
            }
        };
        let headers = response.headers_mut();
        for (name, value) in self.headers {
            set(headers, name, &value);
        }
        set(headers, "request-id", &request_id.to_string());
        set(headers, "client-request-id", &client_id);
        set(headers, "odata-version", "4.0");
        set(headers, header::CACHE_CONTROL.as_str(), "no-cache");
        let diagnostic = r#"{"ServerInfo":{"DataCenter":"Sandbox","Slice":"E","Ring":"1","ScaleUnit":"000","RoleInstance":"LOOPBACK"}}"#;
        set(headers, "x-ms-ags-diagnostic", diagnostic);
        response
    }
}

fn set(headers: &mut HeaderMap, name: &str, value: &str) {
    if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
        headers.insert(name, value);
    }
}
