//! The list of presence monitors that use the same secret, inside Configure.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde::Deserialize;

use super::setup::SetupPage;
use super::the::TheIntegration;
use crate::audit::Changes;
use crate::ids::MonitorId;
use crate::integrations::{Monitor, store};
use crate::kit::text::line;
use crate::state::AppState;
use crate::web::{
    self, FieldErrors, Form, OrNotFound, Page, Partial, Path, refused, see_other, see_other_saying,
};

/// No list that a person keeps is longer.
const MOST_MONITORS: i64 = 50;

pub fn routes() -> Router<AppState> {
    let at = "/accounts/{account}/integrations/{integration}/monitors";
    Router::new()
        .route(at, post(add))
        .route(&format!("{at}/{{monitor}}/remove"), post(remove))
        .route(&format!("{at}/{{monitor}}/updated"), post(updated))
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct MonitorForm {
    monitor_name: String,
    monitor_note: String,
}

impl MonitorForm {
    fn parse(&self) -> Result<(String, String), FieldErrors> {
        let mut errors = FieldErrors::default();
        let name = errors.take("monitor_name", line(&self.monitor_name, 120));
        let note = errors.take("monitor_note", line(&self.monitor_note, 200));
        if name.as_deref() == Some("") {
            errors.add("monitor_name", "Give the monitor its name.");
        }
        name.zip(note).filter(|_| errors.is_empty()).ok_or(errors)
    }
}

/// The list, and the form that makes it longer: Configure puts it in whole.
#[derive(Template)]
#[template(path = "integrations/monitors.html")]
pub(super) struct Monitors {
    at: String,
    listed: Vec<Monitor>,
    form: MonitorForm,
    errors: FieldErrors,
}

impl Monitors {
    pub(super) async fn of(app: &AppState, the: &TheIntegration) -> sqlx::Result<Self> {
        let listed = store::monitors(&app.db, the.the.account.id, the.integration.id).await?;
        Ok(Self {
            at: the.at(),
            listed,
            form: MonitorForm::default(),
            errors: FieldErrors::default(),
        })
    }
}

async fn add(
    State(app): State<AppState>,
    the: TheIntegration,
    partial: Partial,
    Form(form): Form<MonitorForm>,
) -> web::Result<Response> {
    let (name, note) = match form.parse() {
        Ok(both) => both,
        Err(errors) => return refuse(&app, &the, partial, form, errors).await,
    };
    let (account, id) = (the.the.account.id, the.integration.id);
    let mut tx = app.db.begin().await?;
    if !store::add_monitor(&mut *tx, account, id, &name, &note, MOST_MONITORS).await? {
        let errors = FieldErrors::just("monitor_name", "The list is full: 50 monitors at most.");
        return refuse(&app, &the, partial, form, errors).await;
    }
    let summary = format!("The presence monitor {name} was put on the list.");
    the.note(&mut tx, "integration.monitor_added", summary, Changes::default(), app.clock.now())
        .await?;
    tx.commit().await?;
    list(&app, &the, partial).await
}

#[derive(Clone, Copy, Debug, Deserialize)]
struct InPath {
    monitor: MonitorId,
}

async fn remove(
    State(app): State<AppState>,
    the: TheIntegration,
    Path(InPath { monitor }): Path<InPath>,
    partial: Partial,
) -> web::Result<Response> {
    let (account, id) = (the.the.account.id, the.integration.id);
    let mut tx = app.db.begin().await?;
    let name = store::remove_monitor(&mut *tx, account, id, monitor).await?.or_not_found()?;
    let summary = format!("The presence monitor {name} was taken off the list.");
    the.note(&mut tx, "integration.monitor_removed", summary, Changes::default(), app.clock.now())
        .await?;
    tx.commit().await?;
    list(&app, &the, partial).await
}

/// Where to look after ticking a monitor off: the page on which it was ticked.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct TickedOn {
    from: String,
}

async fn updated(
    State(app): State<AppState>,
    the: TheIntegration,
    Path(InPath { monitor }): Path<InPath>,
    Form(ticked): Form<TickedOn>,
) -> web::Result<Response> {
    let (account, id) = (the.the.account.id, the.integration.id);
    let back = if ticked.from == "home" { "/".to_owned() } else { the.back() };
    let mut tx = app.db.begin().await?;
    let Some(name) = store::monitor_has_secret(&mut *tx, account, id, monitor).await? else {
        return Ok(see_other(back));
    };
    let summary = format!("The presence monitor {name} was given the new client secret.");
    the.note(&mut tx, "integration.monitor_updated", summary, Changes::default(), app.clock.now())
        .await?;
    tx.commit().await?;
    Ok(see_other_saying(back, &format!("{name} is ticked off.")))
}

/// The list as it is now, in place or on its page.
async fn list(app: &AppState, the: &TheIntegration, partial: Partial) -> web::Result<Response> {
    if !partial.0 {
        return Ok(see_other(format!("{}/configure", the.at())));
    }
    Ok(Page(Monitors::of(app, the).await?).into_response())
}

async fn refuse(
    app: &AppState,
    the: &TheIntegration,
    partial: Partial,
    form: MonitorForm,
    errors: FieldErrors,
) -> web::Result<Response> {
    let monitors = Monitors { form, errors, ..Monitors::of(app, the).await? };
    if partial.0 {
        return Ok(refused(monitors));
    }
    let mut page = SetupPage::new(app, the).await?;
    page.monitors = monitors;
    Ok(refused(page))
}
