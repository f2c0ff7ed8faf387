//! One run: how far it is, and what came of each account.

use askama::Template;
use axum::Router;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::{Deserialize, Serialize};

use crate::ids::RunId;
use crate::integrations::catalog::UpdateStep;
use crate::kit::text::counted;
use crate::runs::store::Found;
use crate::runs::{self, Deed, Item, ItemState, Kind, Run, State as RunState};
use crate::staff::Viewer;
use crate::state::AppState;
use crate::web::stream::{self, Part};
use crate::web::{self, Chrome, OrNotFound, Page, Path, Query, Section};

pub fn routes() -> Router<AppState> {
    Router::new().route("/bulk/{run}", get(show)).route("/bulk/{run}/events", get(events))
}

const PER_PAGE: i64 = 100;

/// The run whose id is in the URL: to a partner admin whoever began it, to others their own.
#[derive(Clone, Debug)]
pub struct TheRun {
    pub viewer: Viewer,
    pub run: Run,
}

#[derive(Deserialize)]
struct InPath {
    run: RunId,
}

impl FromRequestParts<AppState> for TheRun {
    type Rejection = web::Error;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> web::Result<Self> {
        let viewer = Viewer::from_request_parts(parts, app).await?;
        let Path(InPath { run }) = Path::from_request_parts(parts, app).await?;
        let run = runs::store::of(&app.db, run, viewer.scope()).await?.or_not_found()?;
        Ok(Self { viewer, run })
    }
}

/// What the address asks for.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Asked {
    #[serde(skip_serializing_if = "String::is_empty")]
    show: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    page: String,
}

impl Asked {
    fn states(&self) -> &'static [ItemState] {
        match self.show.as_str() {
            "open" => &[ItemState::Waiting, ItemState::Working],
            "done" => &[ItemState::Done],
            "nothing" => &[ItemState::Nothing],
            "failed" => &[ItemState::Failed],
            _ => &[],
        }
    }

    /// Counted from nothing.
    fn page(&self) -> i64 {
        self.page.parse::<i64>().map_or(0, |page| page.clamp(1, 1_000_000) - 1)
    }

    fn at(&self, page: i64) -> String {
        let asked = Self { page: (page + 1).to_string(), ..self.clone() };
        format!("?{}", serde_html_form::to_string(asked).unwrap_or_default())
    }
}

#[derive(Template)]
#[template(path = "fleet/run.html", blocks = ["part"])]
struct RunPage {
    chrome: Chrome,
    run: Run,
    rings: Vec<Found>,
    asked: Asked,
    items: Vec<Item>,
    previous: Option<String>,
    next: Option<String>,
}

async fn page(app: &AppState, viewer: &Viewer, run: RunId, asked: Asked) -> web::Result<RunPage> {
    let mut db = app.db.acquire().await?;
    let run = runs::store::of(&mut *db, run, viewer.scope()).await?.or_not_found()?;
    let rings = runs::store::found(&mut *db, run.id).await?;
    let page = asked.page();
    let skip = page * PER_PAGE;
    let mut items =
        runs::store::items(&mut *db, run.id, asked.states(), PER_PAGE + 1, skip).await?;
    let full = usize::try_from(PER_PAGE).unwrap_or(usize::MAX);
    let more = items.len() > full;
    items.truncate(full);
    Ok(RunPage {
        chrome: viewer.chrome(run.title(), Section::Bulk),
        previous: (page > 0).then(|| asked.at(page - 1)),
        next: more.then(|| asked.at(page + 1)),
        run,
        rings,
        asked,
        items,
    })
}

async fn show(
    State(app): State<AppState>,
    the: TheRun,
    Query(asked): Query<Asked>,
) -> web::Result<Response> {
    Ok(Page(page(&app, &the.viewer, the.run.id, asked).await?).into_response())
}

