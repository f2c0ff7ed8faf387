//! What needs a person, grouped by cause: what is the matter, where, and the button that mends it.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use sqlx::PgConnection;

use super::channels::{failing, partners_failing};
use super::concern::{Button, Concern, Place};
use super::ready::{older, refused};
use super::removals::{self, removals};
use super::store::{self, Expiring, Troubled, Unmatched, Waiting, WaitingMonitor};
use crate::checks::{self, store::Urgent};
use crate::integrations::reminders;
use crate::integrations::store::refused::refused_nexts;
use crate::presence::pages::{Mend, at, mend, title_of};
use crate::presence::trouble::Trouble;
use crate::staff::{Right, Viewer};
use crate::state::AppState;

/// What passes by itself is given so long to do so before it looks like more than a hitch.
const PATIENCE: TimeDelta = TimeDelta::minutes(15);

/// All of it, the gravest first, and of equal ones the oldest; with the buttons that lead
/// somewhere for this viewer.
pub async fn concerns(
    app: &AppState,
    db: &mut PgConnection,
    viewer: &Viewer,
) -> sqlx::Result<Vec<Concern>> {
    let (now, scope) = (app.clock.now(), viewer.scope());
    let today = now.date_naive();
    let mut concerns = Vec::new();
    if scope.is_none() && !app.cloudlink.is_configured() {
        concerns.push(no_cloudlink());
    }
    concerns.extend(troubled(store::troubled(&mut *db, scope).await?, now));
    let (soon, last) = (today + TimeDelta::days(reminders::URGENT), reminders::horizon(today));
    let expiring = store::expiring(&mut *db, scope, today, soon, last).await?;
    for stage in 0..=2 {
        let found = expiring.iter().filter(|ending| ending.stage == stage).cloned().collect();
        concerns.extend(endings(found, today));
    }
    concerns.extend(refused(refused_nexts(&mut *db, scope, store::NAMED).await?));
    concerns.extend(older(&mut *db, scope).await?);
    let kept = store::waiting::removals(&mut *db, scope, now - removals::PATIENCE).await?;
    concerns.extend(removals(kept));
    let checked = checks::store::urgent(&mut *db, scope, today, store::NAMED).await?;
    concerns.extend(checks_that_failed(checked));
    concerns.extend(monitors(store::monitors(&mut *db, scope).await?));
    concerns.extend(failing(store::failing_channels(&mut *db, scope, false).await?));
    concerns.extend(partners_failing(&store::failing_channels(&mut *db, scope, true).await?));
    concerns.extend(not_set_up(store::not_set_up(&mut *db, scope).await?));
    concerns.extend(unmatched(store::unmatched(&mut *db, scope).await?));
    concerns.sort_by_key(|concern| {
        let severity = match concern.kind {
            "danger" => 0,
            "warn" => 1,
            _ => 2,
        };
        (severity, concern.since.is_none(), concern.since)
    });
    for place in concerns.iter_mut().flat_map(|concern| &mut concern.places) {
        place.button.take_if(|button| !viewer.has(button.right()));
    }
    Ok(concerns)
}

fn no_cloudlink() -> Concern {
    let cause = crate::cloudlink::Cause::NotConfigured;
    Concern {
        kind: "danger",
        title: cause.title().to_owned(),
        advice: cause.advice().to_owned(),
        places: Vec::new(),
        all: 0,
        list: Some("/settings".to_owned()),
        at_once: None,
        since: None,
    }
}

