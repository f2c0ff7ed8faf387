//! The webhook: an event is answered when it is safe in Postgres, and not before.
//!
//! Events of all accounts go together, as many as wait, in one statement. When more wait than
//! may, or Postgres is away, CloudLink is asked to come again.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use metrics::{counter, gauge, histogram};
use sqlx::PgPool;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;

use super::figures;
use super::pulse::{Deed, Pulse};
use super::shared::count;
use super::store::events::{self, Hook, Received};
use super::store::{feed, lost_a_deadlock};
use crate::cloudlink::event::{self, Event};
use crate::ids::AccountId;
use crate::kit::batch::{Batcher, Flusher, batcher};
use crate::kit::clock::Clock;
use crate::kit::db::{in_time, is_away};
use crate::kit::token::{self, TokenDigest};
use crate::kit::wake::Wakes;
use crate::state::AppState;
use crate::web::Path;

const LARGEST_BODY: usize = 64 * 1024;
/// From the first byte to the answer, however slowly a body comes: longer than Postgres is waited for.
const LONGEST_ANSWER: Duration = Duration::from_secs(30);
/// Bodies in one flush.
const MOST_AT_ONCE: usize = 1_024;
/// Bodies that may wait for a flush, and events in them and in the flush that is going on.
const MOST_WAITING: usize = 4_096;
const MOST_EVENTS: usize = 16_384;
/// Flushes that are written at once.
const FLUSHES: usize = 2;
/// How long a webhook's key is believed without asking again.
const KEY_LASTS: Duration = Duration::from_secs(30);
const MOST_KEYS: usize = 100_000;
/// CloudLink's clock may run ahead of ours by this much; what is later counts from when it came.
const SKEW: TimeDelta = TimeDelta::seconds(2);
/// How often it is noted that an account's feed is alive.
const SIGN_OF_LIFE: Duration = Duration::from_secs(5);
const COME_AGAIN: &str = "2";

/// Takes events in. Cheap to clone.
#[derive(Clone)]
pub struct Inbox {
    db: PgPool,
    clock: Clock,
    keys: Arc<RwLock<HashMap<TokenDigest, (Hook, Instant)>>>,
    queue: Batcher<Vec<Received>, Result<(), Failed>>,
    room: Arc<Semaphore>,
}

/// The half that writes. Nothing is answered unless somebody runs it.
pub struct Writer {
    db: PgPool,
    clock: Clock,
    wakes: Wakes<AccountId>,
    queue: Flusher<Vec<Received>, Result<(), Failed>>,
    pulse: Pulse,
}

/// Why events could not be written down.
#[derive(Clone, Copy, Debug)]
enum Failed {
    Away,
    Broken,
}

pub fn inbox(app: &AppState, pulse: Pulse) -> (Inbox, Writer) {
    let (hand_in, queue) = batcher(MOST_AT_ONCE, MOST_WAITING, Duration::ZERO);
    let (db, clock) = (app.db.clone(), app.clock.clone());
    let inbox = Inbox {
        db: db.clone(),
        clock: clock.clone(),
        keys: Arc::default(),
        queue: hand_in,
        room: Arc::new(Semaphore::new(MOST_EVENTS)),
    };
    (inbox, Writer { db, clock, wakes: app.wakes.clone(), queue, pulse })
}

impl Inbox {
    /// The webhook's route: apart from the pages, as it is not for people.
    pub fn routes(self) -> Router {
        Router::new()
            .route("/hooks/cloudlink/{key}", post(receive))
            .layer(DefaultBodyLimit::max(LARGEST_BODY))
            .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, LONGEST_ANSWER))
            .layer(CatchPanicLayer::new())
            .with_state(self)
    }

    /// Whose webhook this is. Keys are remembered for a while, strangers never.
    async fn hook(&self, key: &str) -> sqlx::Result<Option<Hook>> {
        let digest = token::digest(key);
        let known = self.keys.read().unwrap_or_else(PoisonError::into_inner).get(&digest).cloned();
        if let Some((hook, since)) = known
            && since.elapsed() < KEY_LASTS
        {
            return Ok(Some(hook));
        }
        let found = in_time(events::hook(&self.db, &digest)).await?;
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        if keys.len() >= MOST_KEYS {
            keys.clear();
        }
        match &found {
            Some(hook) => keys.insert(digest, (hook.clone(), Instant::now())),
            None => keys.remove(&digest),
        };
        Ok(found)
    }
}

