//! The site map, and what stands around every page.

use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderName, StatusCode};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::{Router, routing::get};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;

use crate::state::AppState;
use crate::{
    accounts, checks, fleet, home, integrations, notifications, palette, presence, settings, staff,
    web,
};

/// No form of ours is longer.
const LARGEST_FORM: usize = 256 * 1024;
const LONGEST_ANSWER: Duration = Duration::from_secs(30);
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The whole site. The last layer added is the first to see a request.
pub fn site(app: AppState) -> Router {
    let machines = Router::new().route("/health/live", get(|| async { "ok" }));
    let styleguide = if app.config.styleguide { web::styleguide::routes() } else { Router::new() };
    Router::new()
        .merge(staff::routes())
        .merge(accounts::routes())
        .merge(integrations::routes())
        .merge(presence::routes())
        .merge(checks::routes())
        .merge(fleet::routes())
        .merge(notifications::routes())
        .merge(home::routes())
        .merge(settings::routes())
        .merge(palette::routes())
        .merge(styleguide)
        .merge(web::assets::routes())
        .merge(machines)
        .fallback(|| async { web::Error::NotFound })
        .layer(DefaultBodyLimit::max(LARGEST_FORM))
        .layer(TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, LONGEST_ANSWER))
        .layer(CatchPanicLayer::new())
        .layer(from_fn_with_state(app.clone(), web::by_their_clocks))
        .layer(from_fn(web::own_pages_only))
        .layer(from_fn(web::no_redirect_inside_a_fragment))
        .layer(from_fn(web::clear_shown_flash))
        .layer(from_fn(web::show_problems))
        .layer(from_fn_with_state(app.clone(), web::safe_headers))
        .layer(CompressionLayer::new())
        .layer(PropagateRequestIdLayer::new(REQUEST_ID))
        .layer(TraceLayer::new_for_http().make_span_with(span))
        .layer(SetRequestIdLayer::new(REQUEST_ID, MakeRequestUuid))
        .with_state(app)
}

/// Around what is logged of a request. Its path may hold a secret, so the log gets it cut.
fn span(request: &Request) -> tracing::Span {
    let path = web::loggable(request.uri().path());
    tracing::debug_span!("request", http.method = %request.method(), url.path = path)
}
