//! *Why does this user show this?* From the event to what Teams says, step by step.

use std::time::Duration;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use tokio::time::timeout;

use super::older::Older;
use super::past::{self, Past};
use super::pausing::{Resting, resting};
use super::people::{look, why_unmatched};
use super::verdict::{Seen, Verdict, said, verdict};
use crate::accounts::{Account, TheAccount};
use crate::ids::{CloudlinkUserId, EntraUserId};
use crate::integrations::{self, Ability};
use crate::microsoft::{Shows, TeamsPresence};
use crate::presence::mapping::Decision;
use crate::presence::store::why::{self, Person, Story};
use crate::presence::store::{pauses, rules};
use crate::presence::trouble::Trouble;
use crate::state::AppState;
use crate::web::{self, AccountTab, Chrome, OrNotFound, Page, Partial, Path};

/// A page is not kept waiting for Microsoft longer than this.
const PATIENCE: Duration = Duration::from_secs(8);
/// Teams shows a change within "a few minutes".
const TAKES_UP: TimeDelta = TimeDelta::minutes(4);

pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/accounts/{account}/presence/users/{user}", get(show))
        .route("/accounts/{account}/presence/users/{user}/teams", get(teams))
}

#[derive(Clone, Debug, Deserialize)]
pub struct InPath {
    pub user: CloudlinkUserId,
}

#[derive(Template)]
#[template(path = "presence/user.html")]
struct UserPage {
    chrome: Chrome,
    account: Account,
    person: Person,
    /// Nobody can be left out on the release it has.
    older: Option<Older>,
    unmatched: Option<&'static str>,
    paused: Option<Resting>,
    story: Option<Told>,
    past: Vec<Past>,
    readback: ReadBack,
}

/// What Teams says now, asked for again.
#[derive(Template)]
#[template(path = "presence/user.html", block = "readback")]
struct ReadBackPart {
    account: Account,
    person: Person,
    readback: ReadBack,
}

async fn show(
    State(app): State<AppState>,
    the: TheAccount,
    Path(InPath { user }): Path<InPath>,
) -> web::Result {
    let now = app.clock.now();
    let known = known(&app, &the.account, &user).await?;
    let mapping = rules::mapping(&app.db, the.account.id).await?;
    let past = past::of(&app.db, the.account.id, &user, &mapping, now).await?;
    let readback = read_back(&app, &the.account, &known).await?;
    let Known { person, story, paused } = known;
    let unmatched = person.entra.is_none().then(|| why_unmatched(person.match_trouble.as_deref()));
    let story = story.map(|story| Told::of(story, |state| mapping.decide(state), now));
    Ok(Page(UserPage {
        older: Older::than(&app, &the.account, Ability::UserScope).await?,
        chrome: the.chrome(person.name.clone(), AccountTab::Presence),
        account: the.account,
        person,
        unmatched,
        paused,
        story,
        past,
        readback,
    })
    .into_response())
}

async fn teams(
    State(app): State<AppState>,
    the: TheAccount,
    Path(InPath { user }): Path<InPath>,
    Partial(partial): Partial,
) -> web::Result<Response> {
    if !partial {
        let page = format!("/accounts/{}/presence/users/{user}", the.account.id);
        return Ok(web::see_other(page));
    }
    let known = known(&app, &the.account, &user).await?;
    let readback = read_back(&app, &the.account, &known).await?;
    Ok(Page(ReadBackPart { account: the.account, person: known.person, readback }).into_response())
}

/// What our own tables say.
struct Known {
    person: Person,
    story: Option<Story>,
    paused: Option<Resting>,
}

async fn known(app: &AppState, account: &Account, user: &CloudlinkUserId) -> web::Result<Known> {
    let mut db = app.db.acquire().await?;
    let person = why::person(&mut *db, account.id, user).await?.or_not_found()?;
    let story = why::story(&mut *db, account.id, user).await?;
    let (whole, own) = pauses::of(&mut *db, account.id, Some(user)).await?;
    Ok(Known { person, story, paused: resting(whole, own, app.clock.now()) })
}

/// The story in words.
#[derive(Clone, Debug)]
struct Told {
    story: Story,
    /// As CloudLink spelled it; empty states have a word, too.
    state: String,
    /// What the newest state decides.
    decision: Decision,
    /// The state before it, when the newest decides nothing.
    decided_by: Option<String>,
    wanted: Option<Shows>,
    held: Option<Shows>,
    look: &'static str,
    request: Option<Request>,
    trouble: Option<(&'static str, &'static str)>,
}

/// The last request.
#[derive(Clone, Debug)]
struct Request {
    kind: &'static str,
    what: String,
    outcome: String,
}

impl Told {
    fn of(story: Story, decide: impl Fn(&str) -> Decision, now: DateTime<Utc>) -> Self {
        let shows = |text: &Option<String>| text.as_deref().and_then(|text| text.parse().ok());
        let decision = decide(&story.state);
        let wanted = shows(&story.wanted);
        let held =
            shows(&story.applied).filter(|_| story.expires_at.is_some_and(|until| until > now));
        Self {
            state: if story.state.is_empty() { "(none)".to_owned() } else { story.state.clone() },
            decided_by: (decision == Decision::NoChange)
                .then(|| story.decided_state.clone())
                .flatten(),
            request: request(&story),
            trouble: story.trouble.as_deref().map(|key| {
                Trouble::by_key(key)
                    .map_or(("Microsoft refused", ""), |known| (known.title(), known.advice()))
            }),
            look: look(held),
            decision,
            wanted,
            held,
            story,
        }
    }
}

fn request(story: &Story) -> Option<Request> {
    let asked_for = story.asked_for.as_deref()?;
    let (kind, outcome) = past::outcome(asked_for, story.answer_status);
    Some(Request { kind, what: past::asked(asked_for), outcome })
}

/// What Teams says, or why we do not know.
#[derive(Clone, Debug)]
enum ReadBack {
    Says {
        presence: String,
        verdict: Verdict,
    },
    /// There is nobody to ask about, or no way to ask.
    Nobody(&'static str),
    /// Microsoft did not say.
    Away {
        title: &'static str,
        advice: &'static str,
        detail: String,
    },
}

async fn read_back(app: &AppState, account: &Account, known: &Known) -> web::Result<ReadBack> {
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
    let whom = [entra];
    let asked = app.microsoft.presences(&connection, &whom);
    Ok(match timeout(PATIENCE, asked).await {
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
        Err(_) => ReadBack::Away {
            title: "Microsoft did not answer in time",
            advice: "Try again in a moment.",
            detail: String::new(),
        },
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
    ReadBack::Says { presence: said(presence), verdict }
}