/// One concern for each cause; the accounts of a cause come one after another.
fn troubled(found: Vec<Troubled>, now: DateTime<Utc>) -> Vec<Concern> {
    let mut concerns: Vec<(String, Concern)> = Vec::new();
    for troubled in found {
        let cause = Trouble::by_key(&troubled.cause);
        let mended = cause.and_then(|cause| mend(troubled.account, troubled.integration, cause));
        let presence = Mend {
            words: "See presence",
            href: format!("/accounts/{}/presence", troubled.account),
            right: Right::Look,
        };
        let place = Place {
            account: troubled.account,
            name: troubled.name,
            since: Some(troubled.since),
            note: troubled.detail,
            button: Some(Button::Go(mended.unwrap_or(presence))),
        };
        match concerns.last_mut() {
            Some((key, concern)) if *key == troubled.cause => concern.places.push(place),
            _ => {
                let title = title_of(&troubled.cause).to_owned();
                let state = if troubled.needs_person { "attention" } else { "waiting" };
                let concern = Concern {
                    since: Some(troubled.since),
                    kind: match troubled.needs_person {
                        true => "danger",
                        false if troubled.since <= now - PATIENCE => "warn",
                        false => "info",
                    },
                    title,
                    advice: cause.map_or("", Trouble::advice).to_owned(),
                    places: vec![place],
                    all: troubled.all,
                    list: Some(format!("/accounts?health={state}")),
                    at_once: None,
                };
                concerns.push((troubled.cause, concern));
            }
        }
    }
    concerns.into_iter().map(|(_, concern)| concern).collect()
}

/// Secrets and certificates that are as urgent as each other.
fn endings(found: Vec<Expiring>, today: NaiveDate) -> Option<Concern> {
    let first = found.first()?;
    let what = match found.iter().filter(|ending| ending.is_certificate).count() {
        0 => "client secret",
        all if all == found.len() => "certificate",
        _ => "client secret or certificate",
    };
    let (kind, title) = match first.stage {
        0 => ("danger", format!("The {what}’s expiry date has passed")),
        1 => ("warn", format!("A {what} expires soon")),
        _ => ("info", format!("A {what} expires within three months")),
    };
    Some(Concern {
        kind,
        title,
        advice: "Lay the next one ready in the Configure dialog: it is tested at once, and takes over by itself before the old one ends.".to_owned(),
        all: first.all,
        list: None,
        at_once: None,
        since: (first.stage == 0).then(|| first.on.and_time(NaiveTime::MIN).and_utc()),
        places: found.into_iter().map(|ending| ending_place(ending, today)).collect(),
    })
}

fn ending_place(secret: Expiring, today: NaiveDate) -> Place {
    let day = secret.on.format("%-d %b %Y");
    let note = match (secret.on - today).num_days() {
        ..0 => format!("expired on {day}"),
        0 => "expires today".to_owned(),
        1 => "expires tomorrow".to_owned(),
        days => format!("expires on {day}, in {days} days"),
    };
    let configure = at(secret.account, Some(secret.integration), "configure");
    Place {
        account: secret.account,
        name: secret.name,
        since: None,
        note,
        button: Some(Button::go("Configure Microsoft Teams", configure, Right::Change)),
    }
}

fn checks_that_failed(found: Vec<Urgent>) -> Option<Concern> {
    let first = found.first()?;
    let (all, since) = (first.all, Some(first.since));
    let places = found.into_iter().map(|urgent| Place {
        button: Some(Button::go(
            "Setup check",
            at(urgent.account, Some(urgent.integration), "check"),
            Right::Look,
        )),
        account: urgent.account,
        name: urgent.name,
        since: Some(urgent.since),
        note: urgent.worst,
    });
    Some(Concern {
        kind: "danger",
        title: "The setup check found what a person has to mend".to_owned(),
        advice: "Each line says what was seen, what to do, and where. Run the check again when it is done.".to_owned(),
        places: places.collect(),
        all,
        since,
        list: None,
        at_once: None,
    })
}

fn monitors(found: Vec<WaitingMonitor>) -> Option<Concern> {
    let (all, since) = found.first().map(|first| (first.all, first.since))?;
    let places = found.into_iter().map(|waiting| {
        let monitors = at(waiting.account, Some(waiting.integration), "monitors");
        let remark =
            if waiting.note.is_empty() { String::new() } else { format!(" ({})", waiting.note) };
        Place {
            account: waiting.account,
            name: waiting.name,
            since: Some(waiting.since),
            note: format!("Also update the client secret of {}{remark}", waiting.monitor_name),
            button: Some(Button::TickOff {
                monitor: waiting.monitor,
                name: waiting.monitor_name,
                action: format!("{monitors}/{}/updated", waiting.monitor),
            }),
        }
    });
    Some(Concern {
        kind: "warn",
        title: "Presence monitors wait for the new client secret".to_owned(),
        advice: "They still use the old one. Update each, then tick it off.".to_owned(),
        all,
        list: None,
        at_once: None,
        since: Some(since),
        places: places.collect(),
    })
}

