//! What is to be done for one user, and what an answer makes of it. Pure: no clock, no database.
//!
//! [`plan`] looks at what Teams should show and what it was last told, and names the one next
//! step. [`settle`] looks at the step and its answer, and says what Teams holds now and when to
//! look again. Whatever was lost, repeated or refused on the way, doing the step until there is
//! none makes Teams hold what is wanted.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::ids::EntraUserId;
use crate::microsoft::Shows;

#[cfg(test)]
mod model;
#[cfg(test)]
mod world;
pub mod pause;

/// Everything that matters about one user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// What the newest event maps to; none lets Teams decide.
    pub wanted: Option<Shows>,
    /// On whom to show it. None: not matched, excluded, paused, or the sync is switched off.
    pub on: Option<EntraUserId>,
    pub held: Option<Held>,
    /// When a pause begins or ends, and with it `on` changes by itself.
    pub turns_at: Option<DateTime<Utc>>,
}

/// A session of ours in Teams, as far as we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    pub shows: Shows,
    pub on: EntraUserId,
    /// When it was set or renewed.
    pub since: DateTime<Utc>,
    /// When it ends by itself, at the latest.
    pub until: DateTime<Utc>,
    /// False after a request without an answer: Teams may hold this, another state of ours, or nothing.
    pub certain: bool,
}

/// The next request for one user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Set {
        on: EntraUserId,
        shows: Shows,
    },
    Renew {
        on: EntraUserId,
        shows: Shows,
    },
    Clear {
        on: EntraUserId,
    },
    /// The session has ended by itself: no request, only our books.
    Forget,
    /// Nothing until then, or nothing at all.
    Rest {
        until: Option<DateTime<Utc>>,
    },
}

impl Step {
    /// Whose presence is asked for.
    pub fn on(self) -> Option<EntraUserId> {
        match self {
            Self::Set { on, .. } | Self::Renew { on, .. } | Self::Clear { on } => Some(on),
            Self::Forget | Self::Rest { .. } => None,
        }
    }
}

/// In which order users are served when not all can be at once; the lower first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    Call = 0,
    Change = 1,
    Renewal = 2,
    ClearingUp = 3,
}

/// What came of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Done,
    /// Refused: Teams holds what it held.
    Refused,
    /// No answer, or one that does not say whether it was done.
    Unknown,
}

/// Says what to do next.
pub fn plan(facts: &Facts, now: DateTime<Utc>) -> Step {
    let target = facts.on.zip(facts.wanted);
    let held = facts.held.filter(|held| held.until > now);
    match (held, target) {
        (None, Some((on, shows))) => Step::Set { on, shows },
        (None, None) if facts.held.is_some() => Step::Forget,
        // During a pause the end of it is waited for, if there is anything to show then.
        (None, None) => Step::Rest { until: facts.wanted.and(facts.turns_at) },
        // Moved to another Entra user: first clear the one, then set the other.
        (Some(held), Some((on, _))) if held.on != on => Step::Clear { on: held.on },
        (Some(held), None) => Step::Clear { on: held.on },
        (Some(held), Some((on, shows))) if held.shows != shows || !held.certain => {
            Step::Set { on, shows }
        }
        (Some(held), Some((on, shows))) => {
            let due = renewal(&held);
            // Set in the future: the clock went back, and we do not know how long ago that was.
            if due <= now || held.since > now {
                Step::Renew { on, shows }
            } else {
                Step::Rest { until: Some(facts.turns_at.map_or(due, |turn| due.min(turn))) }
            }
        }
    }
}

/// When a session is renewed: late in its life, and not all of them at the same moment.
///
/// Users are spread over the last part of the renewal period by their ids, so that those who
/// were set together do not stay together.
fn renewal(held: &Held) -> DateTime<Utc> {
    let period = held.shows.renew_after();
    let id = uuid::Uuid::from(held.on).as_u128();
    let spread = u32::try_from((id ^ (id >> 64)) % 1024).unwrap_or(0);
    held.since + period - (period * spread) / (1024 * 6)
}

/// What an answer makes of what we know, at the moment it came.
pub fn settle(
    facts: &Facts,
    step: Step,
    answer: Answer,
    asked: DateTime<Utc>,
    answered: DateTime<Utc>,
) -> Option<Held> {
    // The clock may have gone back meanwhile.
    let latest = answered.max(asked);
    match (step, answer) {
        (Step::Set { on, shows } | Step::Renew { on, shows }, Answer::Done) => {
            Some(Held { shows, on, since: asked, until: latest + shows.session(), certain: true })
        }
        (Step::Set { on, shows } | Step::Renew { on, shows }, Answer::Unknown) => {
            let before = facts.held.filter(|held| held.on == on);
            let until = latest + shows.session();
            Some(match before {
                Some(held) => Held { until: held.until.max(until), certain: false, ..held },
                None => Held { shows, on, since: asked, until, certain: false },
            })
        }
        (Step::Clear { .. }, Answer::Done) | (Step::Forget, _) => None,
        (Step::Clear { .. }, Answer::Unknown) => {
            facts.held.map(|held| Held { certain: false, ..held })
        }
        (_, Answer::Refused) | (Step::Rest { .. }, _) => facts.held,
    }
}

