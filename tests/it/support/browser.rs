//! A browser with no window: it keeps cookies, follows redirects, and can submit only
//! a form that is on the page.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::{
    ACCEPT_ENCODING, CONTENT_TYPE, COOKIE, HOST, LOCATION, ORIGIN, SET_COOKIE,
};
use axum::http::{HeaderMap, Method, Request, Response, StatusCode};
use presence_portal::routes;
use presence_portal::state::AppState;
use tower::ServiceExt;

use super::{Form, Page};

#[derive(Clone)]
pub struct Browser {
    site: Router,
    cookies: Arc<Mutex<BTreeMap<String, String>>>,
}

/// What came back, before anybody made a page of it.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Browser {
    pub fn new(app: AppState) -> Self {
        Self { site: routes::site(app), cookies: Arc::default() }
    }

    pub fn keep(&mut self, cookie: &str, value: &str) {
        self.cookies.lock().unwrap().insert(cookie.to_owned(), value.to_owned());
    }

    pub fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.lock().unwrap().get(name).cloned()
    }

    pub async fn visit(&self, path: &str) -> Page {
        self.follow(Method::GET, path, String::new()).await
    }

    pub async fn submit(&self, form: Form) -> Page {
        let (method, path, body) = form.request();
        self.follow(method, &path, body).await
    }

    /// As a link on the page at `from` leads there.
    pub async fn visit_from(&self, from: &str, path: &str) -> Page {
        let answer = self.send(Method::GET, path, &[("referer", from)], String::new()).await;
        Page::new(path, answer)
    }

    /// As htmx asks for a part of a page.
    pub async fn part(&self, path: &str) -> Page {
        let headers = [("hx-request", "true")];
        let answer = self.send(Method::GET, path, &headers, String::new()).await;
        Page::new(path, answer)
    }

    /// As htmx submits a form inside a dialog. The page's `moved_to` is where it sends the browser.
    pub async fn submit_in_place(&self, form: Form) -> Page {
        let (method, path, body) = form.request();
        let answer = self.send(method, &path, &[("hx-request", "true")], body).await;
        Page::new(&path, answer)
    }

    async fn follow(&self, method: Method, path: &str, body: String) -> Page {
        let mut path = path.to_owned();
        let mut answer = self.send(method, &path, &[], body).await;
        for _ in 0..10 {
            let Some(to) = answer.headers.get(LOCATION) else { break };
            path = to.to_str().unwrap().to_owned();
            answer = self.send(Method::GET, &path, &[], String::new()).await;
        }
        Page::new(&path, answer)
    }

    /// One request from our own page, redirects not followed.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, "portal.example")
            .header(ORIGIN, "http://portal.example")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        let cookies = self.cookies.lock().unwrap().clone();
        if !cookies.is_empty() {
            let pairs: Vec<_> =
                cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header(COOKIE, pairs.join("; "));
        }
        for (name, value) in headers {
            request.headers_mut().unwrap().remove(*name);
            request = request.header(*name, *value);
        }
        self.ask(request.body(Body::from(body)).unwrap()).await
    }

    /// Any request at all, as a machine or an attacker would send it.
    pub async fn ask(&self, request: Request<Body>) -> Answer {
        let response = self.site.clone().oneshot(request).await.unwrap();
        self.take_cookies(&response);
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        let body = String::from_utf8_lossy(&body).into_owned();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// How many bytes come over the wire for it, as a browser asks; and its headers.
    pub async fn weighed(&self, path: &str) -> (usize, HeaderMap) {
        let pairs = self.cookies.lock().unwrap().clone();
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = Request::get(path)
            .header(HOST, "portal.example")
            .header(ACCEPT_ENCODING, "gzip, deflate, br, zstd")
            .header(COOKIE, pairs.join("; "));
        let request = request.body(Body::empty()).unwrap();
        let (parts, body) = self.site.clone().oneshot(request).await.unwrap().into_parts();
        assert_eq!(parts.status, StatusCode::OK, "{path}");
        (to_bytes(body, usize::MAX).await.unwrap().len(), parts.headers)
    }

    fn take_cookies(&self, response: &Response<Body>) {
        let mut cookies = self.cookies.lock().unwrap();
        for cookie in response.headers().get_all(SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            let (name, rest) = cookie.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            if cookie.contains("Max-Age=0") {
                cookies.remove(name);
            } else {
                cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}