fn not_set_up(found: Vec<Waiting>) -> Option<Concern> {
    let (all, since) = found.first().map(|first| (first.all, first.since))?;
    let places = found.into_iter().map(|waiting| Place {
        button: Some(Button::go(
            "Complete setup",
            at(waiting.account, Some(waiting.integration), "setup"),
            Right::Change,
        )),
        account: waiting.account,
        name: waiting.name,
        since: Some(waiting.since),
        note: String::new(),
    });
    Some(Concern {
        kind: "info",
        title: "Microsoft Teams is added, but its setup is not complete".to_owned(),
        advice: "It needs the credentials of an application in the customer’s tenant.".to_owned(),
        all,
        list: Some("/accounts?health=setup".to_owned()),
        at_once: None,
        since: Some(since),
        places: places.collect(),
    })
}

fn unmatched(found: Vec<Unmatched>) -> Option<Concern> {
    let first = found.first()?;
    let (all, users) = (first.all, first.all_users);
    let title = if users == 1 {
        "One user is not matched with Microsoft Entra".to_owned()
    } else {
        format!("{users} users are not matched with Microsoft Entra")
    };
    let places = found.into_iter().map(|unmatched| Place {
        button: Some(Button::go(
            "See who",
            format!("/accounts/{}/presence?show=unmatched", unmatched.account),
            Right::Look,
        )),
        account: unmatched.account,
        name: unmatched.name,
        since: None,
        note: match unmatched.users {
            1 => "one user".to_owned(),
            users => format!("{users} users"),
        },
    });
    Some(Concern {
        kind: "info",
        title,
        advice: "Their e-mail addresses differ, or they are not there. Match them by hand, correct the address, or exclude them.".to_owned(),
        places: places.collect(),
        all,
        list: None,
        at_once: None,
        since: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{AccountId, IntegrationId};

    fn troubled_by(cause: &str, name: &str, all: i64) -> Troubled {
        Troubled {
            cause: cause.to_owned(),
            needs_person: true,
            detail: String::new(),
            since: DateTime::UNIX_EPOCH,
            account: AccountId::new(),
            name: name.to_owned(),
            integration: None,
            all,
        }
    }

    #[test]
    fn accounts_with_one_cause_are_one_concern() {
        let found = vec![
            troubled_by("secret-expired", "Acme", 7),
            troubled_by("secret-expired", "Bolt", 7),
            troubled_by("feed-silent", "Cord", 1),
        ];
        let concerns = troubled(found, DateTime::UNIX_EPOCH);
        let titles: Vec<_> = concerns.iter().map(|c| (c.title.as_str(), c.unnamed())).collect();
        assert_eq!(
            titles,
            [("The client secret has expired", 5), ("CloudLink’s feed is silent", 0)]
        );
        let Some(Button::Go(mend)) = &concerns[0].places[0].button else { panic!() };
        assert_eq!(mend.words, "Configure Microsoft Teams");
    }

    #[test]
    fn a_date_is_said_as_people_say_it() {
        let today: NaiveDate = "2026-03-02".parse().unwrap();
        let note = |on: &str| {
            let on = on.parse().unwrap();
            let account = AccountId::new();
            let integration = IntegrationId::new();
            let name = String::new();
            let (is_certificate, stage) = (false, 1);
            let ending = Expiring { account, name, integration, on, is_certificate, stage, all: 1 };
            ending_place(ending, today).note
        };
        assert_eq!(note("2026-03-01"), "expired on 1 Mar 2026");
        assert_eq!(note("2026-03-03"), "expires tomorrow");
        assert_eq!(note("2026-03-12"), "expires on 12 Mar 2026, in 10 days");
    }
}
