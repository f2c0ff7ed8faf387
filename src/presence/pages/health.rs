//! An account's health in one line: what is, why, and what to do about it.

use chrono::{DateTime, Utc};

use super::pausing::Resting;
use crate::accounts::Account;
use crate::ids::{AccountId, IntegrationId};
use crate::microsoft::Cause;
use crate::presence::store::overview::{Numbers, Stage, Standing, Trouble};
use crate::presence::trouble;
use crate::staff::{Right, Viewer};

/// One line, and what stands below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// As `parts::callout` knows them: ok, info, warn, danger, neutral, working.
    pub kind: &'static str,
    pub title: String,
    pub advice: String,
    /// Microsoft's or CloudLink's own words, with their request id.
    pub detail: String,
    pub since: Option<DateTime<Utc>>,
    /// When it passes by itself.
    pub until: Option<DateTime<Utc>>,
    pub mend: Option<Mend>,
}

/// The button that mends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mend {
    pub words: &'static str,
    pub href: String,
    pub right: Right,
}

impl Health {
    fn quiet(kind: &'static str, title: &str, advice: &str) -> Self {
        Self {
            kind,
            title: title.to_owned(),
            advice: advice.to_owned(),
            detail: String::new(),
            since: None,
            until: None,
            mend: None,
        }
    }

    fn mended_by(self, words: &'static str, href: String, right: Right) -> Self {
        Self { mend: Some(Mend { words, href, right }), ..self }
    }

    /// Without the button, where it leads nowhere for this viewer.
    pub fn for_viewer(mut self, viewer: &Viewer) -> Self {
        self.mend.take_if(|mend| !viewer.has(mend.right));
        self
    }
}

/// What to say of an account. The first thing that keeps it from working is what counts.
pub fn health(
    account: &Account,
    standing: &Standing,
    troubles: &[Trouble],
    numbers: &Numbers,
    paused: Option<&Resting>,
) -> Health {
    let integrations = format!("/accounts/{}/integrations", account.id);
    if !account.is_active() {
        return Health::quiet(
            "neutral",
            "This account is deactivated",
            "Nothing is synced until it is activated again.",
        )
        .mended_by("Account information", format!("/accounts/{}", account.id), Right::Look);
    }
    if standing.stage == Stage::Removing {
        return Health::quiet(
            "working",
            "Microsoft Teams is being removed",
            "What we set in Teams is cleared first; then the credentials are forgotten.",
        );
    }
    if standing.stage == Stage::NotAdded {
        return Health::quiet(
            "neutral",
            "Microsoft Teams is not added to this account yet",
            "Add it, and Teams will say when somebody is on the phone.",
        )
        .mended_by("Add Microsoft Teams", integrations, Right::Change);
    }
    if standing.stage == Stage::NotSetUp {
        return Health::quiet(
            "warn",
            "The setup of Microsoft Teams is not complete",
            "We need the credentials of an application in the customer’s tenant.",
        )
        .mended_by(
            "Complete setup",
            at(account.id, standing.integration, "setup"),
            Right::Change,
        );
    }
    let paused = paused.filter(|_| standing.stage == Stage::On);
    // What passes by itself alarms nobody during a pause.
    if let Some(trouble) = troubles.first().filter(|t| t.needs_person || paused.is_none()) {
        return troubled(account, trouble, standing);
    }
    if standing.stage == Stage::Off {
        return Health::quiet(
            "neutral",
            "Presence sync is switched off",
            "Teams decides by itself what people show.",
        )
        .mended_by("Switch it on", integrations, Right::Change);
    }
    match paused {
        Some(paused) => resting(account, paused),
        None => running(account, standing, numbers),
    }
}

fn resting(account: &Account, paused: &Resting) -> Health {
    let advice =
        format!("{} What we set in Teams is cleared, and nothing is set until then.", paused.why);
    Health {
        until: paused.until,
        ..Health::quiet("neutral", paused.title, advice.trim_start()).mended_by(
            "Change the pause",
            format!("/accounts/{}/presence/pause", account.id),
            Right::Change,
        )
    }
}

fn troubled(account: &Account, trouble: &Trouble, standing: &Standing) -> Health {
    let known = trouble::Trouble::by_key(&trouble.cause);
    let advice = known.map_or("", trouble::Trouble::advice);
    let advice = if standing.stage == Stage::On {
        advice.to_owned()
    } else {
        format!("{advice} Sync is switched off, but what it set in Teams is yet to be cleared.")
    };
    Health {
        kind: if trouble.needs_person { "danger" } else { "warn" },
        title: title_of(&trouble.cause).to_owned(),
        advice,
        detail: trouble.detail.clone(),
        since: Some(trouble.since),
        until: None,
        mend: known.and_then(|known| mend(account.id, standing.integration, known)),
    }
}

/// What a cause is called; one this program does not know, by its key.
pub fn title_of(key: &str) -> &str {
    match trouble::Trouble::by_key(key) {
        Some(known) => known.title(),
        None => key,
    }
}

