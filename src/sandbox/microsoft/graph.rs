//! `/graph/v1.0/…`: whose token it is, how much they asked already, and which call it is.

use std::sync::Arc;

use axum::body::Bytes;
use axum::http::{HeaderMap, Method, header};
use chrono::{DateTime, Utc};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::super::world::Permission;
use super::answers::Answer;
use super::apps::Standing;
use super::quota::Verdict;
use super::tokens::{self, BadToken, Claims};
use super::{Microsoft, Tenant, TenantState, delta, presence_calls, users};
use crate::ids::TenantId;

/// One request to Graph.
pub(crate) struct Asked {
    pub(crate) method: Method,
    /// After `/graph`: `/v1.0/users`.
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// How the client reaches us, for links that it follows: `http://127.0.0.1:8090/graph`.
    pub(crate) base: String,
}

/// Whoever calls: an app in a tenant, with what its token allows.
pub(crate) struct Caller {
    pub(super) tenant: Arc<Tenant>,
    pub(super) claims: Claims,
}

impl Caller {
    /// Reads the bearer token. A token nobody can read has no tenant, and only an answer.
    pub(crate) fn of(
        microsoft: &Microsoft,
        headers: &HeaderMap,
        now: DateTime<Utc>,
    ) -> Result<Self, Answer> {
        let words = |problem| {
            Answer::bad_token(match problem {
                BadToken::Missing => "Access token is empty.",
                BadToken::Malformed => "IDX14100: JWT is not well formed, there are no dots (.).",
                BadToken::Expired => "Lifetime validation failed, the token is expired.",
            })
        };
        let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = bearer.and_then(|text| text.strip_prefix("Bearer ")).unwrap_or_default();
        if token.is_empty() {
            return Err(words(BadToken::Missing));
        }
        let token = tokens::read(token).map_err(words)?;
        let tenant =
            microsoft.tenant(token.claims.tid).ok_or_else(|| words(BadToken::Malformed))?;
        let generation = tenant.state().manners.token_generation;
        let claims = tokens::verify(token, &microsoft.key, generation, now).map_err(words)?;
        Ok(Self { tenant, claims })
    }

    pub(crate) fn tenant(&self) -> TenantId {
        self.tenant.id
    }

    pub(super) fn may(&self, permission: Permission) -> bool {
        self.claims.roles.iter().any(|role| role == permission.role())
    }
}

impl Asked {
    /// One field of the query, decoded.
    pub(super) fn option(&self, name: &str) -> Option<String> {
        let fields: Vec<(String, String)> =
            serde_html_form::from_str(&self.query).unwrap_or_default();
        fields.into_iter().find(|(field, _)| field == name).map(|(_, value)| value)
    }

    /// The body as a JSON object, of which only these fields are known.
    pub(super) fn fields(&self, known: &[&str]) -> Result<serde_json::Map<String, Value>, Answer> {
        let kind = self.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        if !kind.is_some_and(|kind| kind.starts_with("application/json")) {
            let message = "A valid Content-Type header (application/json) is required.";
            return Err(bad_request(message));
        }
        let parsed = serde_json::from_slice::<Value>(&self.body);
        let Ok(Value::Object(fields)) = parsed else {
            return Err(bad_request("Unable to read JSON request payload."));
        };
        if let Some(unknown) = fields.keys().find(|field| !known.contains(&field.as_str())) {
            let message = format!(
                "The parameter '{unknown}' in the request payload is not a valid parameter for the operation."
            );
            return Err(bad_request(&message));
        }
        Ok(fields)
    }
}

pub(super) fn bad_request(message: &str) -> Answer {
    Answer::refused(axum::http::StatusCode::BAD_REQUEST, "BadRequest", message)
}

/// Answers one request of a known caller.
pub(crate) fn answer(caller: &Caller, asked: &Asked, now: DateTime<Utc>) -> Answer {
    let Some(path) = asked.path.strip_prefix("/v1.0/") else {
        return bad_request("Invalid version.");
    };
    let segments: Vec<String> = path
        .split('/')
        .map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned())
        .collect();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let mut state = caller.tenant.state();
    state.tally.graph_requests += 1;
    state.used(caller.claims.appid, caller.claims.sandbox_key, |uses| uses.requests += 1);
    if let ["users", user, "presence", rest @ ..]
    | ["communications", "presences", user, rest @ ..] = segments.as_slice()
    {
        let call = rest.join("/");
        return in_presence_quota(caller, &mut state, now, |state| {
            presence_calls::answer(caller, state, asked, user, &call, now)
        });
    }
    match segments.as_slice() {
        ["communications", "getPresencesByUserId"] => {
            in_presence_quota(caller, &mut state, now, |state| {
                presence_calls::by_ids(caller, state, asked, now)
            })
        }
        ["users"] => in_directory_quota(caller, &mut state, asked, 2, now, |state| {
            users::list(caller, state, asked)
        }),
        ["users", "delta" | "delta()" | "microsoft.graph.delta()" | "microsoft.graph.delta"] => {
            in_directory_quota(caller, &mut state, asked, 2, now, |state| {
                delta::page(caller, state, asked, now)
            })
        }
        ["users", user] => in_directory_quota(caller, &mut state, asked, 1, now, |state| {
            users::one(caller, state, asked, user)
        }),
        ["applications"] => applications(caller, &state, asked, None),
        [one] if one.starts_with("applications(") => {
            applications(caller, &state, asked, one.split('\'').nth(1))
        }
        ["organization" | "servicePrincipals", ..] => Answer::denied(),
        _ => Answer::no_such_segment(path),
    }
}

