//! Deactivating an account, and taking that back.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};

use crate::accounts::confirm::{Question, Typed, partner_only};
use crate::accounts::{TheAccountToChange, store};
use crate::audit::{self, Changes, Entry};
use crate::state::AppState;
use crate::web::{self, Form, Partial, see_other_saying};

const DEACTIVATE: Question = Question {
    word: "deactivate",
    button: "Deactivate",
    consequences: &[
        "Presence sync stops, and whatever it shows in Teams is cleared within moments.",
        "Nothing is forgotten: the account, its integration and its settings stay, and you can reactivate it.",
    ],
};

pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/accounts/{account}/deactivate", get(ask).post(deactivate))
        .route("/accounts/{account}/reactivate", post(reactivate))
}

async fn ask(the: TheAccountToChange, partial: Partial) -> web::Result<Response> {
    partner_only(&the)?;
    Ok(DEACTIVATE.ask(&the, partial))
}

async fn deactivate(
    State(app): State<AppState>,
    the: TheAccountToChange,
    partial: Partial,
    Form(typed): Form<Typed>,
) -> web::Result<Response> {
    partner_only(&the)?;
    if !DEACTIVATE.is_answered(&typed) {
        return Ok(DEACTIVATE.ask_again(&the, partial, typed));
    }
    set(&app, &the, true).await?;
    let said = format!("{} is deactivated.", the.account.name);
    Ok(see_other_saying(format!("/accounts/{}", the.account.id), &said))
}

async fn reactivate(State(app): State<AppState>, the: TheAccountToChange) -> web::Result<Response> {
    partner_only(&the)?;
    set(&app, &the, false).await?;
    let said = format!("{} is active again.", the.account.name);
    Ok(see_other_saying(format!("/accounts/{}", the.account.id), &said))
}

async fn set(app: &AppState, the: &TheAccountToChange, deactivated: bool) -> web::Result<()> {
    let (account, now) = (&the.account, app.clock.now());
    let (action, summary) = if deactivated {
        ("account.deactivated", format!("{} was deactivated.", account.name))
    } else {
        ("account.reactivated", format!("{} was reactivated.", account.name))
    };
    let mut tx = app.db.begin().await?;
    if store::set_deactivated(&mut *tx, account.id, deactivated, now).await? {
        let (account, changes) = (Some((account.id, account.name.as_str())), Changes::default());
        let entry = Entry { action, summary, account, changes };
        audit::note(&mut tx, &the.viewer.actor(), entry, now).await?;
    }
    tx.commit().await?;
    app.wakes.ring(account.id);
    Ok(())
}
