//! What needs a person today, and how the last hour went.

mod channels;
mod concern;
mod concerns;
mod ready;
mod removals;
mod store;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::get;
use chrono::{DateTime, Utc};
use serde::Deserialize;

use concern::{Button, Concern};
use concerns::concerns;
use store::Totals;
pub use store::count_people;

use crate::ids::StaffId;
use crate::presence::hour::{self, Hour};
use crate::presence::pages::Live;
use crate::presence::store::minutes::{self, Minute};
use crate::staff::Viewer;
use crate::state::AppState;
use crate::web::{self, Chrome, Db, Page, Partial, Query, Section, Zone};

pub fn routes() -> Router<AppState> {
    Router::new().route("/", get(show)).route("/home/live", get(live))
}

#[derive(Template)]
#[template(path = "home/show.html")]
struct HomePage {
    chrome: Chrome,
    live: Live,
    hour: Hour,
}

/// The part of [`HomePage`] that refreshes itself.
#[derive(Template)]
#[template(path = "home/part.html")]
struct HomePart {
    live: Live,
    hour: Hour,
}

#[derive(Template)]
#[template(path = "home/now.html")]
struct Now {
    concerns: Vec<Concern>,
    totals: Totals,
    well_since: Option<DateTime<Utc>>,
    hour: Hour,
    may_add: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    seen: String,
}

async fn show(State(app): State<AppState>, viewer: Viewer, db: Db, zone: Zone) -> web::Result {
    let (live, hour) = now(&app, &viewer, db, zone).await?;
    Ok(Page(HomePage { chrome: viewer.chrome("Home", Section::Home), live, hour }).into_response())
}

async fn live(
    State(app): State<AppState>,
    viewer: Viewer,
    db: Db,
    Query(asked): Query<Asked>,
    Partial(partial): Partial,
    zone: Zone,
) -> web::Result {
    if !partial {
        return Ok(web::see_other("/"));
    }
    let (live, hour) = now(&app, &viewer, db, zone).await?;
    live.clone().unless_seen(&asked.seen, &HomePart { live, hour })
}

async fn now(
    app: &AppState,
    viewer: &Viewer,
    Db(mut db): Db,
    Zone(zone): Zone,
) -> web::Result<(Live, Hour)> {
    let (now, scope) = (app.clock.now(), viewer.scope());
    // The connection goes back as soon as it is done with: nobody holds one who waits for another.
    let rest = async move {
        store::count_people(&mut *db).await?;
        let concerns = concerns(app, &mut db, viewer).await?;
        let totals = store::totals(&mut *db, scope).await?;
        let well_since =
            if concerns.is_empty() { store::well_since(&mut *db, scope).await? } else { None };
        Ok((concerns, totals, well_since))
    };
    let (minutes, (concerns, totals, well_since)) =
        tokio::try_join!(minutes(app, scope, now), rest)?;
    let hour = Hour::of(&minutes, now, zone)?;
    let part =
        Now { concerns, totals, well_since, hour: hour.clone(), may_add: viewer.is_partner() };
    Ok((Live::of(&part)?, hour))
}

async fn minutes(
    app: &AppState,
    scope: Option<StaffId>,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<Minute>> {
    let from = hour::beginning(now);
    if let Some(staff) = scope {
        return minutes::of_staff(&app.db, staff, from).await;
    }
    minutes::of_all(&app.db, from, now).await
}