async fn events(
    State(app): State<AppState>,
    the: TheRun,
    Query(asked): Query<Asked>,
) -> web::Result<Response> {
    let closing = app.closing.clone();
    Ok(stream::parts(closing, move || {
        let (app, the, asked) = (app.clone(), the.clone(), asked.clone());
        async move {
            let page = page(&app, &the.viewer, the.run.id, asked).await?;
            let html = page.as_part().render()?;
            Ok(Part { html, is_last: !page.is_moving() })
        }
    }))
}

impl RunPage {
    fn behind(&self) -> (&'static str, &'static str) {
        match self.run.kind {
            Kind::Fleet => ("/fleet", "Fleet update"),
            _ => ("/bulk", "Bulk work"),
        }
    }

    /// Whether it will show something else by itself: a run that was stopped finishes what was
    /// under way.
    fn is_moving(&self) -> bool {
        self.run.state == RunState::Running || self.rings.iter().any(|ring| ring.working > 0)
    }

    /// Where the part that moves comes from.
    fn stream(&self) -> String {
        let asked = serde_html_form::to_string(&self.asked).unwrap_or_default();
        format!("/bulk/{}/events?{asked}", self.run.id)
    }

    fn words(&self) -> String {
        let Run { items, failed, .. } = &self.run;
        let ended = self.run.ended();
        let failed = match failed {
            0 => String::new(),
            some => format!(", {some} failed"),
        };
        format!("{ended} of {}{failed}", counted(items, "account"))
    }

    fn filters(&self) -> Vec<(&'static str, String, bool)> {
        let Run { items, done, nothing, failed, .. } = &self.run;
        let open = self.rings.iter().map(|ring| ring.items - ring.ended).sum::<i64>();
        let all = [
            ("", format!("All ({items})")),
            ("open", format!("Not ended ({open})")),
            ("done", format!("Done ({done})")),
            ("nothing", format!("Nothing to do ({nothing})")),
            ("failed", format!("Failed ({failed})")),
        ];
        all.into_iter().map(|(show, words)| (show, words, self.asked.show == show)).collect()
    }

    /// What a ring is, how it stands, and in words how far it is.
    fn ring(&self, ring: &Found) -> (&'static str, &'static str, String) {
        let name = match ring.ring {
            0 => "First one account",
            1 => "Then a tenth",
            _ => "Then all the others",
        };
        let kind = match self.run.state {
            _ if ring.failed > 0 => "danger",
            _ if ring.ended == ring.items => "ok",
            RunState::Running if ring.ring == self.run.ring => "working",
            _ => "neutral",
        };
        (kind, name, format!("{} of {}", ring.ended, ring.items))
    }

    /// What an item's row says.
    fn said(item: &Item) -> String {
        match item.state {
            ItemState::Working if !item.plan.is_empty() => item.step_in_words(UpdateStep::label_of),
            ItemState::Failed if !item.plan.is_empty() => {
                format!("{}: {}", item.step_in_words(UpdateStep::label_of), item.said)
            }
            _ => item.said.clone(),
        }
    }

    fn may_undo(&self) -> bool {
        self.run.takes_back().is_some()
            && !self.run.is_open()
            && self.run.done > 0
            && self.run.undone_by.is_none()
    }

    fn may_try_again(&self) -> bool {
        !self.run.is_open() && self.run.failed > 0 && self.run.undoes.is_none()
    }
}

impl Run {
    /// What it is called.
    pub fn title(&self) -> &'static str {
        if self.kind == Kind::Fleet { "Fleet update" } else { self.deed.label() }
    }

    /// The deed that takes this one back, if there is one.
    pub fn takes_back(&self) -> Option<Deed> {
        match self.deed {
            _ if self.undoes.is_some() => None,
            Deed::SwitchOn => Some(Deed::SwitchOff),
            Deed::SwitchOff => Some(Deed::SwitchOn),
            Deed::Import => Some(Deed::ForgetImported),
            Deed::Update | Deed::Test | Deed::ForgetImported => None,
        }
    }
}
