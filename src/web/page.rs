//! Pages, what stands around their content, and the ways on from them.

use askama::Template;
use axum::http::header::LOCATION;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse, Response};

use super::{Error, Partial, assets, flash};
use crate::ids::AccountId;

/// A template as an answer.
pub struct Page<T>(pub T);

impl<T: Template> IntoResponse for Page<T> {
    fn into_response(self) -> Response {
        match self.0.render() {
            Ok(html) => Html(html).into_response(),
            Err(error) => Error::Internal(error.into()).into_response(),
        }
    }
}

/// The whole page, or the part of it that htmx asked for.
pub fn whole_or_part(partial: Partial, whole: impl Template, part: impl Template) -> Response {
    let Partial(partial) = partial;
    if partial { Page(part).into_response() } else { Page(whole).into_response() }
}

/// A form that was not accepted, as a whole page or in place: as typed, with status 422.
pub fn refused_in(partial: Partial, whole: impl Template, part: impl Template) -> Response {
    (StatusCode::UNPROCESSABLE_ENTITY, whole_or_part(partial, whole, part)).into_response()
}

/// A form that was not accepted: the same template, as typed, with status 422.
pub fn refused<T: Template>(page: T) -> Response {
    (StatusCode::UNPROCESSABLE_ENTITY, Page(page)).into_response()
}

/// Done; look there.
pub fn see_other(path: impl AsRef<str>) -> Response {
    match HeaderValue::from_str(path.as_ref()) {
        Ok(to) => (StatusCode::SEE_OTHER, [(LOCATION, to)]).into_response(),
        Err(error) => Error::Internal(error.into()).into_response(),
    }
}

/// Done; look there, where `sentence` is shown once.
pub fn see_other_saying(path: impl AsRef<str>, sentence: &str) -> Response {
    let mut response = see_other(path);
    flash::leave_flash(&mut response, sentence);
    response
}

/// What stands around the content of a signed-in page.
#[derive(Clone, Debug)]
pub struct Chrome {
    pub title: String,
    pub place: Place,
    pub person: Person,
    /// What the page before this one had to say.
    pub flash: Option<String>,
    pub assets: assets::Urls,
}

/// Whoever is signed in, as the pages show them.
#[derive(Clone, Debug)]
pub struct Person {
    pub name: String,
    pub email: String,
    /// In words: "Partner admin".
    pub role: &'static str,
    /// Sees every account, staff and settings.
    pub is_partner: bool,
    /// May change what the page shows.
    pub may_change: bool,
}

/// Where in the portal a page stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    Section(Section),
    Account { id: AccountId, name: String, deactivated: bool, tab: AccountTab },
}

/// The left navigation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    Home,
    Accounts,
    Bulk,
    Activity,
    Staff,
    Settings,
    Profile,
}

/// The pages of one account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountTab {
    Information,
    Integrations,
    Presence,
    Mapping,
    Notifications,
    Activity,
}

impl Chrome {
    /// Whether the navigation marks `section` as the one we are in.
    pub fn is_in(&self, section: Section) -> bool {
        match &self.place {
            Place::Section(here) => *here == section,
            Place::Account { .. } => section == Section::Accounts,
        }
    }
}

impl Place {
    pub fn is_tab(&self, wanted: AccountTab) -> bool {
        matches!(self, Self::Account { tab, .. } if *tab == wanted)
    }
}
