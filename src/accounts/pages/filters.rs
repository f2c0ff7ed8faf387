//! Searches of the list that somebody gives a name, and takes it away from.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;

use crate::accounts::asked::Asked;
use crate::accounts::store::filters::{self, Filter, SaveError};
use crate::ids::FilterId;
use crate::kit::text;
use crate::staff::Viewer;
use crate::state::AppState;
use crate::web::{
    self, Chrome, FieldErrors, Form, OrNotFound, Partial, Path, Query, Section, refused_in,
    see_other_saying, whole_or_part,
};

pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/accounts/filters/new", get(new))
        .route("/accounts/filters", post(save))
        .route("/accounts/filters/{filter}/remove", post(remove))
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct FilterForm {
    name: String,
    /// What stands after the `?` in the list's address.
    query: String,
}

#[derive(Template)]
#[template(path = "accounts/filter.html", blocks = ["dialog"])]
struct FilterPage {
    chrome: Chrome,
    errors: FieldErrors,
    form: FilterForm,
}

impl FilterPage {
    fn of(viewer: &Viewer, form: FilterForm, errors: FieldErrors) -> Self {
        Self { chrome: viewer.chrome("Save this filter", Section::Accounts), errors, form }
    }
}

async fn new(viewer: Viewer, partial: Partial, Query(asked): Query<Asked>) -> Response {
    let form = FilterForm { name: String::new(), query: asked.kept() };
    let page = FilterPage::of(&viewer, form, FieldErrors::default());
    whole_or_part(partial, &page, page.as_dialog())
}

async fn save(
    State(app): State<AppState>,
    viewer: Viewer,
    partial: Partial,
    Form(form): Form<FilterForm>,
) -> web::Result<Response> {
    let query = Asked::read(&form.query).kept();
    let mut errors = FieldErrors::default();
    let name = errors.take("name", text::line(&form.name, 60));
    if name.as_deref() == Some("") {
        errors.add("name", "Give the filter a name.");
    }
    let refuse = |errors| {
        let page = FilterPage::of(&viewer, form.clone(), errors);
        Ok(refused_in(partial, &page, page.as_dialog()))
    };
    let Some(name) = name.filter(|_| errors.is_empty()) else { return refuse(errors) };
    let filter = Filter { id: FilterId::new(), name, query };
    match filters::save(&app.db, viewer.staff, &filter, app.clock.now()).await {
        Ok(()) => {
            let saved = format!("Saved as “{}”.", filter.name);
            Ok(see_other_saying(format!("/accounts?{}", filter.query), &saved))
        }
        Err(SaveError::Db(error)) => Err(error.into()),
        Err(refusal) => refuse(FieldErrors::just("name", refusal)),
    }
}

async fn remove(
    State(app): State<AppState>,
    viewer: Viewer,
    Path(filter): Path<FilterId>,
) -> web::Result<Response> {
    let name = filters::remove(&app.db, viewer.staff, filter).await?.or_not_found()?;
    Ok(see_other_saying("/accounts", &format!("Removed the filter “{name}”.")))
}
