//! One person of a customer: what decides their tile, and what an admin may do to them.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::routing::get;

use super::desk::style_of;
use super::{Chrome, customer_of};
use crate::ids::{EntraUserId, TenantId};
use crate::sandbox::world::Person;
use crate::sandbox::{Controls, Pair, Session, Tile};
use crate::web::{self, OrNotFound, Page, Path};

pub(super) fn routes() -> Router<Controls> {
    Router::new().route("/customers/{tenant}/people/{user}", get(show))
}

#[derive(Template)]
#[template(path = "sandbox/person.html")]
struct PersonPage {
    chrome: Chrome,
    tenant: TenantId,
    person: Person,
    tile: Option<Tile>,
    sessions: Vec<Session>,
    client: Option<Pair>,
    preferred: Option<Pair>,
}

/// What the person's own Teams may show: the word, and the pair.
const CLIENT: [(&str, &str); 5] = [
    ("Available", "Available/Available"),
    ("Busy", "Busy/Busy"),
    ("In a meeting", "Busy/InAMeeting"),
    ("Away", "Away/Away"),
    ("Do not disturb", "DoNotDisturb/DoNotDisturb"),
];

/// What one may pick by hand.
const PICKS: [(&str, &str); 6] = [
    ("Available", "Available/Available"),
    ("Busy", "Busy/Busy"),
    ("Do not disturb", "DoNotDisturb/DoNotDisturb"),
    ("Be right back", "BeRightBack/BeRightBack"),
    ("Appear away", "Away/Away"),
    ("Appear offline", "Offline/OffWork"),
];

async fn show(
    State(controls): State<Controls>,
    Path((tenant, user)): Path<(TenantId, EntraUserId)>,
) -> web::Result<Page<PersonPage>> {
    customer_of(&controls, tenant)?;
    let people = controls.people(tenant);
    let person = people.into_iter().find(|person| person.id == user).or_not_found()?;
    Ok(Page(PersonPage {
        chrome: Chrome::new(&controls, &person.name, Some(tenant)),
        tenant,
        tile: controls.tile(tenant, user),
        sessions: controls.sessions(tenant, user),
        client: controls.teams_client_shows(tenant, user),
        preferred: controls.preferred(tenant, user),
        person,
    }))
}

impl PersonPage {
    fn shows(&self) -> &'static str {
        self.tile.as_ref().map_or("none", |tile| style_of(&tile.availability))
    }

    fn is(pair: Option<&Pair>, choice: &str) -> bool {
        let written = pair.map(|pair| format!("{}/{}", pair.availability, pair.activity));
        written.as_deref() == Some(choice)
    }
}
