//! Webhook deliveries: in order for each user, tried again until they are taken.
//!
//! Every user with something to be told has a lane; a lane has a task for as long as
//! there is something in it. So a phone system of a million costs what moves, not what is.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::{StatusCode, header};
use reqwest::Client;
use serde::Serialize;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::Account;
use super::Cloudlink;
use super::publication::Publication;
use crate::ids::CloudlinkUserId;
use crate::sandbox::trouble::{System, Trouble, Troubles};

/// Deliveries at the same time, to all subscribers.
const AT_ONCE: usize = 64;
/// A subscriber that does not answer in time has not taken it.
const PATIENCE: Duration = Duration::from_secs(10);
const LONGEST_REST: Duration = Duration::from_mins(1);
const MOST_ATTEMPTS: u32 = 20;

/// What became of the deliveries so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Deliveries {
    /// Not yet taken: waiting, or being tried.
    pub waiting: u64,
    pub taken: u64,
    /// Refused for good (a 4xx), or given up.
    pub refused: u64,
    /// Attempts that failed and were repeated.
    pub retried: u64,
    /// Dropped because their subscription had ended.
    pub dropped: u64,
}

pub(crate) struct Outbox {
    lanes: Mutex<HashMap<Lane, VecDeque<Letter>>>,
    starts: mpsc::UnboundedSender<Lane>,
    counts: Counts,
    /// Before the second attempt; it doubles from there.
    pub(crate) first_rest: Mutex<Duration>,
    changed: watch::Sender<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Lane {
    subscription: String,
    user: CloudlinkUserId,
}

struct Letter {
    account: Arc<Account>,
    url: url::Url,
    body: Vec<u8>,
}

#[derive(Default)]
struct Counts {
    waiting: AtomicU64,
    taken: AtomicU64,
    refused: AtomicU64,
    retried: AtomicU64,
    dropped: AtomicU64,
}

enum Outcome {
    Taken,
    Refused,
    Again(Option<Duration>),
}

impl Outbox {
    pub(crate) fn new(changed: watch::Sender<u64>) -> (Self, mpsc::UnboundedReceiver<Lane>) {
        let (starts, started) = mpsc::unbounded_channel();
        let outbox = Self {
            lanes: Mutex::default(),
            starts,
            counts: Counts::default(),
            first_rest: Mutex::new(Duration::from_secs(1)),
            changed,
        };
        (outbox, started)
    }

    /// Puts a publication into the lanes of whoever subscribed to it; says to how many.
    pub(crate) fn publish(
        &self,
        cloudlink: &Cloudlink,
        account: &Arc<Account>,
        publication: &Publication,
    ) -> usize {
        let (shape, copies) = {
            let manners = cloudlink.manners();
            (manners.content, manners.copies)
        };
        let mut state = account.state();
        state.last_publication = Some(publication.clone());
        let mut told = 0;
        for subscription in &state.subscriptions {
            if !subscription.takes(publication) {
                continue;
            }
            told += 1;
            let body = publication.body(subscription, shape).to_string().into_bytes();
            for _ in 0..copies {
                let lane =
                    Lane { subscription: subscription.id.clone(), user: publication.user.clone() };
                let letter = Letter {
                    account: Arc::clone(account),
                    url: subscription.device.clone(),
                    body: body.clone(),
                };
                self.put(lane, letter);
            }
        }
        told
    }

    pub(crate) fn deliveries(&self) -> Deliveries {
        let counts = &self.counts;
        let read = |count: &AtomicU64| count.load(Ordering::Acquire);
        Deliveries {
            waiting: read(&counts.waiting),
            taken: read(&counts.taken),
            refused: read(&counts.refused),
            retried: read(&counts.retried),
            dropped: read(&counts.dropped),
        }
    }

    fn put(&self, lane: Lane, letter: Letter) {
        self.counts.waiting.fetch_add(1, Ordering::AcqRel);
        let mut lanes = self.lanes();
        if let Some(letters) = lanes.get_mut(&lane) {
            letters.push_back(letter);
        } else {
            lanes.insert(lane.clone(), VecDeque::from([letter]));
            // Nobody listens only when the sandbox is being stopped.
            self.starts.send(lane).ok();
        }
    }

    /// The next of a lane; an empty lane is closed.
    fn next(&self, lane: &Lane) -> Option<Letter> {
        let mut lanes = self.lanes();
        let letter = lanes.get_mut(lane)?.pop_front();
        if letter.is_none() {
            lanes.remove(lane);
        }
        letter
    }

