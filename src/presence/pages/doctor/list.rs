//! The list of users without a match, with whom they might be, and of those matched by hand.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::get;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::at;
use super::offer::{Offer, was_looked_for, why};
use super::shared::{Shared, groups};
use crate::accounts::TheAccount;
use crate::ids::{AccountId, CloudlinkUserId};
use crate::kit::text::{anywhere, sought};
use crate::presence::store::doctor::{self, Candidate, Counts, Listed, Show, Wanted};
use crate::presence::store::people::After;
use crate::state::AppState;
use crate::web::{self, AccountTab, Chrome, Partial, Query, whole_or_part};

const PAGE: i64 = 50;
/// Whoever is not among these is found by hand.
const OFFERED: usize = 3;

pub fn routes() -> Router<AppState> {
    Router::new().route("/accounts/{account}/presence/matching", get(show))
}

/// What the URL says of the list.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    pub q: String,
    pub show: String,
    /// Where the page begins: the name and id of the row before it.
    pub after: String,
    pub id: String,
    /// Whether the nearest of each is ticked.
    pub tick: Option<String>,
}

impl Asked {
    pub fn shown(&self) -> Show {
        Show::from_url(&self.show)
    }

    fn after(&self) -> Option<After> {
        let user = CloudlinkUserId::parse(&self.id).ok()?;
        Some(After { name: self.after.clone(), user })
    }

    /// The query of this list, from its beginning or after some row.
    pub fn query(&self, after: Option<&After>) -> String {
        let enc = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let mut query = format!("q={}&show={}", enc(&self.q), self.shown().as_str());
        if let Some(after) = after {
            query = format!("{query}&after={}&id={}", enc(&after.name), enc(after.user.as_str()));
        }
        query
    }
}

#[derive(Template)]
#[template(path = "presence/doctor/list.html", blocks = ["results"])]
struct ListPage {
    chrome: Chrome,
    at: String,
    account: AccountId,
    may_change: bool,
    asked: Asked,
    shown: Show,
    filters: Vec<(&'static str, String)>,
    counts: Counts,
    rows: Vec<Row>,
    /// Duplicates, side by side.
    shared: Vec<Shared>,
    /// Ticks the nearest of each row that can be had.
    ticking: String,
    ticked: bool,
    first: Option<String>,
    next: Option<String>,
}

/// One user.
struct Row {
    user: CloudlinkUserId,
    name: String,
    email: String,
    why: &'static str,
    /// Whether anybody in Entra was looked at yet.
    was_looked_for: bool,
    by_hand: bool,
    with: Option<(String, String)>,
    offers: Vec<Offer>,
}

impl Row {
    fn of(listed: Listed, candidates: &[Candidate]) -> Self {
        let own: Vec<_> =
            candidates.iter().filter(|one| one.user == listed.user).cloned().collect();
        let with = listed
            .entra_address
            .clone()
            .map(|address| (listed.entra_name.clone().unwrap_or_default(), address));
        Self {
            why: why(&listed, &own),
            was_looked_for: was_looked_for(&listed),
            offers: own.iter().take(OFFERED).map(Offer::of).collect(),
            user: listed.user,
            name: listed.name,
            email: listed.email,
            by_hand: listed.by_hand,
            with,
        }
    }

    /// The nearest that can be had.
    fn nearest(&self) -> Option<&Offer> {
        self.offers.iter().find(|offer| offer.can_be_had)
    }
}

impl ListPage {
    fn is_by_hand(&self) -> bool {
        self.shown == Show::ByHand
    }

    fn can_tick(&self) -> bool {
        self.may_change
            && (self.is_by_hand() || self.rows.iter().any(|row| row.nearest().is_some()))
    }

    fn narrowed(&self) -> bool {
        !self.asked.q.trim().is_empty() || self.shown != Show::Lost
    }
}

async fn show(
    State(app): State<AppState>,
    the: TheAccount,
    partial: Partial,
    Query(asked): Query<Asked>,
) -> web::Result {
    let (account, shown) = (the.account.id, asked.shown());
    let counts = doctor::counts(&app.db, account).await?;
    let search = anywhere(&sought(&asked.q));
    let after = asked.after();
    let wanted =
        Wanted { account, show: shown, search: &search, after: after.clone(), limit: PAGE };
    let (listed, next) = doctor::page(&app.db, wanted).await?;
    let candidates = if shown == Show::ByHand {
        Vec::new()
    } else {
        doctor::candidates(&app.db, account, &listed).await?
    };
    let shared = if shown == Show::Duplicate {
        let entra: Vec<_> =
            candidates.iter().filter(|one| one.rank <= 3).map(|one| one.entra).collect();
        let claimants = doctor::claimants(&app.db, account, &entra).await?;
        groups(&listed, &candidates, &claimants)
    } else {
        Vec::new()
    };
    let at = at(account);
    let page = ListPage {
        chrome: the.chrome("Match doctor", AccountTab::Presence),
        may_change: the.viewer.may_change(),
        account,
        shown,
        filters: Show::ALL
            .map(|show| (show.as_str(), format!("{} ({})", show.label(), counts.of(show))))
            .into(),
        counts,
        rows: listed.into_iter().map(|listed| Row::of(listed, &candidates)).collect(),
        shared,
        ticking: format!("{at}?{}&tick=on", asked.query(after.as_ref())),
        ticked: asked.tick.is_some(),
        first: after.is_some().then(|| format!("{at}?{}", asked.query(None))),
        next: next.map(|next| format!("{at}?{}", asked.query(Some(&next)))),
        at,
        asked,
    };
    Ok(whole_or_part(partial, &page, page.as_results()).into_response())
}
