//! What a draft of the mapping would have shown over the last 24 hours. Nothing is saved.

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use chrono::TimeDelta;

use super::cost;
use super::mapping::{page, refused};
use super::mapping_form::TableForm;
use super::older::Older;
use crate::accounts::{Account, TheAccount, TheAccountToChange};
use crate::ids::{AccountId, CloudlinkUserId};
use crate::integrations::Ability;
use crate::microsoft::Shows;
use crate::presence::mapping::Mapping;
use crate::presence::replay::{Preview, Replay};
use crate::presence::store::{history, people, rules};
use crate::state::AppState;
use crate::web::{self, AccountTab, Form, Page};

const DAY: TimeDelta = TimeDelta::hours(24);
/// So many states are looked at; no account of ours has more in a day.
const MOST: u32 = 2_000_000;

pub fn routes() -> Router<AppState> {
    Router::new().route("/accounts/{account}/presence/mapping/preview", get(back).post(preview))
}

/// Two mappings side by side, in words.
pub(super) struct Shown {
    pub users: u64,
    pub states: u64,
    pub concerned: u64,
    pub lines: Vec<Line>,
    pub people: Vec<Person>,
    pub old_cost: String,
    pub new_cost: String,
    /// More was said than is looked at.
    pub cut_off: bool,
}

pub(super) struct Line {
    pub state: String,
    pub old: &'static str,
    pub new: &'static str,
    pub users: u64,
    pub times: u64,
    pub lasted: String,
}

pub(super) struct Person {
    pub user: CloudlinkUserId,
    pub name: String,
    pub state: String,
    pub old: &'static str,
    pub new: &'static str,
    pub lasted: String,
}

/// Whoever comes back to the address of a preview has no draft any more.
async fn back(the: TheAccount) -> Response {
    web::see_other(format!("/accounts/{}/presence/mapping", the.account.id))
}

async fn preview(
    State(app): State<AppState>,
    the: TheAccountToChange,
    Form(fields): Form<Vec<(String, String)>>,
) -> web::Result {
    if let Some(older) = Older::than(&app, &the.account, Ability::OwnMapping).await? {
        return Ok(older.refuse(format!("/accounts/{}/presence/mapping", the.account.id)));
    }
    let form = TableForm::from(fields);
    let old = rules::mapping(&app.db, the.account.id).await?;
    let draft = match form.parse(&old) {
        Ok(draft) => draft,
        Err(errors) => return refused(&app, &the, &form, errors).await,
    };
    let shown = shown(&app, &the.account, &old, &draft).await?;
    let chrome = the.chrome("Mapping", AccountTab::Mapping);
    let page = page(&app, chrome, &the.account, &the.viewer, &draft).await?;
    Ok(Page(page.previewing(shown)).into_response())
}

async fn shown(
    app: &AppState,
    account: &Account,
    old: &Mapping,
    draft: &Mapping,
) -> web::Result<Shown> {
    let now = app.clock.now();
    let mut replay = Replay::new(old, draft, now - DAY, now);
    let mut seen: u32 = 0;
    history::said_since(&app.db, account.id, now - DAY, MOST.into(), |said| {
        seen += 1;
        replay.take(said);
    })
    .await?;
    let Preview { users, states, differences, concerned, people, old_cost, new_cost } =
        replay.finish();
    let ids: Vec<_> = people.iter().map(|one| one.user.as_str().to_owned()).collect();
    let name_of = names_of(app, account.id, &ids).await?;
    let budget = app.config.microsoft.requests_per_second;
    let lines = differences.into_iter().map(|(state, difference)| Line {
        state,
        old: label(difference.old),
        new: label(difference.new),
        users: difference.users,
        times: difference.times,
        lasted: lasting(difference.lasted),
    });
    let people = people.into_iter().map(|one| Person {
        name: name_of(&one.user),
        user: one.user,
        state: one.state,
        old: label(one.old),
        new: label(one.new),
        lasted: lasting(one.lasted),
    });
    Ok(Shown {
        users,
        states,
        concerned,
        lines: lines.collect(),
        people: people.collect(),
        old_cost: cost::of_a_day(old_cost, budget),
        new_cost: cost::of_a_day(new_cost, budget),
        cut_off: seen == MOST,
    })
}

async fn names_of(
    app: &AppState,
    account: AccountId,
    users: &[String],
) -> sqlx::Result<impl Fn(&CloudlinkUserId) -> String> {
    let named = people::names(&app.db, account, users).await?;
    Ok(move |user: &CloudlinkUserId| {
        let known = named.iter().find(|(id, _)| id == user);
        known.map_or_else(|| user.to_string(), |(_, name)| name.clone())
    })
}

fn label(shows: Option<Shows>) -> &'static str {
    shows.map_or("Teams decides", Shows::label)
}

/// Such as "3 h 20 min".
fn lasting(time: TimeDelta) -> String {
    match (time.num_hours(), time.num_minutes() % 60) {
        (0, 0) => format!("{} s", time.num_seconds()),
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_said_as_people_say_them() {
        let said = |seconds| lasting(TimeDelta::seconds(seconds));
        assert_eq!(
            [said(42), said(90), said(7200), said(12_000)],
            ["42 s", "1 min", "2 h", "3 h 20 min"]
        );
    }
}
