//! Bringing accounts over from CloudLink's own list.

use std::collections::HashSet;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;

use crate::accounts::form::Details;
use crate::accounts::store::{self, NewAccount};
use crate::audit;
use crate::cloudlink::{self, Refusal};
use crate::ids::{AccountId, CloudlinkAccountId};
use crate::kit::text;
use crate::runs::store::NewRun;
use crate::runs::{self, Deed, Kind};
use crate::staff::PartnerAdmin;
use crate::state::AppState;
use crate::web::{
    self, Chrome, FieldErrors, Form, Page, Partial, Query, Section, refused, see_other_saying,
    whole_or_part,
};

/// More than these nobody ticks one by one: they are searched for, or all are taken.
const SHOWN: usize = 200;

pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/accounts/import", get(choose).post(import))
        .route("/accounts/import/search", get(choose).post(search))
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    q: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Chosen {
    q: String,
    /// CloudLink account ids.
    account: Vec<String>,
    /// Everything that is not here yet.
    all: Option<String>,
}

/// One of CloudLink's accounts, and whether it is here already.
struct Offered {
    account: cloudlink::Account,
    present: bool,
    ticked: bool,
}

#[derive(Template)]
#[template(path = "accounts/import.html", blocks = ["choices"])]
struct ImportPage {
    chrome: Chrome,
    q: String,
    offered: Result<Vec<Offered>, Refusal>,
    /// How many fit the search or are ticked, shown or not.
    found: usize,
    /// How many of the partner's accounts are not here yet, whatever is searched for.
    missing: usize,
    errors: FieldErrors,
}

async fn choose(
    State(app): State<AppState>,
    PartnerAdmin(viewer): PartnerAdmin,
    Query(Asked { q }): Query<Asked>,
) -> web::Result<Response> {
    let chrome = viewer.chrome("Import from CloudLink", Section::Accounts);
    let chosen = Chosen { q, ..Chosen::default() };
    let offered = offered(&app).await?;
    Ok(Page(page(chrome, chosen, offered, FieldErrors::default())).into_response())
}

/// The page as ticked, with what the search finds; only the list while somebody types.
async fn search(
    State(app): State<AppState>,
    PartnerAdmin(viewer): PartnerAdmin,
    partial: Partial,
    Form(chosen): Form<Chosen>,
) -> web::Result<Response> {
    let chrome = viewer.chrome("Import from CloudLink", Section::Accounts);
    let offered = match app.cloudlink.accounts_of_late().await {
        Ok(accounts) => Ok(known(&app, accounts.to_vec()).await?),
        Err(refusal) => Err(refusal),
    };
    let page = page(chrome, chosen, offered, FieldErrors::default());
    Ok(whole_or_part(partial, &page, page.as_choices()))
}

async fn import(
    State(app): State<AppState>,
    PartnerAdmin(viewer): PartnerAdmin,
    Form(chosen): Form<Chosen>,
) -> web::Result<Response> {
    let chrome = viewer.chrome("Import from CloudLink", Section::Accounts);
    let offered = match offered(&app).await? {
        Ok(offered) => offered,
        Err(refusal) => {
            let page = page(chrome, chosen, Err(refusal), FieldErrors::default());
            return Ok((StatusCode::BAD_GATEWAY, Page(page)).into_response());
        }
    };
    let wanted = wanted(&offered, &chosen);
    if wanted.is_empty() {
        let errors = FieldErrors::just("form", "Tick at least one account that is not here yet.");
        return Ok(refused(page(chrome, chosen, Ok(offered), errors)));
    }

    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    let added = store::import(&mut *tx, &wanted, now).await?;
    // As a run, so that it can be taken back.
    let actor = viewer.actor();
    let run = NewRun::plain(Deed::Import, Kind::Bulk, &actor);
    runs::store::record(&mut tx, &run, &added, "Imported from CloudLink.", now).await?;
    let summary = "Imported from CloudLink.";
    audit::note_each(&mut tx, &actor, "account.imported", summary, &added, now).await?;
    tx.commit().await?;

    let said = match added.len() {
        1 => "1 account is imported.".to_owned(),
        many => format!("{many} accounts are imported."),
    };
    Ok(see_other_saying("/accounts?sort=newest", &said))
}

async fn offered(app: &AppState) -> web::Result<Result<Vec<Offered>, Refusal>> {
    Ok(match app.cloudlink.accounts().await {
        Ok(accounts) => Ok(known(app, accounts).await?),
        Err(refusal) => Err(refusal),
    })
}

/// The partner's accounts but its own, to which nothing can be added.
async fn known(app: &AppState, accounts: Vec<cloudlink::Account>) -> web::Result<Vec<Offered>> {
    let partner = app.config.cloudlink.credentials.as_ref().map(|known| &known.partner_account);
    let is_partner = |account: &cloudlink::Account| {
        partner.is_some_and(|own| *own == account.id || own.as_str() == account.number)
    };
    // An account may have been added here by its number instead of its id.
    let names: Vec<CloudlinkAccountId> = accounts
        .iter()
        .flat_map(|account| [Some(account.id.clone()), account.number.parse().ok()])
        .flatten()
        .collect();
    let here: HashSet<String> =
        store::present(&app.db, &names).await?.into_iter().map(String::from).collect();
    let mut offered: Vec<Offered> = accounts
        .into_iter()
        .filter(|account| !is_partner(account))
        .map(|account| Offered {
            present: here.contains(account.id.as_str()) || here.contains(&account.number),
            ticked: false,
            account,
        })
        .collect();
    offered.sort_by_cached_key(|one| (one.present, one.account.name.to_lowercase()));
    Ok(offered)
}

fn wanted(offered: &[Offered], chosen: &Chosen) -> Vec<NewAccount> {
    let ticked: HashSet<&str> = chosen.account.iter().map(String::as_str).collect();
    offered
        .iter()
        .filter(|one| !one.present)
        .filter(|one| chosen.all.is_some() || ticked.contains(one.account.id.as_str()))
        .filter_map(|one| {
            Some(NewAccount { id: AccountId::new(), details: Details::of_cloudlink(&one.account)? })
        })
        .collect()
}

fn page(
    chrome: Chrome,
    chosen: Chosen,
    offered: Result<Vec<Offered>, Refusal>,
    errors: FieldErrors,
) -> ImportPage {
    let sought = text::sought(&chosen.q);
    let fits = |one: &Offered| {
        let cloudlink::Account { id, number, name, city, .. } = &one.account;
        [id.as_str(), number, name, city].iter().any(|text| text.to_lowercase().contains(&sought))
    };
    let (mut found, mut missing) = (0, 0);
    let offered = offered.map(|all| {
        missing = all.iter().filter(|one| !one.present).count();
        let ticked: HashSet<&str> = chosen.account.iter().map(String::as_str).collect();
        let is_ticked = |one: &Offered| !one.present && ticked.contains(one.account.id.as_str());
        // What is ticked stays in sight, whatever is searched for.
        let (mut shown, rest): (Vec<_>, Vec<_>) = all.into_iter().partition(is_ticked);
        for one in &mut shown {
            one.ticked = true;
        }
        let fitting: Vec<_> = rest.into_iter().filter(fits).collect();
        found = shown.len() + fitting.len();
        shown.extend(fitting.into_iter().take(SHOWN));
        shown
    });
    ImportPage { chrome, q: chosen.q, offered, found, missing, errors }
}
