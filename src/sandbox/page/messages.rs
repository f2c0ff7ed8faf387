//! What the portal told anybody: the pretend mailbox, and everything that came by webhook.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Html;
use axum::routing::get;

use super::Chrome;
use crate::sandbox::{Controls, Letter, Posted};
use crate::web::{self, Page};

pub(super) fn routes() -> Router<Controls> {
    Router::new().route("/messages", get(show)).route("/messages/latest", get(latest))
}

/// What there is to see, the newest first.
struct Latest {
    letters: Vec<Letter>,
    posted: Vec<Posted>,
}

#[derive(Template)]
#[template(path = "sandbox/messages.html")]
struct MessagesPage {
    chrome: Chrome,
    mail: &'static str,
    hook_status: u16,
    latest: Latest,
}

#[derive(Template)]
#[template(path = "sandbox/messages.html", block = "latest")]
struct LatestPart {
    latest: Latest,
}

const MANNERS: [(&str, &str); 3] = [
    ("takes", "Takes every letter"),
    ("puts", "Puts it off (451)"),
    ("refuses", "Refuses it (550)"),
];

const STATUSES: [u16; 4] = [200, 410, 429, 503];
const SHOWN: usize = 40;

impl Latest {
    fn of(controls: &Controls) -> Self {
        Self {
            letters: controls.letters().into_iter().rev().take(SHOWN).collect(),
            posted: controls.posted().into_iter().rev().take(SHOWN).collect(),
        }
    }
}

async fn show(State(controls): State<Controls>) -> Page<MessagesPage> {
    Page(MessagesPage {
        chrome: Chrome::new(&controls, "Messages", None),
        mail: controls.mail_manners().as_str(),
        hook_status: controls.hook_status(),
        latest: Latest::of(&controls),
    })
}

async fn latest(State(controls): State<Controls>) -> web::Result<Html<String>> {
    Ok(Html(LatestPart { latest: Latest::of(&controls) }.render()?))
}
