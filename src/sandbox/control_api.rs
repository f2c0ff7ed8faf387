//! `/control`: the switches as JSON, and what there is to see. For tests in a real browser, and for scripts.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::switch::Switch;
use super::world::Customer;
use super::{Controls, NotThere, System};
use crate::ids::{CloudlinkAccountId, EntraUserId, TenantId};
use crate::web::{Path, Query};

pub(super) fn routes() -> Router<Controls> {
    Router::new()
        .route("/control", post(turn))
        .route("/control/world", get(world))
        .route("/control/accounts/{account}", get(account))
        .route("/control/tenants/{tenant}", get(tenant))
        .route("/control/tenants/{tenant}/users/{user}", get(user))
        .route("/control/requests", get(requests))
        .route("/control/deliveries", get(deliveries))
        .route("/control/messages", get(messages))
}

/// Turns one switch: `{"do": "expire-secrets", "tenant": "…"}`.
async fn turn(State(controls): State<Controls>, headers: HeaderMap, body: String) -> Response {
    if !from_here(&headers) {
        return refused(StatusCode::FORBIDDEN, "Another site's page may not turn switches.");
    }
    match serde_json::from_str::<Switch>(&body) {
        Ok(switch) => match switch.turn(&controls) {
            Ok(made) => Json(made).into_response(),
            Err(NotThere(what)) => refused(StatusCode::NOT_FOUND, &format!("There is no {what}.")),
        },
        Err(error) => refused(StatusCode::UNPROCESSABLE_ENTITY, &error.to_string()),
    }
}

/// A browser says which page sent a request; only our own may. Scripts say nothing.
pub(super) fn from_here(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    match (text(header::ORIGIN), text(header::HOST)) {
        (Some(origin), Some(host)) => origin.split_once("://").is_some_and(|(_, of)| of == host),
        _ => true,
    }
}

fn refused(status: StatusCode, text: &str) -> Response {
    (status, Json(json!({"error": text}))).into_response()
}

fn not_there(what: impl std::fmt::Display) -> Response {
    refused(StatusCode::NOT_FOUND, &format!("There is no {what}."))
}

/// Names, ids and credentials, for whoever has to fill in a form with them.
async fn world(State(controls): State<Controls>) -> Json<Value> {
    let world = controls.world();
    let partner = &world.partner;
    let customers: Vec<Value> = world.customers.iter().map(as_listed).collect();
    Json(json!({
        "partner": {
            "name": partner.name,
            "account": partner.account,
            "client-id": partner.client_id,
            "client-secret": partner.client_secret.reveal(),
        },
        "customers": customers,
    }))
}

fn as_listed(customer: &Customer) -> Value {
    let phones = customer.phones.iter().map(|phone| {
        json!({"user": phone.user, "name": phone.name, "email": phone.email, "extension": phone.extension})
    });
    let people = customer.people.iter().map(|person| {
        json!({"id": person.id, "name": person.name, "user-principal-name": person.user_principal_name})
    });
    json!({
        "name": customer.name,
        "account": customer.account,
        "tenant": customer.tenant,
        "client": customer.app.client,
        "secret": customer.app.secret.value.reveal(),
        "secret-id": customer.app.secret.id,
        "phones": phones.collect::<Vec<_>>(),
        "people": people.collect::<Vec<_>>(),
    })
}

async fn account(
    State(controls): State<Controls>,
    Path(account): Path<CloudlinkAccountId>,
) -> Response {
    let Ok(phones) = controls.phones(&account) else { return not_there("account") };
    let phones: Vec<Value> = phones
        .into_iter()
        .map(|(phone, state)| {
            json!({"user": phone.user, "name": phone.name, "status": state.status, "since": state.since})
        })
        .collect();
    let subscriptions: Vec<Value> = controls
        .subscriptions(&account)
        .into_iter()
        .map(|one| json!({"id": one.id, "application": one.application, "url": one.device}))
        .collect();
    Json(json!({"phones": phones, "subscriptions": subscriptions})).into_response()
}

async fn tenant(State(controls): State<Controls>, Path(tenant): Path<TenantId>) -> Response {
    if controls.tenant(tenant).is_err() {
        return not_there("tenant");
    }
    let people = controls.people(tenant);
    let shown: Vec<Value> = people
        .into_iter()
        .map(|person| {
            let tile = controls.tile(tenant, person.id);
            json!({"id": person.id, "name": person.name, "tile": tile})
        })
        .collect();
    Json(json!({
        "people": shown,
        "held-sessions": controls.held_sessions(tenant),
        "standing": controls.app_standing(tenant),
        "tally": controls.tally(tenant),
        "throttled-until": controls.throttled_until(tenant),
    }))
    .into_response()
}

async fn user(
    State(controls): State<Controls>,
    Path((tenant, user)): Path<(TenantId, EntraUserId)>,
) -> Response {
    let Some(tile) = controls.tile(tenant, user) else { return not_there("user with Teams") };
    Json(json!({
        "tile": tile,
        "session": controls.session(tenant, user),
        "sessions": controls.sessions(tenant, user),
        "preferred": controls.preferred(tenant, user),
        "teams-client": controls.teams_client_shows(tenant, user),
    }))
    .into_response()
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Wanted {
    system: Option<String>,
    /// How many of the newest; oldest first all the same.
    last: Option<usize>,
}

async fn requests(State(controls): State<Controls>, Query(wanted): Query<Wanted>) -> Response {
    let mut seen = match wanted.system.as_deref().map(System::of_key) {
        None => controls.requests(),
        Some(Some(system)) => controls.requests_to(system),
        Some(None) => return not_there("such system"),
    };
    if let Some(last) = wanted.last {
        seen.drain(..seen.len().saturating_sub(last));
    }
    Json(seen).into_response()
}

async fn deliveries(State(controls): State<Controls>) -> Response {
    Json(controls.deliveries()).into_response()
}

async fn messages(State(controls): State<Controls>) -> Json<Value> {
    Json(json!({"letters": controls.letters(), "posted": controls.posted()}))
}
