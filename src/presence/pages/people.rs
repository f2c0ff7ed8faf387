//! The table of users: what each row says, and where the next page begins.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use crate::ids::{AccountId, CloudlinkUserId};
use crate::microsoft::Shows;
use crate::presence::plan::pause::rest;
use crate::presence::span::Span;
use crate::presence::store::pauses;
use crate::presence::store::people::{self, After, Filter, Listed, Sort};
use crate::presence::trouble::Trouble;
use crate::state::AppState;
use crate::web;

const PAGE: i64 = 50;

/// What the URL says of the list.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    pub q: String,
    pub show: String,
    pub sort: String,
    /// Which figures the page shows above the list.
    pub range: String,
    /// Where the page begins: the name or address and the id of the row before it.
    pub after: String,
    pub id: String,
    /// The digest of what the reader has.
    pub seen: String,
}

impl Asked {
    pub fn filter(&self) -> Filter {
        Filter::from_url(&self.show)
    }

    pub fn sort(&self) -> Sort {
        Sort::from_url(&self.sort)
    }

    pub fn span(&self) -> Span {
        Span::from_url(&self.range)
    }

    fn after(&self) -> Option<After> {
        let user = CloudlinkUserId::parse(&self.id).ok()?;
        Some(After { name: self.after.clone(), user })
    }

    /// The query of this list, from its beginning or after some row.
    fn query(&self, after: Option<&After>) -> String {
        let enc = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let mut query = format!("q={}&show={}", enc(&self.q), self.filter().as_str());
        if self.sort() != Sort::default() {
            query = format!("{query}&sort={}", self.sort().as_str());
        }
        if self.span() != Span::default() {
            query = format!("{query}&range={}", self.span().as_str());
        }
        if let Some(after) = after {
            query = format!("{query}&after={}&id={}", enc(&after.name), enc(after.user.as_str()));
        }
        query
    }
}

/// A page of the list.
#[derive(Clone, Debug)]
pub struct People {
    pub rows: Vec<Row>,
    pub asked: Asked,
    pub account: AccountId,
    /// The query that asks for this very page again, and that for all of the list as a file.
    pub here: String,
    pub file: String,
    /// URLs of the first page, when this is not it, and of the next.
    pub first: Option<String>,
    pub next: Option<String>,
}

impl People {
    /// Something was searched or filtered for.
    pub fn narrowed(&self) -> bool {
        !self.asked.q.trim().is_empty() || self.asked.filter() != Filter::All
    }
}

pub async fn people(app: &AppState, account: AccountId, asked: Asked) -> web::Result<People> {
    let after = asked.after();
    let wanted = people::Wanted {
        account,
        filter: asked.filter(),
        search: &asked.q,
        sort: asked.sort(),
        after: after.clone(),
        limit: PAGE,
    };
    let (listed, next) = people::page(&app.db, wanted).await?;
    let path = format!("/accounts/{account}/presence");
    Ok(People {
        rows: rows(app, account, listed).await?,
        here: asked.query(after.as_ref()),
        file: asked.query(None),
        first: after.is_some().then(|| format!("{path}?{}", asked.query(None))),
        next: next.map(|next| format!("{path}?{}", asked.query(Some(&next)))),
        account,
        asked,
    })
}

/// Rows in words, with the pauses that concern them.
pub async fn rows(
    app: &AppState,
    account: AccountId,
    listed: Vec<Listed>,
) -> sqlx::Result<Vec<Row>> {
    let now = app.clock.now();
    let mut users: Vec<_> = listed.iter().map(|one| one.user.as_str().to_owned()).collect();
    users.push(String::new());
    let known: HashMap<_, _> =
        pauses::of_users(&app.db, account, &users).await?.into_iter().collect();
    let is_resting = |user: &CloudlinkUserId| {
        let said = [known.get(""), known.get(user.as_str())];
        rest(&said.into_iter().flatten().copied().collect::<Vec<_>>(), now).now
    };
    let described = listed.into_iter().map(|one| {
        let paused = is_resting(&one.user);
        Row::of(one, paused, now)
    });
    Ok(described.collect())
}

/// One user, in words.
#[derive(Clone, Debug)]
pub struct Row {
    pub user: CloudlinkUserId,
    pub name: String,
    pub email: String,
    pub excluded: bool,
    /// They, or the whole account.
    pub paused: bool,
    /// Why nobody in Entra is theirs.
    pub unmatched: Option<&'static str>,
    pub telephone: Option<String>,
    pub since: Option<DateTime<Utc>>,
    pub teams: Teams,
    pub pushed_at: Option<DateTime<Utc>>,
}

/// What we make Teams show for a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Teams {
    /// The suffix of its class: available, busy, away, dnd, none.
    pub look: &'static str,
    pub words: &'static str,
    /// What is on its way, or in its way.
    pub note: Option<(&'static str, &'static str)>,
}

