//! The setup check as a page: every line as it was found last, and a run as it goes on.

use askama::Template;
use axum::Router;
use axum::extract::State as TheApp;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::links::{Link, links};
use super::{TheCheck, TheCheckToRun, at};
use crate::accounts::TheAccount;
use crate::audit::{self, Changes, Entry};
use crate::checks::lines::{Group, Line, State};
use crate::checks::store::{self, Ask, Check, Found};
use crate::integrations::{self, Integration};
use crate::presence::pages::Live;
use crate::staff::Viewer;
use crate::state::AppState;
use crate::web::{self, AccountTab, Chrome, Page, Partial, Query, see_other, see_other_saying};

pub fn routes() -> Router<AppState> {
    let at = "/accounts/{account}/integrations/{integration}/check";
    Router::new().route(at, get(show).post(run)).route("/accounts/{account}/setup-check", get(find))
}

/// The check of the account's integration, for links that know the account alone.
async fn find(TheApp(app): TheApp<AppState>, the: TheAccount) -> web::Result {
    let account = the.account.id;
    let integration = integrations::store::of_account(&app.db, account).await?;
    let integration = integration.filter(|integration| integration.removing_since.is_none());
    if let Some(integration) = integration {
        return Ok(see_other(at(&integration)));
    }
    let words = "Nothing is connected yet, so there is no setup to check.";
    Ok(see_other_saying(format!("/accounts/{account}/integrations"), words))
}

#[derive(Template)]
#[template(path = "checks/show.html")]
struct CheckPage {
    chrome: Chrome,
    back: String,
    here: Here,
    live: Live,
}

/// The part of [`CheckPage`] that refreshes itself while a run goes on.
#[derive(Template)]
#[template(path = "checks/part.html")]
struct CheckPart {
    here: Here,
    live: Live,
}

/// What the refreshing part needs besides what it shows.
#[derive(Clone)]
struct Here {
    at: String,
    going_on: bool,
}

