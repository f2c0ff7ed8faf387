//! How an account's presence is doing, live, and who shows what.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use super::Live;
use super::health::{Health, health, title_of};
use super::people::{Asked, People, people};
use crate::accounts::{Account, TheAccount, TheAccountToChange};
use crate::audit::{self, Changes, Entry};
use crate::presence::hour::{self, Hour};
use crate::presence::store::overview::{Numbers, Stage, Standing, Trouble};
use crate::presence::store::people::Filter;
use crate::presence::store::{by_hand, minutes, overview};
use crate::presence::trouble;
use crate::state::AppState;
use crate::web::{self, AccountTab, Chrome, Page, Partial, Query};

pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/accounts/{account}/presence", get(show))
        .route("/accounts/{account}/presence/live", get(live))
        .route("/accounts/{account}/presence/sync", post(sync))
}

#[derive(Template)]
#[template(path = "presence/overview.html")]
struct OverviewPage {
    chrome: Chrome,
    account: Account,
    live: Live,
    hour: Hour,
    may_sync: bool,
    people: People,
    rows: Live,
    filters: Vec<(&'static str, &'static str)>,
}

/// The list of [`OverviewPage`], as searching and filtering ask for it, and as it refreshes itself.
#[derive(Template)]
#[template(path = "presence/overview.html", block = "people")]
struct PeoplePart {
    people: People,
    rows: Live,
}

#[derive(Template)]
#[template(path = "presence/rows.html")]
struct Rows<'a> {
    people: &'a People,
}

async fn show(
    State(app): State<AppState>,
    the: TheAccount,
    Query(asked): Query<Asked>,
    Partial(partial): Partial,
) -> web::Result {
    let seen = asked.seen.clone();
    let people = people(&app, the.account.id, asked).await?;
    let rows = Live::of(&Rows { people: &people })?;
    if partial {
        let again = rows.clone();
        return again.unless_seen(&seen, &PeoplePart { people, rows });
    }
    let (inner, hour) = now(&app, &the.account).await?;
    Ok(Page(OverviewPage {
        chrome: the.chrome("Presence", AccountTab::Presence),
        live: Live::of(&inner)?,
        may_sync: the.viewer.may_change() && inner.standing.stage == Stage::On,
        account: the.account,
        hour,
        people,
        rows,
        filters: Filter::ALL.iter().map(|filter| (filter.as_str(), filter.label())).collect(),
    })
    .into_response())
}

/// The part of [`OverviewPage`] that says how things are now.
#[derive(Template)]
#[template(path = "presence/now.html")]
struct Now {
    account: Account,
    health: Health,
    /// What is wrong besides.
    others: Vec<String>,
    standing: Standing,
    numbers: Numbers,
    /// Why the unmatched are not matched, counted.
    unmatched: String,
    hour: Hour,
}

#[derive(Template)]
#[template(path = "presence/now_part.html")]
struct NowPart {
    account: Account,
    live: Live,
    hour: Hour,
}

async fn live(
    State(app): State<AppState>,
    the: TheAccount,
    Query(asked): Query<Asked>,
    Partial(partial): Partial,
) -> web::Result {
    if !partial {
        return Ok(web::see_other(format!("/accounts/{}/presence", the.account.id)));
    }
    let (inner, hour) = now(&app, &the.account).await?;
    let live = Live::of(&inner)?;
    live.clone().unless_seen(&asked.seen, &NowPart { account: the.account, live, hour })
}

async fn now(app: &AppState, account: &Account) -> web::Result<(Now, Hour)> {
    let now = app.clock.now();
    let mut db = app.db.acquire().await?;
    let standing = overview::standing(&mut *db, account.id).await?;
    let troubles = overview::troubles(&mut *db, account.id).await?;
    let numbers = overview::numbers(&mut *db, account.id).await?;
    let minutes = minutes::of_account(&mut *db, account.id, hour::beginning(now)).await?;
    let hour = Hour::of(&minutes, now)?;
    let health = health(account, &standing, &troubles, &numbers);
    let page = Now {
        others: besides(&troubles),
        unmatched: parts(&numbers),
        account: account.clone(),
        hour: hour.clone(),
        health,
        standing,
        numbers,
    };
    Ok((page, hour))
}

/// What is wrong besides the first trouble, which the health line says.
fn besides(troubles: &[Trouble]) -> Vec<String> {
    let rest = troubles.iter().skip(1);
    rest.map(|other| {
        let known = trouble::Trouble::by_key(&other.cause);
        let advice = known.map_or("", trouble::Trouble::advice);
        format!("{}. {advice}", title_of(&other.cause))
    })
    .collect()
}

/// Such as "3 not in Entra, 1 duplicate".
fn parts(numbers: &Numbers) -> String {
    let parts = [
        (numbers.not_in_entra, "not in Entra"),
        (numbers.duplicate, "duplicate"),
        (numbers.disabled, "disabled"),
        (numbers.no_teams, "without Teams"),
    ];
    let some = parts.iter().filter(|(count, _)| *count > 0);
    some.map(|(count, words)| format!("{count} {words}")).collect::<Vec<_>>().join(", ")
}

/// **Sync now**: both directories are read again, and what had failed is tried again.
async fn sync(State(app): State<AppState>, the: TheAccountToChange) -> web::Result<Response> {
    let TheAccountToChange { viewer, account } = the;
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    let asked = by_hand::ask_for_sync(&mut *tx, account.id, now).await?;
    if asked {
        let entry = Entry {
            action: "presence.sync_asked",
            summary: "Asked for both directories to be read again.".to_owned(),
            account: Some((account.id, &account.name)),
            changes: Changes::default(),
        };
        audit::note(&mut tx, &viewer.actor(), entry, now).await?;
    }
    tx.commit().await?;
    app.wakes.ring(account.id);
    let said = if asked {
        "Sync has begun: both directories are being read again."
    } else {
        "There is nothing to sync: presence sync is not switched on for this account."
    };
    Ok(web::see_other_saying(format!("/accounts/{}/presence", account.id), said))
}
