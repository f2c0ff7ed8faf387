//! `POST /login/{tenant}/oauth2/v2.0/token`.

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use percent_encoding::percent_decode_str;
use serde_json::json;
use uuid::Uuid;

use super::sign_in::{Aadsts, Request, sign_in};
use super::{Microsoft, tokens};

/// Answers one request for a token.
pub(crate) fn answer(
    microsoft: &Microsoft,
    tenant_name: &str,
    endpoint: String,
    headers: &HeaderMap,
    body: &[u8],
    now: DateTime<Utc>,
) -> Response {
    let correlation = headers
        .get("client-request-id")
        .and_then(|id| id.to_str().ok()?.parse().ok())
        .unwrap_or_else(Uuid::new_v4);
    let request = Request { endpoint, ..request_of(headers, body) };
    let mut response = match token(microsoft, tenant_name, &request, now) {
        Ok((token, lasts)) => axum::Json(json!({
            "token_type": "Bearer",
            "expires_in": lasts,
            "ext_expires_in": lasts,
            "access_token": token,
        }))
        .into_response(),
        Err(refusal) => refused(&refusal, correlation, now),
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store, no-cache"));
    if let Ok(id) = Uuid::new_v4().to_string().parse() {
        headers.insert("x-ms-request-id", id);
    }
    response
}

fn token(
    microsoft: &Microsoft,
    tenant_name: &str,
    request: &Request,
    now: DateTime<Utc>,
) -> Result<(String, i64), Aadsts> {
    let well_formed = tenant_name.parse::<Uuid>().is_ok() || tenant_name.contains('.');
    if !well_formed {
        return Err(Aadsts::malformed_tenant(tenant_name));
    }
    let tenant = microsoft
        .tenant_called(tenant_name)
        .filter(|tenant| !tenant.state().manners.unknown)
        .ok_or_else(|| Aadsts::unknown_tenant(tenant_name))?;
    let mut state = tenant.state();
    let claims = sign_in(&tenant, &state, request, now)?;
    state.tally.tokens += 1;
    state.used(claims.appid, claims.sandbox_key, |uses| uses.tokens += 1);
    let manners = &state.manners;
    let (generation, opaque) = (manners.token_generation, manners.opaque_tokens);
    let token = tokens::sign(&claims, &microsoft.key, generation, opaque);
    Ok((token, manners.token_lifetime.num_seconds()))
}

/// The credentials may stand in the form or in an `Authorization: Basic` header.
fn request_of(headers: &HeaderMap, body: &[u8]) -> Request {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let is_form = kind.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    let fields: Vec<(String, String)> = match serde_html_form::from_bytes(body) {
        Ok(fields) if is_form => fields,
        _ => Vec::new(),
    };
    let mut request = Request::default();
    for (name, value) in fields {
        match name.as_str() {
            "grant_type" => request.grant_type = Some(value),
            "client_id" => request.client_id = Some(value),
            "client_secret" => request.client_secret = Some(value),
            "client_assertion" => request.client_assertion = Some(value),
            "client_assertion_type" => request.client_assertion_type = Some(value),
            "scope" => request.scope = Some(value),
            _ => {}
        }
    }
    if let Some((client, secret)) = basic(headers) {
        request.client_id.get_or_insert(client);
        request.client_secret.get_or_insert(secret);
    }
    request
}

fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let text = headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Basic ")?;
    let text = String::from_utf8(STANDARD.decode(text).ok()?).ok()?;
    let (client, secret) = text.split_once(':')?;
    let decoded = |text| percent_decode_str(text).decode_utf8_lossy().into_owned();
    Some((decoded(client), decoded(secret)))
}

fn refused(refusal: &Aadsts, correlation: Uuid, now: DateTime<Utc>) -> Response {
    let trace = Uuid::new_v4();
    let at = now.format("%Y-%m-%d %H:%M:%SZ").to_string();
    let Aadsts { number, error, text, .. } = refusal;
    let mut body = json!({
        "error": error,
        "error_description": format!(
            "AADSTS{number}: {text} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {at}"
        ),
        "error_codes": [number],
        "timestamp": at,
        "trace_id": trace,
        "correlation_id": correlation,
        "error_uri": format!("https://login.microsoftonline.com/error?code={number}"),
    });
    if let (53_003, Some(body)) = (*number, body.as_object_mut()) {
        let policy =
            json!({"access_token": {"capolids": {"essential": true, "values": [Uuid::new_v4()]}}});
        body.insert("suberror".to_owned(), json!("message_only"));
        body.insert("claims".to_owned(), json!(policy.to_string()));
    }
    let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::BAD_REQUEST);
    (status, axum::Json(body)).into_response()
}
