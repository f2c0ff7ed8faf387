//! The desk: a customer's phones on the left, its Teams on the right.

use std::hash::{DefaultHasher, Hash, Hasher};

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::{Chrome, customer_of};
use crate::ids::{CloudlinkAccountId, CloudlinkUserId, EntraUserId, TenantId};
use crate::sandbox::world::Customer;
use crate::sandbox::{Controls, PhoneState};
use crate::web::{self, Page, Path, Query};

pub(super) fn routes() -> Router<Controls> {
    Router::new()
        .route("/", get(first))
        .route("/customers/{tenant}", get(show))
        .route("/customers/{tenant}/desk", get(refresh))
}

#[derive(Template)]
#[template(path = "sandbox/desk.html")]
struct DeskPage {
    chrome: Chrome,
    desk: Desk,
    /// Of the part that refreshes itself; it is sent anew only when it is another.
    digest: u64,
}

#[derive(Template)]
#[template(path = "sandbox/desk.html", block = "desk")]
struct DeskPart {
    desk: Desk,
    digest: u64,
}

#[derive(Template)]
#[template(path = "sandbox/nobody.html")]
struct NobodyPage {
    chrome: Chrome,
}

#[derive(Hash)]
struct Desk {
    tenant: TenantId,
    account: CloudlinkAccountId,
    phones: Vec<PhoneOnDesk>,
    tiles: Vec<TileOnDesk>,
    subscribed: bool,
    ails: Option<String>,
}

#[derive(Hash)]
struct PhoneOnDesk {
    user: CloudlinkUserId,
    name: String,
    extension: String,
    status: String,
    since: DateTime<Utc>,
}

#[derive(Hash)]
struct TileOnDesk {
    user: EntraUserId,
    name: String,
    initials: String,
    /// Of the style: available, busy, dnd, away, none.
    shows: &'static str,
    words: String,
    held_until: Option<DateTime<Utc>>,
    enabled: bool,
    teams: bool,
}

/// What one can do to a phone: the word, the state it leads to, the picture.
const DEEDS: [(&str, &str, &str); 6] = [
    ("Lift", "onCall", "phone"),
    ("Ring", "ringing", "phone-call"),
    ("Conference", "inConference", "users"),
    ("Do not disturb", "doNotDisturb", "ban"),
    ("Away", "away", "moon"),
    ("Hang up", "available", "phone-off"),
];

async fn first(State(controls): State<Controls>) -> Response {
    if let Some(customer) = controls.world().customers.first() {
        return Page(DeskPage::of(&controls, customer)).into_response();
    }
    let chrome = Chrome::new(&controls, "Sandbox", None);
    Page(NobodyPage { chrome }).into_response()
}

async fn show(
    State(controls): State<Controls>,
    Path(tenant): Path<TenantId>,
) -> web::Result<Page<DeskPage>> {
    let customer = customer_of(&controls, tenant)?;
    Ok(Page(DeskPage::of(&controls, customer)))
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
struct Seen {
    seen: u64,
}

/// The part that moves; nothing when it is as it was seen.
async fn refresh(
    State(controls): State<Controls>,
    Path(tenant): Path<TenantId>,
    Query(Seen { seen }): Query<Seen>,
) -> web::Result {
    let desk = Desk::of(&controls, customer_of(&controls, tenant)?);
    let digest = desk.digest();
    if digest == seen {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    Ok(Html(DeskPart { desk, digest }.render()?).into_response())
}

impl DeskPage {
    fn of(controls: &Controls, customer: &Customer) -> Self {
        let chrome = Chrome::new(controls, &customer.name, Some(customer.tenant));
        let desk = Desk::of(controls, customer);
        Self { chrome, digest: desk.digest(), desk }
    }
}

impl Desk {
    fn of(controls: &Controls, customer: &Customer) -> Self {
        let (tenant, account) = (customer.tenant, customer.account.clone());
        let phones = controls.phones(&account).unwrap_or_default();
        let mut phones: Vec<_> = phones
            .into_iter()
            .map(|(phone, PhoneState { status, since })| PhoneOnDesk {
                user: phone.user,
                name: phone.name,
                extension: phone.extension,
                status,
                since,
            })
            .collect();
        phones.sort_by(|a, b| a.name.cmp(&b.name));
        let mut tiles: Vec<_> = controls
            .people(tenant)
            .into_iter()
            .map(|person| {
                let tile = controls.tile(tenant, person.id);
                let shows = tile.as_ref().map_or("none", |tile| style_of(&tile.availability));
                let words = tile.map_or_else(|| "No Teams licence".to_owned(), |tile| tile.words);
                TileOnDesk {
                    user: person.id,
                    initials: initials(&person.name),
                    name: person.name,
                    shows,
                    words,
                    held_until: controls.session(tenant, person.id).map(|held| held.expires_at),
                    enabled: person.enabled,
                    teams: person.teams,
                }
            })
            .collect();
        tiles.sort_by(|a, b| a.name.cmp(&b.name));
        let subscribed = !controls.subscriptions(&account).is_empty();
        let ailing = Chrome::new(controls, "", None).systems.into_iter();
        let ails = ailing
            .filter_map(|(system, ails)| Some(format!("{} is {}", system.label(), ails?)))
            .reduce(|all, one| format!("{all}. {one}"));
        Self { tenant, account, phones, tiles, subscribed, ails }
    }

    fn digest(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        // Zero stands for "seen nothing yet".
        hasher.finish().max(1)
    }

    fn talking(&self) -> usize {
        let busy = ["onCall", "inConference"];
        self.phones.iter().filter(|phone| busy.contains(&phone.status.as_str())).count()
    }

    fn held(&self) -> usize {
        self.tiles.iter().filter(|tile| tile.held_until.is_some()).count()
    }
}

impl PhoneOnDesk {
    fn words(&self) -> &str {
        match self.status.as_str() {
            "onCall" => "On a call",
            "ringing" => "Ringing",
            "inConference" => "In a conference",
            "doNotDisturb" => "Do not disturb",
            "away" => "Away",
            "available" => "On hook",
            other => other,
        }
    }

    /// Whose colours the state has.
    fn style(&self) -> &'static str {
        match self.status.as_str() {
            "onCall" | "inConference" => "busy",
            "doNotDisturb" => "dnd",
            "ringing" => "ringing",
            "away" => "away",
            _ => "idle",
        }
    }
}

pub(super) fn style_of(availability: &str) -> &'static str {
    match availability {
        "Available" => "available",
        "Busy" => "busy",
        "DoNotDisturb" => "dnd",
        "Away" | "BeRightBack" => "away",
        _ => "none",
    }
}

fn initials(name: &str) -> String {
    name.split_whitespace().filter_map(|word| word.chars().next()).take(2).collect()
}
