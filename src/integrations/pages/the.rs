//! The integration whose id is in the URL, for somebody who may change it.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use sqlx::PgConnection;

use crate::accounts::TheAccountToChange;
use crate::audit::{self, Changes, Entry};
use crate::ids::{AccountId, IntegrationId};
use crate::integrations::{Integration, store};
use crate::state::AppState;
use crate::web::{self, OrNotFound, Path};

/// A handler that takes one cannot forget to look: an integration of another account is a 404,
/// and so is one that is being removed.
pub struct TheIntegration {
    pub the: TheAccountToChange,
    pub integration: Integration,
    /// It was the account's own page that led here; the panel stands there, too.
    from_account: bool,
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
        let own = account_page(the.account.id);
        let from_account = web::came_from(&parts.headers).is_some_and(|page| page == own);
        Ok(Self { the, integration: found, from_account })
    }
}

impl TheIntegration {
    /// Where the panel stands that led here.
    pub fn back(&self) -> String {
        let own = account_page(self.the.account.id);
        if self.from_account { own } else { format!("{own}/integrations") }
    }

    /// Writes down what was done with it, in the transaction that does it.
    pub(super) async fn note(
        &self,
        tx: &mut PgConnection,
        action: &'static str,
        summary: String,
        changes: Changes,
        now: DateTime<Utc>,
    ) -> sqlx::Result<()> {
        let account = Some((self.the.account.id, self.the.account.name.as_str()));
        let entry = Entry { action, summary, account, changes };
        audit::note(tx, &self.the.viewer.actor(), entry, now).await
    }

    /// Where everything of this integration begins.
    pub fn at(&self) -> String {
        format!("{}/integrations/{}", account_page(self.the.account.id), self.integration.id)
    }
}

fn account_page(account: AccountId) -> String {
    format!("/accounts/{account}")
}
