//! How an account is doing: what is wrong, and how long it is left alone for that.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;

use super::budget::Budget;
use super::plan;
use super::problem::{Problem, side_of};
use super::retry::Retry;
use super::shared::Shared;
use super::store::due::Standing;
use super::store::health;
use super::trouble::{Side, Trouble};
use super::upkeep::Upkept;
use crate::ids::AccountId;
use crate::kit::db::in_time;
use crate::microsoft::{Cause, Permission, Refusal};

/// After so many failures in a row, whoever fails next is not at fault: the account waits.
const IN_A_ROW: u32 = 3;
/// How long to wait when Microsoft says "wait" but not for how long.
const UNTOLD: Duration = Duration::from_secs(10);
/// Requests that were on their way together are refused a little apart: that is one wait.
const A_MOMENT: TimeDelta = TimeDelta::milliseconds(1_500);

pub struct Condition {
    pub(super) shared: Shared,
    pub(super) account: AccountId,
    /// Requests to Microsoft that failed in a row.
    failures: u32,
    pause: Option<Pause>,
    /// Until when the table says that Microsoft has asked us to wait.
    throttled_until: Option<DateTime<Utc>>,
    noted: Noted,
    /// Microsoft gives no new token, while the old one still serves.
    refused: Option<Pause>,
    pub(super) feed: Retry,
    pub(super) directory: Retry,
}

/// What the table says of Microsoft's side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Noted {
    /// Whatever the worker before us wrote.
    NotKnown,
    Well,
    Trouble(Cause),
}

#[derive(Clone, Copy, Debug)]
struct Pause {
    until: Instant,
    since: DateTime<Utc>,
}

impl Condition {
    pub fn new(shared: &Shared, account: AccountId) -> Self {
        Self {
            shared: shared.clone(),
            account,
            failures: 0,
            pause: None,
            throttled_until: None,
            noted: Noted::NotKnown,
            refused: None,
            feed: Retry::default(),
            directory: Retry::default(),
        }
    }

    /// A new connection: what was wrong with the old one is not held against it.
    pub fn fresh_start(&mut self) {
        self.failures = 0;
        self.pause = None;
        self.refused = None;
        self.directory = Retry::default();
    }

    /// Ends a pause when somebody has pressed Sync now since it began.
    pub fn look(&mut self, standing: &Standing) {
        let asked_after = |since: Option<DateTime<Utc>>| {
            since.is_some_and(|since| standing.sync_asked_at > Some(since))
        };
        if asked_after(self.pause.map(|pause| pause.since)) {
            self.fresh_start();
            // Whatever was mended, the token of before does not know.
            self.shared.app.microsoft.forget_token(self.account);
        }
        if asked_after(self.refused.map(|refused| refused.since)) {
            let at = self.shared.app.clock.now();
            self.refused = Some(Pause { until: Instant::now(), since: at });
        }
        if asked_after(self.directory.since) {
            self.directory = Retry::default();
        }
        if asked_after(self.feed.since) {
            self.feed = Retry::default();
        }
    }

    /// How many requests may be on their way at once: none during a pause, and one at a time
    /// until the first that succeeds after it.
    pub fn allows(&self, usually: usize) -> usize {
        match self.paused_until() {
            Some(_) => 0,
            None if self.failures >= IN_A_ROW => 1,
            None => usually,
        }
    }

    pub fn paused_until(&self) -> Option<Instant> {
        self.pause.map(|pause| pause.until).filter(|until| *until > Instant::now())
    }

    /// Whether the farewell may be tried (again).
    pub fn may_part(&self) -> bool {
        let now = self.shared.app.clock.now();
        self.feed.allows(now, now) <= now
    }

    /// Takes note of Microsoft's answer to a push.
    pub async fn answered(&mut self, answer: Result<(), Refusal>, budget: Option<&Arc<Budget>>) {
        match answer {
            Ok(()) => self.well(true).await,
            // Says nothing about anybody else.
            Err(refusal) if refusal.cause.concerns_one_user() => {}
            Err(refusal) => self.unwell(&refusal, budget).await,
        }
    }

    /// Microsoft did as asked. Reading the directory does not prove that presence may be set.
    async fn well(&mut self, by_push: bool) {
        let presence = Cause::PermissionMissing(Permission::PresenceReadWriteAll);
        if !by_push && self.noted == Noted::Trouble(presence) {
            return;
        }
        self.failures = 0;
        self.pause = None;
        // The old token serves, and says nothing about the credential.
        if self.noted != Noted::Well && self.refused.is_none() {
            let cleared = health::clear_trouble(&self.shared.app.db, self.account, Side::Microsoft);
            match in_time(cleared).await {
                Ok(()) => self.noted = Noted::Well,
                Err(error) => tracing::warn!(account.id = %self.account, "{error}"),
            }
        }
    }

    /// A token was renewed: whatever was said against the credential is over.
    pub async fn signed_in(&mut self) {
        self.refused = None;
        if matches!(self.noted, Noted::Trouble(cause) if cause.concerns_sign_in()) {
            self.well(true).await;
        }
    }

    /// No new token was given. The old one serves on, so nothing waits; but it is known now.
    pub async fn renewal_refused(&mut self, refusal: &Refusal) {
        if refusal.cause.needs_person() {
            let since = self.shared.app.clock.now();
            self.refused = Some(Pause { until: Instant::now() + self.shared.pace.person, since });
            self.note(refusal).await;
        }
    }