    fn lanes(&self) -> MutexGuard<'_, HashMap<Lane, VecDeque<Letter>>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn settle(&self, count: &AtomicU64) {
        count.fetch_add(1, Ordering::AcqRel);
        self.counts.waiting.fetch_sub(1, Ordering::AcqRel);
        self.changed.send_modify(|count| *count = count.wrapping_add(1));
    }
}

/// The post office: one task for each lane that has something in it.
pub(crate) struct PostOffice {
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) troubles: Arc<Troubles>,
    pub(crate) started: mpsc::UnboundedReceiver<Lane>,
    pub(crate) client: Client,
    pub(crate) stop: CancellationToken,
}

impl PostOffice {
    /// Delivers until told to stop; what is then still waiting is lost, as in a power cut.
    pub(crate) async fn run(mut self) {
        let desks = Arc::new(Semaphore::new(AT_ONCE));
        let mut lanes = JoinSet::new();
        loop {
            tokio::select! {
                () = self.stop.cancelled() => break,
                Some(lane) = self.started.recv() => {
                    let carrier = Carrier {
                        outbox: Arc::clone(&self.outbox),
                        troubles: Arc::clone(&self.troubles),
                        desks: Arc::clone(&desks),
                        client: self.client.clone(),
                        changes: self.outbox.changed.subscribe(),
                    };
                    lanes.spawn(self.stop.clone().run_until_cancelled_owned(carrier.empty(lane)));
                }
                Some(_) = lanes.join_next() => {}
            }
        }
        while lanes.join_next().await.is_some() {}
    }
}

/// Carries the letters of one lane.
struct Carrier {
    outbox: Arc<Outbox>,
    troubles: Arc<Troubles>,
    desks: Arc<Semaphore>,
    client: Client,
    changes: watch::Receiver<u64>,
}

impl Carrier {
    async fn empty(mut self, lane: Lane) {
        while let Some(letter) = self.outbox.next(&lane) {
            self.carry(&lane, &letter).await;
        }
    }

    async fn carry(&mut self, lane: &Lane, letter: &Letter) {
        let counts =
            |outbox: &Outbox| *outbox.first_rest.lock().unwrap_or_else(PoisonError::into_inner);
        let mut rest = counts(&self.outbox);
        for _ in 0..MOST_ATTEMPTS {
            self.wait_while_away().await;
            let subscribed =
                letter.account.state().subscriptions.iter().any(|s| s.id == lane.subscription);
            if !subscribed {
                return self.outbox.settle(&self.outbox.counts.dropped);
            }
            match self.attempt(letter).await {
                Outcome::Taken => return self.outbox.settle(&self.outbox.counts.taken),
                Outcome::Refused => return self.outbox.settle(&self.outbox.counts.refused),
                Outcome::Again(asked) => {
                    self.outbox.counts.retried.fetch_add(1, Ordering::AcqRel);
                    self.outbox.changed.send_modify(|count| *count = count.wrapping_add(1));
                    tokio::time::sleep(asked.unwrap_or(rest)).await;
                    rest = (rest * 2).min(LONGEST_REST);
                }
            }
        }
        self.outbox.settle(&self.outbox.counts.refused);
    }

    async fn attempt(&self, letter: &Letter) -> Outcome {
        let Ok(_desk) = self.desks.acquire().await else { return Outcome::Refused };
        let answer = self
            .client
            .post(letter.url.clone())
            .header(header::CONTENT_TYPE, "application/json")
            .timeout(PATIENCE)
            .body(letter.body.clone())
            .send()
            .await;
        let Ok(response) = answer else { return Outcome::Again(None) };
        let passing =
            [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_EARLY, StatusCode::TOO_MANY_REQUESTS];
        match response.status() {
            status if status.is_success() => Outcome::Taken,
            status if status.is_client_error() && !passing.contains(&status) => Outcome::Refused,
            _ => {
                let asked = response.headers().get(header::RETRY_AFTER);
                let seconds = asked.and_then(|value| value.to_str().ok()?.parse().ok());
                Outcome::Again(seconds.map(Duration::from_secs))
            }
        }
    }

    /// A CloudLink that has gone away delivers nothing, and makes up for it afterwards.
    async fn wait_while_away(&mut self) {
        while let Some(Trouble::Away | Trouble::Hang) = self.troubles.of(System::Cloudlink, None) {
            if self.changes.changed().await.is_err() {
                return;
            }
        }
    }
}
