//! Reading both directories, and matching who is who.
//!
//! What is read goes to Postgres page by page. A directory that has lost most of its people
//! since the last time is not believed until a person says so: an empty answer believed would
//! clear everybody's presence.

use std::sync::Arc;

use metrics::counter;

use super::budget::Budget;
use super::figures;
use super::problem::Problem;
use super::shared::Shared;
use super::steps::{Step, Steps};
use super::store::directory::{self as store, Bookmark, Shrinkage};
use super::store::{health, hints, matching};
use super::trouble::{Side, Trouble};
use crate::ids::AccountId;
use crate::microsoft::{Cause, Connection, Next};

const USERS_AT_ONCE: usize = 1_000;

/// Reads the directories of an account, and matches its users anew.
pub async fn refresh(
    shared: &Shared,
    account: AccountId,
    connection: &Connection,
    budget: &Arc<Budget>,
) -> Result<(), Vec<Problem>> {
    let (asked_by_hand, generation, steps) = match begin(shared, account).await {
        Ok(begun) => begun,
        Err(problem) => return Err(vec![problem]),
    };
    let connected = steps.take(Step::Connect, connect(shared, connection, &steps)).await;
    let cloudlink = steps.take(Step::Cloudlink, read_cloudlink(shared, account, &steps)).await;
    let entra = match connected {
        Ok(()) => {
            let read = read_entra(shared, account, connection, budget, &steps);
            steps.take(Step::Entra, read).await
        }
        Err(problem) => Err(problem),
    };
    let now = shared.app.clock.now();
    let matched = async {
        if asked_by_hand {
            matching::forget_refusals(&shared.app.db, account).await?;
        }
        let changed = matching::rematch(&shared.app.db, account, now).await?;
        steps.go_on(Step::Match, usize::try_from(changed).unwrap_or(0)).await;
        hints::refresh_after(&shared.app.db, account, generation, changed).await
    };
    let matched = steps.take(Step::Match, matched).await;
    counter!(figures::DIRECTORY_REFRESHES, "result" => if entra.is_ok() { "done" } else { "failed" })
        .increment(1);
    let braked = matches!((&entra, &cloudlink), (Ok(true), _) | (_, Ok(true)));
    let mut problems: Vec<_> =
        [entra.err(), cloudlink.err(), matched.err()].into_iter().flatten().collect();
    if braked {
        problems.push(brake(shared, account).await);
    } else if problems.is_empty()
        && let Err(error) = settle(shared, account).await
    {
        problems.push(error.into());
    }
    steps.begin(Step::Push).await;
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// Whether somebody pressed Sync now since the last reading; the generation of whom this one
/// names, or a later one; and the steps, which are watched then and the first time.
async fn begin(shared: &Shared, account: AccountId) -> Result<(bool, i64, Steps), Problem> {
    let mark = store::begin(&shared.app.db, account).await?;
    store::unmark(&shared.app.db, account).await?;
    let generation = mark.as_ref().map_or(i64::MAX, |mark| mark.generation);
    let by_hand = mark.as_ref().is_some_and(|mark| mark.sync_asked_at > mark.refreshed_at);
    let first = mark.is_some_and(|mark| mark.refreshed_at.is_none());
    Ok((by_hand, generation, Steps::open(shared, account, by_hand || first).await))
}

/// Signs in, for those who watch: the reading that follows would do so by itself.
async fn connect(shared: &Shared, connection: &Connection, steps: &Steps) -> Result<(), Problem> {
    if steps.are_watched() {
        shared.app.microsoft.sign_in(connection).await?;
    }
    Ok(())
}

async fn settle(shared: &Shared, account: AccountId) -> sqlx::Result<()> {
    store::release_brake(&shared.app.db, account).await?;
    health::clear_trouble(&shared.app.db, account, Side::Directory).await
}

async fn brake(shared: &Shared, account: AccountId) -> Problem {
    if let Err(error) = store::note_brake(&shared.app.db, account, shared.app.clock.now()).await {
        return error.into();
    }
    Problem {
        side: Side::Directory,
        trouble: Some(Trouble::DirectoryShrunk),
        detail: "More than half of the users were missing; nothing was changed.".to_owned(),
        retry_after: None,
        refusal: None,
    }
}

/// Reads what changed in Entra since the last time. True: it was not believed.
async fn read_entra(
    shared: &Shared,
    account: AccountId,
    connection: &Connection,
    budget: &Arc<Budget>,
    steps: &Steps,
) -> Result<bool, Problem> {
    match read_changes(shared, account, (connection, budget), false, steps).await {
        Err(Stumble::StartOver) => {
            let again = read_changes(shared, account, (connection, budget), true, steps).await;
            again.map_err(|stumble| match stumble {
                Stumble::Problem(problem) => problem,
                Stumble::StartOver => Problem {
                    side: Side::Directory,
                    trouble: Some(Trouble::Microsoft(Cause::StartOver)),
                    detail: "Microsoft refused a reading from the start, too.".to_owned(),
                    retry_after: None,
                    refusal: None,
                },
            })
        }
        Err(Stumble::Problem(problem)) => Err(problem),
        Ok(braked) => Ok(braked),
    }
}

/// Why a reading of Entra ended early.
enum Stumble {
    StartOver,
    Problem(Problem),
}

impl<E: Into<Problem>> From<E> for Stumble {
    fn from(error: E) -> Self {
        Self::Problem(error.into())
    }
}

async fn read_changes(
    shared: &Shared,
    account: AccountId,
    (connection, budget): (&Connection, &Arc<Budget>),
    start_over: bool,
    steps: &Steps,
) -> Result<bool, Stumble> {
    let db = &shared.app.db;
    let Some(mark) = store::begin(db, account).await? else { return Ok(false) };
    let same_tenant = mark.delta_tenant == Some(connection.tenant);
    let mut link = mark.delta_link.clone().filter(|_| same_tenant && !start_over);
    let from_start = link.is_none().then_some(mark.generation);
    let end = loop {
        budget.gate().await;
        let page = match shared.app.microsoft.user_changes(connection, link.as_deref()).await {
            Ok(page) => page,
            Err(refusal) if refusal.cause == Cause::StartOver => return Err(Stumble::StartOver),
            Err(refusal) => return Err(refusal.into()),
        };
        let mut tx = db.begin().await?;
        store::write_entra(&mut tx, account, mark.generation, &page).await?;
        tx.commit().await?;
        steps.go_on(Step::Entra, page.users.len() + page.removed.len()).await;
        match page.next {
            Next::Page(next) => link = Some(next),
            Next::Done(end) => break end,
        }
    };
    // Another tenant's people are no loss.
    let shrunk = store::entra_shrinkage(db, account, from_start).await?;
    if same_tenant && beyond_belief(shrunk, &mark) {
        return Ok(true);
    }
    let mut tx = db.begin().await?;
    let place = (connection.tenant, end.as_str());
    store::finish_entra(&mut tx, account, from_start, place, shared.app.clock.now()).await?;
    tx.commit().await?;
    Ok(false)
}

/// Reads CloudLink's users. True: it was not believed.
async fn read_cloudlink(
    shared: &Shared,
    account: AccountId,
    steps: &Steps,
) -> Result<bool, Problem> {
    let db = &shared.app.db;
    let Some(mark) = store::begin(db, account).await? else { return Ok(false) };
    let Some(feed) = super::store::feed::feed(db, account).await? else { return Ok(false) };
    let users = shared.app.cloudlink.users(&feed.cloudlink_id).await?;
    for some in users.chunks(USERS_AT_ONCE) {
        store::write_cloudlink(db, account, mark.generation, some).await?;
        steps.go_on(Step::Cloudlink, some.len()).await;
    }
    let shrunk = store::cloudlink_shrinkage(db, account, mark.generation).await?;
    if beyond_belief(shrunk, &mark) {
        return Ok(true);
    }
    let mut tx = db.begin().await?;
    store::finish_cloudlink(&mut tx, account, mark.generation, shared.app.clock.now()).await?;
    tx.commit().await?;
    Ok(false)
}

/// Whether so many are gone that it is likelier a mistake; unless somebody pressed Sync now
/// after we said so.
fn beyond_belief(shrunk: Shrinkage, mark: &Bookmark) -> bool {
    let confirmed = mark.braked_at.is_some() && mark.sync_asked_at > mark.braked_at;
    !confirmed && shrunk.is_beyond_belief()
}
