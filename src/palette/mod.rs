//! Jump to an account or a page by its name; the keys that do more, and the words explained.
//!
//! Over a page it is a dialog that Ctrl+K opens; without scripts it is a page of its own.

mod places;
mod store;

use askama::Template;
use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;
use sqlx::PgConnection;

use places::Destination;

use crate::kit::text;
use crate::staff::Viewer;
use crate::state::AppState;
use crate::web::{self, Chrome, Db, Page, Partial, Query, Section, whole_or_part};

pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/go", get(go))
        .route("/go/found", get(found))
        .route("/shortcuts", get(shortcuts))
        .route("/glossary", get(glossary))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    q: String,
}

#[derive(Template)]
#[template(path = "palette/go.html")]
struct GoPage {
    chrome: Chrome,
    q: String,
    found: Vec<Destination>,
}

/// The same over a page: a field, and its options.
#[derive(Template)]
#[template(path = "palette/dialog.html")]
struct GoDialog {
    q: String,
    found: Vec<Destination>,
}

/// The options under the field.
#[derive(Template)]
#[template(path = "palette/found.html")]
struct Found {
    q: String,
    found: Vec<Destination>,
}

async fn go(
    viewer: Viewer,
    Db(mut db): Db,
    Partial(partial): Partial,
    Query(Asked { q }): Query<Asked>,
) -> web::Result<Response> {
    let found = destinations(&mut db, &viewer, &q).await?;
    if partial {
        return Ok(Page(GoDialog { q, found }).into_response());
    }
    let chrome = viewer.chrome("Go to", Section::Home);
    Ok(Page(GoPage { chrome, q, found }).into_response())
}

async fn found(
    viewer: Viewer,
    Db(mut db): Db,
    Partial(partial): Partial,
    Query(asked): Query<Asked>,
) -> web::Result<Response> {
    if !partial {
        return Ok(web::see_other("/go"));
    }
    let found = destinations(&mut db, &viewer, &asked.q).await?;
    Ok(Page(Found { q: asked.q, found }).into_response())
}

async fn destinations(
    db: &mut PgConnection,
    viewer: &Viewer,
    q: &str,
) -> web::Result<Vec<Destination>> {
    let sought = text::sought(q);
    let words: Vec<_> = sought.split_whitespace().take(8).collect();
    let mut found = places::pages(viewer, &words);
    for (words, tabs) in places::readings(&words) {
        let accounts = store::accounts(&mut *db, &words, viewer.scope()).await?;
        if !accounts.is_empty() {
            found.extend(places::of_accounts(&accounts, &tabs));
            break;
        }
    }
    Ok(found)
}

#[derive(Template)]
#[template(path = "palette/shortcuts.html", blocks = ["dialog"])]
struct ShortcutsPage {
    chrome: Chrome,
}

async fn shortcuts(viewer: Viewer, partial: Partial) -> Response {
    let page = ShortcutsPage { chrome: viewer.chrome("Keyboard shortcuts", Section::Home) };
    whole_or_part(partial, &page, page.as_dialog())
}

#[derive(Template)]
#[template(path = "palette/glossary.html", blocks = ["dialog"])]
struct GlossaryPage {
    chrome: Chrome,
}

async fn glossary(viewer: Viewer, partial: Partial) -> Response {
    let page = GlossaryPage { chrome: viewer.chrome("Glossary", Section::Home) };
    whole_or_part(partial, &page, page.as_dialog())
}
