//! What Teams shows, who is in the directory, and how sign-in goes, tenant by tenant.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use super::super::microsoft::apps::{Registration, Standing};
use super::super::microsoft::directory::Removed;
use super::super::microsoft::presence::{Pair, Preferred, Session};
use super::super::microsoft::{Manners, Tally, Tenant, TenantState, usual_preference};
use super::super::world::{Permission, Person};
use super::{Controls, NotThere};
use crate::ids::{EntraUserId, TenantId};

/// What everybody sees of somebody in Teams.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tile {
    pub availability: String,
    pub activity: String,
    /// As Teams puts it: "Busy – In a call".
    pub words: String,
}

impl Tile {
    fn of(pair: Pair) -> Self {
        let words = match (pair.availability.as_str(), pair.activity.as_str()) {
            ("Busy", "InACall") => "Busy – In a call",
            ("Busy", "InAConferenceCall") => "Busy – In a conference call",
            ("Busy", "InAMeeting") => "Busy – In a meeting",
            ("DoNotDisturb", "Presenting") => "Do not disturb – Presenting",
            ("DoNotDisturb", _) => "Do not disturb",
            ("Available", "AvailableInactive") => "Available – Inactive",
            ("BeRightBack", _) => "Be right back",
            ("Offline", "OffWork") => "Offline – Off work",
            (availability, _) => availability,
        };
        Self { words: words.to_owned(), availability: pair.availability, activity: pair.activity }
    }
}

impl Controls {
    /// What Teams shows for this user now. `None`: no such user, or one without Teams.
    pub fn tile(&self, tenant: TenantId, user: EntraUserId) -> Option<Tile> {
        let tenant = self.tenant(tenant).ok()?;
        let state = tenant.state();
        if !state.directory.get(user)?.teams {
            return None;
        }
        let shown = state.presence.get(&user).map(|presence| presence.aggregate(self.now()));
        Some(Tile::of(shown.unwrap_or_else(|| Pair::new("Offline", "Offline"))))
    }

    /// The session that the portal's app holds for this user, while it runs.
    pub fn session(&self, tenant: TenantId, user: EntraUserId) -> Option<Session> {
        let tenant = self.tenant(tenant).ok()?;
        let mut state = tenant.state();
        let client = state.portal()?.client;
        state.presence.get(&user)?.session(client, self.now()).cloned()
    }

    /// Every app's session of this user.
    pub fn sessions(&self, tenant: TenantId, user: EntraUserId) -> Vec<Session> {
        let Ok(tenant) = self.tenant(tenant) else { return Vec::new() };
        let state = tenant.state();
        state.presence.get(&user).map(|presence| presence.sessions(self.now())).unwrap_or_default()
    }

    /// How many sessions of the portal's app run in the tenant.
    pub fn held_sessions(&self, tenant: TenantId) -> usize {
        let Ok(tenant) = self.tenant(tenant) else { return 0 };
        let mut state = tenant.state();
        let Some(client) = state.portal().map(|app| app.client) else { return 0 };
        let now = self.now();
        state.presence.values().filter(|presence| presence.session(client, now).is_some()).count()
    }

    /// The user's own Teams client signs in showing this, or signs out (`None`).
    pub fn teams_client(
        &self,
        tenant: TenantId,
        user: EntraUserId,
        shows: Option<Pair>,
    ) -> Result<(), NotThere> {
        let now = self.now();
        self.in_tenant(tenant, |state| {
            state.presence.entry(user).or_default().sign_in(shows, now);
        })
    }

    /// What the user's own Teams client shows, while it is signed in.
    pub fn teams_client_shows(&self, tenant: TenantId, user: EntraUserId) -> Option<Pair> {
        let tenant = self.tenant(tenant).ok()?;
        let state = tenant.state();
        state.presence.get(&user)?.client().cloned()
    }

    /// The user picks a presence by hand, or resets it (`None`).
    pub fn prefer(
        &self,
        tenant: TenantId,
        user: EntraUserId,
        shows: Option<Pair>,
    ) -> Result<(), NotThere> {
        let now = self.now();
        self.in_tenant(tenant, |state| {
            let preferred = shows.map(|shows| {
                let expires_at = now + usual_preference(&shows);
                Preferred { shows, expires_at }
            });
            state.presence.entry(user).or_default().prefer(preferred);
        })
    }

    pub fn preferred(&self, tenant: TenantId, user: EntraUserId) -> Option<Pair> {
        let tenant = self.tenant(tenant).ok()?;
        let state = tenant.state();
        let preferred = state.presence.get(&user)?.preferred(self.now())?;
        Some(preferred.shows.clone())
    }

    /// Tokens given out from now on carry the role.
    pub fn grant(&self, tenant: TenantId, permission: Permission) -> Result<(), NotThere> {
        self.of_app(tenant, |app| app.permissions.insert(permission)).map(drop)
    }

    /// Tokens given out from now on lack the role; those there are keep it.
    pub fn revoke(&self, tenant: TenantId, permission: Permission) -> Result<(), NotThere> {
        self.of_app(tenant, |app| app.permissions.remove(&permission)).map(drop)
    }

