//! Picking the user on whom it is tried whether presence can be set.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;

use super::{TheCheckToRun, at};
use crate::audit::{self, Changes, Entry};
use crate::checks::store::{self, Ask, Candidate};
use crate::ids::EntraUserId;
use crate::state::AppState;
use crate::web::{
    self, AccountTab, Chrome, FieldErrors, Form, Page, Partial, Query, refused, see_other_saying,
};

/// Whoever is not among these is found by typing more.
const SHOWN: i64 = 12;

pub fn routes() -> Router<AppState> {
    let at = "/accounts/{account}/integrations/{integration}/check/pilot";
    Router::new().route(at, get(choose).post(try_it))
}

#[derive(Template)]
#[template(path = "checks/pilot.html")]
struct PilotPage {
    chrome: Chrome,
    dialog: PilotDialog,
}

#[derive(Template)]
#[template(path = "checks/pilot_dialog.html")]
struct PilotDialog {
    back: String,
    search: String,
    candidates: Vec<Candidate>,
    errors: FieldErrors,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    q: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Chosen {
    pilot: String,
    q: String,
}

async fn choose(
    State(app): State<AppState>,
    the: TheCheckToRun,
    Query(Asked { q }): Query<Asked>,
    Partial(partial): Partial,
) -> web::Result {
    let dialog = dialog(&app, &the, q, FieldErrors::default()).await?;
    if partial {
        return Ok(Page(dialog).into_response());
    }
    Ok(Page(whole(&the, dialog)).into_response())
}

async fn dialog(
    app: &AppState,
    the: &TheCheckToRun,
    search: String,
    errors: FieldErrors,
) -> web::Result<PilotDialog> {
    let account = the.the.account.id;
    let candidates = store::candidates(&app.db, account, &search, SHOWN).await?;
    Ok(PilotDialog { back: at(&the.integration), search, candidates, errors })
}

fn whole(the: &TheCheckToRun, dialog: PilotDialog) -> PilotPage {
    PilotPage { chrome: the.the.chrome("Try it on a pilot user", AccountTab::Integrations), dialog }
}

async fn try_it(
    State(app): State<AppState>,
    the: TheCheckToRun,
    Partial(partial): Partial,
    Form(chosen): Form<Chosen>,
) -> web::Result<Response> {
    let (account, now) = (&the.the.account, app.clock.now());
    let pilot = match chosen.pilot.parse::<EntraUserId>() {
        Ok(id) => store::candidate(&app.db, account.id, id).await?,
        Err(_) => None,
    };
    let complaint = match &pilot {
        None => Some("Choose somebody from the list.".to_owned()),
        Some(pilot) if store::is_in_use(&app.db, account.id, pilot.id).await? => Some(format!(
            "{} is on the telephone right now, and is not disturbed. Choose somebody else.",
            pilot.name
        )),
        Some(_) => None,
    };
    let (Some(pilot), None) = (&pilot, &complaint) else {
        let errors = FieldErrors::just("pilot", complaint.unwrap_or_default());
        let dialog = dialog(&app, &the, chosen.q, errors).await?;
        return Ok(if partial { refused(dialog) } else { refused(whole(&the, dialog)) });
    };
    let mut tx = app.db.begin().await?;
    let integration = the.integration.id;
    let ask =
        Ask { account: account.id, integration, pilot: Some((pilot.id, pilot.name.as_str())) };
    store::ask(&mut *tx, ask, now).await?;
    let entry = Entry {
        action: "integration.pilot_asked",
        summary: format!(
            "Asked to set and clear presence for {}, to see whether it can be.",
            pilot.name
        ),
        account: Some((account.id, &account.name)),
        changes: Changes::default(),
    };
    audit::note(&mut tx, &the.the.viewer.actor(), entry, now).await?;
    tx.commit().await?;
    app.check_bell.notify_one();
    Ok(see_other_saying(
        at(&the.integration),
        "The check has begun, and tries the pilot user last.",
    ))
}
