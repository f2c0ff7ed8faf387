//! Accepting whom a user might be, one or many at once; and taking that back.

use std::collections::HashSet;

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use serde::Deserialize;

use super::list::Asked;
use super::{Changed, at, note_changes};
use crate::accounts::TheAccountToChange;
use crate::ids::{CloudlinkUserId, EntraUserId};
use crate::presence::store::doctor::{self, Pair};
use crate::presence::store::{self, by_hand};
use crate::state::AppState;
use crate::web::{self, Form, see_other_saying};

/// No page offers more.
const MOST: usize = 1_000;

pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/accounts/{account}/presence/matching/accept", post(accept))
        .route("/accounts/{account}/presence/matching/undo", post(undo))
}

/// What was ticked, or the one button that was pressed; and where to look afterwards.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Ticked {
    pair: Vec<String>,
    user: Vec<String>,
    one: Option<String>,
    q: String,
    show: String,
}

impl Ticked {
    fn back(&self, account: crate::ids::AccountId) -> String {
        let asked = Asked { q: self.q.clone(), show: self.show.clone(), ..Asked::default() };
        format!("{}?{}", at(account), asked.query(None))
    }

    fn chosen(&self, ticked: &[String]) -> Vec<String> {
        match &self.one {
            Some(one) => vec![one.clone()],
            None => ticked.iter().take(MOST).cloned().collect(),
        }
    }
}

async fn accept(
    State(app): State<AppState>,
    TheAccountToChange { viewer, account }: TheAccountToChange,
    Form(ticked): Form<Ticked>,
) -> web::Result {
    let back = ticked.back(account.id);
    let wanted: Vec<_> = ticked.chosen(&ticked.pair).iter().filter_map(|pair| ids(pair)).collect();
    if wanted.is_empty() {
        return Ok(see_other_saying(back, "Nobody was ticked, so nothing has changed."));
    }
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    store::lock(&mut tx, account.id).await?;
    let pairs = doctor::pairs(&mut *tx, account.id, &wanted).await?;
    let (good, refused) = judged(pairs);
    let accepted: Vec<_> = good.iter().map(|pair| (pair.user.clone(), pair.entra)).collect();
    by_hand::match_all(&mut tx, account.id, &accepted, now).await?;
    let changed: Vec<_> = good.into_iter().map(Changed::from).collect();
    let whose = (account.id, account.name.as_str());
    note_changes(&mut tx, &viewer.actor(), whose, "user.matched", &changed, now).await?;
    tx.commit().await?;
    app.wakes.ring(account.id);
    Ok(see_other_saying(back, &said(&changed, &refused)))
}

/// Both ids, as the form carries them.
fn ids(pair: &str) -> Option<(CloudlinkUserId, EntraUserId)> {
    let (user, entra) = pair.split_once(' ')?;
    Some((user.parse().ok()?, entra.parse().ok()?))
}

/// Those that can be matched, and why the others cannot. Somebody else may have been quicker,
/// and nobody is given away twice.
fn judged(pairs: Vec<Pair>) -> (Vec<Pair>, Vec<String>) {
    let (mut users, mut entra) = (HashSet::new(), HashSet::new());
    let (mut good, mut refused) = (Vec::new(), Vec::new());
    for pair in pairs {
        let who = pair.name.clone().unwrap_or_else(|| pair.user.to_string());
        let complaint = match &pair {
            Pair { name: None, .. } => Some(format!("{who} is not in CloudLink any more")),
            Pair { address: None, .. } => {
                Some(format!("whom {who} should be matched with is not in Entra any more"))
            }
            Pair { enabled: Some(false), address: Some(address), .. } => {
                Some(format!("{address} is disabled in Entra"))
            }
            Pair { taken_by_name: Some(other), address: Some(address), .. } => {
                Some(format!("{address} is matched with {other} already"))
            }
            _ if !users.insert(pair.user.clone()) => Some(format!("{who} was ticked twice")),
            Pair { address: Some(address), .. } if !entra.insert(pair.entra) => {
                Some(format!("{address} was ticked for somebody else, too"))
            }
            _ => None,
        };
        match complaint {
            None => good.push(pair),
            Some(complaint) => refused.push(complaint),
        }
    }
    (good, refused)
}

impl From<Pair> for Changed {
    fn from(pair: Pair) -> Self {
        let name = pair.name.unwrap_or_else(|| pair.user.to_string());
        Self { user: pair.user, name, from: pair.was_address, to: pair.address }
    }
}

fn said(changed: &[Changed], refused: &[String]) -> String {
    let done = match changed {
        [] => "Nobody was matched".to_owned(),
        [Changed { name, to: Some(to), .. }] => format!("{name} is matched with {to}"),
        [Changed { name, .. }] => format!("{name} is matched"),
        many => format!("{} users are matched", many.len()),
    };
    match refused {
        [] => format!("{done}."),
        [why] => format!("{done}. One was not: {why}."),
        [why, ..] => format!("{done}. {} were not; the first because {why}.", refused.len()),
    }
}

async fn undo(
    State(app): State<AppState>,
    TheAccountToChange { viewer, account }: TheAccountToChange,
    Form(ticked): Form<Ticked>,
) -> web::Result {
    let back = ticked.back(account.id);
    let users: Vec<CloudlinkUserId> =
        ticked.chosen(&ticked.user).iter().filter_map(|user| user.parse().ok()).collect();
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    store::lock(&mut tx, account.id).await?;
    let undone = by_hand::match_all_automatically(&mut tx, account.id, &users, now).await?;
    let changed: Vec<_> = undone
        .into_iter()
        .map(|(user, name, from)| Changed { user, name, from, to: None })
        .collect();
    let whose = (account.id, account.name.as_str());
    let action = "user.matched_automatically";
    note_changes(&mut tx, &viewer.actor(), whose, action, &changed, now).await?;
    tx.commit().await?;
    app.wakes.ring(account.id);
    let said = match changed.as_slice() {
        [] => "Nobody was ticked, so nothing has changed.".to_owned(),
        [Changed { name, .. }] => format!("{name} is left to automatic matching again."),
        many => format!("{} users are left to automatic matching again.", many.len()),
    };
    Ok(see_other_saying(back, &said))
}
