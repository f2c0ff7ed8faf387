//! Fleet update: every account that is behind, in rings, stopping when something fails.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;

use crate::audit::{self, Changes, Entry};
use crate::fleet::noun;
use crate::fleet::store::{self, Releases};
use crate::integrations::{Kind as Application, Release};
use crate::kit::db::violates;
use crate::runs::store::NewRun;
use crate::runs::{self, Deed, Kind, Run, rings};
use crate::staff::{PartnerAdmin, Viewer};
use crate::state::AppState;
use crate::web::{
    self, Chrome, FieldErrors, Form, Page, Section, refused, see_other, see_other_saying,
};

pub fn routes() -> Router<AppState> {
    Router::new().route("/fleet", get(show).post(begin))
}

const RECENT: i64 = 20;
/// Nobody means more failures than these to be let pass.
const MOST_FAILURES: i32 = 10_000;

/// How long to look on between two rings: seconds, and in words.
const RESTS: [(&str, &str); 4] = [
    ("0", "Go on at once"),
    ("600", "Look on for 10 minutes"),
    ("3600", "Look on for an hour"),
    ("86400", "Look on for a day"),
];

#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
struct FleetForm {
    rest: String,
    stops_after: String,
}

impl Default for FleetForm {
    fn default() -> Self {
        Self { rest: "0".to_owned(), stops_after: "1".to_owned() }
    }
}

impl FleetForm {
    /// How long to rest, and after how many failures to stop.
    fn parse(&self) -> Result<(i32, i32), FieldErrors> {
        let mut errors = FieldErrors::default();
        let known = RESTS.iter().find(|(seconds, _)| *seconds == self.rest);
        let rest = known.and_then(|(seconds, _)| seconds.parse().ok());
        let rest = errors.take("rest", rest.ok_or("Choose from the list."));
        let failures = self.stops_after.trim().parse().ok();
        let failures = failures.filter(|count| (1..=MOST_FAILURES).contains(count));
        let failures = errors.take("stops_after", failures.ok_or("Enter a number, 1 or more."));
        rest.zip(failures).ok_or(errors)
    }
}

#[derive(Template)]
#[template(path = "fleet/fleet.html")]
struct FleetPage {
    chrome: Chrome,
    newest: Release,
    releases: Releases,
    recent: Vec<Run>,
    form: FleetForm,
    errors: FieldErrors,
}

impl FleetPage {
    /// The run that is under way.
    fn open(&self) -> Option<&Run> {
        self.recent.iter().find(|run| run.is_open())
    }

    /// How many accounts a ring would have.
    fn ring(&self, ring: i16) -> usize {
        let rings = rings(usize::try_from(self.releases.behind).unwrap_or(0), true);
        rings.into_iter().filter(|of| *of == ring).count()
    }
}

async fn page(
    app: &AppState,
    viewer: &Viewer,
    form: FleetForm,
    errors: FieldErrors,
) -> web::Result<FleetPage> {
    let newest = Application::MicrosoftTeams.newest();
    Ok(FleetPage {
        chrome: viewer.chrome("Fleet update", Section::Bulk),
        newest,
        releases: store::releases(&app.db, newest.number).await?,
        recent: runs::store::recent(&app.db, Kind::Fleet, None, RECENT).await?,
        form,
        errors,
    })
}

async fn show(
    State(app): State<AppState>,
    PartnerAdmin(viewer): PartnerAdmin,
) -> web::Result<Response> {
    let page = page(&app, &viewer, FleetForm::default(), FieldErrors::default()).await?;
    Ok(Page(page).into_response())
}

async fn begin(
    State(app): State<AppState>,
    PartnerAdmin(viewer): PartnerAdmin,
    Form(form): Form<FleetForm>,
) -> web::Result<Response> {
    let (rest_seconds, stops_after) = match form.parse() {
        Ok(both) => both,
        Err(errors) => return Ok(refused(page(&app, &viewer, form, errors).await?)),
    };
    let (now, actor) = (app.clock.now(), viewer.actor());
    let newest = Application::MicrosoftTeams.newest();
    let mut tx = app.db.begin().await?;
    let accounts = store::behind(&mut *tx, newest.number).await?;
    if accounts.is_empty() {
        return Ok(see_other_saying("/fleet", "Every account is on the newest release."));
    }
    let new = NewRun {
        in_rings: true,
        rest_seconds,
        stops_after: Some(stops_after),
        ..NewRun::plain(Deed::Update, Kind::Fleet, &actor)
    };
    let run = match runs::store::begin(&mut tx, &new, &accounts, now).await {
        Ok(run) => run,
        Err(error) if violates(&error, "runs_one_fleet") => {
            return Ok(see_other_saying("/fleet", "A fleet update is under way already."));
        }
        Err(error) => return Err(error.into()),
    };
    let entry = Entry {
        action: "fleet.begun",
        summary: format!(
            "Release {} is being installed for {} {}, in rings.",
            newest.name,
            accounts.len(),
            noun(accounts.len())
        ),
        account: None,
        changes: Changes::default(),
    };
    audit::note(&mut tx, &actor, entry, now).await?;
    tx.commit().await?;
    app.work.notify_one();
    Ok(see_other(format!("/bulk/{run}")))
}
