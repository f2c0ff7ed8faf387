//! Extractors whose refusals are our pages.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{ConnectInfo, FromRequest, FromRequestParts, RawForm, Request};
use axum::http::Method;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use sqlx::pool::PoolConnection;
use sqlx::{PgPool, Postgres};

use super::Error;
use crate::state::AppState;

/// What stands in the URL's path. What does not parse is not there: 404.
#[derive(Clone, Copy, Debug)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        #[expect(clippy::disallowed_types, reason = "this is the one that wraps it")]
        let path = axum::extract::Path::<T>::from_request_parts(parts, state).await;
        path.map(|path| Self(path.0)).map_err(|_| Error::NotFound)
    }
}

/// What stands after the `?`. What does not parse is left out: a page is never
/// refused for a stale link.
#[derive(Clone, Debug, Default)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned + Default + Send, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let query = parts.uri.query().unwrap_or_default();
        Ok(Self(serde_html_form::from_str(query).unwrap_or_default()))
    }
}

/// A posted form. A field may be there several times (`Vec`).
#[derive(Clone, Debug)]
pub struct Form<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Form<T> {
    type Rejection = axum::response::Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        use axum::response::IntoResponse;
        // A body over its limit keeps its own answer: 413.
        let RawForm(body) =
            RawForm::from_request(request, state).await.map_err(IntoResponse::into_response)?;
        serde_html_form::from_bytes(&body)
            .map(Self)
            .map_err(|_| axum::http::StatusCode::UNPROCESSABLE_ENTITY.into_response())
    }
}

/// The connection of this request: who is asking, of which account, and what the page shows are
/// read one after another over the same one. It goes back when the handler lets go of it.
pub struct Db(pub PoolConnection<Postgres>);

/// What one extractor leaves for the next.
#[derive(Clone, Default)]
struct Left(Arc<Mutex<Option<PoolConnection<Postgres>>>>);

impl Db {
    /// The one that was left, or else one of the pool's.
    pub async fn take(parts: &mut Parts, pool: &PgPool) -> sqlx::Result<Self> {
        let left = parts.extensions.get::<Left>();
        let left =
            left.and_then(|left| left.0.lock().unwrap_or_else(PoisonError::into_inner).take());
        match left {
            Some(db) => Ok(Self(db)),
            None => Ok(Self(pool.acquire().await?)),
        }
    }

    /// For whoever takes one next. Not while a form may still be on its way: it could be long.
    pub fn leave(self, parts: &mut Parts) {
        if parts.method == Method::GET {
            parts.extensions.insert(Left(Arc::new(Mutex::new(Some(self.0)))));
        }
    }
}

impl FromRequestParts<AppState> for Db {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, Error> {
        Ok(Self::take(parts, &app.db).await?)
    }
}

/// Whether htmx asked for a part of the page rather than the whole.
#[derive(Clone, Copy, Debug)]
pub struct Partial(pub bool);

impl<S: Send + Sync> FromRequestParts<S> for Partial {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let says = |name: &str| parts.headers.get(name).is_some_and(|value| value == "true");
        Ok(Self(says("hx-request") && !says("hx-history-restore-request")))
    }
}

/// Where the request came from: the address of whoever connected to us.
#[derive(Clone, Copy, Debug)]
pub struct ClientAddress(pub IpAddr);

impl<S: Send + Sync> FromRequestParts<S> for ClientAddress {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let connected = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = connected.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |info| info.0.ip());
        // Only a proxy on this machine is believed about whom it speaks for.
        let forwarded = parts.headers.get("x-forwarded-for").and_then(|v| v.to_str().ok());
        let spoken_for = forwarded.and_then(|list| list.rsplit(',').next()?.trim().parse().ok());
        Ok(Self(if peer.is_loopback() { spoken_for.unwrap_or(peer) } else { peer }))
    }
}
