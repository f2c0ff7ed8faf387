//! An account's upkeep: when its subscription and its directories are due, and what the worker
//! does about it.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;
use tracing::Instrument;

use super::condition::Condition;
use super::store::due::Standing;
use super::store::winding;
use super::upkeep::{self, Chores, Upkept};
use super::worker::Worker;

/// How long after a directory was read another unknown user may have it read again.
const STRANGERS_WAIT: TimeDelta = TimeDelta::seconds(60);
/// How often an account that is being cleared up is looked at, whatever happens.
const WINDING_DOWN: Duration = Duration::from_secs(30);

/// Which chores are due, and when the next will be.
#[derive(Clone, Copy, Debug)]
pub struct Due {
    pub feed: bool,
    pub directory: bool,
    pub next: Option<DateTime<Utc>>,
}

impl Condition {
    /// Which chores are due now, and when the next will be.
    pub fn chores(&self, standing: &Standing, now: DateTime<Utc>) -> Due {
        let feed = self.feed.allows(self.feed_due(standing, now), now);
        let directory = self.directory.allows(self.directory_due(standing, now), now);
        let paused = self.paused_until().is_some();
        let next = [Some(feed), Some(directory).filter(|_| !paused)];
        Due {
            feed: feed <= now,
            directory: directory <= now && !paused,
            next: next.into_iter().flatten().filter(|due| *due > now).min(),
        }
    }

    fn feed_due(&self, standing: &Standing, now: DateTime<Utc>) -> DateTime<Utc> {
        // Looked at in the future: the clock has gone back since.
        let Some(checked) = standing.checked_at.filter(|at| *at <= now) else { return now };
        // Whoever takes many accounts over looks at all of them at once: not so the next time.
        let regular = checked + self.spread(self.shared.pace.subscription, 3);
        // Once more after the account has fallen silent.
        let silent = standing
            .last_event_at
            .filter(|last| *last > checked)
            .map(|last| last + self.shared.pace.silence);
        silent.map_or(regular, |silent| silent.min(regular))
    }

    fn directory_due(&self, standing: &Standing, now: DateTime<Utc>) -> DateTime<Utc> {
        let Some(read) = standing.refreshed_at.filter(|at| *at <= now) else { return now };
        let regular = read + self.spread(self.shared.pace.directory, 10);
        if standing.sync_asked_at > Some(read) {
            return now;
        }
        match standing.stranger_at {
            Some(came) if came > read => regular.min(came.max(read + STRANGERS_WAIT)),
            _ => regular,
        }
    }

    /// Accounts that began together do not stay together: each a little sooner, by up to this part.
    fn spread(&self, every: Duration, part: u32) -> Duration {
        let share = uuid::Uuid::from(self.account).as_u128() % 1024;
        let share = u32::try_from(share).unwrap_or(0);
        every.saturating_sub(every * share / (part * 1024))
    }
}

impl Worker {
    pub(super) fn plan_chores(&mut self) {
        let Some(standing) = &self.standing else { return };
        if self.upkeep.is_some() {
            return;
        }
        let now = self.shared.app.clock.now();
        let due = self.condition.chores(standing, now);
        let may_ask = due.directory && !self.changeover.holds();
        let directory = self.way.as_ref().filter(|_| may_ask).map(|way| way.parts());
        if due.feed || directory.is_some() {
            self.upkeep_with = directory.as_ref().map(|(connection, _)| Arc::clone(connection));
            let chores = Chores { feed: due.feed, directory };
            let span = tracing::info_span!(parent: &self.activation, "upkeep");
            let chores = upkeep::do_chores(self.shared.clone(), self.lease, chores);
            self.upkeep = Some(Box::pin(chores.instrument(span)));
        }
        self.look_at = self.look_at.min(self.shared.at(due.next));
        self.pace();
    }

    /// Says farewell once nothing of ours is left in Teams.
    pub(super) async fn wind_down(&mut self) {
        self.look_at = self.look_at.min(Instant::now() + WINDING_DOWN);
        self.pace();
        let busy = !self.queue.is_empty() || !self.steps.is_empty() || self.upkeep.is_some();
        if busy || self.stale || !self.condition.may_part() {
            return;
        }
        let (db, account) = (&self.shared.app.db, self.lease.account);
        match winding::left(db, account).await {
            Ok(0) => {
                let all = self.standing.as_ref().is_some_and(|standing| standing.removing);
                let farewell = upkeep::farewell(self.shared.clone(), self.lease, all);
                self.upkeep = Some(Box::pin(farewell));
            }
            // Some were on their way into Teams while the others were made due.
            Ok(_) => {
                let made = winding::make_due(db, account, self.shared.app.clock.now()).await;
                self.stale |= made.is_ok_and(|made| made > 0);
            }
            Err(error) => tracing::warn!(account.id = %account, "{error}"),
        }
    }

    /// Takes note of upkeep that was done. True: the account's sync is over.
    pub(super) async fn kept(&mut self, upkept: Upkept) -> bool {
        self.stale = true;
        let with = self.upkeep_with.take();
        if let Some(with) = &with
            && let Some(refusal) = upkept.refusal()
            && self.shared.turned(with, refusal).await
        {
            self.changeover.hold();
            return false;
        }
        // What was read with another connection is read again with this one.
        if with.is_some_and(|with| !self.goes_by(&with)) {
            return false;
        }
        let budget = self.way.as_ref().map(|way| way.budget());
        self.condition.upkept(&upkept, budget).await;
        matches!(upkept, Upkept::Farewell(Ok(true)))
    }
}