/// Where a cause is mended, when it is mended in the portal.
pub fn mend(
    account: AccountId,
    integration: Option<IntegrationId>,
    cause: trouble::Trouble,
) -> Option<Mend> {
    let (words, href, right) = match cause {
        // No dialog sets a clock: the check says by how much it is off, and what to do.
        trouble::Trouble::Microsoft(Cause::ClockWrong) => {
            ("Setup check", format!("/accounts/{account}/setup-check"), Right::Look)
        }
        trouble::Trouble::Microsoft(cause) if cause.needs_person() => {
            ("Configure Microsoft Teams", at(account, integration, "configure"), Right::Change)
        }
        trouble::Trouble::Cloudlink(cause) if cause.needs_person() => match cause {
            crate::cloudlink::Cause::NotConfigured | crate::cloudlink::Cause::CredentialsWrong => {
                ("Settings", "/settings".to_owned(), Right::Partner)
            }
            _ => ("Account information", format!("/accounts/{account}"), Right::Look),
        },
        _ => return None,
    };
    Some(Mend { words, href, right })
}

/// A dialog of the integration, or the panel it stands on.
pub fn at(account: AccountId, integration: Option<IntegrationId>, dialog: &str) -> String {
    match integration {
        Some(id) => format!("/accounts/{account}/integrations/{id}/{dialog}"),
        None => format!("/accounts/{account}/integrations"),
    }
}

fn running(account: &Account, standing: &Standing, numbers: &Numbers) -> Health {
    if !standing.staffed {
        return Health::quiet(
            "working",
            "No node works for this account yet",
            "One takes it over within 15 seconds. If this stays, no portal process is syncing.",
        );
    }
    if standing.users_refreshed_at.is_none() || standing.directory_refreshed_at.is_none() {
        return Health::quiet(
            "working",
            "Both directories are being read for the first time",
            "Users appear below as soon as they are known.",
        );
    }
    if standing.sync_asked_at > standing.directory_refreshed_at {
        return Health::quiet(
            "working",
            "Both directories are being read again",
            "Somebody pressed Sync now. Presence goes on meanwhile.",
        )
        .mended_by(
            "See the steps",
            format!("/accounts/{}/presence/sync", account.id),
            Right::Look,
        );
    }
    let matched = numbers.matched();
    match (numbers.users, matched) {
        (0, _) => Health::quiet(
            "warn",
            "CloudLink names no users in this account",
            "Check the CloudLink account id, or add users in Mitel Administration.",
        ),
        (_, 0) => Health::quiet(
            "warn",
            "Nobody could be matched with Microsoft Entra",
            "Users are matched by e-mail address. Match them by hand below, or correct the addresses.",
        ),
        (users, _) => Health::quiet(
            "ok",
            "In step",
            &match users {
                1 => "1 of 1 user is kept in step with Teams.".to_owned(),
                _ => format!("{matched} of {users} users are kept in step with Teams."),
            },
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acme() -> Account {
        Account {
            id: AccountId::new(),
            name: "Acme".to_owned(),
            cloudlink_id: "1".parse().unwrap(),
            country: String::new(),
            address: String::new(),
            city: String::new(),
            postal_code: String::new(),
            language: String::new(),
            support_emails: Vec::new(),
            deactivated_at: None,
            deleting_since: None,
            created_at: DateTime::UNIX_EPOCH,
        }
    }

    fn working() -> Standing {
        Standing {
            stage: Stage::On,
            staffed: true,
            users_refreshed_at: Some(DateTime::UNIX_EPOCH),
            directory_refreshed_at: Some(DateTime::UNIX_EPOCH),
            ..Standing::default()
        }
    }

    #[test]
    fn the_first_thing_in_the_way_is_what_is_said() {
        let (acme, some) = (acme(), Numbers { users: 3, unmatched: 1, ..Numbers::default() });
        let say = |standing: &Standing, troubles: &[Trouble]| {
            health(&acme, standing, troubles, &some, None).title
        };
        assert_eq!(
            say(&Standing::default(), &[]),
            "Microsoft Teams is not added to this account yet"
        );
        assert_eq!(say(&working(), &[]), "In step");
        let off = Standing { stage: Stage::Off, ..working() };
        assert_eq!(say(&off, &[]), "Presence sync is switched off");
        let alone = Standing { staffed: false, ..working() };
        assert_eq!(say(&alone, &[]), "No node works for this account yet");
        let expired = Trouble {
            side: "microsoft".to_owned(),
            cause: "secret-expired".to_owned(),
            detail: "AADSTS7000222".to_owned(),
            since: DateTime::UNIX_EPOCH,
            last_at: DateTime::UNIX_EPOCH,
            needs_person: true,
        };
        assert_eq!(
            say(&working(), std::slice::from_ref(&expired)),
            "The client secret has expired"
        );
        let grave = health(&acme, &working(), std::slice::from_ref(&expired), &some, None);
        assert_eq!(grave.kind, "danger");
        assert_eq!(grave.mend.unwrap().words, "Configure Microsoft Teams");

        let pause = Resting {
            title: "Presence sync is paused",
            why: String::new(),
            until: Some(DateTime::UNIX_EPOCH),
            by_hand: true,
        };
        let passing = Trouble { needs_person: false, ..expired.clone() };
        let paused = |trouble| health(&acme, &working(), &[trouble], &some, Some(&pause));
        assert_eq!(paused(passing).title, "Presence sync is paused");
        assert_eq!(paused(expired).title, "The client secret has expired");
        let off = health(&acme, &off, &[], &some, Some(&pause));
        assert_eq!(off.title, "Presence sync is switched off");
    }
}
