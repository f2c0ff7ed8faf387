//! What a telephone's state means in Teams, for one account.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use super::cost;
use super::mapping_form::{NewRule, TableForm};
use super::older::Older;
use super::preview::Shown;
use crate::accounts::{Account, TheAccount, TheAccountToChange};
use crate::audit::{self, Changes, Entry};
use crate::integrations::Ability;
use crate::microsoft::Shows;
use crate::presence::mapping::{DEFAULT, Decision, Mapping, Rule};
use crate::presence::store::rules::{self, Unmapped};
use crate::presence::store::{self, overview};
use crate::staff::Viewer;
use crate::state::AppState;
use crate::web::{self, AccountTab, Chrome, FieldErrors, Form, Page};

pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/accounts/{account}/presence/mapping", get(show).post(save))
        .route("/accounts/{account}/presence/mapping/rules", post(add))
        .route("/accounts/{account}/presence/mapping/reset", post(reset))
}

#[derive(Template)]
#[template(path = "presence/mapping.html")]
pub(super) struct MappingPage {
    chrome: Chrome,
    account: Account,
    may_change: bool,
    /// The release it has leaves nothing to change.
    older: Option<Older>,
    rules: Vec<Line>,
    /// Some rule differs from the default.
    own: bool,
    choices: Vec<(&'static str, &'static str)>,
    cost: Option<String>,
    unmapped: Vec<Unmapped>,
    form: NewRule,
    errors: FieldErrors,
    preview: Option<Shown>,
}

impl MappingPage {
    pub(super) fn previewing(self, shown: Shown) -> Self {
        Self { preview: Some(shown), ..self }
    }
}

/// One line of the table.
struct Line {
    state: String,
    decision: Decision,
    /// In words, where it differs from the default.
    was: Option<&'static str>,
    /// The default table does not name the state.
    added: bool,
}

impl From<Rule> for Line {
    fn from(rule: Rule) -> Self {
        let added = DEFAULT.iter().all(|(state, _)| *state != rule.state);
        let differs = !added && rule.decision != rule.default;
        let was = differs.then(|| rule.default.label());
        Self { state: rule.state, decision: rule.decision, was, added }
    }
}

async fn show(State(app): State<AppState>, the: TheAccount) -> web::Result {
    let mapping = rules::mapping(&app.db, the.account.id).await?;
    let chrome = the.chrome("Mapping", AccountTab::Mapping);
    let page = page(&app, chrome, &the.account, &the.viewer, &mapping).await?;
    Ok(Page(page).into_response())
}

pub(super) async fn page(
    app: &AppState,
    chrome: Chrome,
    account: &Account,
    viewer: &Viewer,
    mapping: &Mapping,
) -> web::Result<MappingPage> {
    let numbers = overview::numbers(&app.db, account.id).await?;
    let older = Older::than(app, account, Ability::OwnMapping).await?;
    Ok(MappingPage {
        chrome,
        account: account.clone(),
        may_change: viewer.may_change() && older.is_none(),
        older,
        rules: mapping.rules().into_iter().map(Line::from).collect(),
        own: mapping.differences().next().is_some(),
        choices: Decision::ALL.iter().map(|choice| (choice.as_str(), words(*choice))).collect(),
        cost: cost::of_resting(
            mapping,
            numbers.matched(),
            app.config.microsoft.requests_per_second,
        ),
        unmapped: rules::unmapped(&app.db, account.id).await?,
        form: NewRule { shows: "in-a-call".to_owned(), ..NewRule::default() },
        errors: FieldErrors::default(),
        preview: None,
    })
}

/// A choice as the table offers it: what Teams will show, by both of Microsoft's words.
fn words(decision: Decision) -> &'static str {
    match decision {
        Decision::Show(Shows::Available) => "Available",
        Decision::Show(Shows::InACall) => "Busy, in a call",
        Decision::Show(Shows::InAConferenceCall) => "Busy, in a conference call",
        Decision::Show(Shows::Away) => "Away",
        Decision::Show(Shows::Presenting) => "Do not disturb, presenting",
        Decision::Clear => "Let Teams decide",
        Decision::NoChange => "No change",
    }
}

