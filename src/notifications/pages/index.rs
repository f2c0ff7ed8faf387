//! The channels there are, and what went through them last.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::whose::Whose;
use crate::notifications::store::{self, outbox::Delivery};
use crate::notifications::{Channel, Kind};
use crate::state::AppState;
use crate::web::{self, Chrome, Page};

const LATEST: i64 = 20;

pub(super) fn routes(at: &str) -> Router<AppState> {
    Router::new().route(at, get(show))
}

#[derive(Template)]
#[template(path = "notifications/index.html")]
struct IndexPage {
    chrome: Chrome,
    at: String,
    of_account: bool,
    channels: Vec<Channel>,
    /// How many of the partner's hear of this account, too.
    of_partner: usize,
    deliveries: Vec<Delivery>,
    mail_is_set_up: bool,
    may_change: bool,
}

async fn show(State(app): State<AppState>, whose: Whose) -> web::Result<Response> {
    let of_partner = match whose.account {
        Some(_) => store::channels::of(&app.db, None, None).await?.len(),
        None => 0,
    };
    let page = IndexPage {
        chrome: whose.chrome("Notifications"),
        at: whose.at(),
        of_account: whose.account.is_some(),
        channels: store::channels::of(&app.db, whose.id(), None).await?,
        of_partner,
        deliveries: store::outbox::latest(&app.db, whose.id(), None, LATEST).await?,
        mail_is_set_up: app.post.mail.is_set_up(),
        may_change: whose.viewer.may_change(),
    };
    Ok(Page(page).into_response())
}

impl IndexPage {
    fn needs_mail(&self) -> bool {
        !self.mail_is_set_up && self.channels.iter().any(|it| it.kind == Kind::Mail)
    }

    fn nobody(&self) -> &'static str {
        if self.of_partner > 0 { "No channel of its own yet" } else { "Nobody is told yet" }
    }

    fn lead(&self) -> &'static str {
        if self.of_account {
            "Who is told when something is wrong with this account, and when it is over."
        } else {
            "Who is told when something is wrong with any account, and when it is over."
        }
    }
}

impl Delivery {
    /// Its state: kind and words.
    pub(super) fn outcome(&self) -> (&'static str, String) {
        match (self.state.as_str(), self.attempts) {
            ("delivered", _) => ("ok", "Delivered".to_owned()),
            ("waiting", 0) => ("working", "On its way".to_owned()),
            ("waiting", 1) => ("warn", "Tried once".to_owned()),
            ("waiting", times) => ("warn", format!("Tried {times} times")),
            (_, 1) => ("danger", "Not taken".to_owned()),
            (_, times) => ("danger", format!("Given up after {times} attempts")),
        }
    }

    pub(super) fn is_waiting(&self) -> bool {
        self.state == "waiting" && self.attempts > 0
    }
}
