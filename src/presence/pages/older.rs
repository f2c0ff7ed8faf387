//! What an integration on an older release has not got yet, and the way to it.

use axum::response::Response;

use crate::accounts::Account;
use crate::integrations::{self, Ability, Release};
use crate::state::AppState;
use crate::web;

/// The account's integration is on a release without some ability.
#[derive(Clone, Debug)]
pub struct Older {
    /// With which release the ability comes.
    pub since: Release,
    /// Where the update is installed.
    pub update: String,
}

impl Older {
    pub async fn than(
        app: &AppState,
        account: &Account,
        ability: Ability,
    ) -> anyhow::Result<Option<Self>> {
        let integration = integrations::store::of_account(&app.db, account.id).await?;
        let older = integration.filter(|found| !found.kind.can(found.release, ability));
        Ok(older.map(|found| Self {
            since: found.kind.since(ability),
            update: format!("/accounts/{}/integrations/{}/update", account.id, found.id),
        }))
    }

    /// For a form that came all the same.
    pub fn refuse(&self, back: impl AsRef<str>) -> Response {
        let name = self.since.name;
        web::see_other_saying(back, &format!("That comes with release {name}. Install it first."))
    }
}
