//! What a mapping costs in requests, against what the tenant is given.

use crate::kit::text::counted;
use crate::presence::mapping::{DEFAULT, Decision, Mapping};
use crate::presence::requests::Cost;

/// What it costs to hold a state for people who do nothing: most of them, most of the time.
pub fn of_resting(mapping: &Mapping, matched: i64, per_second: u32) -> Option<String> {
    let resting = DEFAULT.iter().filter(|(_, decision)| *decision == Decision::Clear);
    let (state, shows) = resting
        .filter_map(|(state, _)| match mapping.decide(state) {
            Decision::Show(shows) => Some((*state, shows)),
            Decision::Clear | Decision::NoChange => None,
        })
        .min_by_key(|(_, shows)| shows.renew_after())?;
    let users = u64::try_from(matched).unwrap_or(0);
    let minutes = (shows.renew_after().as_secs() / 60).max(1);
    let calls = users.div_ceil(minutes);
    let budget = u64::from(per_second) * 60;
    Some(format!(
        "Holding {} for a telephone that is {state} has to be renewed every {minutes} minutes: up \
         to {} a minute for {}, {} % of the {budget} a minute \
         that this tenant is given. Left to Teams, it costs nothing.",
        shows.label(),
        counted(calls, "call"),
        counted(users, "matched user"),
        share(calls, budget),
    ))
}

/// What a day cost, or would have.
pub fn of_a_day(cost: Cost, per_second: u32) -> String {
    let budget = u64::from(per_second) * 60;
    format!(
        "{} requests, at most {} in a minute: {} % of the {budget} a minute that this tenant is given",
        cost.requests,
        cost.peak,
        share(cost.peak, budget),
    )
}

fn share(calls: u64, budget: u64) -> u64 {
    (calls * 100).div_ceil(budget.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::microsoft::Shows;

    #[test]
    fn holding_available_for_idle_phones_has_its_price() {
        assert_eq!(of_resting(&Mapping::default(), 1000, 50), None);
        let mapping = Mapping::with([("idle".to_owned(), Decision::Show(Shows::Available))]);
        let words = of_resting(&mapping, 1000, 50).unwrap();
        assert!(words.contains("up to 250 calls a minute"), "{words}");
        assert!(words.contains("9 % of the 3000 a minute"), "{words}");
    }
}
