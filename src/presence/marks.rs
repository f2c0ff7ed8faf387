//! What a person changed and the worker has yet to follow up: marks that stay until it has.

use super::plan::Urgency;
use super::shared::Shared;
use super::store::due::{DueUser, Standing};
use super::store::{matching, pauses, steps};
use crate::ids::AccountId;

/// Makes everybody due whom a changed match or pause concerns. True: look again at who is due.
pub async fn follow(
    shared: &Shared,
    account: AccountId,
    standing: &Standing,
) -> sqlx::Result<bool> {
    let (db, now) = (&shared.app.db, shared.app.clock.now());
    let marks = standing.marks;
    if marks.rematched {
        matching::make_changed_due(db, account, now).await?;
    }
    if marks.repaused {
        pauses::make_changed_due(db, account, now).await?;
    }
    if let Some(pause) = standing.pause
        && pause.noted != pause.rest.now
    {
        pauses::turned(db, account, pause.rest.now).await?;
    }
    Ok(marks.rematched || marks.repaused)
}

/// Sync now is over when nobody waits any more for anything but a renewal.
pub async fn count_down(
    shared: &Shared,
    account: AccountId,
    standing: &Standing,
    users: &[DueUser],
) {
    let waits = users.iter().any(|due| due.urgency != Urgency::Renewal as i16);
    if !standing.marks.counting || waits {
        return;
    }
    let (db, now) = (&shared.app.db, shared.app.clock.now());
    if let Err(error) = steps::end_push(db, account, now).await {
        tracing::warn!(account.id = %account, "{error}");
    }
}
