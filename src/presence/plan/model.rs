//! The planner against a small model of Teams: random histories of events, lost answers,
//! refusals, crashes and time.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;

use super::*;

/// Teams' rules for the sessions of one app: one session per user, which a set replaces, a
/// clear ends, and time ends too.
#[derive(Default)]
struct Teams {
    sessions: BTreeMap<EntraUserId, (Shows, DateTime<Utc>)>,
    /// Requests that left everything as it was, renewals aside.
    idle: usize,
}

impl Teams {
    fn shows(&self, user: EntraUserId, now: DateTime<Utc>) -> Option<Shows> {
        self.sessions.get(&user).filter(|(_, until)| *until > now).map(|(shows, _)| *shows)
    }

    fn take(&mut self, step: Step, now: DateTime<Utc>) {
        match step {
            Step::Set { on, shows } | Step::Renew { on, shows } => {
                let renews = matches!(step, Step::Renew { .. });
                if !renews && self.shows(on, now) == Some(shows) {
                    self.idle += 1;
                }
                self.sessions.insert(on, (shows, now + shows.session()));
            }
            Step::Clear { on } => {
                if self.shows(on, now).is_none() {
                    self.idle += 1;
                }
                self.sessions.remove(&on);
            }
            Step::Forget | Step::Rest { .. } => {}
        }
    }
}

#[derive(Clone, Debug)]
enum Happening {
    /// The newest event maps to this.
    Wants(Option<Shows>),
    /// Matched with this user, or with none.
    Matched(Option<u8>),
    Passes(u16),
    /// One request, and what becomes of it.
    Works(Fate),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    Done,
    Refused,
    LostOnTheWay,
    AnswerLost,
    /// Done, and the process dies before it writes that down.
    Crash,
}

fn shows() -> impl Strategy<Value = Shows> {
    prop::sample::select(Shows::ALL.to_vec())
}

fn happening(fates: &'static [Fate]) -> impl Strategy<Value = Happening> {
    prop_oneof![
        3 => prop::option::of(shows()).prop_map(Happening::Wants),
        1 => prop::option::of(0..3u8).prop_map(Happening::Matched),
        2 => (0..2_000u16).prop_map(Happening::Passes),
        4 => prop::sample::select(fates).prop_map(Happening::Works),
    ]
}

struct World {
    teams: Teams,
    facts: Facts,
    now: DateTime<Utc>,
}

impl World {
    fn new() -> Self {
        let facts = Facts { wanted: None, on: Some(user(0)), held: None };
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        Self { teams: Teams::default(), facts, now }
    }

    fn happen(&mut self, happening: &Happening) {
        match happening {
            Happening::Wants(wanted) => self.facts.wanted = *wanted,
            Happening::Matched(with) => self.facts.on = with.map(user),
            Happening::Passes(seconds) => self.now += TimeDelta::seconds(i64::from(*seconds)),
            Happening::Works(fate) => {
                self.work(*fate);
            }
        }
    }

    fn work(&mut self, fate: Fate) -> Step {
        let step = plan(&self.facts, self.now);
        let asked = self.now;
        let arrives = !matches!(fate, Fate::Refused | Fate::LostOnTheWay);
        if arrives {
            self.teams.take(step, self.now);
        }
        let answer = match fate {
            Fate::Done => Answer::Done,
            Fate::Refused => Answer::Refused,
            Fate::LostOnTheWay | Fate::AnswerLost => Answer::Unknown,
            Fate::Crash => return step,
        };
        self.now += TimeDelta::milliseconds(200);
        self.facts.held = settle(&self.facts, step, answer, asked, self.now);
        step
    }

    /// Works until there is nothing to do at this moment.
    fn finish(&mut self) {
        for _ in 0..10 {
            if matches!(self.work(Fate::Done), Step::Rest { .. }) {
                return;
            }
        }
        panic!("it never rests: {:?}", self.facts);
    }

    /// Everybody Teams shows something of ours for, and what.
    fn shown(&self) -> Vec<(EntraUserId, Shows)> {
        let shown = |n| self.teams.shows(user(n), self.now).map(|shows| (user(n), shows));
        (0..3).filter_map(shown).collect()
    }

    fn target(&self) -> Vec<(EntraUserId, Shows)> {
        self.facts.on.zip(self.facts.wanted).into_iter().collect()
    }
}

fn user(n: u8) -> EntraUserId {
    uuid::Uuid::from_u128(u128::from(n) + 1).into()
}

const QUIET: &[Fate] = &[Fate::Done];
const LOSSY: &[Fate] = &[Fate::Done, Fate::Refused, Fate::LostOnTheWay, Fate::AnswerLost];
const DEADLY: &[Fate] = &[Fate::Done, Fate::AnswerLost, Fate::Crash];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn when_events_stop_teams_holds_what_the_newest_maps_to(
        history in prop::collection::vec(happening(LOSSY), 0..40)
    ) {
        let mut world = World::new();
        for happening in &history {
            world.happen(happening);
        }
        world.finish();
        prop_assert_eq!(world.shown(), world.target());
    }

    #[test]
    fn it_stays_so_for_as_long_as_somebody_looks_when_it_is_due(
        history in prop::collection::vec(happening(LOSSY), 0..20)
    ) {
        let mut world = World::new();
        for happening in &history {
            world.happen(happening);
        }
        world.finish();
        for _ in 0..20 {
            prop_assert_eq!(world.shown(), world.target());
            let Step::Rest { until: Some(due) } = plan(&world.facts, world.now) else { break };
            prop_assert!(due > world.now);
            world.now = due - TimeDelta::milliseconds(1);
            prop_assert_eq!(world.shown(), world.target(), "it must not have ended yet");
            world.now = due;
            world.finish();
        }
    }

    #[test]
    fn without_losses_no_request_changes_nothing(
        history in prop::collection::vec(happening(QUIET), 0..40)
    ) {
        let mut world = World::new();
        for happening in &history {
            world.happen(happening);
        }
        world.finish();
        prop_assert_eq!(world.teams.idle, 0);
    }

    #[test]
    fn after_a_crash_nobody_is_stuck_longer_than_a_session_lasts(
        history in prop::collection::vec(happening(DEADLY), 0..40)
    ) {
        let mut world = World::new();
        for happening in &history {
            world.happen(happening);
        }
        world.finish();
        world.now += TimeDelta::hours(1);
        world.finish();
        prop_assert_eq!(world.shown(), world.target());
    }
}
