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

const RECENT: i64 = 50;
/// Of the ticked accounts so many are named.
const NAMED: u8 = 20;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Ticked {
    action: String,
    account: Vec<String>,
    /// In place of the ids: all that the list shows at this address.
    matching: Option<String>,
    /// How many that were when somebody was asked whether they are meant.
    count: Option<String>,
}

#[derive(Template)]
#[template(path = "fleet/bulk.html")]
struct BulkPage {
    chrome: Chrome,
    /// Of all that match, only those that are named.
    ticked: Vec<(AccountId, String)>,
    count: usize,
    /// What the list is searched for, where all that it shows are meant.
    matching: Option<String>,
    /// What is about to be done to them; none: it is yet to be chosen.
    deed: Option<Deed>,
    recent: Vec<Run>,
    errors: FieldErrors,
}

impl Ticked {
    fn selection(&self) -> Selection {
        Selection::of_fields(&self.account, self.matching.as_deref())
    }

    fn deed(&self) -> Option<Deed> {
        Deed::OVER_TICKED.into_iter().find(|deed| deed.as_str() == self.action)
    }

    /// Where somebody is asked whether all of them are meant.
    fn question(&self) -> String {
        let matching = self.matching.as_deref().unwrap_or_default();
        let asked = [("action", self.action.as_str()), ("matching", matching)];
        format!("/bulk?{}", serde_html_form::to_string(asked).unwrap_or_default())
    }
}

impl BulkPage {
    fn deeds(&self) -> Vec<Deed> {
        self.deed.map_or_else(|| Deed::OVER_TICKED.to_vec(), |deed| vec![deed])
    }

    /// What the card is about: all that match were not ticked.
    fn title(&self) -> String {
        let (count, noun) = (self.count, noun(self.count));
        match (&self.matching, self.deed) {
            (Some(_), Some(deed)) => format!("{} for {count} {noun}?", deed.label()),
            (Some(_), None) if count == 1 => format!("{count} {noun} matches"),
            (Some(_), None) => format!("{count} {noun} match"),
            (None, _) => format!("{count} {noun} ticked"),
        }
    }

    fn named(&self) -> impl Iterator<Item = &str> {
        self.ticked.iter().take(NAMED.into()).map(|(_, name)| name.as_str())
    }

    fn unnamed(&self) -> usize {
        self.count.saturating_sub(NAMED.into())
    }

    /// What it leads to, for whoever is about to say yes.
    fn consequence(&self) -> &'static str {
        match self.deed {
            Some(Deed::Test) => "Each gets the whole setup check. Nothing is changed.",
            Some(Deed::SwitchOn) => {
                "Presence is shown in Teams from then on wherever the setup is complete. It can be undone."
            }
            Some(Deed::SwitchOff) => {
                "What we show in Teams is cleared at each of them. It can be undone."
            }
            Some(Deed::Update) => {
                "Each is updated step by step, and keeps its release where a step fails. Fleet update does the same in rings, and stops when something fails."
            }
            _ => "",
        }
    }
}

async fn page(
    app: &AppState,
    viewer: &Viewer,
    ticked: &Ticked,
    (count, accounts): (usize, Vec<(AccountId, String)>),
    errors: FieldErrors,
) -> web::Result<BulkPage> {
    let recent = runs::store::recent(&app.db, Kind::Bulk, viewer.scope(), RECENT).await?;
    let chrome = viewer.chrome("Bulk work", Section::Bulk);
    let matching = ticked.matching.clone();
    let deed = ticked.deed().filter(|_| matching.is_some());
    Ok(BulkPage { chrome, ticked: accounts, count, matching, deed, recent, errors })
}

async fn choose(
    State(app): State<AppState>,
    viewer: Viewer,
    Query(ticked): Query<Ticked>,
) -> web::Result<Response> {
    may_begin(&viewer)?;
    let accounts = ticked.selection().glance(&app.db, viewer.scope(), NAMED).await?;
    let page = page(&app, &viewer, &ticked, accounts, FieldErrors::default()).await?;
    Ok(Page(page).into_response())
}

async fn begin(
    State(app): State<AppState>,
    viewer: Viewer,
    Form(ticked): Form<Ticked>,
) -> web::Result<Response> {
    may_begin(&viewer)?;
    let selection = ticked.selection();
    // Those that went meanwhile are left out, and those that were never theirs.
    let accounts = selection.accounts(&app.db, viewer.scope()).await?;
    let complain = async |accounts: Vec<(AccountId, String)>, complaint: &'static str| {
        let errors = FieldErrors::just("form", complaint);
        let accounts = (accounts.len(), accounts);
        page(&app, &viewer, &ticked, accounts, errors).await.map(refused)
    };
    let Some(deed) = ticked.deed().filter(|_| !accounts.is_empty()) else {
        let complaint = if accounts.is_empty() {
            "Tick at least one account on the list of accounts."
        } else {
            "Choose what to do with the ticked accounts."
        };
        return complain(accounts, complaint).await;
    };
    if ticked.matching.is_some() {
        match ticked.count.as_deref() {
            // Nobody has seen yet how many they are.
            None => return Ok(see_other(ticked.question())),
            Some(seen) if seen != accounts.len().to_string() => {
                return complain(
                    accounts,
                    "Other accounts match by now. Look again whether all of them are meant.",
                )
                .await;
            }
            Some(_) => {}
        }
    }
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
