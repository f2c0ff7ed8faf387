//! Inviting people, what they may do, and keeping them out.
//!
//! The last active partner admin keeps their right: whoever would take it locks every
//! partner admin first, so of two who take each other's, one is refused.

use sqlx::PgConnection;

use super::form::{Invitation, Rights};
use super::link::{self, Purpose};
use super::sign_in::entry;
use super::store::{self, NewStaff, Person, WriteError};
use super::{Role, Viewer};
use crate::audit::{self, Changes, Entry};
use crate::ids::StaffId;
use crate::kit::secret::Secret;
use crate::state::AppState;

/// Nobody would be left to let anybody in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("This is the last active partner admin. Make somebody else one first.")]
pub(super) struct LastPartnerAdmin;

/// Makes somebody who has no password yet, and the link by which they set one.
pub(super) async fn invite(
    app: &AppState,
    viewer: &Viewer,
    invitation: &Invitation,
) -> Result<(StaffId, Secret), WriteError> {
    let Invitation { name, email, rights } = invitation;
    let (id, now) = (StaffId::new(), app.clock.now());
    let mut tx = app.db.begin().await?;
    let staff = NewStaff { id, name, email, role: rights.role, password_hash: None };
    store::insert(&mut *tx, staff, now).await?;
    store::assign(&mut tx, id, &rights.accounts).await?;
    let token = link::make(&mut tx, id, Purpose::Invitation, now).await?;
    let summary = format!("Invited {name} ({email}) as {}.", rights.role.label().to_lowercase());
    let changes = Changes::default().field("accounts", "", names(&mut tx, id).await?);
    let entry = Entry { changes, ..entry("staff.invited", summary) };
    audit::note(&mut tx, &viewer.actor(), entry, now).await?;
    tx.commit().await?;
    Ok((id, token))
}

/// The names of the accounts they look after, as the activity shows them.
async fn names(tx: &mut PgConnection, id: StaffId) -> sqlx::Result<String> {
    let accounts = store::accounts_of_person(tx, id).await?;
    Ok(accounts.into_iter().map(|account| account.name).collect::<Vec<_>>().join(", "))
}

pub(super) async fn change(
    app: &AppState,
    viewer: &Viewer,
    person: &Person,
    rights: &Rights,
) -> sqlx::Result<Result<(), LastPartnerAdmin>> {
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    let admins = store::lock_partner_admins(&mut tx).await?;
    if rights.role != Role::PartnerAdmin && admins == [person.id] {
        return Ok(Err(LastPartnerAdmin));
    }
    let Some(old) = store::person(&mut *tx, person.id, now).await? else { return Ok(Ok(())) };
    let old_names = names(&mut tx, person.id).await?;
    store::set_role(&mut *tx, person.id, rights.role).await?;
    store::assign(&mut tx, person.id, &rights.accounts).await?;
    let changes = Changes::default().field("role", old.role.label(), rights.role.label()).field(
        "accounts",
        old_names,
        names(&mut tx, person.id).await?,
    );
    if !changes.is_empty() {
        let summary = format!("Changed what {} may do.", person.email);
        let entry = Entry { changes, ..entry("staff.changed", summary) };
        audit::note(&mut tx, &viewer.actor(), entry, now).await?;
    }
    tx.commit().await?;
    Ok(Ok(()))
}

/// Ends their sessions at once, and the link they may have.
pub(super) async fn disable(
    app: &AppState,
    viewer: &Viewer,
    person: &Person,
) -> sqlx::Result<Result<(), LastPartnerAdmin>> {
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    if store::lock_partner_admins(&mut tx).await? == [person.id] {
        return Ok(Err(LastPartnerAdmin));
    }
    if store::disable(&mut *tx, person.id, now).await? {
        store::end_sessions(&mut tx, person.id, None).await?;
        store::revoke_link(&mut *tx, person.id, now).await?;
        let disabled = entry("staff.disabled", format!("Disabled {}.", person.email));
        audit::note(&mut tx, &viewer.actor(), disabled, now).await?;
    }
    tx.commit().await?;
    Ok(Ok(()))
}

pub(super) async fn enable(app: &AppState, viewer: &Viewer, person: &Person) -> sqlx::Result<()> {
    let mut tx = app.db.begin().await?;
    if store::enable(&mut *tx, person.id).await? {
        let enabled = entry("staff.enabled", format!("Enabled {}.", person.email));
        audit::note(&mut tx, &viewer.actor(), enabled, app.clock.now()).await?;
    }
    tx.commit().await
}

/// A new link in place of any before it: an invitation for who never came, a new password
/// for everybody else.
pub(super) async fn new_link(
    app: &AppState,
    viewer: &Viewer,
    person: &Person,
) -> sqlx::Result<Secret> {
    let now = app.clock.now();
    let (purpose, action, what) = if person.has_password {
        (Purpose::PasswordReset, "staff.reset_offered", "a link to set a new password")
    } else {
        (Purpose::Invitation, "staff.invited_again", "a new invitation link")
    };
    let mut tx = app.db.begin().await?;
    let token = link::make(&mut tx, person.id, purpose, now).await?;
    let made = entry(action, format!("Made {what} for {}.", person.email));
    audit::note(&mut tx, &viewer.actor(), made, now).await?;
    tx.commit().await?;
    Ok(token)
}

/// What became of a revoked link's owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Revoked {
    /// They never came, so they are gone, and may be invited anew.
    Gone,
    LinkOnly,
}

pub(super) async fn revoke(
    app: &AppState,
    viewer: &Viewer,
    person: &Person,
) -> sqlx::Result<Revoked> {
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    let (revoked, said) = if store::forget_invited(&mut *tx, person.id).await? {
        (Revoked::Gone, format!("Revoked the invitation of {}.", person.email))
    } else {
        store::revoke_link(&mut *tx, person.id, now).await?;
        (Revoked::LinkOnly, format!("Revoked the one-time link of {}.", person.email))
    };
    audit::note(&mut tx, &viewer.actor(), entry("staff.link_revoked", said), now).await?;
    tx.commit().await?;
    Ok(revoked)
}
