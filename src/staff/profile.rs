//! What people change about themselves.

use super::Viewer;
use super::password::NewPassword;
use super::sign_in::entry;
use super::store;
use super::throttle::{Attempt, Closed};
use crate::audit::{self, Changes, Entry};
use crate::kit::password::Verdict;
use crate::kit::secret::Secret;
use crate::kit::text::counted;
use crate::state::AppState;

pub(super) async fn rename(app: &AppState, viewer: &Viewer, name: &str) -> sqlx::Result<()> {
    let mut tx = app.db.begin().await?;
    store::rename(&mut *tx, viewer.staff, name).await?;
    let changes = Changes::default().field("name", viewer.name.as_str(), name);
    if !changes.is_empty() {
        let entry = Entry { changes, ..entry("profile.renamed", "Changed their name.") };
        audit::note(&mut tx, &viewer.actor(), entry, app.clock.now()).await?;
    }
    tx.commit().await
}

/// Whether somebody who is signed in is who they were: a browser left open is not proof.
#[derive(Clone, Debug)]
pub(super) enum Known {
    /// By the password of this hash.
    Yes(String),
    No,
    Closed(Closed),
}

pub(super) async fn knows_password(
    app: &AppState,
    viewer: &Viewer,
    typed: &Secret,
) -> anyhow::Result<Known> {
    let attempt = Attempt::with_password(&viewer.email, viewer.address);
    if let Err(closed) = attempt.take(&app.db, app.clock.now()).await? {
        return Ok(Known::Closed(closed));
    }
    let hash =
        store::credentials(&app.db, &viewer.email).await?.and_then(|kept| kept.password_hash);
    match (app.passwords.verify(typed, hash.as_deref()).await?, hash) {
        (Verdict::Right | Verdict::RightButWeak, Some(hash)) => {
            attempt.succeeded(&mut *app.db.acquire().await?).await?;
            Ok(Known::Yes(hash))
        }
        _ => Ok(Known::No),
    }
}

/// Sets a new password and signs them out everywhere else. False when the old one had
/// changed by then.
pub(super) async fn change_password(
    app: &AppState,
    viewer: &Viewer,
    old: &str,
    new: &NewPassword,
) -> anyhow::Result<bool> {
    let hash = app.passwords.hash(new.secret()).await?;
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    if !store::still_has_password(&mut *tx, viewer.staff, old).await? {
        return Ok(false);
    }
    store::set_password(&mut *tx, viewer.staff, &hash).await?;
    store::revoke_link(&mut *tx, viewer.staff, now).await?;
    store::end_sessions(&mut tx, viewer.staff, Some(&viewer.session)).await?;
    let changed = entry("profile.password_changed", "Changed their password.");
    audit::note(&mut tx, &viewer.actor(), changed, now).await?;
    tx.commit().await?;
    Ok(true)
}

/// False when it had ended already.
pub(super) async fn end_session(app: &AppState, viewer: &Viewer, id: i64) -> sqlx::Result<bool> {
    let mut tx = app.db.begin().await?;
    let ended = store::end_session_of(&mut *tx, viewer.staff, id).await?;
    if ended {
        let ended = entry("profile.session_ended", "Signed another browser out.");
        audit::note(&mut tx, &viewer.actor(), ended, app.clock.now()).await?;
    }
    tx.commit().await?;
    Ok(ended)
}

/// How many there were.
pub(super) async fn end_other_sessions(app: &AppState, viewer: &Viewer) -> sqlx::Result<u64> {
    let mut tx = app.db.begin().await?;
    let ended = store::end_sessions(&mut tx, viewer.staff, Some(&viewer.session)).await?;
    if ended > 0 {
        let said = format!("Signed out everywhere else: {}.", counted(ended, "session"));
        let ended = entry("profile.sessions_ended", said);
        audit::note(&mut tx, &viewer.actor(), ended, app.clock.now()).await?;
    }
    tx.commit().await?;
    Ok(ended)
}
