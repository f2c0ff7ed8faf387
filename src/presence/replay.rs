//! What another mapping would have shown: the telephones' states of a day, decided once by the
//! mapping there is and once by a draft, side by side. Pure; the states are fed in one by one.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::mapping::{Decision, Mapping};
use super::requests::{Cost, Requests};
use super::store::history::Said;
use crate::ids::CloudlinkUserId;
use crate::microsoft::Shows;

/// So many people are named, those for whom it makes most difference.
const NAMED: usize = 20;

/// A state that would have shown something else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    pub old: Option<Shows>,
    pub new: Option<Shows>,
    pub users: u64,
    pub times: u64,
    pub lasted: TimeDelta,
}

/// Somebody who would have shown something else, and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Concerned {
    pub user: CloudlinkUserId,
    pub lasted: TimeDelta,
    /// What made most of that: the state, and what it shows by each mapping.
    pub state: String,
    pub old: Option<Shows>,
    pub new: Option<Shows>,
}

#[derive(Clone, Debug, Default)]
pub struct Preview {
    /// People, and states of theirs, that were looked at.
    pub users: u64,
    pub states: u64,
    /// State by state, what makes most difference first.
    pub differences: Vec<(String, Difference)>,
    pub concerned: u64,
    pub people: Vec<Concerned>,
    pub old_cost: Cost,
    pub new_cost: Cost,
}

/// A replay under way. States come user by user, the oldest first.
pub struct Replay<'a> {
    old: &'a Mapping,
    new: &'a Mapping,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    person: Option<Person>,
    differences: BTreeMap<(String, Key), Difference>,
    concerned: Vec<Concerned>,
    counted: Preview,
    old_requests: Requests,
    new_requests: Requests,
}

/// What is shown by each, in a form that sorts.
type Key = (&'static str, &'static str);

struct Person {
    user: CloudlinkUserId,
    /// The state that holds, and since when it has.
    state: String,
    since: DateTime<Utc>,
    old: Side,
    new: Side,
    lasted: BTreeMap<(String, Key), TimeDelta>,
}

/// What one mapping shows, and since when.
#[derive(Clone, Copy, Default)]
struct Side {
    shows: Option<Shows>,
    since: DateTime<Utc>,
}

impl<'a> Replay<'a> {
    /// Of what was said from `from` to `to`.
    pub fn new(old: &'a Mapping, new: &'a Mapping, from: DateTime<Utc>, to: DateTime<Utc>) -> Self {
        let minutes = usize::try_from((to - from).num_minutes()).unwrap_or(0) + 2;
        Self {
            old,
            new,
            from,
            to,
            person: None,
            differences: BTreeMap::new(),
            concerned: Vec::new(),
            counted: Preview::default(),
            old_requests: Requests::over(minutes),
            new_requests: Requests::over(minutes),
        }
    }

    pub fn take(&mut self, said: Said) {
        if self.person.as_ref().is_none_or(|person| person.user != said.user) {
            self.close();
            self.counted.users += 1;
            self.person = Some(Person {
                user: said.user.clone(),
                state: String::new(),
                since: said.at,
                old: Side { shows: None, since: said.at },
                new: Side { shows: None, since: said.at },
                lasted: BTreeMap::new(),
            });
        }
        let at = said.at.min(self.to);
        self.pass(at);
        if said.at >= self.from {
            self.counted.states += 1;
        }
        let (old, new) = (self.old.decide(&said.state), self.new.decide(&said.state));
        if let Some(person) = &mut self.person {
            person.state = said.state;
            person.old.turn(old, at, self.from, &mut self.old_requests);
            person.new.turn(new, at, self.from, &mut self.new_requests);
        }
    }

    /// The state that holds goes on until `at`.
    fn pass(&mut self, at: DateTime<Utc>) {
        let Some(person) = &mut self.person else { return };
        let lasted = at - person.since.max(self.from);
        person.since = person.since.max(at);
        let (old, new) = (person.old.shows, person.new.shows);
        if old == new || lasted <= TimeDelta::zero() {
            return;
        }
        let key = (super::mapping::fold(&person.state), key(old, new));
        let difference = self.differences.entry(key.clone()).or_default();
        (difference.old, difference.new) = (old, new);
        difference.times += 1;
        difference.lasted += lasted;
        if let Some(whole) = person.lasted.get_mut(&key) {
            *whole += lasted;
        } else {
            difference.users += 1;
            person.lasted.insert(key, lasted);
        }
    }

    /// The person is through.
    fn close(&mut self) {
        self.pass(self.to);
        let Some(person) = self.person.take() else { return };
        person.old.end(self.to, self.from, &mut self.old_requests);
        person.new.end(self.to, self.from, &mut self.new_requests);
        let lasted = person.lasted.values().sum();
        let Some(((state, key), _)) = person.lasted.into_iter().max_by_key(|(_, lasted)| *lasted)
        else {
            return;
        };
        self.counted.concerned += 1;
        let (old, new) = (key.0.parse().ok(), key.1.parse().ok());
        self.concerned.push(Concerned { user: person.user, lasted, state, old, new });
        if self.concerned.len() > NAMED * 50 {
            self.keep_the_most_concerned();
        }
    }

    fn keep_the_most_concerned(&mut self) {
        self.concerned.sort_by(|a, b| (b.lasted, &a.user).cmp(&(a.lasted, &b.user)));
        self.concerned.truncate(NAMED);
    }

