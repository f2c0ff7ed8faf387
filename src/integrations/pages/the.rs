//! The integration whose id is in the URL, for somebody who may change it.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde::Deserialize;

use crate::accounts::TheAccountToChange;
use crate::ids::IntegrationId;
use crate::integrations::{Integration, store};
use crate::state::AppState;
use crate::web::{self, OrNotFound, Path};

/// A handler that takes one cannot forget to look: an integration of another account is a 404,
/// and so is one that is being removed.
pub struct TheIntegration {
    pub the: TheAccountToChange,
    pub integration: Integration,
}

#[derive(Deserialize)]
struct InPath {
    integration: IntegrationId,
}

impl FromRequestParts<AppState> for TheIntegration {
    type Rejection = web::Error;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> web::Result<Self> {
        let the = TheAccountToChange::from_request_parts(parts, app).await?;
        let Path(InPath { integration }) = Path::from_request_parts(parts, app).await?;
        let found = store::find(&app.db, the.account.id, integration).await?.or_not_found()?;
        if found.removing_since.is_some() {
            return Err(web::Error::NotFound);
        }
        Ok(Self { the, integration: found })
    }
}

impl TheIntegration {
    /// Where the panel stands.
    pub fn back(&self) -> String {
        format!("/accounts/{}/integrations", self.the.account.id)
    }

    /// Where everything of this integration begins.
    pub fn at(&self) -> String {
        format!("{}/{}", self.back(), self.integration.id)
    }
}
