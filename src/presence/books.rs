//! What is written down and tidied every few seconds: one statement for all accounts.

use std::collections::VecDeque;
use std::time::Duration;

use metrics::gauge;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::figures;
use super::shared::Shared;
use super::store::tally::Minute;
use super::store::{growth, history, hours, lost_a_deadlock, minutes, tally};
use crate::kit::db::in_time;

const TALLY_EVERY: Duration = Duration::from_secs(2);
const COUNT_EVERY: Duration = Duration::from_secs(30);
const TIDY_EVERY: Duration = Duration::from_hours(1);
const KEPT: chrono::TimeDelta = chrono::TimeDelta::days(8);
/// What goes through whole tables may take longer than what others wait for.
const TIDIED_WITHIN: Duration = Duration::from_mins(1);
/// So many rounds of figures wait for a Postgres that is away; then the oldest are let go.
const MOST_WAITING: usize = 30;

/// Writes down what was counted, every few seconds and at the end.
pub async fn keep(shared: Shared, stop: CancellationToken) {
    let mut tidied = Instant::now();
    let mut counted: Option<Instant> = None;
    let mut closed = None;
    let mut waiting = VecDeque::new();
    loop {
        let ending = stop.run_until_cancelled(tokio::time::sleep(TALLY_EVERY)).await.is_none();
        write_down(&shared, &mut waiting).await;
        let kept = minutes::keep_totals(&shared.app.db, shared.app.clock.now());
        if let Err(error) = in_time(kept).await {
            tracing::warn!("the minutes of all accounts were not added up: {error}");
        }
        if ending {
            return;
        }
        let hour = shared.app.clock.now().timestamp() / 3600;
        if closed != Some(hour) && close_hour(&shared).await {
            closed = Some(hour);
        }
        if counted.is_none_or(|counted| counted.elapsed() > COUNT_EVERY) {
            counted = Some(Instant::now());
            count_sessions(&shared).await;
        }
        if tidied.elapsed() > TIDY_EVERY {
            tidied = Instant::now();
            tidy(&shared).await;
        }
    }
}

/// Adds what was counted to the minutes, and what could not be added before; in the order in which it
/// was counted, until Postgres is away.
async fn write_down(shared: &Shared, waiting: &mut VecDeque<Vec<Minute>>) {
    waiting.push_back(shared.tally.take());
    while let Some(minutes) = waiting.front() {
        if !minutes.is_empty()
            && let Err(error) = add(shared, minutes).await
        {
            tracing::warn!("{} minutes of figures wait: {error}", minutes.len());
            break;
        }
        waiting.pop_front();
    }
    while waiting.len() > MOST_WAITING {
        let lost = waiting.pop_front().map_or(0, |minutes| minutes.len());
        tracing::warn!("{lost} minutes of figures were lost");
    }
}

async fn add(shared: &Shared, minutes: &[Minute]) -> sqlx::Result<()> {
    let mut tries = 0;
    loop {
        match in_time(tally::add(&shared.app.db, minutes)).await {
            Err(error) if lost_a_deadlock(&error) && tries < 5 => tries += 1,
            done => return done,
        }
    }
}

/// Lets go of what nobody will ask for again, so that no table grows for ever.
async fn tidy(shared: &Shared) {
    let (db, now) = (&shared.app.db, shared.app.clock.now());
    let tidied = async {
        tally::tidy(db, now - KEPT).await?;
        growth::forget_strangers(db, now).await?;
        growth::forget_unmapped(db, now).await?;
        growth::forget_counts(db).await
    };
    let tidied = timeout(TIDIED_WITHIN, tidied).await.unwrap_or(Err(sqlx::Error::PoolTimedOut));
    if let Err(error) = tidied {
        tracing::warn!("what is old was not tidied away: {error}");
    }
}

async fn count_sessions(shared: &Shared) {
    let app = &shared.app;
    match in_time(tally::sessions(&app.db, app.node, app.clock.now())).await {
        Ok(sessions) => {
            gauge!(figures::SESSIONS_HELD).set(sessions.held);
            gauge!(figures::RENEWALS_DUE).set(sessions.renewals_due);
        }
        Err(error) => tracing::warn!("sessions were not counted: {error}"),
    }
}

/// Once an hour: adds up the hour before, and makes room for what will happen.
async fn close_hour(shared: &Shared) -> bool {
    let (db, now) = (&shared.app.db, shared.app.clock.now());
    let closed = async {
        hours::close(db, now).await?;
        history::make_room(db, now).await
    };
    let closed = timeout(TIDIED_WITHIN, closed).await.unwrap_or(Err(sqlx::Error::PoolTimedOut));
    closed.inspect_err(|error| tracing::warn!("the hour was not closed: {error}")).is_ok()
}
