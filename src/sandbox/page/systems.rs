//! The systems as a whole: their troubles, a storm, deliveries, and what they were asked last.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Html;
use axum::routing::get;

use super::Chrome;
use crate::sandbox::{Controls, Deliveries, Seen};
use crate::web::{self, Page};

pub(super) fn routes() -> Router<Controls> {
    Router::new().route("/systems", get(show)).route("/systems/latest", get(latest))
}

#[derive(Template)]
#[template(path = "sandbox/systems.html")]
struct SystemsPage {
    chrome: Chrome,
    deliveries: Deliveries,
    requests: Vec<Seen>,
    keeps_journal: bool,
}

#[derive(Template)]
#[template(path = "sandbox/systems.html", block = "latest")]
struct LatestPart {
    deliveries: Deliveries,
    requests: Vec<Seen>,
    keeps_journal: bool,
}

/// What can ail a system: the word, and what the form says.
const TROUBLES: [(&str, &str); 8] = [
    ("Go away", "kind=away"),
    ("Hang", "kind=hang"),
    ("Answer slowly", "kind=slow&milliseconds=3000"),
    ("Answer 500", "kind=status&status=500"),
    ("Answer 503", "kind=status&status=503&retry_after=10"),
    ("Answer with HTML", "kind=html&status=502"),
    ("Break off answers", "kind=truncated"),
    ("Lose answers", "kind=lose-answer"),
];

const LATEST: usize = 60;

async fn show(State(controls): State<Controls>) -> Page<SystemsPage> {
    Page(SystemsPage {
        chrome: Chrome::new(&controls, "Systems", None),
        deliveries: controls.deliveries(),
        requests: controls.latest_requests(LATEST),
        keeps_journal: controls.keeps_journal(),
    })
}

async fn latest(State(controls): State<Controls>) -> web::Result<Html<String>> {
    let part = LatestPart {
        deliveries: controls.deliveries(),
        requests: controls.latest_requests(LATEST),
        keeps_journal: controls.keeps_journal(),
    };
    Ok(Html(part.render()?))
}

impl SystemsPage {
    /// The fields of a form, from how the list above writes them.
    fn fields(written: &str) -> Vec<(&str, &str)> {
        written.split('&').filter_map(|field| field.split_once('=')).collect()
    }
}