fn in_presence_quota(
    caller: &Caller,
    state: &mut TenantState,
    now: DateTime<Utc>,
    call: impl FnOnce(&mut TenantState) -> Answer,
) -> Answer {
    state.tally.presence_requests += 1;
    let (verdict, early) = state.quotas(caller.claims.appid).presence.ask(1, now);
    state.tally.before_retry_after += u64::from(early);
    match verdict {
        Verdict::Granted => call(state),
        Verdict::Wait(wait) => throttled(state, wait),
    }
}

/// The directory counts in resource units: a `$select` or a small `$top` makes a call cheaper.
fn in_directory_quota(
    caller: &Caller,
    state: &mut TenantState,
    asked: &Asked,
    units: u32,
    now: DateTime<Utc>,
    call: impl FnOnce(&mut TenantState) -> Answer,
) -> Answer {
    let small =
        asked.option("$top").and_then(|top| top.parse().ok()).is_some_and(|top: u32| top < 20);
    let cheaper = u32::from(asked.query.contains("select=")) + u32::from(small);
    let units = units.saturating_sub(cheaper).max(1);
    let quota = &mut state.quotas(caller.claims.appid).directory;
    let (verdict, early) = quota.ask(units, now);
    let share = quota.share();
    state.tally.before_retry_after += u64::from(early);
    let answer = match verdict {
        Verdict::Granted => call(state),
        Verdict::Wait(wait) => throttled(state, wait)
            .with("x-ms-throttle-scope", "Tenant_Application/ReadWrite/sandbox")
            .with("x-ms-throttle-information", "ResourceUnitLimitExceeded"),
    };
    let answer = answer.with("x-ms-resource-unit", units.to_string());
    if share > 0.8 {
        return answer.with("x-ms-throttle-limit-percentage", format!("{share:.2}"));
    }
    answer
}

fn throttled(state: &mut TenantState, wait: chrono::TimeDelta) -> Answer {
    state.tally.throttled += 1;
    Answer::throttled(wait, state.manners.fractional_retry_after, state.manners.silent_about_retry)
}

/// App registrations with the ends of their secrets, for whoever may read applications.
fn applications(caller: &Caller, state: &TenantState, asked: &Asked, one: Option<&str>) -> Answer {
    if !caller.may(Permission::ReadApplications) {
        return Answer::denied();
    }
    let filter = asked.option("$filter").unwrap_or_default();
    let wanted = one.or_else(|| filter.split('\'').nth(1)).map(str::to_owned);
    let found = state.apps.iter().filter(|app| {
        app.standing != Standing::Deleted
            && wanted.as_ref().is_none_or(|wanted| app.client.to_string() == *wanted)
    });
    let mut apps: Vec<Value> = found
        .map(|app| {
            let secrets = app.secrets.iter().map(|secret| {
                json!({
                    "customKeyIdentifier": null,
                    "displayName": "presence-portal",
                    "endDateTime": secret.until.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
                    "hint": secret.value.reveal().chars().take(3).collect::<String>(),
                    "keyId": secret.id,
                    "secretText": null,
                    "startDateTime": secret.from.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
                })
            });
            let certificates = app.certificates.iter().map(|certificate| {
                json!({
                    "customKeyIdentifier": certificate.thumbprint,
                    "displayName": "CN=presence-portal",
                    "endDateTime": certificate.until.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
                    "key": null,
                    "keyId": certificate.id,
                    "startDateTime": certificate.from.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
                    "type": "AsymmetricX509Cert",
                    "usage": "Verify",
                })
            });
            json!({
                "id": app.client,
                "appId": app.client,
                "displayName": app.name,
                "keyCredentials": certificates.collect::<Vec<_>>(),
                "passwordCredentials": secrets.collect::<Vec<_>>(),
            })
        })
        .collect();
    match one {
        Some(named) => match apps.pop() {
            Some(app) => Answer::ok(app),
            None => Answer::no_such_resource(named),
        },
        None => Answer::ok(json!({"value": apps})),
    }
}