    pub fn is_granted(&self, tenant: TenantId, permission: Permission) -> bool {
        self.of_app(tenant, |app| app.permissions.contains(&permission)).unwrap_or_default()
    }

    /// How the portal's app stands in its tenant from now on.
    pub fn app_is(&self, tenant: TenantId, standing: Standing) -> Result<(), NotThere> {
        self.of_app(tenant, |app| app.standing = standing)
    }

    pub fn app_standing(&self, tenant: TenantId) -> Option<Standing> {
        self.of_app(tenant, |app| app.standing).ok()
    }

    /// Every token given out so far is refused from now on.
    pub fn revoke_tokens(&self, tenant: TenantId) -> Result<(), NotThere> {
        self.manners(tenant, |manners| manners.token_generation += 1)
    }

    /// Changes how the tenant behaves: lifetimes, limits, page sizes, blocks.
    pub fn manners(
        &self,
        tenant: TenantId,
        change: impl FnOnce(&mut Manners),
    ) -> Result<(), NotThere> {
        self.in_tenant(tenant, |state| change(&mut state.manners))
    }

    pub fn manners_of(&self, tenant: TenantId) -> Option<Manners> {
        Some(self.tenant(tenant).ok()?.state().manners.clone())
    }

    /// Answers every Graph request of the app with 429, for so long.
    pub fn throttle(&self, tenant: TenantId, lasts: TimeDelta) -> Result<(), NotThere> {
        let until = self.now() + lasts;
        self.in_tenant(tenant, |state| state.close_until(Some(until)))
    }

    pub fn unthrottle(&self, tenant: TenantId) -> Result<(), NotThere> {
        self.in_tenant(tenant, |state| state.close_until(None))
    }

    pub fn throttled_until(&self, tenant: TenantId) -> Option<DateTime<Utc>> {
        self.tenant(tenant).ok()?.state().closed_until(self.now())
    }

    /// Links of `/users/delta` given out so far are answered 410 Gone.
    pub fn reset_delta(&self, tenant: TenantId) -> Result<(), NotThere> {
        self.in_tenant(tenant, |state| state.directory.generation += 1)
    }

    /// Everybody in the directory.
    pub fn people(&self, tenant: TenantId) -> Vec<Person> {
        let Ok(tenant) = self.tenant(tenant) else { return Vec::new() };
        tenant.state().directory.present().cloned().collect()
    }

    /// Those who can be restored.
    pub fn removed_people(&self, tenant: TenantId) -> Vec<Person> {
        let Ok(tenant) = self.tenant(tenant) else { return Vec::new() };
        tenant.state().directory.removed().cloned().collect()
    }

    pub fn add_person(&self, tenant: TenantId, person: Person) -> Result<(), NotThere> {
        self.in_tenant(tenant, |state| state.directory.add(person))
    }

    /// Renames, disables, takes Teams away: whatever an admin does in Entra.
    pub fn change_person(
        &self,
        tenant: TenantId,
        user: EntraUserId,
        change: impl FnOnce(&mut Person),
    ) -> Result<(), NotThere> {
        let there = self.in_tenant(tenant, |state| state.directory.change(user, change))?;
        there.then_some(()).ok_or_else(|| NotThere(format!("user {user}")))
    }

    pub fn remove_person(
        &self,
        tenant: TenantId,
        user: EntraUserId,
        how: Removed,
    ) -> Result<(), NotThere> {
        let there = self.in_tenant(tenant, |state| state.directory.remove(user, how))?;
        there.then_some(()).ok_or_else(|| NotThere(format!("user {user}")))
    }

    pub fn restore_person(&self, tenant: TenantId, user: EntraUserId) -> Result<(), NotThere> {
        let there = self.in_tenant(tenant, |state| state.directory.restore(user))?;
        there.then_some(()).ok_or_else(|| NotThere(format!("user {user}")))
    }

    /// What the portal's requests to this tenant came to.
    pub fn tally(&self, tenant: TenantId) -> Tally {
        self.tenant(tenant).map(|tenant| tenant.state().tally).unwrap_or_default()
    }

    pub fn forget_tally(&self, tenant: TenantId) -> Result<(), NotThere> {
        self.in_tenant(tenant, |state| state.tally = Tally::default())
    }

    pub(super) fn of_app<T>(
        &self,
        tenant: TenantId,
        change: impl FnOnce(&mut Registration) -> T,
    ) -> Result<T, NotThere> {
        let changed = self.in_tenant(tenant, |state| state.portal().map(change))?;
        changed.ok_or_else(|| NotThere("app registration".to_owned()))
    }

    fn in_tenant<T>(
        &self,
        tenant: TenantId,
        change: impl FnOnce(&mut TenantState) -> T,
    ) -> Result<T, NotThere> {
        let changed = change(&mut self.tenant(tenant)?.state());
        self.poke();
        Ok(changed)
    }

    pub(in crate::sandbox) fn tenant(&self, id: TenantId) -> Result<Arc<Tenant>, NotThere> {
        self.0.microsoft.tenant(id).ok_or_else(|| NotThere(format!("tenant {id}")))
    }
}
