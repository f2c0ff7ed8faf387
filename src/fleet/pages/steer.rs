//! Steering a run: cancel, resume, try again, undo.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::post;

use super::run::TheRun;
use crate::accounts;
use crate::audit::{self, Changes, Entry};
use crate::fleet::store;
use crate::ids::RunId;
use crate::runs::store::NewRun;
use crate::runs::{self, Deed, ItemState, Kind};
use crate::state::AppState;
use crate::web::{self, see_other, see_other_saying};

pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/bulk/{run}/cancel", post(cancel))
        .route("/bulk/{run}/resume", post(resume))
        .route("/bulk/{run}/again", post(again))
        .route("/bulk/{run}/undo", post(undo))
}

fn at(run: RunId) -> String {
    format!("/bulk/{run}")
}

/// Whoever began a run may have fewer rights by now.
fn may_steer(the: &TheRun) -> web::Result<()> {
    let is_partners =
        the.run.kind == Kind::Fleet || matches!(the.run.deed, Deed::Import | Deed::ForgetImported);
    if the.viewer.may_change() && (the.viewer.is_partner() || !is_partners) {
        Ok(())
    } else {
        Err(web::Error::Forbidden)
    }
}

async fn cancel(State(app): State<AppState>, the: TheRun) -> web::Result<Response> {
    may_steer(&the)?;
    let mut tx = app.db.begin().await?;
    if runs::store::cancel(&mut tx, the.run.id, app.clock.now()).await? {
        note(&mut tx, &app, &the, "bulk.cancelled", "was cancelled").await?;
    }
    tx.commit().await?;
    Ok(see_other_saying(at(the.run.id), "Cancelled. What was under way is finished."))
}

async fn resume(State(app): State<AppState>, the: TheRun) -> web::Result<Response> {
    may_steer(&the)?;
    let mut tx = app.db.begin().await?;
    if runs::store::resume(&mut tx, the.run.id, app.clock.now()).await? {
        note(&mut tx, &app, &the, "bulk.resumed", "goes on").await?;
    }
    tx.commit().await?;
    app.work.notify_one();
    Ok(see_other(at(the.run.id)))
}

/// The same once more, for those that failed.
async fn again(State(app): State<AppState>, the: TheRun) -> web::Result<Response> {
    may_steer(&the)?;
    if the.run.is_open() || the.run.undoes.is_some() {
        return Ok(see_other(at(the.run.id)));
    }
    begin(&app, &the, the.run.deed, ItemState::Failed, None).await
}

/// Takes back what the run has changed, where nobody has changed it since.
async fn undo(State(app): State<AppState>, the: TheRun) -> web::Result<Response> {
    may_steer(&the)?;
    let Some(deed) = the.run.takes_back() else {
        return Ok(see_other_saying(at(the.run.id), "That cannot be undone."));
    };
    if the.run.is_open() {
        return Ok(see_other_saying(at(the.run.id), "Cancel the rest first."));
    }
    begin(&app, &the, deed, ItemState::Done, Some(the.run.id)).await
}

async fn begin(
    app: &AppState,
    the: &TheRun,
    deed: Deed,
    over: ItemState,
    undoes: Option<RunId>,
) -> web::Result<Response> {
    let (now, actor) = (app.clock.now(), the.viewer.actor());
    let mut tx = app.db.begin().await?;
    runs::store::lock(&mut tx, the.run.id).await?;
    let now_stands = runs::store::of(&mut *tx, the.run.id, None).await?;
    if let Some(undone) = now_stands.and_then(|run| run.undone_by).filter(|_| undoes.is_some()) {
        return Ok(see_other(at(undone)));
    }
    // Of accounts they do not look after any more, nothing is done.
    let ended = store::that_ended(&mut *tx, the.run.id, over.as_str()).await?;
    let accounts = if deed == Deed::ForgetImported {
        ended
    } else {
        let ids: Vec<_> = ended.iter().map(|(id, _)| *id).collect();
        accounts::store::named(&mut *tx, &ids, the.viewer.scope()).await?
    };
    if accounts.is_empty() {
        return Ok(see_other_saying(at(the.run.id), "There is nothing left to do."));
    }
    let new = NewRun { undoes, ..NewRun::plain(deed, Kind::Bulk, &actor) };
    let run = runs::store::begin(&mut tx, &new, &accounts, now).await?;
    let done = if undoes.is_some() { "is being undone" } else { "is tried again" };
    note(&mut tx, app, the, "bulk.begun", done).await?;
    tx.commit().await?;
    app.work.notify_one();
    Ok(see_other(at(run)))
}

async fn note(
    tx: &mut sqlx::PgConnection,
    app: &AppState,
    the: &TheRun,
    action: &'static str,
    done: &str,
) -> sqlx::Result<()> {
    let begun = the.run.begun_at.format("%-d %b %Y, %H:%M");
    let summary = format!("{} of {begun} UTC {done}.", the.run.deed.label());
    let entry = Entry { action, summary, account: None, changes: Changes::default() };
    audit::note(tx, &the.viewer.actor(), entry, app.clock.now()).await
}
