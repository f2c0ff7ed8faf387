//! What a node sees when it looks around: who wants a worker, and which accounts are its own.

use std::collections::HashSet;

use super::feed::key_owner;
use super::shared::Shared;
use super::store::doubt;
use super::store::leases::{self, Lease, Taken};
use crate::ids::AccountId;
use crate::kit::token;

/// Accounts that are given the row for a worker in one statement.
const NEWCOMERS_AT_ONCE: usize = 500;

/// What was found.
pub struct Around {
    /// Every lease that is ours.
    pub leases: Vec<Lease>,
    /// Those of them that are to be left to others.
    pub leaving: HashSet<AccountId>,
    /// Somebody else was about to take what nobody works for, and may leave some of it.
    pub again: bool,
}

/// Admits who is new, and takes our fair share of what nobody works for, as one of `live` nodes.
/// Of leases that are not `finished` nobody knows what was left in the middle.
pub async fn look_around(
    shared: &Shared,
    live: i64,
    finished: impl Fn(&Lease) -> bool,
) -> anyhow::Result<Around> {
    let (app, gone_after) = (&shared.app, shared.pace.gone_after);
    admit_newcomers(shared).await?;
    let mut tx = app.db.begin().await?;
    let Taken { leases, clean } = leases::take(&mut tx, app.node, live, gone_after).await?;
    let spread = leases::spread(&mut *tx, app.node, live, gone_after).await?;
    let in_doubt: Vec<_> = leases
        .iter()
        .filter(|lease| !clean.contains(&lease.account) && !finished(lease))
        .map(|lease| lease.account)
        .collect();
    if !in_doubt.is_empty() {
        doubt::in_hand(&mut *tx, &in_doubt, app.clock.now()).await?;
    }
    let most = usize::try_from(spread.share).unwrap_or(usize::MAX);
    let leaving = if leases.len() > most {
        leases::surplus(&mut *tx, app.node, spread.share).await?
    } else {
        Vec::new()
    };
    tx.commit().await?;
    let leaving = leaving.into_iter().collect();
    Ok(Around { leases, leaving, again: spread.unclaimed > 0 })
}

/// Each few hundred by themselves: a crowd that is interrupted goes on where it was.
async fn admit_newcomers(shared: &Shared) -> anyhow::Result<()> {
    let app = &shared.app;
    for some in leases::newcomers(&app.db).await?.chunks(NEWCOMERS_AT_ONCE) {
        let (mut digests, mut keys) = (Vec::new(), Vec::new());
        for account in some {
            let key = token::random();
            keys.push(app.sealer.seal(&key_owner(*account), &key)?);
            digests.push(token::digest(key.reveal()));
        }
        leases::admit(&app.db, some, &digests, &keys).await?;
    }
    Ok(())
}