async fn receive(State(inbox): State<Inbox>, Path(key): Path<String>, body: Bytes) -> Response {
    let hook = match inbox.hook(&key).await {
        Ok(Some(hook)) => hook,
        Ok(None) => return refused(StatusCode::NOT_FOUND, "no such webhook"),
        Err(error) => return failed(&error),
    };
    let received = match understood(&body, &hook, inbox.clock.now()) {
        Ok(received) => received,
        Err(reason) => return refused(StatusCode::BAD_REQUEST, &reason),
    };
    if received.is_empty() {
        return StatusCode::NO_CONTENT.into_response();
    }
    counter!(figures::EVENTS_IN).increment(received.len() as u64);
    let events = u32::try_from(received.len()).unwrap_or(u32::MAX);
    let Ok(_room) = inbox.room.try_acquire_many(events) else { return come_again() };
    match inbox.queue.offer(received).await {
        Ok(Ok(())) => StatusCode::NO_CONTENT.into_response(),
        Ok(Err(Failed::Broken)) => refused(StatusCode::INTERNAL_SERVER_ERROR, "not written down"),
        Ok(Err(Failed::Away)) | Err(_) => come_again(),
    }
}

/// Every event in the body, or why there is none.
fn understood(body: &[u8], hook: &Hook, now: DateTime<Utc>) -> Result<Vec<Received>, String> {
    let events = event::parse(body).map_err(|malformed| malformed.to_string())?;
    events.into_iter().map(|event| accepted(event, hook, now)).collect()
}

fn accepted(event: Event, hook: &Hook, now: DateTime<Utc>) -> Result<Received, String> {
    if event.account != hook.cloudlink_id {
        return Err("publisher.accountId is not the account of this webhook".to_owned());
    }
    tracing::debug!(
        account.id = %hook.account,
        correlation.id = event.correlation_id,
        "an event came"
    );
    let state = event.state.unwrap_or_default();
    // Postgres cannot keep U+0000, and no state is a novel.
    let state: String = state.chars().filter(|c| !c.is_control()).take(100).collect();
    let printable = |text: &str| text.chars().all(|c| !c.is_control());
    if event.publication_id.is_empty()
        || event.publication_id.len() > 200
        || !printable(&event.publication_id)
    {
        return Err("publicationId is empty, too long, or holds control characters".to_owned());
    }
    Ok(Received {
        account: hook.account,
        user: event.user,
        state: state.trim().to_owned(),
        entered_at: event.at,
        publication_id: event.publication_id,
        received_at: now,
    })
}

fn refused(status: StatusCode, reason: &str) -> Response {
    counter!(figures::EVENTS_REFUSED, "status" => status.as_u16().to_string()).increment(1);
    (status, format!("{reason}\n")).into_response()
}

fn failed(error: &sqlx::Error) -> Response {
    if is_away(error) {
        return come_again();
    }
    tracing::error!("a webhook's key could not be looked up: {error}");
    refused(StatusCode::INTERNAL_SERVER_ERROR, "not looked up")
}

fn come_again() -> Response {
    let mut response = refused(StatusCode::SERVICE_UNAVAILABLE, "not now; come again");
    response.headers_mut().insert(RETRY_AFTER, axum::http::HeaderValue::from_static(COME_AGAIN));
    response
}

impl Writer {
    /// Writes what comes until told to stop, and then what came before. While one flush waits for
    /// the disk, the next is written: neither the order of events nor that of flushes matters.
    pub async fn run(self, stop: CancellationToken) {
        let Self { db, clock, wakes, mut queue, pulse } = self;
        let signs = Signs::default();
        let (mut flushes, mut open) = (FuturesUnordered::new(), true);
        loop {
            tokio::select! {
                taken = queue.take(&stop), if open && flushes.len() < FLUSHES => match taken {
                    Some((bodies, callers)) => {
                        gauge!(figures::QUEUE_DEPTH, "queue" => "events").set(count(queue.depth()));
                        flushes.push(async {
                            let asked = bodies.len();
                            let events = bodies.into_iter().flatten().collect();
                            let seen = flush(&db, events, &wakes).await;
                            pulse.note(Deed::TakeEvents, seen.is_ok());
                            let outcome = seen.as_ref().map(|_| ()).map_err(|failed| *failed);
                            callers.answer(std::iter::repeat_n(outcome, asked));
                            if let Ok(seen) = seen {
                                signs.note(&db, seen, &clock, &wakes).await;
                            }
                        });
                    }
                    None => open = false,
                },
                Some(()) = flushes.next(), if !flushes.is_empty() => {}
                else => return,
            }
        }
    }
}

