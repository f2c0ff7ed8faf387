//! The page of a setup check, and the pilot on whom presence is tried.

mod links;
mod pilot;
mod show;

use axum::Router;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde::Deserialize;

use crate::accounts::{TheAccount, TheAccountToChange};
use crate::ids::IntegrationId;
use crate::integrations::{self, Integration};
use crate::state::AppState;
use crate::web::{self, OrNotFound, Path};

pub fn routes() -> Router<AppState> {
    Router::new().merge(show::routes()).merge(pilot::routes())
}

#[derive(Deserialize)]
struct InPath {
    integration: IntegrationId,
}

/// The integration whose id is in the URL, for whoever may see its account.
struct TheCheck {
    the: TheAccount,
    integration: Integration,
}

/// The same, for whoever may have it checked.
struct TheCheckToRun {
    the: TheAccountToChange,
    integration: Integration,
}

impl FromRequestParts<AppState> for TheCheck {
    type Rejection = web::Error;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> web::Result<Self> {
        let the = TheAccount::from_request_parts(parts, app).await?;
        let integration = integration(parts, app, the.account.id).await?;
        Ok(Self { the, integration })
    }
}

impl FromRequestParts<AppState> for TheCheckToRun {
    type Rejection = web::Error;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> web::Result<Self> {
        let the = TheAccountToChange::from_request_parts(parts, app).await?;
        let integration = integration(parts, app, the.account.id).await?;
        Ok(Self { the, integration })
    }
}

/// One of another account is a 404, and so is one that is being removed.
async fn integration(
    parts: &mut Parts,
    app: &AppState,
    account: crate::ids::AccountId,
) -> web::Result<Integration> {
    let Path(InPath { integration }) = Path::from_request_parts(parts, app).await?;
    let found = integrations::store::find(&app.db, account, integration).await?.or_not_found()?;
    if found.removing_since.is_some() { Err(web::Error::NotFound) } else { Ok(found) }
}

/// Where the check of an integration stands.
fn at(integration: &Integration) -> String {
    format!("/accounts/{}/integrations/{}/check", integration.account, integration.id)
}
