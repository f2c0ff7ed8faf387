//! Removing an integration: asked once more, then left to the worker.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;

use super::the::TheIntegration;
use crate::audit::{self, Changes, Entry};
use crate::integrations::{Integration, store};
use crate::state::AppState;
use crate::web::{self, AccountTab, Chrome, Partial, see_other_saying, whole_or_part};

pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/accounts/{account}/integrations/{integration}/remove", get(ask).post(remove))
}

#[derive(Template)]
#[template(path = "integrations/remove.html", blocks = ["dialog"])]
struct RemovePage {
    chrome: Chrome,
    action: String,
    back: String,
    integration: Integration,
}

async fn ask(the: TheIntegration, partial: Partial) -> Response {
    let title = format!("Remove {} integration", the.integration.kind.label());
    let page = RemovePage {
        chrome: the.the.chrome(title, AccountTab::Integrations),
        action: format!("{}/remove", the.at()),
        back: the.back(),
        integration: the.integration,
    };
    whole_or_part(partial, &page, page.as_dialog())
}

async fn remove(State(app): State<AppState>, the: TheIntegration) -> web::Result<Response> {
    let (account, id, now) = (&the.the.account, the.integration.id, app.clock.now());
    let label = the.integration.kind.label();

    let mut tx = app.db.begin().await?;
    let is_gone = store::forget_unused(&mut *tx, account.id, id).await?;
    let begun = !is_gone && store::begin_removing(&mut *tx, account.id, id, now).await?;
    let (action, summary) = if is_gone {
        ("integration.removed", format!("{label} was removed before it was set up."))
    } else {
        ("integration.removal_begun", format!("{label} is being removed."))
    };
    if is_gone || begun {
        let account = Some((account.id, account.name.as_str()));
        let entry = Entry { action, summary, account, changes: Changes::default() };
        audit::note(&mut tx, &the.the.viewer.actor(), entry, now).await?;
    }
    tx.commit().await?;

    app.wakes.ring(account.id);
    let said = if is_gone {
        format!("{label} is removed.")
    } else {
        format!("{label} is being removed: presence in Teams is cleared first.")
    };
    Ok(see_other_saying(the.back(), &said))
}
