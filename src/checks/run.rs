//! One run of the check, from the first line to the last.

use std::time::Duration;

use tokio::time::{interval, timeout};

use super::clock::Ahead;
use super::errand::{Book, Errand, Lost, Sum};
use super::lines::{Finding, Line};
use super::microsoft_side::Seen;
use super::{clock, cloudlink_side, microsoft_side, night, people, pilot, store};
use crate::presence::store::by_hand;
use crate::state::AppState;

/// A run says so often that it is alive.
const SIGN_OF_LIFE: Duration = Duration::from_secs(20);
/// Reading the largest directory takes minutes; what takes longer hangs.
const LONGEST: Duration = Duration::from_mins(20);

/// Runs it, and writes down what came of it. Errors are ours: Postgres, or a secret that does
/// not open.
pub async fn run(app: &AppState, errand: &Errand) -> anyhow::Result<Sum> {
    let alive = async {
        let mut beat = interval(SIGN_OF_LIFE);
        loop {
            beat.tick().await;
            if let Ok(false) = store::stay(&app.db, errand).await {
                return Err(Lost.into());
            }
        }
    };
    let looked = async { timeout(LONGEST, look(app, errand)).await? };
    tokio::select! {
        looked = looked => looked,
        lost = alive => lost,
    }
}

async fn look(app: &AppState, errand: &Errand) -> anyhow::Result<Sum> {
    let book = Book::new(app, errand);
    let Seen { connection, ahead } = microsoft_side::look(&book).await?;
    let (reached, cloudlink) = cloudlink_side::look(&book).await?;
    book.note(Line::Clock, clock::judge(Ahead { microsoft: ahead, cloudlink })).await?;
    let found = people::look(&book, connection.as_ref(), reached).await?;
    let syncing = found.standing.stage == crate::presence::store::overview::Stage::On;
    cloudlink_side::look_at_feed(&book, reached, syncing).await?;
    pilot::look(&book).await?;

    let now = app.clock.now();
    let sum = book.sum();
    let next = if sum.incomplete {
        night::soon(errand.integration, now)
    } else {
        night::next(errand.integration, now)
    };
    let end = store::End {
        sum: &sum,
        matching: found.summary.as_deref(),
        braked: found.braked,
        next,
        finished_at: now,
    };
    store::finish(&app.db, errand, end).await?;
    tracing::info!(
        account.id = %errand.account,
        reds = sum.reds,
        ambers = sum.ambers,
        incomplete = sum.incomplete,
        "setup checked"
    );
    if errand.asked && book.is_green(Line::Secret) && syncing {
        hurry(app, errand).await?;
    }
    Ok(sum)
}

/// Whoever has just mended something need not wait until the worker tries again by itself.
async fn hurry(app: &AppState, errand: &Errand) -> anyhow::Result<()> {
    if store::waits_for_a_person(&app.db, errand.account).await? {
        let mut tx = app.db.begin().await?;
        by_hand::ask_for_sync(&mut tx, errand.account, app.clock.now()).await?;
        tx.commit().await?;
        app.wakes.ring(errand.account);
    }
    Ok(())
}

/// What the lines say that a run of ours could not look at, because of something on our side.
pub async fn give_up(app: &AppState, errand: &Errand) -> anyhow::Result<()> {
    let book = Book::new(app, errand);
    let finding = Finding::not_looked_at("The check was broken off by trouble on this server.")
        .advising("It is tried again within the hour. The log says more.")
        .passing();
    for line in store::unlooked(&app.db, errand).await? {
        book.note(line, finding.clone()).await?;
    }
    let now = app.clock.now();
    let sum = Sum { incomplete: true, ..book.sum() };
    let next = night::soon(errand.integration, now);
    let end = store::End { sum: &sum, matching: None, braked: false, next, finished_at: now };
    store::finish(&app.db, errand, end).await?;
    Ok(())
}
