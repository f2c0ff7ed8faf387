//! Pausing the sync of an account or of one user, for some hours or outside working hours.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use sqlx::PgConnection;

use super::older::Older;
use super::pause_form::{HoursForm, PauseForm, ZONES, said};
use super::pausing::words;
use crate::accounts::{Account, TheAccountToChange};
use crate::audit::{self, Changes, Entry};
use crate::ids::CloudlinkUserId;
use crate::integrations::Ability;
use crate::presence::plan::pause::{Pause, rest};
use crate::presence::store::why::{self, Person};
use crate::presence::store::{self, pauses};
use crate::state::AppState;
use crate::web::{self, AccountTab, Chrome, FieldErrors, Form, OrNotFound, Page, Partial, Path};

pub fn routes() -> Router<AppState> {
    let mut routes = Router::new();
    for at in ["/accounts/{account}/presence", "/accounts/{account}/presence/users/{user}"] {
        routes = routes
            .route(&format!("{at}/pause"), get(show).post(pause))
            .route(&format!("{at}/pause/end"), post(resume))
            .route(&format!("{at}/pause/hours"), post(keep_hours))
            .route(&format!("{at}/pause/hours/end"), post(forget_hours));
    }
    routes
}

/// Without a user the whole account is meant.
#[derive(Clone, Debug, Deserialize)]
struct InPath {
    user: Option<CloudlinkUserId>,
}

/// Whose pause it is, and what was said of it so far.
struct Whose {
    account: Account,
    person: Option<Person>,
    pause: Pause,
}

impl Whose {
    async fn of(db: &mut PgConnection, account: &Account, path: InPath) -> web::Result<Self> {
        let person = match &path.user {
            Some(user) => Some(why::person(&mut *db, account.id, user).await?.or_not_found()?),
            None => None,
        };
        let (whole, own) = pauses::of(&mut *db, account.id, path.user.as_ref()).await?;
        let pause = if person.is_some() { own } else { whole };
        Ok(Self { account: account.clone(), person, pause })
    }

    /// The page it is said on.
    fn at(&self) -> String {
        let presence = format!("/accounts/{}/presence", self.account.id);
        match &self.person {
            Some(person) => format!("{presence}/users/{}", person.user),
            None => presence,
        }
    }

    /// As the beginning of a sentence.
    fn name(&self) -> String {
        match &self.person {
            Some(person) => format!("Sync for {}", person.name),
            None => "Presence sync".to_owned(),
        }
    }
}

#[derive(Template)]
#[template(path = "presence/match.html")]
struct PausePage {
    chrome: Chrome,
    dialog: PauseDialog,
}

