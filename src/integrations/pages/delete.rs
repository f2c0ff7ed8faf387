//! Deleting an account: at once when nothing stands in Teams, else as soon as it is cleared.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;

use crate::accounts::confirm::{Question, Typed, partner_only};
use crate::accounts::{self, TheAccountToChange};
use crate::audit::{self, Changes, Entry};
use crate::ids::AccountId;
use crate::integrations::store;
use crate::staff::Viewer;
use crate::state::AppState;
use crate::web::{self, Form, Page, Partial, Path, see_other_saying};

const DELETE: Question = Question {
    word: "delete",
    button: "Delete",
    consequences: &[
        "Presence sync stops and whatever it shows in Teams is cleared first. Then the account goes, with its integration, its mapping and its matches.",
        "This cannot be undone. What was done with it stays readable under Activity.",
    ],
};

pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/accounts/{account}/delete", get(ask).post(delete))
        .route("/accounts/{account}/deleting", get(progress))
}

async fn ask(the: TheAccountToChange, partial: Partial) -> web::Result<Response> {
    partner_only(&the)?;
    Ok(DELETE.ask(&the, partial))
}

async fn delete(
    State(app): State<AppState>,
    the: TheAccountToChange,
    partial: Partial,
    Form(typed): Form<Typed>,
) -> web::Result<Response> {
    partner_only(&the)?;
    if !DELETE.is_answered(&typed) {
        return Ok(DELETE.ask_again(&the, partial, typed));
    }
    let name = &the.account.name;
    if delete_now_or_begin(&app, &the).await? {
        return Ok(see_other_saying("/accounts", &format!("{name} is deleted.")));
    }
    app.wakes.ring(the.account.id);
    let said = format!("{name} is being deleted: presence in Teams is cleared first.");
    Ok(see_other_saying(format!("/accounts/{}", the.account.id), &said))
}

/// Deletes the account if nothing can stand outside; else leaves that to the worker, and says no.
async fn delete_now_or_begin(app: &AppState, the: &TheAccountToChange) -> web::Result<bool> {
    let (account, now) = (&the.account, app.clock.now());
    let mut tx = app.db.begin().await?;
    accounts::store::lock(&mut tx, account.id).await?;
    let integration = store::of_account(&mut *tx, account.id).await?;
    let is_used = integration.as_ref().is_some_and(|found| found.connection.is_some());
    let (action, summary) = if is_used {
        ("account.deletion_begun", format!("{} is being deleted.", account.name))
    } else {
        ("account.deleted", format!("{} was deleted.", account.name))
    };
    if let Some(integration) = integration {
        if is_used {
            store::begin_removing(&mut *tx, account.id, integration.id, now).await?;
        } else {
            store::forget_unused(&mut *tx, account.id, integration.id).await?;
        }
    }
    let is_news = if is_used {
        accounts::store::begin_deleting(&mut *tx, account.id, now).await?
    } else {
        accounts::store::delete(&mut *tx, account.id).await?;
        true
    };
    if is_news {
        let account = Some((account.id, account.name.as_str()));
        let entry = Entry { action, summary, account, changes: Changes::default() };
        audit::note(&mut tx, &the.viewer.actor(), entry, now).await?;
    }
    tx.commit().await?;
    Ok(!is_used)
}

#[derive(Template)]
#[template(path = "accounts/deleting.html")]
struct DeletingPart {
    id: AccountId,
}

#[derive(Clone, Copy, Debug, Deserialize)]
struct InPath {
    account: AccountId,
}

/// What refreshes itself until the account is gone; then it leads back to the list.
async fn progress(
    State(app): State<AppState>,
    viewer: Viewer,
    Path(InPath { account: id }): Path<InPath>,
) -> web::Result<Response> {
    Ok(match accounts::store::find(&app.db, id, viewer.scope()).await? {
        Some(_) => Page(DeletingPart { id }).into_response(),
        None => see_other_saying("/accounts", "The account is deleted."),
    })
}
