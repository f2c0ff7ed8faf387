//! Reading both directories of an account that nobody works for yet, so that it can be said who
//! would be matched before anything is switched on. Nothing is pushed, and as soon as a worker
//! has the account, reading is left to it.

use std::collections::HashSet;
use std::time::Duration;

use tokio::time::sleep;

use super::store::directory::{self as store, Shrinkage};
use super::store::{hints, matching, overview, telephones};
use crate::ids::AccountId;
use crate::microsoft::{Cause, Connection, Next, UserChanges};
use crate::state::AppState;
use crate::{cloudlink, microsoft};

/// How often, and how long at most, a reading waits when Microsoft asks it to.
const WAITS: u32 = 10;
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// What came of reading one directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    Done,
    /// Most of its people are gone since the last time, and nothing was changed.
    Shrunk(Shrinkage),
    /// A worker has the account: it reads.
    Left,
}

#[derive(Debug, thiserror::Error)]
pub enum Unread {
    #[error(transparent)]
    Microsoft(#[from] microsoft::Refusal),
    #[error(transparent)]
    Cloudlink(#[from] cloudlink::Refusal),
    #[error(transparent)]
    Ours(#[from] sqlx::Error),
}

/// Reads everybody in Entra. `believed`: a person has said that it has shrunk indeed.
pub async fn read_entra(
    app: &AppState,
    connection: &Connection,
    believed: bool,
) -> Result<Read, Unread> {
    let (db, account) = (&app.db, connection.account);
    let generation = store::generation(db).await?;
    store::unmark(db, account).await?;
    let mut link = None;
    let mut pages = 0;
    let end = loop {
        pages += 1;
        if pages > microsoft::MOST_PAGES {
            return Err(microsoft::Refusal::endless().into());
        }
        if overview::has_worker(db, account).await? {
            return Ok(Read::Left);
        }
        let page = page(app, connection, link.as_deref()).await?;
        let mut tx = db.begin().await?;
        store::write_entra(&mut tx, account, Some(generation), &page).await?;
        tx.commit().await?;
        match page.next {
            Next::Page(next) => link = Some(next),
            Next::Done(end) => break end,
        }
    };
    let shrunk = store::entra_shrinkage(db, account, Some(generation)).await?;
    if !believed && shrunk.is_beyond_belief() {
        return Ok(Read::Shrunk(shrunk));
    }
    let mut tx = db.begin().await?;
    let place = (connection.tenant, end.as_str());
    store::finish_entra(&mut tx, account, Some(generation)).await?;
    store::note_entra(&mut *tx, account, place, app.clock.now()).await?;
    tx.commit().await?;
    Ok(Read::Done)
}

/// One page, waited for as long as Microsoft asks.
async fn page(
    app: &AppState,
    connection: &Connection,
    link: Option<&str>,
) -> Result<UserChanges, microsoft::Refusal> {
    let mut waits = 0;
    loop {
        match app.microsoft.user_changes(connection, link).await {
            Err(refusal) if refusal.cause == Cause::Throttled && waits < WAITS => {
                waits += 1;
                sleep(refusal.retry_after.unwrap_or_default().clamp(SHORTEST_WAIT, LONGEST_WAIT))
                    .await;
            }
            answered => return answered,
        }
    }
}
const SHORTEST_WAIT: Duration = Duration::from_secs(1);

/// Reads CloudLink's users.
pub async fn read_cloudlink(
    app: &AppState,
    account: AccountId,
    cloudlink_id: &crate::ids::CloudlinkAccountId,
    believed: bool,
) -> Result<Read, Unread> {
    let db = &app.db;
    let mut named = HashSet::new();
    let mut link = None;
    for number in 0.. {
        if number == cloudlink::MOST_PAGES {
            return Err(cloudlink::Refusal::endless().into());
        }
        let page = app.cloudlink.users(cloudlink_id, link.as_ref()).await?;
        if overview::has_worker(db, account).await? {
            return Ok(Read::Left);
        }
        telephones::write(db, account, &page.users).await?;
        named.extend(page.users.into_iter().map(|user| user.id));
        link = page.next;
        if link.is_none() {
            break;
        }
    }
    let gone = telephones::not_named(db, account, &named).await?;
    let shrunk = Shrinkage::of(gone.len(), named.len());
    if !believed && shrunk.is_beyond_belief() {
        return Ok(Read::Shrunk(shrunk));
    }
    let now = app.clock.now();
    if !gone.is_empty() {
        telephones::let_go(db, account, &gone, now).await?;
    }
    telephones::note_read(db, account, now).await?;
    Ok(Read::Done)
}

/// Matches whom was read, and looks whom the others are like.
pub async fn match_users(app: &AppState, account: AccountId) -> sqlx::Result<()> {
    matching::rematch(&app.db, account, app.clock.now()).await?;
    hints::refresh(&app.db, account).await
}
