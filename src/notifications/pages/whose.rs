//! Whose channels are meant: an account's, or the partner's.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde::Deserialize;

use crate::accounts::{Account, TheAccount};
use crate::ids::{AccountId, ChannelId};
use crate::notifications::{Channel, store};
use crate::staff::{PartnerAdmin, Viewer};
use crate::state::AppState;
use crate::web::{self, AccountTab, Chrome, OrNotFound, Path, Section};

/// A handler that takes one cannot forget to look who asks: an account that the viewer does not
/// look after is a 404, and so are the partner's channels to all but partner admins.
pub(super) struct Whose {
    pub(super) viewer: Viewer,
    pub(super) account: Option<Account>,
}

/// The same, for a viewer who may change them. An auditor is refused with a 403.
pub(super) struct WhoseToChange(pub(super) Whose);

impl FromRequestParts<AppState> for Whose {
    type Rejection = web::Error;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> web::Result<Self> {
        if parts.uri.path().starts_with("/accounts/") {
            let TheAccount { viewer, account } = TheAccount::from_request_parts(parts, app).await?;
            return Ok(Self { viewer, account: Some(account) });
        }
        let PartnerAdmin(viewer) = PartnerAdmin::from_request_parts(parts, app).await?;
        Ok(Self { viewer, account: None })
    }
}

impl FromRequestParts<AppState> for WhoseToChange {
    type Rejection = web::Error;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> web::Result<Self> {
        let whose = Whose::from_request_parts(parts, app).await?;
        if whose.viewer.may_change() { Ok(Self(whose)) } else { Err(web::Error::Forbidden) }
    }
}

impl Whose {
    pub(super) fn id(&self) -> Option<AccountId> {
        self.account.as_ref().map(|account| account.id)
    }

    /// For an entry in Activity.
    pub(super) fn about(&self) -> Option<(AccountId, &str)> {
        self.account.as_ref().map(|account| (account.id, account.name.as_str()))
    }

    /// Where the channels are listed.
    pub(super) fn at(&self) -> String {
        match &self.account {
            Some(account) => format!("/accounts/{}/notifications", account.id),
            None => "/settings/notifications".to_owned(),
        }
    }

    pub(super) fn chrome(&self, title: impl Into<String>) -> Chrome {
        match &self.account {
            Some(account) => {
                let (viewer, account) = (self.viewer.clone(), account.clone());
                TheAccount { viewer, account }.chrome(title, AccountTab::Notifications)
            }
            None => self.viewer.chrome(title, Section::Settings),
        }
    }
}

/// One of them.
pub(super) struct TheChannel {
    pub(super) whose: Whose,
    pub(super) channel: Channel,
}

/// The same, for a viewer who may change it.
pub(super) struct TheChannelToChange(pub(super) TheChannel);

#[derive(Deserialize)]
struct InPath {
    channel: ChannelId,
}

impl FromRequestParts<AppState> for TheChannel {
    type Rejection = web::Error;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> web::Result<Self> {
        let whose = Whose::from_request_parts(parts, app).await?;
        let Path(InPath { channel }) = Path::from_request_parts(parts, app).await?;
        let found = store::channels::of(&app.db, whose.id(), Some(channel)).await?;
        let channel = found.into_iter().next().or_not_found()?;
        Ok(Self { whose, channel })
    }
}

impl FromRequestParts<AppState> for TheChannelToChange {
    type Rejection = web::Error;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> web::Result<Self> {
        let the = TheChannel::from_request_parts(parts, app).await?;
        if the.whose.viewer.may_change() { Ok(Self(the)) } else { Err(web::Error::Forbidden) }
    }
}

impl TheChannel {
    pub(super) fn at(&self) -> String {
        format!("{}/{}", self.whose.at(), self.channel.id)
    }
}