impl Row {
    fn of(listed: Listed, paused: bool, now: DateTime<Utc>) -> Self {
        let teams = Teams::of(&listed, paused, now);
        Self {
            unmatched: listed
                .entra
                .is_none()
                .then(|| why_unmatched(listed.match_trouble.as_deref())),
            user: listed.user,
            name: listed.name,
            email: listed.email,
            excluded: listed.excluded,
            paused,
            telephone: listed.state.filter(|state| !state.is_empty()),
            since: listed.entered_at,
            teams,
            pushed_at: listed.asked_at,
        }
    }
}

impl Teams {
    fn of(listed: &Listed, paused: bool, now: DateTime<Utc>) -> Self {
        let shows = |text: &Option<String>| text.as_deref().and_then(|text| text.parse().ok());
        let held: Option<Shows> =
            shows(&listed.applied).filter(|_| listed.expires_at.is_some_and(|until| until > now));
        let matched = listed.entra.is_some() && !listed.excluded && !paused;
        let wanted: Option<Shows> = shows(&listed.wanted).filter(|_| matched);
        let trouble = listed
            .trouble
            .as_deref()
            .map(|key| Trouble::by_key(key).map_or("Microsoft refused this user", Trouble::title));
        let note = match trouble {
            Some(title) => Some(("warn", title)),
            None if held != wanted => {
                Some(("working", wanted.map_or("Clearing", |wanted| on_its_way(wanted))))
            }
            None => None,
        };
        Self { look: look(held), words: held.map_or("Teams decides", Shows::label), note }
    }
}

fn on_its_way(wanted: Shows) -> &'static str {
    match wanted {
        Shows::Available => "Setting Available",
        Shows::InACall => "Setting In a call",
        Shows::InAConferenceCall => "Setting In a conference call",
        Shows::Away => "Setting Away",
        Shows::Presenting => "Setting Presenting",
    }
}

/// How a state is drawn.
pub fn look(shows: Option<Shows>) -> &'static str {
    match shows {
        Some(Shows::Available) => "available",
        Some(Shows::InACall | Shows::InAConferenceCall) => "busy",
        Some(Shows::Away) => "away",
        Some(Shows::Presenting) => "dnd",
        None => "none",
    }
}

/// Why a user is not matched, and so shows nothing of ours.
pub fn why_unmatched(key: Option<&str>) -> &'static str {
    match key {
        Some("duplicate") => "Several people in Entra have this address",
        Some("disabled") => "Disabled in Entra",
        Some("no-teams") => "Has no Teams",
        Some("not-in-entra") => "Not in Entra",
        _ => "Not matched yet",
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn on_the_phone(now: DateTime<Utc>) -> Listed {
        Listed {
            user: "u1".parse().unwrap(),
            name: "Ada".to_owned(),
            email: "ada@acme.example".to_owned(),
            entra: Some(uuid::Uuid::nil().into()),
            match_trouble: None,
            excluded: false,
            state: Some("onCall".to_owned()),
            entered_at: Some(now),
            wanted: Some("in-a-call".to_owned()),
            applied: Some("in-a-call".to_owned()),
            applied_at: Some(now),
            expires_at: Some(now + TimeDelta::minutes(5)),
            trouble: None,
            asked_at: Some(now),
        }
    }

    #[test]
    fn a_row_says_what_teams_shows_and_what_is_on_its_way() {
        let now = DateTime::UNIX_EPOCH;
        let calling = on_the_phone(now);
        let teams = |listed: &Listed| Teams::of(listed, false, now);
        assert_eq!(teams(&calling), Teams { look: "busy", words: "In a call", note: None });

        let late = Listed { applied: None, expires_at: None, ..calling.clone() };
        assert_eq!(teams(&late).words, "Teams decides");
        assert_eq!(teams(&late).note, Some(("working", "Setting In a call")));

        let paused = Teams::of(&late, true, now);
        assert_eq!(paused.note, None, "whoever is paused wants nothing either");

        let left_out = Listed { excluded: true, ..late };
        assert_eq!(teams(&left_out).note, None, "an excluded user wants nothing");

        let over = Listed { expires_at: Some(now), wanted: None, ..calling.clone() };
        assert_eq!(teams(&over).words, "Teams decides", "the session ended by itself");

        let refused = Listed { trouble: Some("user-refused".to_owned()), ..calling };
        assert_eq!(teams(&refused).note, Some(("warn", "Microsoft refused this user’s presence")));
    }

    #[test]
    fn a_list_is_asked_for_again_as_it_was() {
        let asked = Asked { q: "a&b".to_owned(), show: "failing".to_owned(), ..Asked::default() };
        assert_eq!(asked.query(None), "q=a%26b&show=failing");
        let odd = Asked { show: "nonsense".to_owned(), ..Asked::default() };
        assert_eq!(odd.query(None), "q=&show=all");
        let far = Asked { sort: "email".to_owned(), range: "7d".to_owned(), ..Asked::default() };
        assert_eq!(far.query(None), "q=&show=all&sort=email&range=7d");
    }
}
