//! One of the staff: what they may do, and what a partner admin can do for them.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use url::Url;

use super::super::form::RightsForm;
use super::super::rights::{self, Revoked};
use super::super::store::{self, Person};
use super::super::{PartnerAdmin, Role, Viewer, cookie, door, second_factor};
use super::picker::{Choices, Picker};
use crate::ids::StaffId;
use crate::kit::token;
use crate::state::AppState;
use crate::web::{self, Chrome, FieldErrors, Form, OrNotFound, Page, Partial, Path, Section};
use crate::web::{refused, see_other, see_other_saying};

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/staff/{id}", get(show).post(change))
        .route("/staff/{id}/accounts", post(search_accounts))
        .route("/staff/{id}/link", post(new_link))
        .route("/staff/{id}/link/revoke", post(revoke))
        .route("/staff/{id}/disable", post(disable))
        .route("/staff/{id}/enable", post(enable))
        .route("/staff/{id}/second-factor/off", post(turn_second_factor_off))
}

#[derive(Template)]
#[template(path = "staff/person.html")]
struct PersonPage {
    chrome: Chrome,
    errors: FieldErrors,
    person: Person,
    /// They are looking at themselves.
    is_viewer: bool,
    role: String,
    roles: [(&'static str, &'static str); 3],
    picker: Picker,
    /// A link just made: shown now and never again.
    link: Option<Url>,
}

impl PersonPage {
    async fn with(
        app: &AppState,
        viewer: &Viewer,
        person: Person,
        form: RightsForm,
        errors: FieldErrors,
    ) -> sqlx::Result<Self> {
        Ok(Self {
            chrome: viewer.chrome(person.name.clone(), Section::Staff),
            errors,
            is_viewer: viewer.staff == person.id,
            roles: Role::choices(),
            picker: picker(app, &person, &form).await?,
            role: form.role,
            link: None,
            person,
        })
    }
}

async fn picker(app: &AppState, person: &Person, form: &RightsForm) -> sqlx::Result<Picker> {
    let action = format!("/staff/{}/accounts", person.id);
    Picker::look(&app.db, action, &form.account, &form.q).await
}

async fn the_person(app: &AppState, id: StaffId) -> web::Result<Person> {
    store::person(&app.db, id, app.clock.now()).await?.or_not_found()
}

/// As it is.
async fn rights_of(app: &AppState, person: &Person) -> sqlx::Result<RightsForm> {
    let accounts = store::accounts_of_person(&app.db, person.id).await?;
    let account = accounts.into_iter().map(|account| account.id).collect();
    Ok(RightsForm { role: person.role.as_str().to_owned(), account, q: String::new() })
}

async fn show(
    State(app): State<AppState>,
    PartnerAdmin(viewer): PartnerAdmin,
    Path(id): Path<StaffId>,
    headers: HeaderMap,
) -> web::Result {
    let person = the_person(&app, id).await?;
    let form = rights_of(&app, &person).await?;
    let mut page = PersonPage::with(&app, &viewer, person, form, FieldErrors::default()).await?;
    page.link = fresh_link(&app, id, &headers).await?;
    let shown = page.link.is_some();
    let mut response = Page(page).into_response();
    if shown {
        door::set_cookie(&mut response, &cookie::shown_link(&app.config))?;
    }
    Ok(response)
}

/// The link that the step before this one made, if it is theirs and works.
async fn fresh_link(app: &AppState, id: StaffId, headers: &HeaderMap) -> web::Result<Option<Url>> {
    let Some(token) = cookie::link_token(&app.config, headers) else { return Ok(None) };
    let link = store::link(&app.db, &token::digest(token)).await?;
    if link.is_none_or(|link| link.staff != id || link.ended.is_some()) {
        return Ok(None);
    }
    Ok(Some(app.config.public_url.join(&format!("/invitation/{token}"))?))
}

