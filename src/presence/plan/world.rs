//! A small Teams, and our books beside it: what the planner is held against.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;

use super::*;
use crate::presence::budget::allowance::Allowance;

pub const USERS: u8 = 3;
pub const PER_SECOND: usize = 2;

/// Teams' rules for the sessions of one app: one session per user, which a set replaces, a
/// clear ends, and time ends too.
#[derive(Default)]
pub struct Teams {
    sessions: BTreeMap<EntraUserId, (Shows, DateTime<Utc>)>,
    /// Requests that left everything as it was, renewals aside.
    pub idle: usize,
}

impl Teams {
    fn shows(&self, user: EntraUserId, now: DateTime<Utc>) -> Option<Shows> {
        self.sessions.get(&user).filter(|(_, until)| *until > now).map(|(shows, _)| *shows)
    }

    fn take(&mut self, step: Step, now: DateTime<Utc>) {
        match step {
            Step::Set { on, shows } | Step::Renew { on, shows } => {
                let renews = matches!(step, Step::Renew { .. });
                self.idle += usize::from(!renews && self.shows(on, now) == Some(shows));
                self.sessions.insert(on, (shows, now + shows.session()));
            }
            Step::Clear { on } => {
                self.idle += usize::from(self.shows(on, now).is_none());
                self.sessions.remove(&on);
            }
            Step::Forget | Step::Rest { .. } => {}
        }
    }
}

#[derive(Clone, Debug)]
pub enum Happening {
    /// The newest event maps to this.
    Wants(u8, Option<Shows>),
    /// Matched with one of two Entra users of their own, or with none.
    Matched(u8, Option<u8>),
    Excluded(u8, bool),
    Switched(bool),
    Passes(u16),
    /// One request, and what becomes of it.
    Works(Fate),
    /// The process ends with a request on its way that Microsoft took, or did not; and these
    /// events come before another takes over.
    Crash(bool, Vec<(u8, Option<Shows>)>),
    /// Our clock jumps.
    Jumps(i16),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fate {
    Done,
    Refused,
    LostOnTheWay,
    AnswerLost,
    Throttled(u8),
}

/// One user, as a row of our books.
pub struct Row {
    wanted: Option<Shows>,
    matched: Option<EntraUserId>,
    excluded: bool,
    held: Option<Held>,
    pub due: Option<DateTime<Utc>>,
    failures: u32,
}

pub struct World {
    pub teams: Teams,
    pub rows: Vec<Row>,
    syncing: bool,
    allowance: Allowance,
    began: Instant,
    /// When requests left, and until when none was to.
    pub sent: Vec<Instant>,
    closed: Option<Instant>,
    pub now: DateTime<Utc>,
    /// How far our clock is off.
    pub off: TimeDelta,
}

impl World {
    pub fn after(history: &[Happening]) -> Self {
        let row = |n| Row {
            wanted: None,
            matched: Some(entra(n, 0)),
            excluded: false,
            held: None,
            due: None,
            failures: 0,
        };
        let mut world = Self {
            teams: Teams::default(),
            rows: (0..USERS).map(row).collect(),
            syncing: true,
            allowance: Allowance::new(PER_SECOND),
            began: Instant::now(),
            sent: Vec::new(),
            closed: None,
            now: opening(),
            off: TimeDelta::zero(),
        };
        for happening in history {
            world.happen(happening);
        }
        world
    }

    fn happen(&mut self, happening: &Happening) {
        let clock = self.clock();
        match happening {
            Happening::Wants(user, wanted) => self.wants(*user, *wanted),
            Happening::Matched(user, on) => {
                let row = &mut self.rows[usize::from(*user)];
                (row.matched, row.due) = (on.map(|which| entra(*user, which)), Some(clock));
            }
            Happening::Excluded(user, out) => {
                let row = &mut self.rows[usize::from(*user)];
                (row.excluded, row.due) = (*out, Some(clock));
            }
            Happening::Switched(on) => {
                self.syncing = *on;
                self.rows.iter_mut().for_each(|row| row.due = Some(clock));
            }
            Happening::Passes(seconds) => self.pass(*seconds),
            Happening::Works(fate) => {
                self.work(*fate);
            }
            Happening::Crash(done, meanwhile) => {
                self.crash(*done);
                for (user, wanted) in meanwhile {
                    self.wants(*user, *wanted);
                }
                self.take_over();
            }
            Happening::Jumps(seconds) => {
                self.off += TimeDelta::seconds(i64::from(*seconds));
                // As the crew does when it notices.
                let clock = self.clock();
                self.rows.iter_mut().for_each(|row| row.due = row.due.map(|due| due.min(clock)));
            }
        }
    }

    /// Nobody lets work lie while time passes, as far as it may be done.
    fn pass(&mut self, seconds: u16) {
        let until = self.now + TimeDelta::seconds(i64::from(seconds));
        while self.now < until {
            if !self.work(Fate::Done) {
                self.now += TimeDelta::seconds(1);
            }
        }
    }

    fn wants(&mut self, user: u8, wanted: Option<Shows>) {
        let clock = self.clock();
        let row = &mut self.rows[usize::from(user)];
        if row.wanted != wanted {
            (row.wanted, row.due) = (wanted, Some(clock));
        }
    }

    pub fn clock(&self) -> DateTime<Utc> {
        self.now + self.off
    }

    fn instant(&self) -> Instant {
        self.began + (self.now - opening()).to_std().unwrap()
    }