    /// When a token that is to be renewed by then may be asked for.
    pub fn may_sign_in_at(&self, due: DateTime<Utc>) -> DateTime<Utc> {
        let Some(refused) = self.refused else { return due };
        let wait = refused.until.saturating_duration_since(Instant::now());
        let wait = TimeDelta::from_std(wait).unwrap_or_default();
        due.max(self.shared.app.clock.now() + wait)
    }

    async fn unwell(&mut self, refusal: &Refusal, budget: Option<&Arc<Budget>>) {
        self.failures = self.failures.saturating_add(1);
        let cause = refusal.cause;
        if cause == Cause::Throttled {
            return self.slow_down(refusal, budget).await;
        }
        let beyond_one_user = cause.needs_person() && cause != Cause::Unexpected;
        if beyond_one_user {
            self.pause(self.shared.pace.person);
            // Whatever a person mends, the token of before does not know: it is over, and the
            // next success is one with a new token.
            self.shared.app.microsoft.forget_token(self.account);
            self.refused = None;
        } else if self.failures >= IN_A_ROW {
            let wait = plan::back_off(self.failures - IN_A_ROW + 1, rand::random());
            self.pause(wait.to_std().unwrap_or_default());
        }
        if let Some(wait) = refusal.retry_after {
            self.note_throttled(self.shared.app.clock.now() + wait).await;
        }
        if beyond_one_user || self.failures >= IN_A_ROW {
            self.note(refusal).await;
        }
    }

    /// Microsoft asked us to wait. When it said for how long, the tenant is closed already.
    async fn slow_down(&mut self, refusal: &Refusal, budget: Option<&Arc<Budget>>) {
        let now = self.shared.app.clock.now();
        let wait = refusal.retry_after.unwrap_or_else(|| {
            let wait = plan::back_off(self.failures, rand::random()).to_std();
            let wait = wait.unwrap_or_default().max(UNTOLD);
            let longer = budget.map_or(Duration::ZERO, |budget| budget.close_for(wait));
            self.shared.tally.throttled(self.account, now, longer);
            wait
        });
        self.note_throttled(now + wait).await;
        self.note(refusal).await;
    }

    async fn note_throttled(&mut self, until: DateTime<Utc>) {
        if self.throttled_until.is_some_and(|known| known > until - A_MOMENT) {
            return;
        }
        let noted = health::note_throttled(&self.shared.app.db, self.account, until);
        match in_time(noted).await {
            Ok(()) => self.throttled_until = Some(until),
            Err(error) => tracing::warn!(account.id = %self.account, "{error}"),
        }
    }

    fn pause(&mut self, wait: Duration) {
        let since = self.shared.app.clock.now();
        self.pause = Some(Pause { until: Instant::now() + wait, since });
    }

    async fn note(&mut self, refusal: &Refusal) {
        if self.noted == Noted::Trouble(refusal.cause) {
            return;
        }
        tracing::warn!(account.id = %self.account, "Microsoft: {refusal}");
        let noted = self.write_down(&Problem::from(refusal.clone())).await;
        if noted && side_of(refusal.cause) == Side::Microsoft {
            self.noted = Noted::Trouble(refusal.cause);
        }
    }

    async fn write_down(&self, problem: &Problem) -> bool {
        let Some(trouble) = problem.trouble else {
            tracing::error!(account.id = %self.account, "upkeep failed: {}", problem.detail);
            return false;
        };
        let said = (trouble.key(), trouble.needs_person(), problem.detail.as_str());
        let (db, now) = (&self.shared.app.db, self.shared.app.clock.now());
        let written =
            in_time(health::note_trouble(db, self.account, problem.side, said, now)).await;
        if trouble.needs_person() {
            // What the setup check saw is true no longer.
            self.shared.app.check_bell.notify_one();
        }
        written.inspect_err(|error| tracing::warn!(account.id = %self.account, "{error}")).is_ok()
    }

    /// Takes note of upkeep that was done.
    pub async fn upkept(&mut self, upkept: &Upkept, budget: Option<&Arc<Budget>>) {
        let now = self.shared.app.clock.now();
        let mut wait = TimeDelta::zero();
        for problem in upkept.problems() {
            self.write_down(problem).await;
            if let Some(Trouble::Microsoft(cause)) = problem.trouble
                && problem.side == Side::Microsoft
            {
                self.noted = Noted::Trouble(cause);
                if cause.needs_person() {
                    self.pause(self.shared.pace.person);
                    self.shared.app.microsoft.forget_token(self.account);
                }
            }
            if let (Some(wait), Some(budget)) = (problem.retry_after, budget)
                && problem.side != Side::Feed
            {
                self.shared.tally.throttled(self.account, now, budget.close_for(wait));
                self.note_throttled(now + wait).await;
            }
            let person = problem.trouble.is_some_and(Trouble::needs_person);
            let told = problem.retry_after.and_then(|wait| TimeDelta::from_std(wait).ok());
            let own = if person { TimeDelta::from_std(self.shared.pace.person).ok() } else { None };
            wait = wait.max(told.unwrap_or_default()).max(own.unwrap_or_default());
        }
        match upkept {
            Upkept::Farewell(_) => self.feed.note(upkept.failed(Side::Feed), wait, now),
            Upkept::Chores { feed, directory } => {
                if feed.is_some() {
                    self.feed.note(upkept.failed(Side::Feed), wait, now);
                }
                if directory.is_some() {
                    self.directory.note(upkept.failed(Side::Directory), wait, now);
                }
                if matches!(directory, Some(Ok(()))) {
                    self.well(false).await;
                }
            }
        }
    }
}
