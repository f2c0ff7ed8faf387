//! Install update: what is new in the newest release, and moving on to it.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;

use super::the::TheIntegration;
use crate::audit::{self, Changes, Entry};
use crate::integrations::{Integration, Release, store};
use crate::state::AppState;
use crate::web::{self, AccountTab, Chrome, Partial, see_other_saying, whole_or_part};

pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/accounts/{account}/integrations/{integration}/update", get(ask).post(install))
}

#[derive(Template)]
#[template(path = "integrations/update.html", blocks = ["dialog"])]
struct UpdatePage {
    chrome: Chrome,
    action: String,
    back: String,
    /// The releases that come with it, the newest first.
    news: Vec<Release>,
}

fn ahead_of(integration: &Integration) -> Vec<Release> {
    let releases = integration.kind.releases().iter().rev().copied();
    releases.filter(|release| release.number > integration.release).collect()
}

async fn ask(the: TheIntegration, partial: Partial) -> Response {
    let page = UpdatePage {
        chrome: the.the.chrome("Install update", AccountTab::Integrations),
        action: format!("{}/update", the.at()),
        back: the.back(),
        news: ahead_of(&the.integration),
    };
    whole_or_part(partial, &page, page.as_dialog())
}

async fn install(State(app): State<AppState>, the: TheIntegration) -> web::Result<Response> {
    let (account, id, now) = (&the.the.account, the.integration.id, app.clock.now());
    let newest = the.integration.kind.newest();
    let old = the.integration.kind.release(the.integration.release).map(|release| release.name);

    let mut tx = app.db.begin().await?;
    if !store::set_release(&mut *tx, account.id, id, newest.number).await? {
        return Ok(see_other_saying(the.back(), "The newest release is installed already."));
    }
    let entry = Entry {
        action: "integration.updated",
        summary: format!("Release {} was installed.", newest.name),
        account: Some((account.id, &account.name)),
        changes: Changes::default().field("Release", old, newest.name),
    };
    audit::note(&mut tx, &the.the.viewer.actor(), entry, now).await?;
    tx.commit().await?;

    app.wakes.ring(account.id);
    Ok(see_other_saying(the.back(), "Feature update complete."))
}
