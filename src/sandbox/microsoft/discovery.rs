//! `GET /login/{tenant}/v2.0/.well-known/openid-configuration`: what anybody may read of a tenant.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::Microsoft;
use super::sign_in::Aadsts;

/// Answers with the few of its fields that a client of ours could need.
pub(crate) fn answer(microsoft: &Microsoft, named: &str) -> Response {
    let tenant = microsoft.tenant_called(named).filter(|tenant| !tenant.state().manners.unknown);
    let Some(tenant) = tenant else {
        let refusal = Aadsts::unknown_tenant(named);
        let body = json!({
            "error": "invalid_tenant",
            "error_description": format!("AADSTS{}: {}", refusal.number, refusal.text),
            "error_codes": [refusal.number],
        });
        return (StatusCode::BAD_REQUEST, axum::Json(body)).into_response();
    };
    let login = "https://login.microsoftonline.com";
    axum::Json(json!({
        "token_endpoint": format!("{login}/{}/oauth2/v2.0/token", tenant.id),
        "issuer": format!("{login}/{}/v2.0", tenant.id),
        "cloud_instance_name": "microsoftonline.com",
        "msgraph_host": tenant.graph_host,
    }))
    .into_response()
}
