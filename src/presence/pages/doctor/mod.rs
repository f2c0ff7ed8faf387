//! The match doctor: who has no match, whom they might be, and matching many at once.

mod accept;
mod file;
mod list;
mod offer;
mod shared;
mod sheet;
mod verdicts;

use axum::Router;

use crate::audit::{self, Actor, Changes, Entry};
use crate::ids::{AccountId, CloudlinkUserId};
use crate::state::AppState;

pub fn routes() -> Router<AppState> {
    Router::new()
        .merge(list::routes())
        .merge(accept::routes())
        .merge(sheet::routes())
        .merge(file::routes())
}

fn at(account: AccountId) -> String {
    format!("/accounts/{account}/presence/matching")
}

/// One user whose match a person has changed, with the address before and after.
struct Changed {
    user: CloudlinkUserId,
    name: String,
    from: Option<String>,
    to: Option<String>,
}

/// So many changes are noted in one entry of the activity.
const NOTED_AT_ONCE: usize = 100;

/// Writes down what a person has changed of many users at once, each with old and new.
async fn note_changes(
    tx: &mut sqlx::PgConnection,
    actor: &Actor,
    account: (AccountId, &str),
    action: &'static str,
    all: &[Changed],
    now: chrono::DateTime<chrono::Utc>,
) -> sqlx::Result<()> {
    let how =
        if action == "user.matched" { "matched by hand" } else { "left to automatic matching" };
    for some in all.chunks(NOTED_AT_ONCE) {
        let summary = match some {
            [Changed { name, to: Some(to), .. }] => format!("{name} was {how}, with {to}."),
            [Changed { name, .. }] => format!("{name} was {how}."),
            many => format!("{} users were {how}.", many.len()),
        };
        let changes = some.iter().fold(Changes::default(), |changes, one| {
            let namesakes = some.iter().filter(|other| other.name == one.name).count();
            let who = match namesakes {
                1 => one.name.clone(),
                _ => format!("{} ({})", one.name, one.user),
            };
            changes.field(&who, one.from.clone(), one.to.clone())
        });
        let entry = Entry { action, summary, account: Some(account), changes };
        audit::note(&mut *tx, actor, entry, now).await?;
    }
    Ok(())
}
