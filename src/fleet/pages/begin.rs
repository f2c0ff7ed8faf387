//! Bulk work over ticked accounts: what to do with them, and what was done of late.
//!
//! Whoever has a list of accounts to tick posts to `/bulk`: `action` (a deed's name) and
//! `account`, once for each, or `matching` (see `accounts::selection`).

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;

use crate::accounts::selection::Selection;
use crate::audit::{self, Changes, Entry};
use crate::fleet::noun;
use crate::ids::AccountId;
use crate::runs::store::NewRun;
use crate::runs::{self, Deed, Kind, Run};
use crate::staff::Viewer;
use crate::state::AppState;
use crate::web::{
    self, Chrome, FieldErrors, Form, Page, Query, Section, refused, see_other, see_other_saying,
};

pub fn routes() -> Router<AppState> {
    Router::new().route("/bulk", get(choose).post(begin))
}

/// What may be done to ticked accounts.
const OFFERED: [Deed; 4] = [Deed::Test, Deed::SwitchOn, Deed::SwitchOff, Deed::Update];
const RECENT: i64 = 50;
/// Of the ticked accounts so many are named.
const NAMED: usize = 20;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Ticked {
    action: String,
    account: Vec<String>,
    /// In place of the ids: all that the list shows at this address.
    matching: Option<String>,
}

#[derive(Template)]
#[template(path = "fleet/bulk.html")]
struct BulkPage {
    chrome: Chrome,
    ticked: Vec<(AccountId, String)>,
    recent: Vec<Run>,
    errors: FieldErrors,
}

impl Ticked {
    fn selection(&self) -> Selection {
        Selection::of_fields(&self.account, self.matching.as_deref())
    }
}

async fn page(
    app: &AppState,
    viewer: &Viewer,
    ticked: Vec<(AccountId, String)>,
    errors: FieldErrors,
) -> web::Result<BulkPage> {
    let recent = runs::store::recent(&app.db, Kind::Bulk, viewer.scope(), RECENT).await?;
    let chrome = viewer.chrome("Bulk work", Section::Bulk);
    Ok(BulkPage { chrome, ticked, recent, errors })
}

async fn choose(
    State(app): State<AppState>,
    viewer: Viewer,
    Query(ticked): Query<Ticked>,
) -> web::Result<Response> {
    may_begin(&viewer)?;
    let ticked = ticked.selection().accounts(&app.db, viewer.scope()).await?;
    Ok(Page(page(&app, &viewer, ticked, FieldErrors::default()).await?).into_response())
}

async fn begin(
    State(app): State<AppState>,
    viewer: Viewer,
    Form(ticked): Form<Ticked>,
) -> web::Result<Response> {
    may_begin(&viewer)?;
    let deed = OFFERED.into_iter().find(|deed| deed.as_str() == ticked.action);
    let selection = ticked.selection();
    // Those that went meanwhile are left out, and those that were never theirs.
    let accounts = selection.accounts(&app.db, viewer.scope()).await?;
    let Some(deed) = deed.filter(|_| !accounts.is_empty()) else {
        let complaint = if accounts.is_empty() {
            "Tick at least one account on the list of accounts."
        } else {
            "Choose what to do with the ticked accounts."
        };
        let page = page(&app, &viewer, accounts, FieldErrors::just("form", complaint)).await?;
        return Ok(refused(page));
    };
    let (now, actor) = (app.clock.now(), viewer.actor());
    let mut tx = app.db.begin().await?;
    let new = NewRun::plain(deed, Kind::Bulk, &actor);
    let run = runs::store::begin(&mut tx, &new, &accounts, now).await?;
    let count = accounts.len();
    let entry = Entry {
        action: "bulk.begun",
        summary: format!("{} was begun over {count} {}.", deed.label(), noun(count)),
        account: None,
        changes: Changes::default(),
    };
    audit::note(&mut tx, &actor, entry, now).await?;
    tx.commit().await?;
    app.work.notify_one();
    let at = format!("/bulk/{run}");
    Ok(match selection.ticked().saturating_sub(count) {
        0 => see_other(at),
        1 => see_other_saying(at, "One of the ticked accounts is not there any more."),
        gone => {
            see_other_saying(at, &format!("{gone} of the ticked accounts are not there any more."))
        }
    })
}

/// An auditor looks, and begins nothing.
pub fn may_begin(viewer: &Viewer) -> web::Result<()> {
    if viewer.may_change() { Ok(()) } else { Err(web::Error::Forbidden) }
}
