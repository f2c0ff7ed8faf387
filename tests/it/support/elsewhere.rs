//! A server out there that answers as a test tells it to, and remembers what it was asked.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

pub struct Elsewhere {
    pub url: String,
    heard: Arc<Mutex<Vec<Heard>>>,
    count: watch::Receiver<usize>,
    _serving: JoinSet<()>,
}

/// One request, as it arrived.
#[derive(Clone, Debug)]
pub struct Heard {
    pub method: Method,
    /// With its query.
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Heard {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

pub enum Reply {
    Now(Response),
    Never,
}

impl Reply {
    pub fn json(status: u16, body: &Value) -> Self {
        let body = body.to_string();
        Self::raw(status, &[(header::CONTENT_TYPE.as_str(), "application/json")], body)
    }

    pub fn raw(status: u16, headers: &[(&str, &str)], body: impl Into<Body>) -> Self {
        let mut response = (StatusCode::from_u16(status).unwrap(), body.into()).into_response();
        for (name, value) in headers {
            let name: header::HeaderName = name.parse().unwrap();
            response.headers_mut().insert(name, value.parse().unwrap());
        }
        Self::Now(response)
    }

    /// An answer whose connection breaks in the middle.
    pub fn broken(status: u16, beginning: &'static str) -> Self {
        let parts = [Ok(Bytes::from_static(beginning.as_bytes())), Err("the wire was cut")];
        Self::raw(status, &[], Body::from_stream(futures_util::stream::iter(parts)))
    }
}

impl Elsewhere {
    pub async fn answering(answer: impl Fn(&Heard) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (counted, count) = watch::channel(0);
        let (answer, ears) = (Arc::new(answer), Arc::clone(&heard));
        let site = Router::new().fallback(move |request: Request<Body>| {
            let (answer, ears, counted) = (Arc::clone(&answer), Arc::clone(&ears), counted.clone());
            async move {
                let (parts, body) = request.into_parts();
                let one = Heard {
                    method: parts.method,
                    path: parts.uri.to_string(),
                    headers: parts.headers,
                    body: axum::body::to_bytes(body, usize::MAX).await.unwrap(),
                };
                ears.lock().unwrap().push(one.clone());
                counted.send_modify(|count| *count += 1);
                match answer(&one) {
                    Reply::Now(response) => response,
                    Reply::Never => std::future::pending().await,
                }
            }
        });
        let mut serving = JoinSet::new();
        serving.spawn(async { axum::serve(listener, site).await.unwrap() });
        Self { url, heard, count, _serving: serving }
    }

    pub fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }

    /// What was asked of this path, queries aside.
    pub fn heard_at(&self, path: &str) -> Vec<Heard> {
        let here = |it: &Heard| it.path.split('?').next() == Some(path);
        self.heard().into_iter().filter(here).collect()
    }

    /// Waits until so many requests have come.
    pub async fn has_heard(&self, requests: usize) {
        self.count.clone().wait_for(|count| *count >= requests).await.unwrap();
    }
}
