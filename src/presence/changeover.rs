//! The worker's sign-in: renewed in time, and changed for another connection without a gap.
//!
//! A token is renewed while the one before still serves, even where nothing is to be pushed: so a
//! secret that has expired is known minutes before it would be missed. Another version of the
//! connection is signed in with first and used then; until then the one before goes on.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::BoxFuture;
use tokio::time::{Instant, sleep};

use super::shared::Shared;
use super::store::due::Standing;
use super::way::{Opened, Way};
use super::worker::Worker;
use crate::integrations::expiry;
use crate::integrations::rotation::{self, Turned};
use crate::microsoft::{Connection, Refusal, Token};

/// How often the end of the secret is read from Entra, where it may be.
const LOOK_EVERY: TimeDelta = TimeDelta::hours(6);
/// How often a connection that is to come is tried before it is used all the same.
const TRIES: u32 = 5;
/// When a connection that could not be read is read again.
const REOPENED: Duration = Duration::from_secs(1);

/// What came of signing in.
pub struct SignedIn {
    pub way: Arc<Way>,
    pub outcome: Result<Token, Refusal>,
}

/// The sign-in that is on its way, if one is.
#[derive(Default)]
pub struct Changeover {
    on_its_way: Option<(i32, BoxFuture<'static, SignedIn>)>,
    looked_at: Option<DateTime<Utc>>,
    /// What was signed in with is refused, and another version is in force: nothing is asked
    /// until that is signed in with.
    held: bool,
}

impl Changeover {
    pub fn hold(&mut self) {
        self.held = true;
    }

    pub fn holds(&self) -> bool {
        self.held
    }

    /// The version that is being signed in with.
    pub fn version(&self) -> Option<i32> {
        self.on_its_way.as_ref().map(|(version, _)| *version)
    }

    /// Signs in with this, in place of whatever was being tried.
    pub fn begin(&mut self, shared: Shared, way: Arc<Way>, is_new: bool) {
        let version = way.connection.version;
        let look = self.looked_at.is_none_or(|at| shared.app.clock.now() - at >= LOOK_EVERY);
        if look {
            self.looked_at = Some(shared.app.clock.now());
        }
        let signed_in = sign_in(shared, way, if is_new { TRIES } else { 1 }, look || is_new);
        self.on_its_way = Some((version, Box::pin(signed_in)));
    }

    /// Waits for what is on its way; for ever, if nothing is.
    pub async fn done(&mut self) -> SignedIn {
        match &mut self.on_its_way {
            Some((_, on_its_way)) => {
                let done = on_its_way.await;
                self.on_its_way = None;
                done
            }
            None => std::future::pending().await,
        }
    }
}

/// What passes by itself is tried again: meanwhile the connection before serves on.
async fn sign_in(shared: Shared, way: Arc<Way>, tries: u32, look: bool) -> SignedIn {
    let mut wait = Duration::from_millis(500);
    let mut left = tries;
    loop {
        let outcome = shared.app.microsoft.renew_token(&way.connection).await;
        left = left.saturating_sub(1);
        match outcome {
            Err(refusal) if left > 0 && !refusal.cause.needs_person() => {
                sleep(wait.max(refusal.retry_after.unwrap_or_default())).await;
                wait *= 2;
            }
            outcome => {
                if let (true, Ok(token)) = (look, &outcome)
                    && let Err(error) = expiry::look(&shared.app, &way.connection, token).await
                {
                    tracing::warn!(account.id = %way.connection.account, "{error:#}");
                }
                return SignedIn { way, outcome };
            }
        }
    }
}

impl Shared {
    /// Microsoft refused the credential of this version: whether there is another to go on with.
    pub(super) async fn turned(&self, connection: &Connection, refusal: &Refusal) -> bool {
        let (account, version) = (connection.account, connection.version);
        match rotation::refused(&self.app, account, version, refusal).await {
            Ok(Some(Turned::Over | Turned::Back | Turned::MovedOn)) => true,
            Ok(None) => false,
            Err(error) => {
                tracing::warn!(account.id = %account, "credentials did not change places: {error:#}");
                false
            }
        }
    }
}

impl Worker {
    /// Opens the connection. Where another version has come, that is signed in with first. True:
    /// another node works for its tenant, and only that may.
    pub(super) async fn connect(&mut self, standing: &Standing) -> bool {
        let known = self.way.as_ref().map(|way| way.connection.version);
        let coming = self.changeover.version();
        if standing.version == known || (coming.is_some() && standing.version == coming) {
            self.changeover.held &= standing.version != known;
            return false;
        }
        match Way::open(&self.shared, self.lease.account, standing).await {
            Opened::Elsewhere => return true,
            Opened::NotYet => self.look_at = self.look_at.min(Instant::now() + REOPENED),
            Opened::Open(way) if known.is_some() => {
                self.changeover.begin(self.shared.clone(), Arc::new(way), true);
            }
            opened => {
                self.way = opened.way().map(Arc::new);
                self.changeover.held = false;
                self.condition.fresh_start();
            }
        }
        false
    }

    /// Renews the token when its time has come, or looks again then.
    pub(super) fn renew_in_time(&mut self) {
        let Some(way) = self.way.clone().filter(|_| self.changeover.version().is_none()) else {
            return;
        };
        let Some(due) = self.shared.app.microsoft.token_due_at(&way.connection) else { return };
        // Whoever asked for something may have renewed it meanwhile: the end of the secret is looked
        // up all the same.
        let look_at = self.changeover.looked_at.map_or(due, |at| at + LOOK_EVERY);
        let due = self.condition.may_sign_in_at(due.min(look_at));
        if due <= self.shared.app.clock.now() {
            self.changeover.begin(self.shared.clone(), way, false);
        } else {
            self.look_at = self.look_at.min(self.shared.at(Some(due)));
        }
    }

    /// Takes note of a sign-in: goes on with what works, and says what does not.
    pub(super) async fn signed_in(&mut self, SignedIn { way, outcome }: SignedIn) {
        self.stale = true;
        if let Err(refusal) = &outcome
            && self.shared.turned(&way.connection, refusal).await
        {
            return;
        }
        self.changeover.held = false;
        let version = self.way.as_ref().map(|way| way.connection.version);
        let is_renewal = version == Some(way.connection.version);
        if !is_renewal {
            self.way = Some(way.clone());
            self.condition.fresh_start();
        }
        match outcome {
            Ok(_) => self.condition.signed_in().await,
            Err(refusal) if is_renewal => self.condition.renewal_refused(&refusal).await,
            Err(refusal) => self.condition.answered(Err(refusal), Some(way.budget())).await,
        }
    }
}