    fn facts(&self, n: usize) -> Facts {
        let row = &self.rows[n];
        let on = row.matched.filter(|_| !row.excluded && self.syncing);
        Facts { wanted: row.wanted, on, held: row.held, turns_at: None }
    }

    /// The most urgent of those who are due.
    fn next(&self) -> Option<usize> {
        let clock = self.clock();
        let due =
            (0..self.rows.len()).filter(|n| self.rows[*n].due.is_some_and(|due| due <= clock));
        due.min_by_key(|n| (urgency(&self.facts(*n)), self.rows[*n].due))
    }

    /// Does one step, as far as the budget allows. False: nobody is due, or nothing may leave.
    fn work(&mut self, fate: Fate) -> bool {
        let Some(n) = self.next() else { return false };
        let (facts, asked) = (self.facts(n), self.clock());
        let step = plan(&facts, asked);
        let asks = !matches!(step, Step::Forget | Step::Rest { .. });
        if asks && !self.leaves() {
            return false;
        }
        let arrives = matches!(fate, Fate::Done | Fate::AnswerLost);
        if asks && arrives {
            self.teams.take(step, self.now);
        }
        let answer = match fate {
            _ if !asks => Answer::Done,
            Fate::Done => Answer::Done,
            Fate::Refused | Fate::Throttled(_) => Answer::Refused,
            Fate::LostOnTheWay | Fate::AnswerLost => Answer::Unknown,
        };
        self.now += TimeDelta::milliseconds(200);
        if let (true, Fate::Throttled(seconds)) = (asks, fate) {
            let until = self.instant() + Duration::from_secs(u64::from(seconds));
            self.allowance.close_until(until);
            self.closed = self.closed.max(Some(until));
        }
        let clock = self.clock();
        let facts = Facts { held: settle(&facts, step, answer, asked, clock), ..facts };
        let row = &mut self.rows[n];
        row.held = facts.held;
        row.failures = if answer == Answer::Done { 0 } else { row.failures + 1 };
        row.due = match (answer, plan(&facts, clock)) {
            (Answer::Done, Step::Rest { until }) => until,
            (Answer::Done, _) => Some(clock),
            _ => Some(clock + back_off(row.failures, 0.5)),
        };
        true
    }

    fn leaves(&mut self) -> bool {
        let now = self.instant();
        if self.allowance.take(now).is_err() {
            return false;
        }
        assert!(self.closed.is_none_or(|until| until <= now), "sent before the wait was over");
        self.sent.push(now);
        true
    }

    /// A request is on its way, and nobody will ever write down what came of it.
    fn crash(&mut self, done: bool) {
        if let Some(n) = self.next() {
            let step = plan(&self.facts(n), self.clock());
            if done && !matches!(step, Step::Forget | Step::Rest { .. }) {
                self.teams.take(step, self.now);
            }
        }
        // What is known of the budget dies too; what Microsoft asked us to wait for does not.
        self.allowance = Allowance::new(PER_SECOND);
        self.now += TimeDelta::seconds(15);
        if let Some(until) = self.closed {
            self.allowance.close_until(until);
        }
    }

    /// Whoever takes over has its doubts about all that is due: as `store::doubt` says.
    fn take_over(&mut self) {
        let clock = self.clock();
        for row in self.rows.iter_mut().filter(|row| row.due.is_some_and(|due| due <= clock)) {
            let lasts = TimeDelta::minutes(if row.held.is_some() { 5 } else { 60 });
            let until = row.due.unwrap_or(clock) + lasts;
            row.held = match (row.held, row.matched) {
                (Some(held), _) => {
                    Some(Held { certain: false, until: held.until.max(until), ..held })
                }
                (None, Some(on)) => {
                    Some(Held { shows: Shows::InACall, on, since: clock, until, certain: false })
                }
                (None, None) => None,
            };
        }
    }

    /// Works, and waits where it has to, until there is nothing to do at this moment.
    pub fn finish(&mut self) {
        for _ in 0..2_000 {
            let clock = self.clock();
            let soon = clock + TimeDelta::seconds(150);
            if self.work(Fate::Done) {
                continue;
            }
            if self.next().is_some() {
                self.now += TimeDelta::milliseconds(100);
                continue;
            }
            // Those who failed a moment ago are tried again; those who rest are not waited for.
            let again = self.rows.iter().filter(|row| row.failures > 0).filter_map(|row| row.due);
            match again.filter(|due| *due <= soon + TimeDelta::seconds(150)).min() {
                Some(due) => self.now += (due - clock).max(TimeDelta::milliseconds(1)),
                None => return,
            }
        }
        panic!("it never rests");
    }

    /// Everybody Teams shows something of ours for, and what.
    pub fn shown(&self) -> Vec<(EntraUserId, Shows)> {
        let users = (0..USERS).flat_map(|n| [entra(n, 0), entra(n, 1)]);
        users.filter_map(|user| Some((user, self.teams.shows(user, self.now)?))).collect()
    }

    pub fn target(&self) -> Vec<(EntraUserId, Shows)> {
        let facts = (0..self.rows.len()).map(|n| self.facts(n));
        facts.filter_map(|facts| facts.on.zip(facts.wanted)).collect()
    }
}

fn opening() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

fn entra(user: u8, which: u8) -> EntraUserId {
    uuid::Uuid::from_u128(u128::from(user) * 2 + u128::from(which) + 1).into()
}
