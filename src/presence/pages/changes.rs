//! Leaving a user out, and taking them in again.

use axum::Router;
use axum::extract::State;
use axum::routing::post;

use super::older::Older;
use super::user::InPath;
use crate::accounts::TheAccountToChange;
use crate::audit::{self, Changes, Entry};
use crate::integrations::Ability;
use crate::presence::store::{self, by_hand, why};
use crate::state::AppState;
use crate::web::{self, OrNotFound, Path};

pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/accounts/{account}/presence/users/{user}/exclude", post(exclude))
        .route("/accounts/{account}/presence/users/{user}/include", post(include))
}

async fn exclude(
    State(app): State<AppState>,
    the: TheAccountToChange,
    Path(path): Path<InPath>,
) -> web::Result {
    set(&app, the, path, true).await
}

async fn include(
    State(app): State<AppState>,
    the: TheAccountToChange,
    Path(path): Path<InPath>,
) -> web::Result {
    set(&app, the, path, false).await
}

async fn set(
    app: &AppState,
    TheAccountToChange { viewer, account }: TheAccountToChange,
    InPath { user }: InPath,
    excluded: bool,
) -> web::Result {
    let now = app.clock.now();
    let older = Older::than(app, &account, Ability::UserScope).await?;
    if let Some(older) = older.filter(|_| excluded) {
        return Ok(older.refuse(format!("/accounts/{}/presence/users/{user}", account.id)));
    }
    let mut tx = app.db.begin().await?;
    store::lock(&mut tx, account.id).await?;
    let person = why::person(&mut *tx, account.id, &user).await?.or_not_found()?;
    let (action, done) =
        if excluded { ("user.excluded", "excluded") } else { ("user.included", "included") };
    let mut has_lost_match = false;
    if by_hand::set_excluded(&mut tx, account.id, &user, excluded, now).await? {
        let after = why::person(&mut *tx, account.id, &user).await?.or_not_found()?;
        has_lost_match = person.matched_by_hand && !after.matched_by_hand;
        let changes = Changes::default().field("excluded", !excluded, excluded).field(
            "entra user",
            person.entra_address.clone(),
            after.entra_address,
        );
        let entry = Entry {
            action,
            summary: format!("{} was {done}.", person.name),
            account: Some((account.id, &account.name)),
            changes,
        };
        audit::note(&mut tx, &viewer.actor(), entry, now).await?;
    }
    tx.commit().await?;
    app.wakes.ring(account.id);
    let said = if excluded {
        format!("{} is excluded. What we set in Teams is being cleared.", person.name)
    } else if has_lost_match {
        format!(
            "{} is included again, but somebody else is matched with {} by now: see whom they match.",
            person.name,
            person.entra_address.as_deref().unwrap_or("the Entra user they had")
        )
    } else {
        format!("{} is included again.", person.name)
    };
    Ok(web::see_other_saying(format!("/accounts/{}/presence/users/{user}", account.id), &said))
}
