//! What lies ready: a next credential that Microsoft refused, and a newer release.

use sqlx::PgConnection;

use super::concern::{Button, Concern, Place};
use super::store::waiting;
use crate::ids::StaffId;
use crate::integrations::Kind;
use crate::integrations::store::refused::NextRefused;
use crate::microsoft::Cause;
use crate::presence::pages::at;
use crate::staff::Right;

/// A next secret that is of no use does harm only when the one in force ends: by then it is too
/// late to look.
pub fn refused(found: Vec<NextRefused>) -> Option<Concern> {
    let first = found.first()?;
    let (all, since) = (first.all, Some(first.since));
    let places = found.into_iter().map(|next| {
        let why = Cause::by_key(&next.refused).map_or("Microsoft refused it", Cause::title);
        Place {
            button: Some(Button::go(
                "Configure Microsoft Teams",
                at(next.account, Some(next.integration), "configure"),
                Right::Change,
            )),
            account: next.account,
            name: next.name,
            since: Some(next.since),
            note: format!("the next {}: {why}", next.what.words()),
        }
    });
    Some(Concern {
        kind: "warn",
        title: "What lies ready to follow was refused".to_owned(),
        advice: "What is in force goes on for now. Lay another one ready before that ends."
            .to_owned(),
        places: places.collect(),
        all,
        list: None,
        at_once: None,
        since,
    })
}

/// Accounts on an older release, while no update of the fleet is under way.
pub async fn older(db: &mut PgConnection, scope: Option<StaffId>) -> sqlx::Result<Option<Concern>> {
    let newest = Kind::MicrosoftTeams.newest();
    let found = waiting::behind(db, scope, newest.number).await?;
    let Some(all) = found.first().map(|first| first.all) else { return Ok(None) };
    let title = match all {
        1 => "One account is on an older release".to_owned(),
        all => format!("{all} accounts are on an older release"),
    };
    let places = found.into_iter().map(|behind| Place {
        button: Some(Button::go(
            "Install update",
            at(behind.account, Some(behind.integration), "update"),
            Right::Change,
        )),
        account: behind.account,
        name: behind.name,
        since: None,
        note: Kind::MicrosoftTeams
            .release(behind.release)
            .map_or_else(String::new, |release| format!("release {}", release.name)),
    });
    Ok(Some(Concern {
        kind: "info",
        title,
        advice: format!("They work as before, without what release {} brings.", newest.name),
        places: places.collect(),
        all,
        list: None,
        at_once: scope.is_none().then_some(("Fleet update", "/fleet")),
        since: None,
    }))
}
