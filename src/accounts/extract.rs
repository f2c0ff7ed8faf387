//! The account whose id is in the URL, if whoever asks may see it.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde::Deserialize;

use super::{Account, store};
use crate::ids::AccountId;
use crate::staff::Viewer;
use crate::state::AppState;
use crate::web::{self, AccountTab, Chrome, Db, OrNotFound, Path, Place};

/// A handler that takes one cannot forget to look: an account that is not there, or that
/// the viewer does not look after, is a 404.
#[derive(Clone, Debug)]
pub struct TheAccount {
    pub viewer: Viewer,
    pub account: Account,
}

/// The same, for a viewer who may change it. An auditor is refused with a 403.
#[derive(Clone, Debug)]
pub struct TheAccountToChange {
    pub viewer: Viewer,
    pub account: Account,
}

/// Routes of an account call its segment `{account}`, whatever else stands in the path.
#[derive(Deserialize)]
struct InPath {
    account: AccountId,
}

impl FromRequestParts<AppState> for TheAccount {
    type Rejection = web::Error;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> web::Result<Self> {
        let viewer = Viewer::from_request_parts(parts, app).await?;
        let Path(InPath { account }) = Path::from_request_parts(parts, app).await?;
        let mut db = Db::take(parts, &app.db).await?;
        let account = store::find(&mut *db.0, account, viewer.scope()).await?.or_not_found()?;
        db.leave(parts);
        Ok(Self { viewer, account })
    }
}

impl FromRequestParts<AppState> for TheAccountToChange {
    type Rejection = web::Error;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> web::Result<Self> {
        let TheAccount { viewer, account } = TheAccount::from_request_parts(parts, app).await?;
        if viewer.may_change() { Ok(Self { viewer, account }) } else { Err(web::Error::Forbidden) }
    }
}

impl TheAccount {
    pub fn chrome(&self, title: impl Into<String>, tab: AccountTab) -> Chrome {
        chrome(&self.viewer, &self.account, title, tab)
    }
}

impl TheAccountToChange {
    pub fn chrome(&self, title: impl Into<String>, tab: AccountTab) -> Chrome {
        chrome(&self.viewer, &self.account, title, tab)
    }
}

fn chrome(viewer: &Viewer, account: &Account, title: impl Into<String>, tab: AccountTab) -> Chrome {
    let (id, name) = (account.id, account.name.clone());
    viewer.chrome_at(title, Place::Account { id, name, deactivated: !account.is_active(), tab })
}