async fn search_accounts(
    State(app): State<AppState>,
    PartnerAdmin(viewer): PartnerAdmin,
    Path(id): Path<StaffId>,
    Partial(part): Partial,
    Form(form): Form<RightsForm>,
) -> web::Result {
    let person = the_person(&app, id).await?;
    if part {
        return Ok(Page(Choices { picker: picker(&app, &person, &form).await? }).into_response());
    }
    let page = PersonPage::with(&app, &viewer, person, form, FieldErrors::default()).await?;
    Ok(Page(page).into_response())
}

async fn change(
    State(app): State<AppState>,
    PartnerAdmin(viewer): PartnerAdmin,
    Path(id): Path<StaffId>,
    Form(form): Form<RightsForm>,
) -> web::Result {
    let person = the_person(&app, id).await?;
    let changed = match form.parse() {
        Ok(rights) => rights::change(&app, &viewer, &person, &rights).await?,
        Err(errors) => {
            return Ok(refused(PersonPage::with(&app, &viewer, person, form, errors).await?));
        }
    };
    if let Err(last) = changed {
        let errors = FieldErrors::just("role", last);
        return Ok(refused(PersonPage::with(&app, &viewer, person, form, errors).await?));
    }
    Ok(see_other_saying(format!("/staff/{id}"), "Saved."))
}

async fn new_link(
    State(app): State<AppState>,
    PartnerAdmin(viewer): PartnerAdmin,
    Path(id): Path<StaffId>,
) -> web::Result {
    let person = the_person(&app, id).await?;
    let mut response = see_other(format!("/staff/{id}"));
    if person.disabled_at.is_none() {
        let link = rights::new_link(&app, &viewer, &person).await?;
        door::set_cookie(&mut response, &cookie::link_cookie(&app.config, &link))?;
    }
    Ok(response)
}

async fn revoke(
    State(app): State<AppState>,
    PartnerAdmin(viewer): PartnerAdmin,
    Path(id): Path<StaffId>,
) -> web::Result {
    let person = the_person(&app, id).await?;
    Ok(match rights::revoke(&app, &viewer, &person).await? {
        Revoked::Gone => see_other_saying("/staff", "The invitation is revoked."),
        Revoked::LinkOnly => see_other_saying(format!("/staff/{id}"), "The link is revoked."),
    })
}

async fn disable(
    State(app): State<AppState>,
    PartnerAdmin(viewer): PartnerAdmin,
    Path(id): Path<StaffId>,
) -> web::Result {
    let person = the_person(&app, id).await?;
    if let Err(last) = rights::disable(&app, &viewer, &person).await? {
        let form = rights_of(&app, &person).await?;
        let errors = FieldErrors::just("form", last);
        return Ok(refused(PersonPage::with(&app, &viewer, person, form, errors).await?));
    }
    let said = format!("{} is signed out everywhere and cannot sign in.", person.name);
    Ok(see_other_saying(format!("/staff/{id}"), &said))
}

async fn enable(
    State(app): State<AppState>,
    PartnerAdmin(viewer): PartnerAdmin,
    Path(id): Path<StaffId>,
) -> web::Result {
    let person = the_person(&app, id).await?;
    rights::enable(&app, &viewer, &person).await?;
    let said = format!("{} may sign in again.", person.name);
    Ok(see_other_saying(format!("/staff/{id}"), &said))
}

/// For who lost their phone and their recovery codes. One's own is turned off with the password.
async fn turn_second_factor_off(
    State(app): State<AppState>,
    PartnerAdmin(viewer): PartnerAdmin,
    Path(id): Path<StaffId>,
) -> web::Result {
    if id == viewer.staff {
        return Ok(see_other("/profile/second-factor"));
    }
    let person = the_person(&app, id).await?;
    second_factor::turn_off(&app, &viewer, (id, &person.email)).await?;
    let said = format!("{} signs in with the password alone.", person.name);
    Ok(see_other_saying(format!("/staff/{id}"), &said))
}
