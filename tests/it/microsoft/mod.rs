//! What we ask of Microsoft, and what we make of its answers.

mod directory;
mod login;
mod presence;
mod sandbox;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use presence_portal::config::MicrosoftSettings;
use presence_portal::ids::{AccountId, EntraUserId};
use presence_portal::kit::clock::Clock;
use presence_portal::kit::http::http_client;
use presence_portal::kit::secret::Secret;
use presence_portal::microsoft::{Cloud, Connection, Credential, Microsoft};
use serde_json::json;
use uuid::Uuid;

use crate::support::{Elsewhere, Heard, Reply};

const TENANT: &str = "11111111-1111-4111-8111-111111111111";
const CLIENT: &str = "22222222-2222-4222-8222-222222222222";
const BOTH: [&str; 2] = ["User.Read.All", "Presence.ReadWrite.All"];

fn opening() -> DateTime<Utc> {
    "2026-03-02T08:00:00Z".parse().unwrap()
}

fn connection() -> Connection {
    Connection {
        account: AccountId::new(),
        version: 1,
        tenant: TENANT.parse().unwrap(),
        client: CLIENT.parse().unwrap(),
        cloud: Cloud::Global,
        credential: Credential::Secret(Secret::new("abc8Q~the-value")),
    }
}

fn user() -> EntraUserId {
    "33333333-3333-4333-8333-333333333333".parse().unwrap()
}

fn set_presence() -> String {
    format!("/graph/v1.0/users/{}/presence/setPresence", user())
}

/// A token that carries these roles; no two are alike.
fn token(roles: &[&str]) -> Reply {
    let claims = json!({"roles": roles, "jti": Uuid::new_v4()}).to_string();
    let token = format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims));
    Reply::json(200, &json!({"token_type": "Bearer", "expires_in": 3599, "access_token": token}))
}

fn refused(status: u16, code: &str) -> Reply {
    let inner = json!({"request-id": "inner-1", "date": "2026-03-02T08:00:00"});
    Reply::json(status, &json!({"error": {"code": code, "message": "", "innerError": inner}}))
}

/// A Microsoft that signs everybody in, and whose Graph answers like this.
async fn graph(
    answer: impl Fn(&Heard) -> Reply + Send + Sync + 'static,
) -> (Microsoft, Elsewhere, Clock) {
    microsoft(
        move |heard| if heard.path.starts_with("/login") { token(&BOTH) } else { answer(heard) },
    )
    .await
}

async fn microsoft(
    answer: impl Fn(&Heard) -> Reply + Send + Sync + 'static,
) -> (Microsoft, Elsewhere, Clock) {
    let there = Elsewhere::answering(answer).await;
    let clock = Clock::stopped_at(opening());
    let settings = MicrosoftSettings {
        login_url: Some(format!("{}/login", there.url).parse().unwrap()),
        graph_url: Some(format!("{}/graph/", there.url).parse().unwrap()),
        requests_per_second: 50,
    };
    let microsoft = Microsoft::new(http_client().unwrap(), &settings, clock.clone());
    (microsoft, there, clock)
}

fn token_requests(there: &Elsewhere) -> usize {
    there.heard_at(&format!("/login/{TENANT}/oauth2/v2.0/token")).len()
}
