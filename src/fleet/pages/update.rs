//! Install update: what is new, then how far it is, until it is done.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;

use crate::accounts::{self, TheAccount};
use crate::audit::{self, Changes, Entry};
use crate::ids::{IntegrationId, RunId};
use crate::integrations::catalog::UpdateStep;
use crate::integrations::{self, Integration, Release, TheIntegration};
use crate::runs::store::NewRun;
use crate::runs::{self, Deed, Item, ItemState, Kind};
use crate::state::AppState;
use crate::web::stream::{self, Part};
use crate::web::{
    self, AccountTab, Chrome, OrNotFound, Page, Partial, Path, see_other, see_other_saying,
    whole_or_part,
};

pub fn routes() -> Router<AppState> {
    let at = "/accounts/{account}/integrations/{integration}/update";
    Router::new()
        .route(at, get(ask).post(install))
        .route(&format!("{at}/{{run}}"), get(show))
        .route(&format!("{at}/{{run}}/events"), get(events))
        .route(&format!("{at}/{{run}}/done"), post(done))
}

#[derive(Template)]
#[template(path = "fleet/update.html", blocks = ["dialog"])]
struct UpdatePage {
    chrome: Chrome,
    action: String,
    back: String,
    /// The releases that come with it, the newest first.
    news: Vec<Release>,
}

fn ahead_of(integration: &Integration) -> Vec<Release> {
    let releases = integration.kind.releases().iter().rev().copied();
    releases.filter(|release| release.number > integration.release).collect()
}

async fn ask(the: TheIntegration, partial: Partial) -> Response {
    let page = UpdatePage {
        chrome: the.the.chrome("Install update", AccountTab::Integrations),
        action: format!("{}/update", the.at()),
        back: the.back(),
        news: ahead_of(&the.integration),
    };
    whole_or_part(partial, &page, page.as_dialog())
}

/// Begins it, or leads to the one that is under way: pressed twice, it is installed once.
async fn install(State(app): State<AppState>, the: TheIntegration) -> web::Result<Response> {
    let (account, now) = (&the.the.account, app.clock.now());
    if the.integration.connection.is_none() {
        return Ok(see_other_saying(the.back(), "Complete the setup first."));
    }
    if ahead_of(&the.integration).is_empty() {
        return Ok(see_other_saying(the.back(), "The newest release is installed already."));
    }
    let mut tx = app.db.begin().await?;
    accounts::store::lock(&mut tx, account.id).await?;
    let run = if let Some(run) = runs::store::open_update(&mut *tx, account.id).await? {
        run
    } else {
        let actor = the.the.viewer.actor();
        let run = NewRun::plain(Deed::Update, Kind::One, &actor);
        let accounts = [(account.id, account.name.clone())];
        let begun = runs::store::begin(&mut tx, &run, &accounts, now).await?;
        let name = the.integration.kind.newest().name;
        let entry = Entry {
            action: "integration.update_begun",
            summary: format!("Release {name} is being installed."),
            account: Some((account.id, &account.name)),
            changes: Changes::default(),
        };
        audit::note(&mut tx, &actor, entry, now).await?;
        begun
    };
    tx.commit().await?;
    app.work.notify_one();
    Ok(see_other(format!("{}/update/{run}", the.at())))
}

#[derive(Template)]
#[template(path = "fleet/progress.html", blocks = ["part"])]
struct ProgressPage {
    chrome: Chrome,
    /// Where this page is, where it was begun, and the page behind.
    at: String,
    install: String,
    back: String,
    item: Item,
    /// The release that is in force.
    release: &'static str,
    newest: Release,
    may_change: bool,
}

/// One step, as the page shows it.
struct Shown {
    kind: &'static str,
    label: &'static str,
}

#[derive(Clone, Copy, Debug, Deserialize)]
struct InPath {
    integration: IntegrationId,
    run: RunId,
}

async fn page(app: &AppState, the: &TheAccount, path: InPath) -> web::Result<ProgressPage> {
    let account = the.account.id;
    let integration =
        integrations::store::find(&app.db, account, path.integration).await?.or_not_found()?;
    let item = runs::store::item(&app.db, account, path.run).await?.or_not_found()?;
    let back = format!("/accounts/{account}/integrations");
    let install = format!("{back}/{}/update", path.integration);
    Ok(ProgressPage {
        chrome: the.chrome("Install update", AccountTab::Integrations),
        at: format!("{install}/{}", path.run),
        install,
        back,
        item,
        release: integration.kind.release(integration.release).map_or("", |release| release.name),
        newest: integration.kind.newest(),
        may_change: the.viewer.may_change(),
    })
}

async fn show(
    State(app): State<AppState>,
    the: TheAccount,
    Path(path): Path<InPath>,
) -> web::Result<Response> {
    Ok(Page(page(&app, &the, path).await?).into_response())
}

/// The part that moves, again whenever it has.
async fn events(
    State(app): State<AppState>,
    the: TheAccount,
    Path(path): Path<InPath>,
) -> web::Result<Response> {
    // Asked once before, so that what is not there is a 404 and no stream.
    page(&app, &the, path).await?;
    let closing = app.closing.clone();
    Ok(stream::parts(closing, move || {
        let (app, the) = (app.clone(), the.clone());
        async move {
            let page = page(&app, &the, path).await?;
            let html = page.as_part().render()?;
            Ok(Part { html, is_last: !page.item.state.is_open() })
        }
    }))
}

/// Somebody has seen how it ended.
async fn done(
    State(app): State<AppState>,
    the: TheIntegration,
    Path(path): Path<InPath>,
) -> web::Result<Response> {
    let (account, now) = (the.the.account.id, app.clock.now());
    runs::store::seen(&app.db, account, path.run, now).await?;
    Ok(see_other(the.back()))
}

impl ProgressPage {
    fn steps(&self) -> Vec<Shown> {
        let done = usize::try_from(self.item.step).unwrap_or(0);
        let shown = self.item.plan.iter().enumerate().map(|(index, name)| Shown {
            kind: match (self.item.state, index) {
                (_, index) if index < done => "ok",
                (ItemState::Failed, index) if index == done => "danger",
                (ItemState::Working, index) if index == done => "working",
                _ => "neutral",
            },
            label: UpdateStep::label_of(name),
        });
        shown.collect()
    }

    /// How far it is, in words.
    fn words(&self) -> String {
        self.item.step_in_words(UpdateStep::label_of)
    }
}

impl Item {
    /// How many steps there are, for a bar that moves: at least one.
    pub fn all_steps(&self) -> usize {
        self.plan.len().max(1)
    }

    /// "Step 2 of 6: Check the permissions".
    pub fn step_in_words(&self, label_of: fn(&str) -> &'static str) -> String {
        let done = usize::try_from(self.step).unwrap_or(0);
        match self.plan.get(done) {
            Some(name) => {
                format!("Step {} of {}: {}", done + 1, self.plan.len(), label_of(name))
            }
            None => "Waiting to begin".to_owned(),
        }
    }
}
