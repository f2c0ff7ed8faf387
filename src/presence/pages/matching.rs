//! Saying by hand who in Entra a user is, and taking that back.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use serde::Deserialize;
use sqlx::PgPool;

use super::user::InPath;
use crate::accounts::{Account, TheAccountToChange};
use crate::audit::{self, Changes, Entry};
use crate::ids::{AccountId, EntraUserId};
use crate::presence::store::candidates::{self, Candidate};
use crate::presence::store::why::{self, Person};
use crate::presence::store::{self, by_hand};
use crate::state::AppState;
use crate::web::{
    self, AccountTab, Chrome, FieldErrors, Form, OrNotFound, Page, Partial, Path, Query,
};

/// Whoever is not among these is found by typing more.
const SHOWN: i64 = 20;

pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/accounts/{account}/presence/users/{user}/match", get(choose).post(take))
        .route("/accounts/{account}/presence/users/{user}/match/automatic", post(automatic))
}

#[derive(Template)]
#[template(path = "presence/match.html")]
struct MatchPage {
    chrome: Chrome,
    dialog: MatchDialog,
}

#[derive(Template)]
#[template(path = "presence/match_dialog.html")]
struct MatchDialog {
    account: Account,
    person: Person,
    search: String,
    candidates: Vec<Candidate>,
    errors: FieldErrors,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    q: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Chosen {
    entra: String,
    q: String,
}

async fn choose(
    State(app): State<AppState>,
    the: TheAccountToChange,
    Path(InPath { user }): Path<InPath>,
    Query(asked): Query<Asked>,
    Partial(partial): Partial,
) -> web::Result {
    let account = &the.account;
    let person = why::person(&app.db, account.id, &user).await?.or_not_found()?;
    let search = asked.q;
    let candidates = offered(&app.db, account.id, &person, &search).await?;
    let errors = FieldErrors::default();
    let dialog = MatchDialog { account: account.clone(), person, search, candidates, errors };
    if partial {
        return Ok(Page(dialog).into_response());
    }
    let chrome = the.chrome("Match by hand", AccountTab::Presence);
    Ok(Page(MatchPage { chrome, dialog }).into_response())
}

async fn take(
    State(app): State<AppState>,
    the: TheAccountToChange,
    Path(InPath { user }): Path<InPath>,
    Partial(partial): Partial,
    Form(chosen): Form<Chosen>,
) -> web::Result {
    let account = &the.account;
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    store::lock(&mut tx, account.id).await?;
    let person = why::person(&mut *tx, account.id, &user).await?.or_not_found()?;
    let candidate = match chosen.entra.parse::<EntraUserId>() {
        Ok(id) => candidates::one(&mut *tx, account.id, &user, id).await?,
        Err(_) => None,
    };
    let (candidate, complaint) = judged(candidate);
    let Some(candidate) = candidate else {
        drop(tx);
        let search = chosen.q;
        let candidates = offered(&app.db, account.id, &person, &search).await?;
        let errors = FieldErrors::just("entra", complaint);
        let dialog = MatchDialog { account: account.clone(), person, search, candidates, errors };
        if partial {
            return Ok(web::refused(dialog));
        }
        let chrome = the.chrome("Match by hand", AccountTab::Presence);
        return Ok(web::refused(MatchPage { chrome, dialog }));
    };
    by_hand::match_with(&mut tx, account.id, &user, candidate.id, now).await?;
    let entry = Entry {
        action: "user.matched",
        summary: format!("{} was matched by hand with {}.", person.name, candidate.address),
        account: Some((account.id, &account.name)),
        changes: Changes::default().field(
            "entra user",
            person.entra_address.clone(),
            candidate.address.clone(),
        ),
    };
    audit::note(&mut tx, &the.viewer.actor(), entry, now).await?;
    tx.commit().await?;
    app.wakes.ring(account.id);
    let said = format!("{} is matched with {}.", person.name, candidate.name);
    Ok(web::see_other_saying(format!("/accounts/{}/presence/users/{user}", account.id), &said))
}

/// Whom a search finds; before there is one, who is likely.
async fn offered(
    db: &PgPool,
    account: AccountId,
    person: &Person,
    search: &str,
) -> sqlx::Result<Vec<Candidate>> {
    if search.trim().is_empty() {
        candidates::likely(db, account, person, SHOWN).await
    } else {
        candidates::found(db, account, &person.user, search, SHOWN).await
    }
}

/// Whether this Entra user may be taken; else what to say.
fn judged(candidate: Option<Candidate>) -> (Option<Candidate>, String) {
    match candidate {
        None => (None, "Choose somebody from the list.".to_owned()),
        Some(Candidate { taken_by: Some(other), name, .. }) => (
            None,
            format!(
                "{name} is matched with {other} already. Exclude {other}, or match {other} with somebody else first."
            ),
        ),
        Some(candidate) => (Some(candidate), String::new()),
    }
}

async fn automatic(
    State(app): State<AppState>,
    TheAccountToChange { viewer, account }: TheAccountToChange,
    Path(InPath { user }): Path<InPath>,
) -> web::Result {
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    store::lock(&mut tx, account.id).await?;
    let before = why::person(&mut *tx, account.id, &user).await?.or_not_found()?;
    by_hand::match_automatically(&mut tx, account.id, &user, now).await?;
    let after = why::person(&mut *tx, account.id, &user).await?.or_not_found()?;
    let entry = Entry {
        action: "user.matched_automatically",
        summary: format!("{} is matched by e-mail address again.", after.name),
        account: Some((account.id, &account.name)),
        changes: Changes::default().field(
            "entra user",
            before.entra_address,
            after.entra_address.clone(),
        ),
    };
    audit::note(&mut tx, &viewer.actor(), entry, now).await?;
    tx.commit().await?;
    app.wakes.ring(account.id);
    let said = match after.entra_address {
        Some(address) => format!("{} is matched automatically, with {address}.", after.name),
        None => format!("{} is left to automatic matching, which finds nobody so far.", after.name),
    };
    Ok(web::see_other_saying(format!("/accounts/{}/presence/users/{user}", account.id), &said))
}
