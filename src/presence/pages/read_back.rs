//! What Teams says of a user when it is asked now, and why it says so.

use std::time::Duration;

use askama::Template;
use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::timeout;

use super::user::Known;
use super::verdict::{Seen, Verdict, said, verdict};
use crate::accounts::Account;
use crate::ids::{CloudlinkUserId, EntraUserId};
use crate::integrations;
use crate::microsoft::TeamsPresence;
use crate::state::AppState;
use crate::web;

/// Teams shows a change within "a few minutes".
const TAKES_UP: TimeDelta = TimeDelta::minutes(4);

/// How long Microsoft is waited for.
#[derive(Clone, Copy, Debug)]
pub enum Patience {
    /// The page comes at once, and asks when it stands.
    None,
    /// Somebody waits for a page.
    OfAPage,
    /// The page is there already.
    OfAPart,
}

impl Patience {
    fn time(self) -> Option<Duration> {
        match self {
            Self::None => None,
            Self::OfAPage => Some(Duration::from_millis(1_500)),
            Self::OfAPart => Some(Duration::from_secs(8)),
        }
    }
}

/// What Teams says, or why we do not know.
#[derive(Clone, Debug)]
pub enum ReadBack {
    /// The page will ask.
    Asking,
    Says {
        presence: String,
        verdict: Verdict,
        at: DateTime<Utc>,
    },
    /// There is nobody to ask about, or no way to ask.
    Nobody(&'static str),
    /// Microsoft has not said anything so far.
    Late,
    /// Microsoft did not say.
    Away {
        title: &'static str,
        advice: &'static str,
        detail: String,
    },
}

/// The parts of the page that hang on it.
#[derive(Template)]
#[template(path = "presence/read_back_part.html")]
pub struct Part {
    pub account: Account,
    pub user: CloudlinkUserId,
    pub readback: ReadBack,
}

pub async fn ask(
    app: &AppState,
    account: &Account,
    known: &Known,
    patience: Patience,
) -> web::Result<ReadBack> {
    let (person, story) = (&known.person, known.story.as_ref());
    let Some(entra) = person.entra.or(story.and_then(|story| story.applied_entra)) else {
        return Ok(ReadBack::Nobody(
            "Nobody in Microsoft Entra is matched with this user, so there is nothing to look at in Teams.",
        ));
    };
    let connection = integrations::store::connection_of(&app.db, &app.sealer, account.id).await?;
    let Some(connection) = connection else {
        return Ok(ReadBack::Nobody(
            "Microsoft Teams is not set up for this account, so Teams cannot be asked.",
        ));
    };
    let Some(patience) = patience.time() else { return Ok(ReadBack::Asking) };
    let whom = [entra];
    let asked = app.microsoft.presences(&connection, &whom);
    Ok(match timeout(patience, asked).await {
        Ok(Ok(presences)) => match presences.into_iter().find(|p| p.user == entra) {
            Some(presence) => judged(&presence, known, entra, app.clock.now()),
            None => ReadBack::Nobody(
                "Teams does not know this user: deleted in Entra, or without Teams.",
            ),
        },
        Ok(Err(refusal)) => ReadBack::Away {
            title: refusal.cause.title(),
            advice: refusal.cause.advice(),
            detail: refusal.detail,
        },
        Err(_) => ReadBack::Late,
    })
}

fn judged(
    presence: &TeamsPresence,
    known: &Known,
    entra: EntraUserId,
    now: DateTime<Utc>,
) -> ReadBack {
    let story = known.story.as_ref();
    let shows = |text: &Option<String>| text.as_deref().and_then(|text| text.parse().ok());
    let ours = story
        .filter(|story| story.applied_entra == Some(entra))
        .filter(|story| story.expires_at.is_some_and(|until| until > now))
        .and_then(|story| shows(&story.applied));
    let asks = !known.person.excluded && known.paused.is_none();
    let wanted = story.filter(|_| asks).and_then(|story| shows(&story.wanted));
    let since = story.and_then(|story| story.applied_at);
    let settled = since.is_some_and(|since| now - since > TAKES_UP);
    let verdict = verdict(Seen { ours, settled, wanted, teams: presence });
    ReadBack::Says { presence: said(presence), verdict, at: now }
}