    pub fn finish(mut self) -> Preview {
        self.close();
        self.keep_the_most_concerned();
        let mut differences: Vec<_> = self
            .differences
            .into_iter()
            .map(|((state, _), difference)| (state, difference))
            .collect();
        differences.sort_by_key(|(_, difference)| std::cmp::Reverse(difference.lasted));
        Preview {
            differences,
            people: self.concerned,
            old_cost: self.old_requests.cost(),
            new_cost: self.new_requests.cost(),
            ..self.counted
        }
    }
}

fn key(old: Option<Shows>, new: Option<Shows>) -> Key {
    (old.map_or("clear", Shows::as_str), new.map_or("clear", Shows::as_str))
}

impl Side {
    fn turn(
        &mut self,
        decision: Decision,
        at: DateTime<Utc>,
        from: DateTime<Utc>,
        requests: &mut Requests,
    ) {
        let shows = match decision {
            Decision::NoChange => return,
            Decision::Clear => None,
            Decision::Show(shows) => Some(shows),
        };
        if shows == self.shows {
            return;
        }
        self.end(at, from, requests);
        if at >= from {
            requests.one(at - from);
        }
        *self = Self { shows, since: at };
    }

    /// What was held until now was renewed meanwhile.
    fn end(&self, at: DateTime<Utc>, from: DateTime<Utc>, requests: &mut Requests) {
        if let Some(shows) = self.shows {
            requests.renewed(shows, self.since.max(from) - from, at - from);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(minutes: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + minutes * 60, 0).unwrap()
    }

    fn said(user: &str, minutes: i64, state: &str) -> Said {
        Said { user: user.parse().unwrap(), state: state.to_owned(), at: at(minutes) }
    }

    fn draft(rules: &[(&str, Decision)]) -> Mapping {
        Mapping::with(rules.iter().map(|(state, decision)| ((*state).to_owned(), *decision)))
    }

    fn replayed(new: &Mapping, said: impl IntoIterator<Item = Said>) -> Preview {
        let old = Mapping::default();
        let mut replay = Replay::new(&old, new, at(0), at(24 * 60));
        for one in said {
            replay.take(one);
        }
        replay.finish()
    }

    #[test]
    fn a_changed_rule_says_whom_it_concerns_for_how_long_and_what_it_costs() {
        let new = draft(&[("idle", Decision::Show(Shows::Available))]);
        let preview = replayed(
            &new,
            [
                said("ada", -600, "idle"),
                said("ada", 60, "onCall"),
                said("ada", 70, "idle"),
                said("bo", 100, "onCall"),
            ],
        );
        assert_eq!((preview.users, preview.states, preview.concerned), (2, 3, 1));
        let (state, difference) = &preview.differences[0];
        assert_eq!(state, "idle");
        assert_eq!((difference.old, difference.new), (None, Some(Shows::Available)));
        assert_eq!((difference.users, difference.times), (1, 2));
        assert_eq!(difference.lasted, TimeDelta::minutes(24 * 60 - 10));
        assert_eq!(preview.people[0].user.as_str(), "ada");
        // Two calls of ten minutes and of the rest of the day, renewed every four minutes.
        assert_eq!(preview.old_cost.requests, 3 + 3 + 335);
        assert_eq!(preview.new_cost.requests, 15 + 3 + 2 + 335 + 343);
        assert_eq!(preview.old_cost.peak, 2, "a call begins, and is renewed from then on");
    }

    #[test]
    fn a_state_that_changes_nothing_keeps_what_was_before() {
        let new = draft(&[("ringing", Decision::Show(Shows::Away))]);
        let preview = replayed(
            &new,
            [said("ada", 0, "onCall"), said("ada", 5, "ringing"), said("ada", 6, "idle")],
        );
        let (state, difference) = &preview.differences[0];
        assert_eq!(state, "ringing");
        assert_eq!(difference.old, Some(Shows::InACall));
        assert_eq!(difference.lasted, TimeDelta::minutes(1));
        assert!(replayed(&Mapping::default(), [said("ada", 0, "onCall")]).differences.is_empty());
    }

    proptest! {
        /// Looked at every minute, the two mappings differ for as long as the replay says.
        #[test]
        fn differences_are_those_a_watcher_would_see(
            states in prop::collection::vec((0_i64..1440, 0_usize..4), 1..40),
            idle in 0_usize..7, ringing in 0_usize..7,
        ) {
            const STATES: [&str; 4] = ["idle", "On Call", "ringing", "away"];
            let new = draft(&[("idle", Decision::ALL[idle]), ("ringing", Decision::ALL[ringing])]);
            let old = Mapping::default();
            let mut states = states;
            states.sort_by_key(|(minute, _)| *minute);
            let preview = replayed(&new, states.iter().map(|(m, s)| said("ada", *m, STATES[*s])));
            let mut differed = 0;
            for minute in 0..24 * 60 {
                let shown = |mapping: &Mapping| {
                    let before = states.iter().filter(|(m, _)| *m <= minute);
                    let mut decided = before.map(|(_, s)| mapping.decide(STATES[*s]));
                    decided.rfind(|d| *d != Decision::NoChange)
                };
                let plain = |decision| match decision {
                    Some(Decision::Show(shows)) => Some(shows),
                    _ => None,
                };
                differed += i64::from(plain(shown(&old)) != plain(shown(&new)));
            }
            let lasted: TimeDelta = preview.differences.iter().map(|(_, d)| d.lasted).sum();
            prop_assert_eq!(lasted.num_minutes(), differed);
            let people: TimeDelta = preview.people.iter().map(|one| one.lasted).sum();
            prop_assert_eq!(people, lasted);
        }
    }
}
