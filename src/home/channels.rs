//! Channels whose messages do not arrive.

use super::concern::{Button, Concern, Place};
use super::store::Failing;
use crate::staff::Right;

pub fn failing(found: Vec<Failing>) -> Option<Concern> {
    let all = found.first()?.all;
    let place = |failing: Failing| {
        let (account, name) = failing.account.zip(failing.name)?;
        Some(Place {
            account,
            name,
            since: Some(failing.since),
            note: format!("{}: {}", failing.channel_name, failing.failure),
            button: Some(Button::go(
                "See the channel",
                format!("/accounts/{account}/notifications/{}", failing.channel),
                Right::Look,
            )),
        })
    };
    Some(Concern {
        kind: "warn",
        title: "Notifications do not arrive".to_owned(),
        advice: FAILING_ADVICE.to_owned(),
        since: found.first().map(|failing| failing.since),
        places: found.into_iter().filter_map(place).collect(),
        all,
        list: None,
        at_once: None,
    })
}

/// The same of the partner’s own, which belong to no account.
pub fn partners_failing(found: &[Failing]) -> Option<Concern> {
    let names: Vec<_> = found.iter().map(|failing| failing.channel_name.as_str()).collect();
    let failure = &found.first()?.failure;
    Some(Concern {
        kind: "warn",
        title: format!("Notifications to {} do not arrive", names.join(", ")),
        advice: format!("{FAILING_ADVICE} The last answer: {failure}"),
        places: Vec::new(),
        all: 0,
        list: Some("/settings/notifications".to_owned()),
        at_once: None,
        since: found.iter().map(|failing| failing.since).min(),
    })
}

const FAILING_ADVICE: &str = "Messages wait and are tried again for three days. Look what is answered, correct where the channel leads, and send a test.";
