//! Addresses under which a calendar program reads when secrets end: made, revoked, and read.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;

use crate::audit::{self, Changes, Entry};
use crate::ids::CalendarId;
use crate::kit::secret::Secret;
use crate::kit::text::line;
use crate::kit::token;
use crate::notifications::calendar::store::{self, Calendar, NewCalendar};
use crate::notifications::calendar::{Ending, calendar};
use crate::notifications::message::link;
use crate::staff::{Viewer, carry};
use crate::state::AppState;
use crate::web::{
    self, Chrome, FieldErrors, Form, OrNotFound, Page, Path, Section, refused, see_other,
    see_other_saying,
};

const MOST: i64 = 20;

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/calendars", get(show).post(make))
        .route("/calendars/{calendar}/revoke", post(revoke))
        .route("/ical/{file}", get(read))
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct CalendarForm {
    name: String,
}

#[derive(Template)]
#[template(path = "notifications/calendars.html")]
struct CalendarsPage {
    chrome: Chrome,
    calendars: Vec<Calendar>,
    form: CalendarForm,
    errors: FieldErrors,
    /// The address that was just made, the one time it is shown.
    address: Option<String>,
    of_partner: bool,
    may_change: bool,
}

impl CalendarsPage {
    async fn of(app: &AppState, viewer: &Viewer) -> sqlx::Result<Self> {
        let section = if viewer.is_partner() { Section::Settings } else { Section::Profile };
        Ok(Self {
            chrome: viewer.chrome("Expiry calendars", section),
            calendars: store::of(&app.db, viewer.scope()).await?,
            form: CalendarForm::default(),
            errors: FieldErrors::default(),
            address: None,
            of_partner: viewer.is_partner(),
            may_change: viewer.may_change(),
        })
    }
}

async fn show(
    State(app): State<AppState>,
    viewer: Viewer,
    headers: HeaderMap,
) -> web::Result<Response> {
    let mut page = CalendarsPage::of(&app, &viewer).await?;
    page.address = fresh_address(&app, &viewer, &headers).await?;
    let shown = page.address.is_some();
    let response = Page(page).into_response();
    if shown { carry::shown(&app, response) } else { Ok(response) }
}

/// The address that the step before this one made, if it is theirs and leads somewhere.
async fn fresh_address(
    app: &AppState,
    viewer: &Viewer,
    headers: &HeaderMap,
) -> web::Result<Option<String>> {
    let Some(token) = carry::carried(app, headers) else { return Ok(None) };
    let found = store::by_digest(&app.db, &token::digest(token.reveal())).await?;
    let theirs = found.is_some_and(|found| found.whose == viewer.scope());
    let address = || link(&app.config.public_url, &format!("/ical/{}.ics", token.reveal()));
    Ok(theirs.then(address))
}

async fn make(
    State(app): State<AppState>,
    viewer: Viewer,
    Form(form): Form<CalendarForm>,
) -> web::Result<Response> {
    if !viewer.may_change() {
        return Err(web::Error::Forbidden);
    }
    let name = line(&form.name, 80).map_err(|refused| refused.to_string()).and_then(|name| {
        let given = "Give it a name, such as that of whoever subscribes to it.".to_owned();
        if name.is_empty() { Err(given) } else { Ok(name) }
    });
    let name = match name {
        Ok(name) => name,
        Err(complaint) => {
            let errors = FieldErrors::just("name", complaint);
            let page = CalendarsPage { form, errors, ..CalendarsPage::of(&app, &viewer).await? };
            return Ok(refused(page));
        }
    };
    let Some(token) = insert(&app, &viewer, &name).await? else {
        let full = format!("There are {MOST} already. Revoke one that nobody reads.");
        let errors = FieldErrors::just("form", full);
        let page = CalendarsPage { form, errors, ..CalendarsPage::of(&app, &viewer).await? };
        return Ok(refused(page));
    };
    carry::carry(&app, see_other("/calendars"), &token)
}

async fn insert(app: &AppState, viewer: &Viewer, name: &str) -> web::Result<Option<Secret>> {
    let (token, now) = (token::random(), app.clock.now());
    let new = NewCalendar {
        id: CalendarId::new(),
        whose: viewer.scope(),
        name,
        digest: &token::digest(token.reveal()),
        made_by: viewer.email.as_str(),
    };
    let mut tx = app.db.begin().await?;
    if !store::insert(&mut *tx, new, MOST, now).await? {
        return Ok(None);
    }
    note(&mut tx, app, viewer, "calendar.made", format!("The expiry calendar {name} was made."))
        .await?;
    tx.commit().await?;
    Ok(Some(token))
}

#[derive(Clone, Copy, Debug, Deserialize)]
struct InPath {
    calendar: CalendarId,
}

async fn revoke(
    State(app): State<AppState>,
    viewer: Viewer,
    Path(InPath { calendar }): Path<InPath>,
) -> web::Result<Response> {
    if !viewer.may_change() {
        return Err(web::Error::Forbidden);
    }
    let mut tx = app.db.begin().await?;
    let name = store::revoke(&mut *tx, viewer.scope(), calendar).await?.or_not_found()?;
    let summary = format!("The expiry calendar {name} was revoked.");
    note(&mut tx, &app, &viewer, "calendar.revoked", summary).await?;
    tx.commit().await?;
    let said = format!("The calendar {name} is revoked: its address leads nowhere now.");
    Ok(see_other_saying("/calendars", &said))
}

async fn note(
    tx: &mut sqlx::PgConnection,
    app: &AppState,
    viewer: &Viewer,
    action: &'static str,
    summary: String,
) -> sqlx::Result<()> {
    let entry = Entry { action, summary, account: None, changes: Changes::default() };
    audit::note(tx, &viewer.actor(), entry, app.clock.now()).await
}

/// For calendar programs, which sign in nowhere: whoever has the address may read.
async fn read(State(app): State<AppState>, Path(file): Path<Secret>) -> web::Result<Response> {
    let token = file.reveal().strip_suffix(".ics").or_not_found()?;
    let found = store::by_digest(&app.db, &token::digest(token)).await?.or_not_found()?;
    store::note_read(&app.db, found.id, app.clock.now()).await?;
    let days = store::days(&app.db, found.whose).await?;
    let endings: Vec<_> = days
        .into_iter()
        .map(|day| Ending {
            url: link(
                &app.config.public_url,
                &format!("/accounts/{}/integrations/{}/configure", day.account, day.integration),
            ),
            integration: day.integration,
            account_name: day.account_name,
            connection_name: day.name,
            what: day.what,
            on: day.on,
            changed_at: day.changed_at,
            version: day.version,
        })
        .collect();
    let headers = [
        (header::CONTENT_TYPE, "text/calendar; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "inline; filename=\"expiry-dates.ics\""),
    ];
    Ok((headers, calendar(&found.name, &endings)).into_response())
}