#[derive(Template)]
#[template(path = "presence/pause_dialog.html")]
struct PauseDialog {
    title: String,
    back: String,
    /// Some hours are left of a pause.
    paused: bool,
    has_hours: bool,
    pause: PauseForm,
    hours: HoursForm,
    zones: [&'static str; 24],
    errors: FieldErrors,
}

impl PauseDialog {
    fn of(app: &AppState, whose: &Whose) -> Self {
        let title = match &whose.person {
            Some(person) => format!("Pause sync for {}", person.name),
            None => "Pause presence sync".to_owned(),
        };
        Self {
            title,
            back: whose.at(),
            paused: whose.pause.until.is_some_and(|until| until > app.clock.now()),
            has_hours: whose.pause.hours.is_some(),
            pause: PauseForm { hours: "4".to_owned() },
            hours: HoursForm::of(whose.pause, &whose.account.country),
            zones: ZONES,
            errors: FieldErrors::default(),
        }
    }
}

async fn show(
    State(app): State<AppState>,
    the: TheAccountToChange,
    Path(path): Path<InPath>,
    Partial(partial): Partial,
) -> web::Result {
    let whose = Whose::of(&mut *app.db.acquire().await?, &the.account, path).await?;
    let dialog = PauseDialog::of(&app, &whose);
    if partial {
        return Ok(Page(dialog).into_response());
    }
    let chrome = the.chrome(dialog.title.clone(), AccountTab::Presence);
    Ok(Page(PausePage { chrome, dialog }).into_response())
}

fn refused(the: &TheAccountToChange, dialog: PauseDialog, partial: bool) -> Response {
    if partial {
        return web::refused(dialog);
    }
    let chrome = the.chrome(dialog.title.clone(), AccountTab::Presence);
    web::refused(PausePage { chrome, dialog })
}

async fn pause(
    State(app): State<AppState>,
    the: TheAccountToChange,
    Path(path): Path<InPath>,
    Partial(partial): Partial,
    Form(form): Form<PauseForm>,
) -> web::Result {
    let whose = Whose::of(&mut *app.db.acquire().await?, &the.account, path).await?;
    match form.parse() {
        Ok(time) => {
            let (until, words) = said(time, app.clock.now());
            let done = format!("{} is paused for {words}.", whose.name());
            let change = |old| Pause { until: Some(until), ..old };
            keep(&app, &the, &whose, change, ("paused", done)).await
        }
        Err(errors) => {
            let dialog = PauseDialog { pause: form, errors, ..PauseDialog::of(&app, &whose) };
            Ok(refused(&the, dialog, partial))
        }
    }
}

async fn resume(
    State(app): State<AppState>,
    the: TheAccountToChange,
    Path(path): Path<InPath>,
) -> web::Result {
    let whose = Whose::of(&mut *app.db.acquire().await?, &the.account, path).await?;
    let change = |old| Pause { until: None, ..old };
    let still = rest(&[change(whose.pause)], app.clock.now()).now;
    let done = if still {
        format!("{} goes on with the next working hours.", whose.name())
    } else {
        format!("{} goes on.", whose.name())
    };
    keep(&app, &the, &whose, change, ("resumed", done)).await
}

async fn keep_hours(
    State(app): State<AppState>,
    the: TheAccountToChange,
    Path(path): Path<InPath>,
    Partial(partial): Partial,
    Form(form): Form<HoursForm>,
) -> web::Result {
    let whose = Whose::of(&mut *app.db.acquire().await?, &the.account, path).await?;
    match form.parse() {
        Ok(hours) => {
            let done = format!("{} keeps working hours: {}.", whose.name(), words(hours));
            let change = |old| Pause { hours: Some(hours), ..old };
            keep(&app, &the, &whose, change, ("hours_set", done)).await
        }
        Err(errors) => {
            let dialog = PauseDialog { hours: form, errors, ..PauseDialog::of(&app, &whose) };
            Ok(refused(&the, dialog, partial))
        }
    }
}

async fn forget_hours(
    State(app): State<AppState>,
    the: TheAccountToChange,
    Path(path): Path<InPath>,
) -> web::Result {
    let whose = Whose::of(&mut *app.db.acquire().await?, &the.account, path).await?;
    let done = format!("{} keeps no working hours any more.", whose.name());
    let change = |old| Pause { hours: None, ..old };
    keep(&app, &the, &whose, change, ("hours_removed", done)).await
}

/// Writes down what becomes of the pause that is kept by now, tells the worker, and says so.
async fn keep(
    app: &AppState,
    the: &TheAccountToChange,
    whose: &Whose,
    change: impl FnOnce(Pause) -> Pause,
    (deed, done): (&'static str, String),
) -> web::Result<Response> {
    let (now, account) = (app.clock.now(), &whose.account);
    if whose.person.is_some()
        && let Some(older) = Older::than(app, account, Ability::UserScope).await?
    {
        return Ok(older.refuse(whose.at()));
    }
    let user = whose.person.as_ref().map(|person| &person.user);
    let mut tx = app.db.begin().await?;
    store::lock(&mut tx, account.id).await?;
    let (of_all, own) = pauses::of(&mut *tx, account.id, user).await?;
    let old = if user.is_some() { own } else { of_all };
    let pause = change(old);
    if pause != old {
        pauses::save(&mut tx, account.id, user, pause, rest(&[pause], now).now).await?;
        let until =
            |pause: &Pause| pause.until.map(|until| until.format("%Y-%m-%d %H:%M UTC").to_string());
        let entry =
            Entry {
                action: action(user.is_some(), deed),
                summary: done.clone(),
                account: Some((account.id, &account.name)),
                changes: Changes::default()
                    .field("paused until", until(&old), until(&pause))
                    .field("working hours", old.hours.map(words), pause.hours.map(words)),
            };
        audit::note(&mut tx, &the.viewer.actor(), entry, now).await?;
        tx.commit().await?;
        app.wakes.ring(account.id);
    }
    Ok(web::see_other_saying(whose.at(), &done))
}

fn action(of_user: bool, deed: &str) -> &'static str {
    match (of_user, deed) {
        (false, "paused") => "presence.paused",
        (false, "resumed") => "presence.resumed",
        (false, "hours_set") => "presence.hours_set",
        (false, _) => "presence.hours_removed",
        (true, "paused") => "user.paused",
        (true, "resumed") => "user.resumed",
        (true, "hours_set") => "user.hours_set",
        (true, _) => "user.hours_removed",
    }
}