#[derive(Template)]
#[template(path = "checks/lines.html")]
struct Lines {
    at: String,
    may_run: bool,
    check: Option<Check>,
    groups: Vec<(Group, Vec<Row>)>,
    /// Lines looked at in the run that is going on, of how many.
    done: usize,
    all: usize,
    verdict: (&'static str, String),
    may_try: bool,
    /// Some line leads to the consent page, which has a condition.
    has_consent_link: bool,
}

/// One line, in words.
struct Row {
    label: &'static str,
    kind: &'static str,
    word: &'static str,
    seen: String,
    advice: String,
    detail: String,
    links: Vec<Link>,
    looked_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    seen: String,
}

async fn show(
    TheApp(app): TheApp<AppState>,
    the: TheCheck,
    Query(asked): Query<Asked>,
    Partial(partial): Partial,
) -> web::Result {
    let lines = lines(&app, &the.integration, &the.the.viewer).await?;
    let going_on = lines.check.as_ref().is_some_and(|check| check.going_on);
    let here = Here { at: at(&the.integration), going_on };
    let live = Live::of(&lines)?;
    if partial {
        return live.clone().unless_seen(&asked.seen, &CheckPart { here, live });
    }
    let chrome = the.the.chrome("Setup check", AccountTab::Integrations);
    let back = format!("/accounts/{}/integrations", the.the.account.id);
    Ok(Page(CheckPage { chrome, back, here, live }).into_response())
}

async fn lines(app: &AppState, integration: &Integration, viewer: &Viewer) -> web::Result<Lines> {
    let mut db = app.db.acquire().await?;
    let check = store::of_integration(&mut *db, integration.account, integration.id).await?;
    let found = store::lines(&mut *db, integration.account, integration.id).await?;
    let going_on = check.as_ref().is_some_and(|check| check.going_on);
    let since = check.as_ref().and_then(|check| check.started_at);
    let tries_a_pilot = check.as_ref().is_some_and(|check| check.pilot_name.is_some());
    let is_in_run = |line: Line| line != Line::Pilot || tries_a_pilot;
    let mut done = 0;
    let mut row = |line: Line| {
        let found = found.iter().find(|found| found.line == line.key());
        let looked = found.is_some_and(|found| since.is_some_and(|since| found.looked_at >= since));
        done += usize::from(looked && is_in_run(line));
        let waits = going_on && !looked && is_in_run(line);
        Row::of(line, found, waits, integration, viewer)
    };
    let groups: Vec<_> = Group::ALL
        .map(|group| {
            let of_group = Line::ALL.into_iter().filter(|line| line.group() == group);
            (group, of_group.map(&mut row).collect::<Vec<_>>())
        })
        .into();
    let has_consent_link = groups
        .iter()
        .flat_map(|(_, rows)| rows)
        .flat_map(|row| &row.links)
        .any(|link| link.words == "Grant admin consent");
    Ok(Lines {
        at: at(integration),
        may_run: viewer.may_change(),
        may_try: viewer.may_change() && integration.connection.is_some() && !going_on,
        verdict: verdict(check.as_ref(), &found),
        all: Line::ALL.into_iter().filter(|line| is_in_run(*line)).count(),
        check,
        groups,
        done,
        has_consent_link,
    })
}

impl Lines {
    fn going_on(&self) -> bool {
        self.check.as_ref().is_some_and(|check| check.going_on)
    }
}

impl Row {
    fn of(
        line: Line,
        found: Option<&Found>,
        waits: bool,
        integration: &Integration,
        viewer: &Viewer,
    ) -> Self {
        let (kind, word) = match (waits, found.map(|found| found.state)) {
            (true, _) => ("working", "Waiting"),
            (_, Some(State::Green)) => ("ok", "Good"),
            (_, Some(State::Amber)) => ("warn", "Worth a look"),
            (_, Some(State::Red)) => ("danger", "Wrong"),
            (_, Some(State::NotLookedAt) | None) => ("neutral", "Not looked at"),
        };
        let unseen = match line {
            Line::Pilot => "Nobody has asked for it.",
            _ => "Nobody has looked yet.",
        };
        // What was found before the run is not what is found in it.
        let found = found.filter(|_| !waits);
        Self {
            label: integration
                .connection
                .as_ref()
                .map_or(line.label(), |connected| line.label_for(connected.credential)),
            kind,
            word,
            seen: match (waits, found) {
                (true, _) => String::new(),
                (false, Some(found)) => found.seen.clone(),
                (false, None) => unseen.to_owned(),
            },
            advice: found.map(|found| found.advice.clone()).unwrap_or_default(),
            detail: found.map(|found| found.detail.clone()).unwrap_or_default(),
            links: found.map(|found| links(&found.mend, integration, viewer)).unwrap_or_default(),
            looked_at: found.map(|found| found.looked_at),
        }
    }
}

/// The whole in one sentence: kind and words.
fn verdict(check: Option<&Check>, found: &[Found]) -> (&'static str, String) {
    let Some(check) = check.filter(|check| check.finished_at.is_some()) else {
        return ("neutral", "This setup has not been checked yet".to_owned());
    };
    let unlooked = found.iter().filter(|found| {
        found.state == State::NotLookedAt
            && !matches!(found.line.parse(), Ok(Line::Pilot | Line::Subscription))
    });
    let count = |number: i32, one: &str, many: &str| match number {
        1 => format!("One thing {one}"),
        _ => format!("{number} things {many}"),
    };
    match (check.reds, check.ambers, unlooked.count()) {
        (0, 0, 0) => ("ok", "Everything is as it should be".to_owned()),
        (0, 0, _) => ("warn", "Not everything could be looked at".to_owned()),
        (0, ambers, _) => ("warn", count(ambers, "is worth a look", "are worth a look")),
        (reds, 0, _) => ("danger", count(reds, "is wrong", "are wrong")),
        (reds, ambers, _) => {
            ("danger", format!("{}, {ambers} worth a look", count(reds, "is wrong", "are wrong")))
        }
    }
}

async fn run(TheApp(app): TheApp<AppState>, the: TheCheckToRun) -> web::Result<Response> {
    let (account, now) = (&the.the.account, app.clock.now());
    let mut tx = app.db.begin().await?;
    let ask = Ask { account: account.id, integration: the.integration.id, pilot: None };
    store::ask(&mut *tx, ask, now).await?;
    let entry = Entry {
        action: "integration.check_asked",
        summary: "Asked for the setup to be checked.".to_owned(),
        account: Some((account.id, &account.name)),
        changes: Changes::default(),
    };
    audit::note(&mut tx, &the.the.viewer.actor(), entry, now).await?;
    tx.commit().await?;
    app.check_bell.notify_one();
    Ok(see_other_saying(at(&the.integration), "The check has begun."))
}
