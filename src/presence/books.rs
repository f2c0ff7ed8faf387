//! What is written down and tidied every few seconds: one statement for all accounts.

use std::time::Duration;

use metrics::gauge;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::figures;
use super::shared::Shared;
use super::store::{history, hours, minutes, tally};
use crate::kit::db::in_time;

const TALLY_EVERY: Duration = Duration::from_secs(2);
const COUNT_EVERY: Duration = Duration::from_secs(30);
const TIDY_EVERY: Duration = Duration::from_hours(1);
const KEPT: chrono::TimeDelta = chrono::TimeDelta::days(8);

/// Writes down what was counted, every few seconds and at the end.
pub async fn keep(shared: Shared, stop: CancellationToken) {
    let mut tidied = Instant::now();
    let mut counted: Option<Instant> = None;
    let mut closed = None;
    loop {
        let ending = stop.run_until_cancelled(tokio::time::sleep(TALLY_EVERY)).await.is_none();
        let minutes = shared.tally.take();
        if !minutes.is_empty()
            && let Err(error) = in_time(tally::add(&shared.app.db, &minutes)).await
        {
            tracing::warn!("{} minutes of figures were lost: {error}", minutes.len());
        }
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
            let before = shared.app.clock.now() - KEPT;
            if let Err(error) = tally::tidy(&shared.app.db, before).await {
                tracing::warn!("old figures were not tidied away: {error}");
            }
        }
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
    closed.await.inspect_err(|error| tracing::warn!("the hour was not closed: {error}")).is_ok()
}
