//! Removals that wait to clear up.

use chrono::TimeDelta;

use super::concern::{Button, Concern, Place};
use super::store::waiting::Removal;
use crate::presence::pages::title_of;
use crate::staff::Right;

/// A removal that takes no longer is no concern of anybody's.
pub const PATIENCE: TimeDelta = TimeDelta::minutes(2);

pub fn removals(found: Vec<Removal>) -> Option<Concern> {
    let first = found.first()?;
    let (all, since) = (first.all, Some(first.since));
    let places = found.into_iter().map(|removal| {
        let left = match removal.sessions {
            0 => "nothing is left in Teams".to_owned(),
            1 => "one presence is left in Teams".to_owned(),
            many => format!("{many} presences are left in Teams"),
        };
        let why = removal.cause.as_deref().map(|cause| format!("{}; ", title_of(cause)));
        Place {
            button: Some(Button::go(
                "See what is left",
                format!("/accounts/{}/integrations", removal.account),
                Right::Look,
            )),
            account: removal.account,
            name: removal.name,
            since: Some(removal.since),
            note: format!("{}{left}", why.unwrap_or_default()),
        }
    });
    Some(Concern {
        kind: "warn",
        title: "A removal waits to clear up".to_owned(),
        advice: "It is tried again by itself until it is done; only then are the credentials forgotten. Or somebody says “Forget it”.".to_owned(),
        places: places.collect(),
        all,
        since,
        list: Some("/accounts?health=removing".to_owned()),
        at_once: None,
    })
}
