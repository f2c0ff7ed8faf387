//! Reading both directories, and matching who is who.
//!
//! What is read goes to Postgres page by page, and a reading that finds nothing new writes
//! nothing. A directory that has lost most of its people since the last time is not believed until
//! a person says so: an empty answer believed would clear everybody's presence.

use std::collections::HashSet;
use std::sync::Arc;

use metrics::counter;

use super::budget::Budget;
use super::figures;
use super::problem::Problem;
use super::shared::Shared;
use super::steps::{Step, Steps};
use super::store::directory::{self as store, Bookmark, Shrinkage};
use super::store::{health, hints, matching, telephones};
use super::trouble::{Side, Trouble};
use crate::cloudlink::{self, Refusal};
use crate::ids::AccountId;
use crate::microsoft::{self, Cause, Connection, Next};

type Way<'a> = (&'a Connection, &'a Arc<Budget>);

/// Reads the directories of an account, and matches its users anew.
pub async fn refresh(
    shared: &Shared,
    account: AccountId,
    connection: &Connection,
    budget: &Arc<Budget>,
) -> Result<(), Vec<Problem>> {
    let (mark, steps) = match begin(shared, account).await {
        Ok(Some(begun)) => begun,
        Ok(None) => return Ok(()),
        Err(error) => return Err(vec![error.into()]),
    };
    let connected = steps.take(Step::Connect, connect(shared, connection, &steps)).await;
    let cloudlink = read_cloudlink(shared, account, &mark, &steps);
    let cloudlink = steps.take(Step::Cloudlink, cloudlink).await;
    let entra = match connected {
        Ok(()) => {
            let read = read_entra(shared, account, (connection, budget), &mark, &steps);
            steps.take(Step::Entra, read).await
        }
        Err(problem) => Err(problem),
    };
    let matched = steps.take(Step::Match, rematch(shared, account, &mark, &steps)).await;
    counter!(figures::DIRECTORY_REFRESHES, "result" => if entra.is_ok() { "done" } else { "failed" })
        .increment(1);
    let braked = matches!((&entra, &cloudlink), (Ok(true), _) | (_, Ok(true)));
    let mut problems: Vec<_> =
        [entra.err(), cloudlink.err(), matched.err()].into_iter().flatten().collect();
    if braked {
        problems.push(brake(shared, account).await);
    } else if problems.is_empty()
        && let Err(error) = settle(shared, account, &mark).await
    {
        problems.push(error.into());
    }
    steps.begin(Step::Push).await;
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// Where the last reading ended; and the steps, which are watched when somebody has pressed
/// Sync now since then, and the first time.
async fn begin(shared: &Shared, account: AccountId) -> sqlx::Result<Option<(Bookmark, Steps)>> {
    store::unmark(&shared.app.db, account).await?;
    let Some(mark) = store::bookmark(&shared.app.db, account).await? else { return Ok(None) };
    let watched = mark.is_asked_for() || mark.refreshed_at.is_none();
    Ok(Some((mark, Steps::open(shared, account, watched).await)))
}

/// Signs in, for those who watch: the reading that follows would do so by itself.
async fn connect(shared: &Shared, connection: &Connection, steps: &Steps) -> Result<(), Problem> {
    if steps.are_watched() {
        shared.app.microsoft.sign_in(connection).await?;
    }
    Ok(())
}

/// Matches anew, unless there is no reason to; and looks whom those are like who are without.
async fn rematch(
    shared: &Shared,
    account: AccountId,
    mark: &Bookmark,
    steps: &Steps,
) -> sqlx::Result<()> {
    let (db, now) = (&shared.app.db, shared.app.clock.now());
    if mark.is_asked_for() {
        matching::forget_refusals(db, account).await?;
    }
    let due = matching::is_due(db, account, now).await?;
    if !due && !mark.is_asked_for() {
        return Ok(());
    }
    let mut tx = db.begin().await?;
    // Before: what is written meanwhile asks for another time.
    matching::note_matched(&mut *tx, account).await?;
    let changed = matching::rematch(&mut *tx, account, now).await?;
    tx.commit().await?;
    steps.go_on(Step::Match, usize::try_from(changed).unwrap_or(0)).await;
    if due || changed > 0 {
        hints::refresh(db, account).await?;
    }
    Ok(())
}

async fn settle(shared: &Shared, account: AccountId, mark: &Bookmark) -> sqlx::Result<()> {
    if mark.braked_at.is_some() {
        store::release_brake(&shared.app.db, account).await?;
    }
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
    way: Way<'_>,
    mark: &Bookmark,
    steps: &Steps,
) -> Result<bool, Problem> {
    match read_changes(shared, account, way, (mark, false), steps).await {
        Err(Stumble::StartOver) => {
            let again = read_changes(shared, account, way, (mark, true), steps).await;
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
    (connection, budget): Way<'_>,
    (mark, start_over): (&Bookmark, bool),
    steps: &Steps,
) -> Result<bool, Stumble> {
    let db = &shared.app.db;
    let same_tenant = mark.delta_tenant == Some(connection.tenant);
    let mut link = mark.delta_link.clone().filter(|_| same_tenant && !start_over);
    let from_start = match link {
        Some(_) => None,
        None => Some(store::next_generation(db, account).await?),
    };
    let mut news = from_start.is_some();
    let mut pages = 0;
    let end = loop {
        pages += 1;
        if pages > microsoft::MOST_PAGES {
            return Err(microsoft::Refusal::endless().into());
        }
        budget.gate().await;
        let page = match shared.app.microsoft.user_changes(connection, link.as_deref()).await {
            Ok(page) => page,
            Err(refusal) if refusal.cause == Cause::StartOver => return Err(Stumble::StartOver),
            Err(refusal) => return Err(refusal.into()),
        };
        if !page.users.is_empty() || !page.removed.is_empty() {
            news = true;
            let mut tx = db.begin().await?;
            store::write_entra(&mut tx, account, from_start, &page).await?;
            tx.commit().await?;
        }
        steps.go_on(Step::Entra, page.users.len() + page.removed.len()).await;
        match page.next {
            Next::Page(next) => link = Some(next),
            Next::Done(end) => break end,
        }
    };
    let place = (connection.tenant, end.as_str());
    if !news {
        store::note_entra(db, account, place, shared.app.clock.now()).await?;
        return Ok(false);
    }
    // Another tenant's people are no loss.
    let shrunk = store::entra_shrinkage(db, account, from_start).await?;
    if same_tenant && beyond_belief(shrunk, mark) {
        return Ok(true);
    }
    let mut tx = db.begin().await?;
    store::finish_entra(&mut tx, account, from_start).await?;
    store::note_entra(&mut *tx, account, place, shared.app.clock.now()).await?;
    tx.commit().await?;
    Ok(false)
}

/// Reads CloudLink's users. True: it was not believed.
async fn read_cloudlink(
    shared: &Shared,
    account: AccountId,
    mark: &Bookmark,
    steps: &Steps,
) -> Result<bool, Problem> {
    let db = &shared.app.db;
    let mut named = HashSet::new();
    let mut link = None;
    for number in 0.. {
        if number == cloudlink::MOST_PAGES {
            return Err(Refusal::endless().into());
        }
        let page = shared.app.cloudlink.users(&mark.cloudlink_id, link.as_ref()).await?;
        telephones::write(db, account, &page.users).await?;
        steps.go_on(Step::Cloudlink, page.users.len()).await;
        named.extend(page.users.into_iter().map(|user| user.id));
        link = page.next;
        if link.is_none() {
            break;
        }
    }
    let gone = telephones::not_named(db, account, &named).await?;
    if beyond_belief(Shrinkage::of(gone.len(), named.len()), mark) {
        return Ok(true);
    }
    let now = shared.app.clock.now();
    if !gone.is_empty() {
        telephones::let_go(db, account, &gone, now).await?;
    }
    telephones::note_read(db, account, now).await?;
    Ok(false)
}

/// Whether so many are gone that it is likelier a mistake; unless somebody pressed Sync now
/// after we said so.
fn beyond_belief(shrunk: Shrinkage, mark: &Bookmark) -> bool {
    let confirmed = mark.braked_at.is_some() && mark.sync_asked_at > mark.braked_at;
    !confirmed && shrunk.is_beyond_belief()
}
