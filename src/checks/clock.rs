//! What the clocks of both outside systems say of ours. Pure.

use chrono::TimeDelta;

use super::lines::Finding;

/// A `Date` header says whole seconds, and an answer takes its time.
const RIGHT: u64 = 5;
/// Beyond this, sign-in and events go wrong: Microsoft allows five minutes.
const FAR_OFF: u64 = 120;

const ADVICE: &str =
    "Keep this server’s clock right with NTP. Signing in, events and sessions all depend on it.";

/// How far each is ahead of ours, as far as it said; negative: behind.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ahead {
    pub microsoft: Option<TimeDelta>,
    pub cloudlink: Option<TimeDelta>,
}

/// Of two clocks that differ from ours, the one that differs less is believed; where one of
/// them agrees with ours, it is the other that is wrong.
pub fn judge(ahead: Ahead) -> Finding {
    let said = [("Microsoft’s", ahead.microsoft), ("CloudLink’s", ahead.cloudlink)];
    let mut said: Vec<_> =
        said.into_iter().filter_map(|(whose, ahead)| Some((whose, ahead?.num_seconds()))).collect();
    said.sort_by_key(|(_, off)| off.unsigned_abs());
    match said.as_slice() {
        [] => Finding::not_looked_at("Neither Microsoft nor CloudLink said what time it is."),
        [(whose, off)] => one(whose, *off),
        [(whose, near), (other, far), ..] => {
            let (near_is_right, far_is_right) = (is_right(*near), is_right(*far));
            if far_is_right {
                let seen = "It agrees with Microsoft’s and CloudLink’s to within a few seconds.";
                Finding::green(seen)
            } else if near_is_right {
                let (by, which) = words(*far);
                Finding::amber(format!("It agrees with {whose}. By {other} it is {by} {which}."))
                    .advising("The other clock is likely wrong. Should it stay so, tell them.")
            } else {
                one(whose, *near)
            }
        }
    }
}

fn is_right(off: i64) -> bool {
    off.unsigned_abs() <= RIGHT
}

fn one(whose: &str, off: i64) -> Finding {
    if is_right(off) {
        return Finding::green(format!("It agrees with {whose} to within a few seconds."));
    }
    let (by, which) = words(off);
    let seen = format!("It is {by} {which}, by {whose} clock.");
    let finding = if off.unsigned_abs() <= FAR_OFF { Finding::amber } else { Finding::red };
    finding(seen)
        .or_alone(format!("This server’s clock is {by} {which}, by {whose} clock."))
        .advising(ADVICE)
}

/// By how much, and in which direction.
fn words(off: i64) -> (String, &'static str) {
    let by = match off.unsigned_abs() {
        by @ 0..=119 => format!("{by} seconds"),
        by @ 120..=7_199 => format!("{} minutes", by / 60),
        by => format!("{} hours", by / 3_600),
    };
    (by, if off > 0 { "slow" } else { "fast" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::lines::State;

    fn judged(microsoft: Option<i64>, cloudlink: Option<i64>) -> Finding {
        let seconds = |seconds: Option<i64>| seconds.map(TimeDelta::seconds);
        judge(Ahead { microsoft: seconds(microsoft), cloudlink: seconds(cloudlink) })
    }

    #[test]
    fn clocks_may_differ_by_what_a_header_cannot_say() {
        let state = |seconds| judged(Some(seconds), None).state;
        assert_eq!(
            [state(0), state(-5), state(6), state(-121)],
            [State::Green, State::Green, State::Amber, State::Red]
        );
        assert!(judged(Some(600), None).seen.contains("10 minutes slow, by Microsoft’s"));
        assert!(judged(None, Some(-600)).seen.contains("10 minutes fast, by CloudLink’s"));
        assert_eq!(judged(None, None).state, State::NotLookedAt);
    }

    #[test]
    fn of_two_clocks_the_one_that_agrees_clears_ours() {
        assert_eq!(judged(Some(2), Some(-3)).state, State::Green);
        let torn = judged(Some(1), Some(900));
        assert_eq!(torn.state, State::Amber);
        assert!(torn.seen.contains("By CloudLink’s it is 15 minutes slow"), "{}", torn.seen);
        assert_eq!(judged(Some(600), Some(610)).state, State::Red, "both say so");
    }
}
