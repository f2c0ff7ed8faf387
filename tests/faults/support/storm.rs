//! A crowd of telephones that never rest, told of as CloudLink does: again and again until it is
//! taken, sometimes twice, sometimes late, sometimes from the future, sometimes in garbage.
//!
//! It keeps its own account of what was taken. From that follow the two things that must hold
//! after any fault: nothing that was taken is missing, and Teams holds what the events said.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use presence_portal::kit::clock::Clock;
use presence_portal::presence::mapping::{Decision, Mapping};
use rand::seq::IndexedRandom;
use reqwest::Client;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::town::{PATIENCE, Person, Town};

const STATES: [&str; 7] =
    ["onCall", "available", "inConference", "doNotDisturb", "ringing", "away", "Gone Fishing"];

pub struct Storm {
    telephones: Vec<Arc<Mutex<Told>>>,
    blows: watch::Sender<bool>,
    callers: JoinSet<()>,
}

/// What was said of one telephone.
#[derive(Clone, Debug, Default)]
struct Told {
    /// No event that was taken and still counts is older.
    taken_since: Option<DateTime<Utc>>,
    /// The state that decides.
    decides: Option<&'static str>,
    taken: u32,
    /// An event is on its way.
    busy: bool,
}

impl Storm {
    /// Everybody, with so long between two events of one telephone, on average.
    pub fn over(town: &Town, every: Duration) -> Self {
        let blows = watch::Sender::new(true);
        let client = Client::builder().timeout(Duration::from_secs(8)).build().unwrap();
        let (mut telephones, mut callers) = (Vec::new(), JoinSet::new());
        for person in &town.people {
            let told = Arc::new(Mutex::new(Told::default()));
            telephones.push(Arc::clone(&told));
            let caller = Caller {
                person: person.clone(),
                client: client.clone(),
                told,
                blows: blows.subscribe(),
                every,
                last: None,
            };
            callers.spawn(caller.call());
        }
        Self { telephones, blows, callers }
    }

    pub fn rise(&self) {
        self.blows.send_replace(true);
    }

    /// No new event; what is on its way is told until it is taken.
    pub async fn calm(&self, town: &Town) {
        self.blows.send_replace(false);
        let began = Instant::now();
        while self.telephones.iter().any(|told| told.lock().unwrap().busy) {
            let words = || town.portal.last_words();
            assert!(began.elapsed() < PATIENCE, "events are not taken\n{}", words());
            sleep(Duration::from_millis(20)).await;
        }
    }

    pub fn taken(&self) -> u32 {
        self.telephones.iter().map(|told| told.lock().unwrap().taken).sum()
    }

    /// Every event that was taken is in the books, or a newer one.
    pub async fn nothing_is_lost(&self, town: &Town) {
        let before: Vec<_> =
            self.telephones.iter().map(|told| told.lock().unwrap().clone()).collect();
        let rows: Vec<(String, DateTime<Utc>)> =
            sqlx::query_as("SELECT user_id, entered_at FROM presences")
                .fetch_all(&town.db)
                .await
                .unwrap();
        for (person, told) in town.people.iter().zip(before) {
            let Some(since) = told.taken_since else { continue };
            let user = person.user.to_string();
            let held = rows.iter().find(|(id, _)| *id == user).map(|(_, at)| *at);
            assert!(held >= Some(since), "{user}: taken {since}, and the books have {held:?}");
        }
    }

    /// Waits until Teams holds for everybody what their events said, and nothing is left to do.
    pub async fn is_told(&self, town: &Town) -> Duration {
        let began = Instant::now();
        loop {
            let wrong = self.wrong(town);
            if wrong.is_empty() {
                break;
            }
            if began.elapsed() > PATIENCE {
                let (books, words) = (town.books().await, town.portal.last_words());
                panic!("Teams does not hold what was said:\n{wrong}\n{books}\n{words}");
            }
            sleep(Duration::from_millis(50)).await;
        }
        let took = began.elapsed();
        town.until("SELECT NOT EXISTS (SELECT FROM presences WHERE due_at <= now())").await;
        let wrong = self.wrong(town);
        assert!(wrong.is_empty(), "it did not stay so:\n{wrong}");
        took
    }

