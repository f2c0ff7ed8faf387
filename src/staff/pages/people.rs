//! Who may sign in, and inviting one more.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use serde::Deserialize;

use super::super::form::InviteForm;
use super::super::rights;
use super::super::store::{self, Person, WriteError};
use super::super::{PartnerAdmin, Role, Viewer, cookie, door};
use super::picker::{Choices, Picker};
use crate::kit::text;
use crate::state::AppState;
use crate::web::see_other;
use crate::web::{self, Chrome, FieldErrors, Form, Page, Partial, Query, Section, refused};

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/staff", get(index))
        .route("/staff/invite", get(new).post(invite))
        .route("/staff/invite/accounts", post(search_accounts))
}

const MOST_SHOWN: i64 = 200;

#[derive(Template)]
#[template(path = "staff/index.html")]
struct IndexPage {
    chrome: Chrome,
    q: String,
    people: Vec<Person>,
    more: bool,
}

#[derive(Template)]
#[template(path = "staff/index.html", block = "results")]
struct Results {
    people: Vec<Person>,
    more: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Sought {
    q: String,
}

async fn index(
    State(app): State<AppState>,
    PartnerAdmin(viewer): PartnerAdmin,
    Query(Sought { q }): Query<Sought>,
    Partial(part): Partial,
) -> web::Result {
    let mut people =
        store::people(&app.db, &text::sought(&q), app.clock.now(), MOST_SHOWN + 1).await?;
    let most = usize::try_from(MOST_SHOWN)?;
    let more = people.len() > most;
    people.truncate(most);
    if part {
        return Ok(Page(Results { people, more }).into_response());
    }
    let chrome = viewer.chrome("Staff", Section::Staff);
    Ok(Page(IndexPage { chrome, q, people, more }).into_response())
}

#[derive(Template)]
#[template(path = "staff/invite.html")]
struct InvitePage {
    chrome: Chrome,
    errors: FieldErrors,
    form: InviteForm,
    picker: Picker,
    roles: [(&'static str, &'static str); 3],
}

impl InvitePage {
    async fn with(
        app: &AppState,
        viewer: &Viewer,
        form: InviteForm,
        errors: FieldErrors,
    ) -> sqlx::Result<Self> {
        let chrome = viewer.chrome("Invite somebody", Section::Staff);
        let picker = picker(app, &form).await?;
        Ok(Self { chrome, errors, form, picker, roles: Role::choices() })
    }
}

async fn picker(app: &AppState, form: &InviteForm) -> sqlx::Result<Picker> {
    Picker::look(&app.db, "/staff/invite/accounts".to_owned(), &form.account, &form.q).await
}

async fn new(State(app): State<AppState>, PartnerAdmin(viewer): PartnerAdmin) -> web::Result {
    let form = InviteForm::default();
    Ok(Page(InvitePage::with(&app, &viewer, form, FieldErrors::default()).await?).into_response())
}

/// The page as typed, with what the search finds; only the boxes while somebody types.
async fn search_accounts(
    State(app): State<AppState>,
    PartnerAdmin(viewer): PartnerAdmin,
    Partial(part): Partial,
    Form(form): Form<InviteForm>,
) -> web::Result {
    if part {
        return Ok(Page(Choices { picker: picker(&app, &form).await? }).into_response());
    }
    Ok(Page(InvitePage::with(&app, &viewer, form, FieldErrors::default()).await?).into_response())
}

async fn invite(
    State(app): State<AppState>,
    PartnerAdmin(viewer): PartnerAdmin,
    Form(form): Form<InviteForm>,
) -> web::Result {
    let invitation = match form.parse() {
        Ok(invitation) => invitation,
        Err(errors) => return Ok(refused(InvitePage::with(&app, &viewer, form, errors).await?)),
    };
    match rights::invite(&app, &viewer, &invitation).await {
        Ok((id, link)) => {
            let mut response = see_other(format!("/staff/{id}"));
            door::set_cookie(&mut response, &cookie::link_cookie(&app.config, &link))?;
            Ok(response)
        }
        Err(taken @ WriteError::EmailTaken) => {
            let errors = FieldErrors::just("email", taken);
            Ok(refused(InvitePage::with(&app, &viewer, form, errors).await?))
        }
        Err(WriteError::Db(error)) => Err(error.into()),
    }
}