/// How urgent it is to make `held` what is `wanted`.
pub fn urgency(facts: &Facts) -> Urgency {
    let call =
        |shows: Option<Shows>| matches!(shows, Some(Shows::InACall | Shows::InAConferenceCall));
    let held = facts.held.map(|held| held.shows);
    match facts.on {
        None => Urgency::ClearingUp,
        Some(_) if held == facts.wanted => Urgency::Renewal,
        Some(_) if call(held) || call(facts.wanted) => Urgency::Call,
        Some(_) => Urgency::Change,
    }
}

const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_mins(5);

/// How long to wait after so many failures in a row: doubling, up to five minutes, and
/// shortened by up to a half so that those who failed together do not return together.
pub fn back_off(failures: u32, luck: f64) -> TimeDelta {
    let doubled = FIRST_WAIT.saturating_mul(1 << failures.saturating_sub(1).min(16));
    let wait = doubled.min(LONGEST_WAIT).mul_f64(1.0 - luck.clamp(0.0, 1.0) / 2.0);
    TimeDelta::from_std(wait).unwrap_or(TimeDelta::zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    fn user(n: u128) -> EntraUserId {
        uuid::Uuid::from_u128(n).into()
    }

    fn busy(on: EntraUserId) -> Held {
        Held { shows: Shows::InACall, on, since: at(0), until: at(300), certain: true }
    }

    fn calling(held: Option<Held>) -> Facts {
        Facts { wanted: Some(Shows::InACall), on: Some(user(1)), held, turns_at: None }
    }

    #[test]
    fn a_pause_clears_waits_for_its_end_and_sets_again() {
        let working = Facts { turns_at: Some(at(60)), ..calling(Some(busy(user(1)))) };
        assert_eq!(plan(&working, at(1)), Step::Rest { until: Some(at(60)) }, "before the renewal");
        let paused = Facts { on: None, turns_at: Some(at(600)), ..working };
        assert_eq!(plan(&paused, at(60)), Step::Clear { on: user(1) });
        let cleared = Facts { held: None, ..paused };
        assert_eq!(plan(&cleared, at(61)), Step::Rest { until: Some(at(600)) });
        let idle = Facts { wanted: None, ..cleared };
        assert_eq!(plan(&idle, at(61)), Step::Rest { until: None }, "nothing to show then");
        let over = Facts { on: Some(user(1)), turns_at: None, ..cleared };
        assert!(matches!(plan(&over, at(600)), Step::Set { .. }));
    }

    #[test]
    fn the_old_user_is_cleared_before_the_new_one_is_set() {
        let facts = Facts { on: Some(user(2)), ..calling(Some(busy(user(1)))) };
        let step = plan(&facts, at(1));
        assert_eq!(step, Step::Clear { on: user(1) });
        let held = settle(&facts, step, Answer::Done, at(1), at(1));
        let step = plan(&Facts { held, ..facts }, at(1));
        assert_eq!(step, Step::Set { on: user(2), shows: Shows::InACall });
    }

    #[test]
    fn a_session_that_ended_while_we_were_down_is_not_cleared() {
        let facts = Facts { wanted: None, ..calling(Some(busy(user(1)))) };
        assert_eq!(plan(&facts, at(299)), Step::Clear { on: user(1) });
        assert_eq!(plan(&facts, at(300)), Step::Forget);
    }

    #[test]
    fn a_set_without_an_answer_is_cleared_when_it_is_not_wanted_any_more() {
        let facts = calling(None);
        let held = settle(&facts, plan(&facts, at(0)), Answer::Unknown, at(0), at(10));
        let facts = Facts { wanted: None, held, ..facts };
        assert_eq!(plan(&facts, at(11)), Step::Clear { on: user(1) });
    }

    #[test]
    fn a_clock_that_went_back_renews_rather_than_waits() {
        let facts = calling(Some(busy(user(1))));
        assert!(matches!(plan(&facts, at(-3600)), Step::Renew { .. }));
    }

    #[test]
    fn renewals_come_before_the_end_and_are_spread() {
        let users = (0..200).map(|n| user(uuid::Uuid::now_v7().as_u128().wrapping_add(n)));
        let mut moments: Vec<_> = users.map(|on| renewal(&busy(on))).collect();
        assert!(moments.iter().all(|m| *m > at(195) && *m <= at(240)));
        moments.sort();
        moments.dedup();
        assert!(moments.len() > 50, "{} different moments", moments.len());
    }

    #[test]
    fn waits_double_up_to_five_minutes() {
        let seconds: Vec<_> = [1, 2, 3, 9, 10, 40, u32::MAX]
            .iter()
            .map(|failures| back_off(*failures, 0.0).num_seconds())
            .collect();
        assert_eq!(seconds, [1, 2, 4, 256, 300, 300, 300]);
        assert_eq!(back_off(10, 1.0).num_seconds(), 150);
    }
}
