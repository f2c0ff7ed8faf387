//! The one listener: which pretend system a request is for, and what trouble meets it there.

use std::future::Future;

use axum::Router;
use axum::body::{Bytes, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use uuid::Uuid;

use super::journal::Seen;
use super::line::Scissors;
use super::messages::Posted;
use super::trouble::{self, System, Trouble};
use super::{Controls, cloudlink, control_api, microsoft, page};
use crate::web::Path;

const LARGEST_BODY: usize = 4 * 1024 * 1024;

pub(super) fn routes(controls: Controls) -> Router {
    Router::new()
        .route("/login/{tenant}/oauth2/v2.0/token", any(login))
        .route("/login/{tenant}/v2.0/.well-known/openid-configuration", get(discovery))
        .route("/graph/{*path}", any(graph))
        .route("/cloudlink/{service}/2017-09-01/{*path}", any(cloudlink_call))
        .route("/receivers/{name}", post(receive))
        .merge(control_api::routes())
        .merge(page::routes())
        .with_state(controls)
}

/// One request as it came, taken apart.
struct Arrived {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
    scissors: Scissors,
    request_id: Uuid,
}

impl Arrived {
    async fn of(request: Request) -> Result<Self, Response> {
        let (parts, body) = request.into_parts();
        let scissors = parts.extensions.get::<ConnectInfo<Scissors>>();
        let scissors = scissors.map(|info| info.0.clone()).unwrap_or_default();
        let body = to_bytes(body, LARGEST_BODY)
            .await
            .map_err(|_| StatusCode::PAYLOAD_TOO_LARGE.into_response())?;
        Ok(Self {
            method: parts.method,
            uri: parts.uri,
            headers: parts.headers,
            body,
            scissors,
            request_id: Uuid::new_v4(),
        })
    }

    /// How the client calls us, for links that it follows.
    fn base(&self, path: &str) -> String {
        let host = self.headers.get(header::HOST).and_then(|host| host.to_str().ok());
        format!("http://{}{path}", host.unwrap_or("localhost"))
    }

    fn query(&self) -> String {
        self.uri.query().unwrap_or_default().to_owned()
    }

    fn bytes_as_text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

async fn login(
    State(controls): State<Controls>,
    Path(tenant): Path<String>,
    request: Request,
) -> Response {
    let arrived = match Arrived::of(request).await {
        Ok(arrived) => arrived,
        Err(refusal) => return refusal,
    };
    if arrived.method != Method::POST {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    let whose = Some(tenant.clone());
    // The body holds a secret: the journal only hears whose it was.
    let body = String::new();
    through_trouble(&controls, System::Login, whose, &arrived, body, async || {
        let now = controls.now();
        let endpoint = arrived.base(&format!("/login/{tenant}/oauth2/v2.0/token"));
        let (headers, body) = (&arrived.headers, &arrived.body);
        microsoft::answer_login(controls.microsoft(), &tenant, endpoint, headers, body, now)
    })
    .await
}

async fn discovery(
    State(controls): State<Controls>,
    Path(tenant): Path<String>,
    request: Request,
) -> Response {
    let arrived = match Arrived::of(request).await {
        Ok(arrived) => arrived,
        Err(refusal) => return refusal,
    };
    let whose = Some(tenant.clone());
    through_trouble(&controls, System::Login, whose, &arrived, String::new(), async || {
        microsoft::answer_discovery(controls.microsoft(), &tenant)
    })
    .await
}

async fn graph(State(controls): State<Controls>, request: Request) -> Response {
    let arrived = match Arrived::of(request).await {
        Ok(arrived) => arrived,
        Err(refusal) => return refusal,
    };
    let now = controls.now();
    let caller = microsoft::Caller::of(controls.microsoft(), &arrived.headers, now);
    let whose = caller.as_ref().ok().map(|caller| caller.tenant().to_string());
    let body = if controls.keeps_journal() { arrived.bytes_as_text() } else { String::new() };
    through_trouble(&controls, System::Graph, whose, &arrived, body, async || {
        let now = controls.now();
        let asked = microsoft::Asked {
            method: arrived.method.clone(),
            path: arrived.uri.path().trim_start_matches("/graph").to_owned(),
            query: arrived.query(),
            headers: arrived.headers.clone(),
            body: arrived.body.clone(),
            base: arrived.base("/graph"),
        };
        let answer = match caller {
            Ok(caller) => microsoft::answer_graph(&caller, &asked, now),
            Err(refusal) => refusal,
        };
        answer.into_response(&arrived.headers, arrived.request_id, now)
    })
    .await
}

async fn cloudlink_call(
    State(controls): State<Controls>,
    Path((service, path)): Path<(String, String)>,
    request: Request,
) -> Response {
    let arrived = match Arrived::of(request).await {
        Ok(arrived) => arrived,
        Err(refusal) => return refusal,
    };
    let now = controls.now();
    let caller = cloudlink::Caller::of(controls.cloudlink(), &arrived.headers, now);
    let whose = caller.as_ref().map(|caller| caller.account.clone());
    let has_secret = service == "authentication";
    let body = if has_secret { String::new() } else { arrived.bytes_as_text() };
    through_trouble(&controls, System::Cloudlink, whose, &arrived, body, async || {
        let asked = cloudlink::Asked {
            method: arrived.method.clone(),
            base: arrived.base(&format!("/cloudlink/{service}/2017-09-01")),
            path: format!("/{path}"),
            query: arrived.query(),
            headers: arrived.headers.clone(),
            body: arrived.body.clone(),
            service: service.clone(),
        };
        let now = controls.now();
        let (status, body) = cloudlink::answer(controls.cloudlink(), caller.as_ref(), &asked, now);
        let mut response = match body {
            Some(body) => (status, axum::Json(body)).into_response(),
            None => status.into_response(),
        };
        if let Ok(id) = HeaderValue::from_str(&arrived.request_id.to_string()) {
            response.headers_mut().insert("x-mitel-correlation-id", id);
        }
        response
    })
    .await
}

/// Somebody who listens to webhooks, and says of each what the page was told to say.
async fn receive(
    State(controls): State<Controls>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: String,
) -> Response {
    let said = |name: &str| {
        headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
    };
    let status = StatusCode::from_u16(controls.hook_status()).unwrap_or(StatusCode::OK);
    controls.take_posted(Posted {
        at: controls.now(),
        to: name,
        id: said("webhook-id"),
        timestamp: said("webhook-timestamp"),
        signature: said("webhook-signature"),
        body,
        status: status.as_u16(),
    });
    (status, if status.is_success() { "ok" } else { "told to refuse" }).into_response()
}

/// Answers as the system would, or as the trouble it is in would have it, and writes it down.
async fn through_trouble<A: Future<Output = Response>>(
    controls: &Controls,
    system: System,
    whose: Option<String>,
    arrived: &Arrived,
    body: String,
    answer: impl FnOnce() -> A,
) -> Response {
    let met = controls.troubles().meet(system, whose.as_deref());
    let cut = |response: Response| {
        arrived.scissors.cut();
        response
    };
    let mut response = match met {
        None => answer().await,
        Some(Trouble::Slow { milliseconds }) => {
            let by = std::time::Duration::from_millis(milliseconds);
            match controls.unless_stopped(tokio::time::sleep(by)).await {
                Some(()) => answer().await,
                None => cut(StatusCode::SERVICE_UNAVAILABLE.into_response()),
            }
        }
        Some(Trouble::Hang) => {
            controls.while_hanging(system, whose.as_deref()).await;
            cut(StatusCode::GATEWAY_TIMEOUT.into_response())
        }
        Some(Trouble::Away) => cut(StatusCode::BAD_GATEWAY.into_response()),
        Some(Trouble::LoseAnswer) => cut(answer().await),
        Some(Trouble::Status { status, retry_after }) => trouble::status(status, retry_after),
        Some(Trouble::Html { status }) => trouble::html(status),
        Some(Trouble::Truncated) => trouble::half(answer().await, true).await,
        Some(Trouble::HalfJson) => trouble::half(answer().await, false).await,
    };
    if let Ok(date) = HeaderValue::from_str(&controls.date()) {
        response.headers_mut().insert(header::DATE, date);
    }
    if controls.keeps_journal() {
        let path = arrived.uri.path_and_query().map_or("/", |path| path.as_str());
        let prefix = match system {
            System::Login => "/login",
            System::Graph => "/graph",
            System::Cloudlink => "/cloudlink",
        };
        let said = |name| arrived.headers.get(name).and_then(|value| value.to_str().ok());
        let caller = said("x-mitel-app").or_else(|| said("user-agent"));
        controls.note(Seen {
            at: controls.now(),
            system,
            whose,
            method: arrived.method.to_string(),
            path: path.strip_prefix(prefix).unwrap_or(path).to_owned(),
            body,
            status: response.status().as_u16(),
            request_id: arrived.request_id,
            caller: caller.map(str::to_owned),
        });
    }
    controls.poke();
    response
}