async fn save(
    State(app): State<AppState>,
    the: TheAccountToChange,
    Form(fields): Form<Vec<(String, String)>>,
) -> web::Result {
    let form = TableForm::from(fields);
    let old = rules::mapping(&app.db, the.account.id).await?;
    match form.parse(&old) {
        Ok(new) => keep(&app, &the, |_| new).await,
        Err(errors) => refused(&app, &the, &form, errors).await,
    }
}

/// The table as typed, with what is wrong with it.
pub(super) async fn refused(
    app: &AppState,
    the: &TheAccountToChange,
    form: &TableForm,
    errors: FieldErrors,
) -> web::Result {
    let chrome = the.chrome("Mapping", AccountTab::Mapping);
    let draft = form.draft();
    let page = page(app, chrome, &the.account, &the.viewer, &draft).await?;
    let form = NewRule { state: form.new_state.clone(), shows: form.new_shows.clone() };
    Ok(web::refused(MappingPage { form, errors, ..page }))
}

/// One more rule, for a state that was seen and that no rule names.
async fn add(
    State(app): State<AppState>,
    the: TheAccountToChange,
    Form(rule): Form<NewRule>,
) -> web::Result {
    let old = rules::mapping(&app.db, the.account.id).await?;
    match rule.parse() {
        Ok(rule) => {
            let with = |old: &Mapping| {
                let kept = old.differences().map(|(state, decision)| (state.to_owned(), decision));
                Mapping::with(kept.chain([rule]))
            };
            keep(&app, &the, with).await
        }
        Err(refused) => {
            let mut errors = FieldErrors::default();
            for (field, wrong) in [("new_state", "state"), ("new_shows", "shows")] {
                if let Some(complaint) = refused.of(wrong) {
                    errors.add(field, complaint);
                }
            }
            let chrome = the.chrome("Mapping", AccountTab::Mapping);
            let page = page(&app, chrome, &the.account, &the.viewer, &old).await?;
            Ok(web::refused(MappingPage { form: rule, errors, ..page }))
        }
    }
}

async fn reset(State(app): State<AppState>, the: TheAccountToChange) -> web::Result {
    keep(&app, &the, |_| Mapping::default()).await
}

/// Keeps what becomes of the mapping that is in force by now: nobody else changes it meanwhile.
async fn keep(
    app: &AppState,
    TheAccountToChange { viewer, account }: &TheAccountToChange,
    change: impl FnOnce(&Mapping) -> Mapping,
) -> web::Result<Response> {
    let now = app.clock.now();
    let back = format!("/accounts/{}/presence/mapping", account.id);
    if let Some(older) = Older::than(app, account, Ability::OwnMapping).await? {
        return Ok(older.refuse(back));
    }
    let mut tx = app.db.begin().await?;
    store::lock(&mut tx, account.id).await?;
    let old = rules::mapping(&mut *tx, account.id).await?;
    let new = change(&old);
    let changes = changes(&old, &new);
    if changes.is_empty() {
        return Ok(web::see_other_saying(back, "Nothing was changed."));
    }
    rules::replace(&mut tx, account.id, &new).await?;
    rules::mark(&mut *tx, account.id, now).await?;
    let concerned = rules::decide_anew(&mut tx, account.id, &new, now).await?;
    let entry = Entry {
        action: "mapping.changed",
        summary: "Changed what CloudLink states mean in Teams.".to_owned(),
        account: Some((account.id, &account.name)),
        changes,
    };
    audit::note(&mut tx, &viewer.actor(), entry, now).await?;
    tx.commit().await?;
    app.wakes.ring(account.id);
    let said = match concerned {
        0 => "Saved. Nobody shows anything else for it now.".to_owned(),
        1 => "Saved. One user shows something else now.".to_owned(),
        many => format!("Saved. {many} users show something else now."),
    };
    Ok(web::see_other_saying(back, &said))
}

/// State by state, the old meaning and the new.
fn changes(old: &Mapping, new: &Mapping) -> Changes {
    let rules = old.rules().into_iter().chain(new.rules());
    rules.fold(Changes::default(), |changes, rule| {
        let said = |mapping: &Mapping| {
            mapping.names(&rule.state).then(|| mapping.decide(&rule.state).label())
        };
        changes.field(&rule.state, said(old), said(new))
    })
}