/// Whose feeds a flush showed to be alive, and which of them named strangers.
struct Seen {
    accounts: Vec<AccountId>,
    strangers: HashSet<AccountId>,
}

async fn flush(
    db: &PgPool,
    mut events: Vec<Received>,
    wakes: &Wakes<AccountId>,
) -> Result<Seen, Failed> {
    histogram!(figures::FLUSH_EVENTS).record(count(events.len()));
    let began = Instant::now();
    let mut tries = 0;
    let written = loop {
        match in_time(written(db, &mut events)).await {
            Ok(written) => break written,
            Err(error) if lost_a_deadlock(&error) && tries < 5 => tries += 1,
            Err(error) if is_away(&error) => {
                tracing::warn!("{} events wait for Postgres: {error}", events.len());
                return Err(Failed::Away);
            }
            Err(error) => {
                tracing::error!("{} events could not be written: {error}", events.len());
                return Err(Failed::Broken);
            }
        }
    };
    histogram!(figures::FLUSH_SECONDS).record(began.elapsed());
    counter!(figures::EVENTS_NEWER).increment(written.len() as u64);
    counter!(figures::EVENTS_REPEATED).increment(repeated(&events, written.len()));
    let due: HashSet<_> = written.iter().filter(|w| w.due).map(|w| w.account).collect();
    for account in due {
        wakes.ring(account);
    }
    let strangers = written.iter().filter(|w| w.stranger).map(|w| w.account).collect();
    let accounts: HashSet<_> = events.iter().map(|event| event.account).collect();
    Ok(Seen { accounts: accounts.into_iter().collect(), strangers })
}

/// How many of the events said nothing new: they had come before, or newer ones had.
fn repeated(events: &[Received], written: usize) -> u64 {
    let all: HashSet<_> =
        events.iter().map(|event| (event.account, event.publication_id.as_str())).collect();
    let users: HashSet<_> =
        events.iter().map(|event| (event.account, event.user.as_str())).collect();
    (events.len() - all.len() + users.len().saturating_sub(written)) as u64
}

async fn written(db: &PgPool, events: &mut [Received]) -> sqlx::Result<Vec<events::Written>> {
    let mut ahead: Vec<_> =
        events.iter_mut().filter(|event| event.entered_at > event.received_at + SKEW).collect();
    if ahead.is_empty() {
        return events::write(db, events).await;
    }
    let mut tx = db.begin().await?;
    events::date_back(&mut tx, &mut ahead).await?;
    let written = events::write(&mut *tx, events).await?;
    tx.commit().await?;
    Ok(written)
}

/// When it was noted of each feed that it is alive.
#[derive(Default)]
struct Signs(Mutex<HashMap<AccountId, Instant>>);

impl Signs {
    /// Notes that feeds are alive, each at most every few seconds, and which named strangers.
    async fn note(&self, db: &PgPool, seen: Seen, clock: &Clock, wakes: &Wakes<AccountId>) {
        let Seen { mut accounts, strangers } = seen;
        {
            let now = Instant::now();
            let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            accounts.retain(|account| {
                strangers.contains(account)
                    || noted.get(account).is_none_or(|since| now - *since > SIGN_OF_LIFE)
            });
            if noted.len() > MOST_KEYS {
                noted.retain(|_, since| now - *since <= SIGN_OF_LIFE);
            }
            noted.extend(accounts.iter().map(|account| (*account, now)));
        }
        if accounts.is_empty() {
            return;
        }
        accounts.sort_unstable();
        let strangers: Vec<_> = strangers.into_iter().collect();
        if let Err(error) = in_time(feed::note_events(db, &accounts, &strangers, clock.now())).await
        {
            tracing::warn!("signs of life were not noted: {error}");
            let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            noted.retain(|account, _| !accounts.contains(account));
        }
        for account in strangers {
            wakes.ring(account);
        }
    }
}
