//! What people change while a worker is at work: matches, rules, and whether to sync at all.
//! Everybody concerned is made due.

use chrono::{DateTime, TimeDelta, Utc};

use super::marks;
use super::shared::Shared;
use super::store::due::Standing;
use super::store::{rules, winding};
use crate::ids::AccountId;

/// An event that was decided by the rules of before is written down within this time, or never:
/// statements are given up sooner.
const ON_ITS_WAY: TimeDelta = TimeDelta::seconds(15);

/// What the worker has to know of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Turned {
    /// What is queued does not hold any more.
    pub anew: bool,
    /// There is more to see than what was seen.
    pub again: bool,
}

/// Goes through what has changed since the standing of before.
pub async fn turn(
    shared: &Shared,
    account: AccountId,
    before: Option<&Standing>,
    standing: &Standing,
    remapped: &mut Option<DateTime<Utc>>,
) -> sqlx::Result<Turned> {
    let (db, now) = (&shared.app.db, shared.app.clock.now());
    let mut turned = Turned { again: marks::follow(shared, account, standing).await?, anew: false };
    if let Some(changed) = standing.remapped_at {
        turned.again |= remap(shared, account, changed, remapped).await?;
    }
    match (before.map(|before| before.syncing), standing.syncing) {
        (Some(before), now) if before == now => return Ok(turned),
        (Some(false), true) => winding::make_wanted_due(db, account, now).await?,
        (_, false) => {
            winding::make_due(db, account, now).await?;
        }
        (_, true) => {
            turned.anew = true;
            return Ok(turned);
        }
    }
    Ok(Turned { anew: true, again: true })
}

/// Decides anew after the rules have changed: at once, and once more when no event can be on its
/// way any more that was decided by the old ones.
async fn remap(
    shared: &Shared,
    account: AccountId,
    changed: DateTime<Utc>,
    remapped: &mut Option<DateTime<Utc>>,
) -> sqlx::Result<bool> {
    let now = shared.app.clock.now();
    let is_last = now >= changed + ON_ITS_WAY || now < changed;
    if *remapped == Some(changed) && !is_last {
        return Ok(false);
    }
    let mut tx = shared.app.db.begin().await?;
    let mapping = rules::mapping(&mut *tx, account).await?;
    let found = rules::decide_anew(&mut tx, account, &mapping, now).await?;
    if is_last {
        rules::unmark(&mut *tx, account, changed).await?;
    }
    tx.commit().await?;
    *remapped = Some(changed);
    Ok(found > 0)
}

/// When the rules are to be gone through for the last time, or a pause begins or ends.
pub fn last_look(standing: &Standing) -> Option<DateTime<Utc>> {
    let rules = standing.remapped_at.map(|changed| changed + ON_ITS_WAY);
    let pause = standing.pause.and_then(|pause| pause.rest.turns_at);
    rules.into_iter().chain(pause).min()
}
