//! Every switch there is, for tests, for the control API and for the page alike.

mod keys;
mod microsoft;
mod phones;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub use self::microsoft::Tile;
pub use self::phones::PhoneState;

use super::cloudlink::Cloudlink;
use super::cloudlink::delivery::{Outbox, PostOffice};
use super::journal::{Journal, Seen};
use super::messages::Messages;
use super::microsoft::Microsoft;
use super::storm::{Storms, StormsOrdered};
use super::trouble::{System, Trouble, Troubles};
use super::world::World;
use crate::kit::clock::Clock;
use crate::kit::http::http_client;

/// A handle on everything inside of a running sandbox.
#[derive(Clone)]
pub struct Controls(Arc<Systems>);

struct Systems {
    world: World,
    clock: Clock,
    microsoft: Microsoft,
    cloudlink: Cloudlink,
    outbox: Arc<Outbox>,
    troubles: Arc<Troubles>,
    journal: Journal,
    messages: Messages,
    storms: StormsOrdered,
    /// How far the clocks out here are ahead of the portal's, in seconds.
    ahead: AtomicI64,
    /// Counts up whenever anything happened.
    changed: watch::Sender<u64>,
    stop: CancellationToken,
}

/// There is no such account, tenant, user or app here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the sandbox has no {0}")]
pub struct NotThere(pub String);

impl Controls {
    pub(super) fn new(
        world: World,
        clock: Clock,
        journal: usize,
        stop: CancellationToken,
    ) -> anyhow::Result<(Self, PostOffice, Storms)> {
        let now = clock.now();
        let changed = watch::Sender::new(0);
        let (outbox, started) = Outbox::new(changed.clone());
        let outbox = Arc::new(outbox);
        let troubles = Arc::new(Troubles::default());
        let (storms, ordered) = StormsOrdered::new();
        let systems = Systems {
            microsoft: Microsoft::of(&world, now),
            cloudlink: Cloudlink::of(&world, now),
            world,
            clock,
            outbox: Arc::clone(&outbox),
            troubles: Arc::clone(&troubles),
            journal: Journal::keeping(journal),
            messages: Messages::default(),
            storms,
            ahead: AtomicI64::new(0),
            changed,
            stop: stop.clone(),
        };
        let post_office =
            PostOffice { outbox, troubles, started, client: http_client()?, stop: stop.clone() };
        let controls = Self(Arc::new(systems));
        let storms = Storms::new(controls.clone(), ordered, stop);
        Ok((controls, post_office, storms))
    }

    /// What it began with: names, ids and credentials.
    pub fn world(&self) -> &World {
        &self.0.world
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.0.clock.now()
    }

    /// The clocks of Microsoft and CloudLink go ahead of the portal's by so much from now on.
    pub fn clocks_are_ahead(&self, by: TimeDelta) {
        self.0.ahead.store(by.num_seconds(), Ordering::Relaxed);
        self.poke();
    }

    /// The time as an answer's `Date` says it.
    pub(super) fn date(&self) -> String {
        let ahead = TimeDelta::seconds(self.0.ahead.load(Ordering::Relaxed));
        (self.now() + ahead).format("%a, %d %b %Y %H:%M:%S GMT").to_string()
    }

    /// Puts a system into trouble for everybody, until it is mended.
    pub fn trouble(&self, system: System, trouble: Trouble) {
        self.set_trouble(system, None, trouble, None);
    }

    /// Puts a system into trouble for one tenant (login, Graph) or account (CloudLink) alone.
    pub fn trouble_for(&self, system: System, whose: &str, trouble: Trouble) {
        self.set_trouble(system, Some(whose), trouble, None);
    }

    /// Puts a system into trouble for its next requests, so many of them.
    pub fn trouble_next(&self, system: System, requests: u32, trouble: Trouble) {
        self.set_trouble(system, None, trouble, Some(requests));
    }

    pub(super) fn set_trouble(
        &self,
        system: System,
        whose: Option<&str>,
        trouble: Trouble,
        left: Option<u32>,
    ) {
        self.0.troubles.set(system, whose, trouble, left);
        self.poke();
    }

    /// Ends what `trouble` began.
    pub fn mend(&self, system: System) {
        self.0.troubles.mend(system, None);
        self.poke();
    }

    /// Ends what `trouble_for` began.
    pub fn mend_for(&self, system: System, whose: &str) {
        self.0.troubles.mend(system, Some(whose));
        self.poke();
    }

    pub fn trouble_of(&self, system: System, whose: Option<&str>) -> Option<Trouble> {
        self.0.troubles.of(system, whose)
    }

    /// Every request so far, oldest first, as far as the journal keeps them.
    pub fn requests(&self) -> Vec<Seen> {
        self.0.journal.all()
    }

    /// The requests to one system.
    pub fn requests_to(&self, system: System) -> Vec<Seen> {
        let mut requests = self.requests();
        requests.retain(|seen| seen.system == system);
        requests
    }

    /// The newest requests, newest first.
    pub fn latest_requests(&self, count: usize) -> Vec<Seen> {
        self.0.journal.latest(count)
    }

    pub fn forget_requests(&self) {
        self.0.journal.forget();
    }

    /// A bell that rings whenever anything happened in here.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.changed.subscribe()
    }

    /// Waits until this holds of the sandbox. The caller brings the deadline.
    pub async fn until(&self, mut holds: impl FnMut(&Self) -> bool) {
        let mut changes = self.changes();
        while !holds(self) {
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    pub(super) fn poke(&self) {
        self.0.changed.send_modify(|count| *count = count.wrapping_add(1));
    }

    pub(super) fn note(&self, seen: Seen) {
        self.0.journal.note(seen);
    }

    pub(super) fn keeps_journal(&self) -> bool {
        self.0.journal.is_kept()
    }

    pub(super) fn microsoft(&self) -> &Microsoft {
        &self.0.microsoft
    }

    pub(super) fn cloudlink(&self) -> &Cloudlink {
        &self.0.cloudlink
    }

    pub(super) fn messages(&self) -> &Messages {
        &self.0.messages
    }

    pub(super) fn troubles(&self) -> &Troubles {
        &self.0.troubles
    }

    pub(super) async fn unless_stopped<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        self.0.stop.run_until_cancelled(work).await
    }

    /// Waits for as long as this system hangs, or until the sandbox stops.
    pub(super) async fn while_hanging(&self, system: System, whose: Option<&str>) {
        let mended = self.until(|controls| !controls.troubles().still_hangs(system, whose));
        self.unless_stopped(mended).await;
    }
}
