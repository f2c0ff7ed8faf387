//! What can be wrong with a system as a whole, for everybody or for one tenant or account.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

/// The pretend systems, each of which can be in trouble by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum System {
    /// login.microsoftonline.com.
    Login,
    /// graph.microsoft.com.
    Graph,
    /// CloudLink's authentication, admin and notifications.
    Cloudlink,
}

/// One kind of trouble.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Trouble {
    /// Answers after so long.
    Slow { milliseconds: u64 },
    /// Does not answer, until it is mended.
    Hang,
    /// Gone away: resets every connection.
    Away,
    /// Does what it was asked, then resets the connection instead of answering.
    LoseAnswer,
    /// Answers this, such as 500 or 503, perhaps with `Retry-After`.
    Status { status: u16, retry_after: Option<u32> },
    /// Answers with a page of HTML, as a proxy in between does.
    Html { status: u16 },
    /// Does what it was asked and breaks off in the middle of the answer.
    Truncated,
    /// Answers 200 with half a JSON document, as if that were all.
    HalfJson,
}

impl System {
    pub const ALL: [Self; 3] = [Self::Login, Self::Graph, Self::Cloudlink];

    pub fn label(self) -> &'static str {
        match self {
            Self::Login => "Microsoft login",
            Self::Graph => "Microsoft Graph",
            Self::Cloudlink => "CloudLink",
        }
    }

    pub fn key(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Graph => "graph",
            Self::Cloudlink => "cloudlink",
        }
    }

    pub fn of_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|system| system.key() == key)
    }
}

impl Trouble {
    pub fn slow(by: Duration) -> Self {
        Self::Slow { milliseconds: u64::try_from(by.as_millis()).unwrap_or(u64::MAX) }
    }

    pub fn status(status: u16) -> Self {
        Self::Status { status, retry_after: None }
    }

    /// In words, for the page.
    pub fn label(&self) -> String {
        match self {
            Self::Slow { milliseconds } => format!("slow, by {milliseconds} ms"),
            Self::Hang => "hanging".to_owned(),
            Self::Away => "away".to_owned(),
            Self::LoseAnswer => "losing its answers".to_owned(),
            Self::Status { status, .. } => format!("answering {status}"),
            Self::Html { status } => format!("answering {status} with a page of HTML"),
            Self::Truncated => "breaking off its answers".to_owned(),
            Self::HalfJson => "answering with half a JSON document".to_owned(),
        }
    }
}

/// The troubles that are set now.
#[derive(Debug, Default)]
pub(super) struct Troubles {
    count: AtomicUsize,
    set: Mutex<Vec<Set>>,
}

#[derive(Clone, Debug)]
struct Set {
    system: System,
    whose: Option<String>,
    trouble: Trouble,
    /// How many requests it is for; `None`: until mended.
    left: Option<u32>,
}

impl Troubles {
    /// Sets trouble for everybody (`whose` is `None`) or one tenant or account, in place of what was set.
    pub(super) fn set(
        &self,
        system: System,
        whose: Option<&str>,
        trouble: Trouble,
        left: Option<u32>,
    ) {
        let mut set = self.lock();
        set.retain(|other| !other.is(system, whose));
        let whose = whose.map(str::to_owned);
        set.push(Set { system, whose, trouble, left });
        self.count.store(set.len(), Ordering::Release);
    }

    pub(super) fn mend(&self, system: System, whose: Option<&str>) {
        let mut set = self.lock();
        set.retain(|other| !other.is(system, whose));
        self.count.store(set.len(), Ordering::Release);
    }

    /// The trouble that meets this request, counted down.
    pub(super) fn meet(&self, system: System, whose: Option<&str>) -> Option<Trouble> {
        if self.count.load(Ordering::Acquire) == 0 {
            return None;
        }
        let mut set = self.lock();
        let place = set.iter().position(|one| {
            one.system == system && (one.whose.is_none() || one.whose.as_deref() == whose)
        })?;
        let one = set.get_mut(place)?;
        let trouble = one.trouble.clone();
        if let Some(left) = &mut one.left {
            *left = left.saturating_sub(1);
            if *left == 0 {
                set.remove(place);
                self.count.store(set.len(), Ordering::Release);
            }
        }
        Some(trouble)
    }

    /// Whether this system hangs still, for requests that wait for it.
    pub(super) fn still_hangs(&self, system: System, whose: Option<&str>) -> bool {
        self.lock().iter().any(|one| {
            one.system == system
                && one.trouble == Trouble::Hang
                && (one.whose.is_none() || one.whose.as_deref() == whose)
        })
    }

    pub(super) fn of(&self, system: System, whose: Option<&str>) -> Option<Trouble> {
        self.lock().iter().find(|one| one.is(system, whose)).map(|one| one.trouble.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Set>> {
        self.set.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Set {
    fn is(&self, system: System, whose: Option<&str>) -> bool {
        self.system == system && self.whose.as_deref() == whose
    }
}

const PROXY_PAGE: &str = "<!doctype html><html><head><title>Gateway</title></head><body><h1>Gateway error</h1></body></html>";

pub(super) fn status(status: u16, retry_after: Option<u32>) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = status.into_response();
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

pub(super) fn html(status: u16) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    (status, axum::response::Html(PROXY_PAGE)).into_response()
}

/// The first half of an answer; `honest` about its length, the connection then breaks.
pub(super) async fn half(response: Response, honest: bool) -> Response {
    let (mut parts, body) = response.into_parts();
    let whole = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let first = whole.slice(..whole.len() / 2);
    if honest {
        parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(whole.len()));
        let broken = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        let chunks: [Result<Bytes, _>; 2] = [Ok(first), Err(broken)];
        return Response::from_parts(parts, Body::from_stream(futures_util::stream::iter(chunks)));
    }
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(first))
}
