//! How an account's presence is doing, live, and who shows what.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::get;
use chrono_tz::Tz;

use super::Live;
use super::health::{Health, health, title_of};
use super::pausing::{Resting, resting};
use super::people::{Asked, People, people};
use crate::accounts::{Account, TheAccount};
use crate::presence::span::{Span, Told};
use crate::presence::store::overview::{Numbers, Stage, Standing, Trouble};
use crate::presence::store::people::{Filter, Sort};
use crate::presence::store::{hours, overview, pauses};
use crate::presence::trouble;
use crate::state::AppState;
use crate::web::{self, AccountTab, Chrome, Page, Partial, Query, Zone};

pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/accounts/{account}/presence", get(show))
        .route("/accounts/{account}/presence/live", get(live))
}

#[derive(Template)]
#[template(path = "presence/overview.html")]
struct OverviewPage {
    chrome: Chrome,
    account: Account,
    live: Live,
    told: Told,
    may_sync: bool,
    may_pause: bool,
    paused: Option<Resting>,
    people: People,
    rows: Live,
    filters: Vec<(&'static str, &'static str)>,
    sorts: Vec<(&'static str, &'static str)>,
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
    Zone(zone): Zone,
) -> web::Result {
    let (seen, span) = (asked.seen.clone(), asked.span());
    let people = people(&app, the.account.id, asked);
    if partial {
        let people = people.await?;
        let rows = Live::of(&Rows { people: &people })?;
        let again = rows.clone();
        return again.unless_seen(&seen, &PeoplePart { people, rows });
    }
    let (people, inner) = tokio::try_join!(people, now(&app, &the, span, zone))?;
    let rows = Live::of(&Rows { people: &people })?;
    let is_on = inner.standing.stage == Stage::On;
    Ok(Page(OverviewPage {
        chrome: the.chrome("Presence", AccountTab::Presence),
        live: Live::of(&inner)?,
        may_sync: the.viewer.may_change() && is_on,
        may_pause: the.viewer.may_change() && is_on,
        paused: inner.paused.clone(),
        told: inner.told,
        account: the.account,
        people,
        rows,
        filters: Filter::ALL.iter().map(|filter| (filter.as_str(), filter.label())).collect(),
        sorts: Sort::ALL.iter().map(|sort| (sort.as_str(), sort.label())).collect(),
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
    paused: Option<Resting>,
    told: Told,
    spans: [Span; 3],
}

#[derive(Template)]
#[template(path = "presence/now_part.html")]
struct NowPart {
    account: Account,
    live: Live,
    told: Told,
}

async fn live(
    State(app): State<AppState>,
    the: TheAccount,
    Query(asked): Query<Asked>,
    Partial(partial): Partial,
    Zone(zone): Zone,
) -> web::Result {
    if !partial {
        return Ok(web::see_other(format!("/accounts/{}/presence", the.account.id)));
    }
    let inner = now(&app, &the, asked.span(), zone).await?;
    let live = Live::of(&inner)?;
    let told = inner.told;
    live.clone().unless_seen(&asked.seen, &NowPart { account: the.account, live, told })
}

async fn now(app: &AppState, the: &TheAccount, span: Span, zone: Tz) -> web::Result<Now> {
    let (now, account) = (app.clock.now(), &the.account);
    let mut db = app.db.acquire().await?;
    let standing = overview::standing(&mut *db, account.id).await?;
    let troubles = overview::troubles(&mut *db, account.id).await?;
    let numbers = overview::numbers(&mut *db, account.id).await?;
    let (pause, own) = pauses::of(&mut *db, account.id, None).await?;
    let from = span.beginning(now, zone);
    let figures = match span {
        Span::Week => hours::by_hour(&mut *db, account.id, from).await?,
        Span::Hour | Span::Day => hours::by_minute(&mut *db, account.id, from).await?,
    };
    let paused = resting(pause, own, now);
    Ok(Now {
        others: besides(&troubles),
        unmatched: parts(&numbers),
        account: account.clone(),
        health: health(account, &standing, &troubles, &numbers, paused.as_ref())
            .for_viewer(&the.viewer),
        told: Told::of(&figures, span, now, zone)?,
        spans: Span::ALL,
        paused,
        standing,
        numbers,
    })
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
