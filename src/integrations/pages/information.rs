//! Account information: the customer, its integrations, and what was done of late.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::panel::Panel;
use crate::accounts::{Account, TheAccount};
use crate::audit::{self, Record, Wanted};
use crate::state::AppState;
use crate::web::{self, AccountTab, Chrome, Db, Page};

const RECENT: i64 = 6;

pub fn routes() -> Router<AppState> {
    Router::new().route("/accounts/{account}", get(show))
}

#[derive(Template)]
#[template(path = "accounts/show.html")]
struct InformationPage {
    chrome: Chrome,
    account: Account,
    panel: Panel,
    recent: Vec<Record>,
}

async fn show(
    State(app): State<AppState>,
    the: TheAccount,
    Db(mut db): Db,
) -> web::Result<Response> {
    let wanted = Wanted { account: Some(the.account.id), ..Wanted::default() };
    let recent = audit::records(&mut db, &wanted, RECENT).await?;
    drop(db);
    let panel = Panel::of(&app, &the.account, &the.viewer).await?;
    let chrome = the.chrome("Account information", AccountTab::Information);
    Ok(Page(InformationPage { chrome, account: the.account, panel, recent }).into_response())
}