    fn wrong(&self, town: &Town) -> String {
        let mapping = Mapping::default();
        let mut wrong = String::new();
        for (person, told) in town.people.iter().zip(&self.telephones) {
            let decides = told.lock().unwrap().decides;
            let wanted = decides.and_then(|state| match mapping.decide(state) {
                Decision::Show(shows) => Some(shows.activity().to_owned()),
                _ => None,
            });
            let held = town.held(person);
            if held != wanted {
                writeln!(wrong, "{} {decides:?}: {held:?} and not {wanted:?}", person.user)
                    .unwrap();
            }
        }
        wrong
    }

    pub async fn end(mut self) {
        self.callers.shutdown().await;
    }
}

/// One telephone.
struct Caller {
    person: Person,
    client: Client,
    told: Arc<Mutex<Told>>,
    blows: watch::Receiver<bool>,
    every: Duration,
    /// The newest event, as it was sent.
    last: Option<(DateTime<Utc>, Value)>,
}

impl Caller {
    async fn call(mut self) {
        let mut blows = self.blows.clone();
        loop {
            sleep(self.every.mul_f64(2.0 * rand::random::<f64>())).await;
            if blows.wait_for(|blows| *blows).await.is_err() {
                return;
            }
            self.told.lock().unwrap().busy = true;
            let dice = rand::random_range(0..100);
            match (dice, self.last.clone()) {
                (0..6, Some((_, body))) => self.until_taken(&body).await,
                (6..12, Some((at, _))) if self.decided() => self.late(at).await,
                (12..15, _) => self.garbage().await,
                (15..20, _) => self.news(TimeDelta::hours(1)).await,
                _ => self.news(TimeDelta::zero()).await,
            }
            self.told.lock().unwrap().busy = false;
        }
    }

    /// Something has happened; `ahead`: or will have, by CloudLink's clock.
    async fn news(&mut self, ahead: TimeDelta) {
        let state = *STATES.choose(&mut rand::rng()).unwrap();
        let now = Clock::default().now();
        let body = self.event(state, now + ahead);
        self.until_taken(&body).await;
        let mut told = self.told.lock().unwrap();
        told.taken_since = Some(now - TimeDelta::milliseconds(1));
        told.taken += 1;
        if Mapping::default().decide(state) != Decision::NoChange {
            told.decides = Some(state);
        }
        drop(told);
        self.last = Some((now, body));
    }

    fn decided(&self) -> bool {
        self.told.lock().unwrap().decides.is_some()
    }

    /// Something that was before what was told already.
    async fn late(&mut self, newest: DateTime<Utc>) {
        let state = *STATES.choose(&mut rand::rng()).unwrap();
        // Older than any event that decides: a phone that only rang since leaves it the last word.
        let body = self.event(state, newest - TimeDelta::days(1));
        self.until_taken(&body).await;
    }

    async fn garbage(&mut self) {
        let body =
            ["{", "[]x", "{\"topic\":1}", "<html>", "\u{0}"].choose(&mut rand::rng()).unwrap();
        let sent = self.client.post(self.person.hook.clone()).body(*body).send().await;
        if let Ok(answer) = sent {
            assert!(!answer.status().is_success(), "{body:?} was taken for an event");
        }
    }

    fn event(&self, state: &str, at: DateTime<Utc>) -> Value {
        let at = at.to_rfc3339_opts(SecondsFormat::Micros, true);
        let id = uuid::Uuid::new_v4();
        json!({
            "publicationId": id, "topic": "platform-api-presence", "method": "PUT",
            "subject": format!("/2017-09-01/presentities/{}", self.person.user),
            "content": {"presences": {"aggregate": {"status": state, "enteredOn": at}}},
            "publisher": {"accountId": self.person.cloudlink, "principalId": self.person.user},
            "notification": {"createdOn": at, "correlationId": id},
        })
    }

    async fn until_taken(&self, body: &Value) {
        loop {
            let sent =
                self.client.post(self.person.hook.clone()).body(body.to_string()).send().await;
            if sent.is_ok_and(|answer| answer.status() == 204) {
                return;
            }
            sleep(Duration::from_millis(rand::random_range(50..300))).await;
        }
    }
}
