//! The pretend systems behave as the real ones are known to.

mod assertions;
mod cloudlink;
mod directory;
mod login;
mod page;
mod presence;
mod schema;
mod troubles;
mod world;

use std::time::Duration;

use chrono::{DateTime, Utc};
use presence_portal::kit::clock::Clock;
use presence_portal::kit::http::http_client;
use presence_portal::sandbox::{Customer, Sandbox, World};
use serde_json::{Value, json};

/// Far more than anything here takes; reached only when something is wrong.
const PATIENCE: Duration = Duration::from_secs(10);

/// A sandbox at noon, with somebody who calls it as an app would.
struct Stage {
    sandbox: Sandbox,
    clock: Clock,
    http: reqwest::Client,
}

/// What came back.
struct Answer {
    status: u16,
    headers: reqwest::header::HeaderMap,
    body: Value,
}

impl Answer {
    fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl Stage {
    async fn set() -> Self {
        Self::with(World::small()).await
    }

    async fn with(world: World) -> Self {
        let clock = Clock::stopped_at(noon());
        let sandbox = Sandbox::start(world, clock.clone()).await.unwrap();
        Self { sandbox, clock, http: http_client().unwrap() }
    }

    fn customer(&self) -> &Customer {
        &self.sandbox.world().customers[0]
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.sandbox.address())
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.bytes().await.unwrap();
        Answer { status, headers, body: serde_json::from_slice(&body).unwrap_or(Value::Null) }
    }

    /// Asks for a token with these differences from a proper request.
    async fn sign_in(&self, differences: &[(&str, &str)]) -> Answer {
        let customer = self.customer();
        let (tenant, client) = (customer.tenant.to_string(), customer.app.client.to_string());
        let mut form = vec![
            ("grant_type", "client_credentials"),
            ("client_id", &client),
            ("client_secret", customer.app.secret.value.reveal()),
            ("scope", "https://graph.microsoft.com/.default"),
            ("tenant", &tenant),
        ];
        for (name, value) in differences {
            form.retain(|(field, _)| field != name);
            form.push((name, value));
        }
        let (_, tenant) = *form.iter().find(|(field, _)| *field == "tenant").unwrap();
        form.retain(|(field, value)| *field != "tenant" && *value != "(none)");
        let url = self.url(&format!("/login/{tenant}/oauth2/v2.0/token"));
        self.send(self.http.post(url).form(&form)).await
    }

    async fn token(&self) -> String {
        let answer = self.sign_in(&[]).await;
        answer.body["access_token"].as_str().expect("a token").to_owned()
    }

    async fn get(&self, path: &str, token: &str) -> Answer {
        let url = if path.starts_with("http") {
            path.to_owned()
        } else {
            self.url(&format!("/graph/v1.0{path}"))
        };
        self.send(self.http.get(url).bearer_auth(token)).await
    }

    async fn post(&self, path: &str, token: &str, body: Value) -> Answer {
        let url = self.url(&format!("/graph/v1.0{path}"));
        self.send(self.http.post(url).bearer_auth(token).json(&body)).await
    }

    fn ann(&self) -> String {
        self.customer().person("Ann Miller").unwrap().id.to_string()
    }

    /// `setPresence` for Ann.
    async fn set_presence(&self, token: &str, pair: [&str; 2], lasts: &str) -> Answer {
        let body = json!({
            "sessionId": self.customer().app.client,
            "availability": pair[0],
            "activity": pair[1],
            "expirationDuration": lasts,
        });
        self.post(&format!("/users/{}/presence/setPresence", self.ann()), token, body).await
    }

    async fn clear_presence(&self, token: &str) -> Answer {
        let body = json!({"sessionId": self.customer().app.client});
        self.post(&format!("/users/{}/presence/clearPresence", self.ann()), token, body).await
    }

    /// What Teams shows of Ann.
    fn shown(&self) -> String {
        let customer = self.customer();
        let ann = customer.person("Ann Miller").unwrap().id;
        self.sandbox.tile(customer.tenant, ann).unwrap().words
    }
}

fn noon() -> DateTime<Utc> {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

/// Waits for this to hold of the sandbox.
async fn until(sandbox: &Sandbox, holds: impl FnMut(&presence_portal::sandbox::Controls) -> bool) {
    tokio::time::timeout(PATIENCE, sandbox.until(holds)).await.expect("it never came to hold");
}
