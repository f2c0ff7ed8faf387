//! *Why does this user show this?* From the event to what Teams says, step by step.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::get;
use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::older::Older;
use super::past::{self, Past};
use super::pausing::{Resting, resting};
use super::people::{look, why_unmatched};
use super::read_back::{self, Patience, ReadBack};
use crate::accounts::{Account, TheAccount};
use crate::ids::CloudlinkUserId;
use crate::integrations::Ability;
use crate::microsoft::Shows;
use crate::presence::mapping::Decision;
use crate::presence::store::why::{self, Person, Story};
use crate::presence::store::{pauses, rules};
use crate::presence::trouble::Trouble;
use crate::state::AppState;
use crate::web::{self, AccountTab, Chrome, OrNotFound, Page, Partial, Path, Scripted};

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

async fn show(
    State(app): State<AppState>,
    the: TheAccount,
    Path(InPath { user }): Path<InPath>,
    Scripted(scripted): Scripted,
) -> web::Result {
    // A browser with scripts asks for the rest by itself, once the page stands.
    let patience = if scripted { Patience::None } else { Patience::OfAPage };
    whole(&app, the, &user, patience).await
}

/// What Teams says now: in its place on the page, or as the whole page for whoever has no scripts.
async fn teams(
    State(app): State<AppState>,
    the: TheAccount,
    Path(InPath { user }): Path<InPath>,
    Partial(partial): Partial,
) -> web::Result {
    if !partial {
        return whole(&app, the, &user, Patience::OfAPage).await;
    }
    let known = known(&app, &the.account, &user).await?;
    let readback = read_back::ask(&app, &the.account, &known, Patience::OfAPart).await?;
    Ok(Page(read_back::Part { account: the.account, user, readback }).into_response())
}

async fn whole(
    app: &AppState,
    the: TheAccount,
    user: &CloudlinkUserId,
    patience: Patience,
) -> web::Result {
    let now = app.clock.now();
    let known = known(app, &the.account, user).await?;
    let mapping = rules::mapping(&app.db, the.account.id).await?;
    let past = past::of(&app.db, the.account.id, user, &mapping, now).await?;
    let readback = read_back::ask(app, &the.account, &known, patience).await?;
    let Known { person, story, paused } = known;
    let unmatched = person.entra.is_none().then(|| why_unmatched(person.match_trouble.as_deref()));
    let story = story.map(|story| Told::of(story, |state| mapping.decide(state), now));
    Ok(Page(UserPage {
        older: Older::than(app, &the.account, Ability::UserScope).await?,
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

/// What our own tables say.
pub struct Known {
    pub person: Person,
    pub story: Option<Story>,
    pub paused: Option<Resting>,
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
