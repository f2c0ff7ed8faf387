//! *Forget it*: an integration whose clean-up takes too long is let go of as it is.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::accounts::{Account, TheAccountToChange};
use crate::ids::IntegrationId;
use crate::integrations::store::{self, Removal};
use crate::presence::store::winding;
use crate::state::AppState;
use crate::web::{
    self, AccountTab, Chrome, OrNotFound, Partial, Path, see_other_saying, whole_or_part,
};

pub fn routes() -> Router<AppState> {
    let at = "/accounts/{account}/integrations/{integration}/remove/forget";
    Router::new().route(at, get(ask).post(forget))
}

#[derive(Clone, Copy, Debug, Deserialize)]
struct InPath {
    integration: IntegrationId,
}

#[derive(Template)]
#[template(path = "presence/forget.html", blocks = ["dialog"])]
struct ForgetPage {
    chrome: Chrome,
    account: Account,
    action: String,
    back: String,
    removal: Removal,
    now: DateTime<Utc>,
}

impl ForgetPage {
    /// For how many minutes something of ours may stay, at most.
    fn minutes(&self) -> i64 {
        let left = self.removal.until.map(|until| (until - self.now).num_seconds());
        left.map_or(0, |seconds| (seconds + 59) / 60).max(0)
    }
}

async fn ask(
    State(app): State<AppState>,
    the: TheAccountToChange,
    Path(path): Path<InPath>,
    partial: Partial,
) -> web::Result<Response> {
    let removal = removal(&app, &the, path).await?;
    let back = format!("/accounts/{}/integrations", the.account.id);
    let page = ForgetPage {
        chrome: the.chrome("Forget it", AccountTab::Integrations),
        account: the.account,
        action: format!("{back}/{}/remove/forget", path.integration),
        back,
        removal,
        now: app.clock.now(),
    };
    Ok(whole_or_part(partial, &page, page.as_dialog()))
}

/// Of an integration that is not being removed there is nothing to forget.
async fn removal(app: &AppState, the: &TheAccountToChange, path: InPath) -> web::Result<Removal> {
    store::find(&app.db, the.account.id, path.integration).await?.or_not_found()?;
    store::removal(&app.db, the.account.id).await?.or_not_found()
}

async fn forget(
    State(app): State<AppState>,
    the: TheAccountToChange,
    Path(path): Path<InPath>,
) -> web::Result<Response> {
    let (account, now) = (&the.account, app.clock.now());
    removal(&app, &the, path).await?;
    let mut tx = app.db.begin().await?;
    // It locks the account first, as everybody does: so nobody waits in a circle.
    winding::forget_uncleared(&mut tx, account.id).await?;
    store::forget_uncleared(&mut tx, account.id, &the.viewer.actor(), now).await?;
    tx.commit().await?;
    app.microsoft.forget_token(account.id);
    app.wakes.ring(account.id);
    Ok(if account.deleting_since.is_some() {
        see_other_saying("/accounts", &format!("{} is deleted.", account.name))
    } else {
        let back = format!("/accounts/{}/integrations", account.id);
        see_other_saying(back, "Microsoft Teams is removed, and its credentials are forgotten.")
    })
}
