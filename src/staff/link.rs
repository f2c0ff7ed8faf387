//! One-time links: an invitation, or a new password for who forgot theirs.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;

use super::door::Door;
use super::password::NewPassword;
use super::sign_in::{Arrival, entry};
use super::store::{self, Link, NewLink};
use super::throttle::Attempt;
use crate::audit::{self, Actor};
use crate::ids::StaffId;
use crate::kit::secret::Secret;
use crate::kit::token::{self, TokenDigest};
use crate::state::AppState;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    Invitation,
    PasswordReset,
}

impl Purpose {
    /// As the database writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Invitation => "invitation",
            Self::PasswordReset => "password-reset",
        }
    }

    fn valid_for(self) -> TimeDelta {
        match self {
            Self::Invitation => TimeDelta::days(7),
            Self::PasswordReset => TimeDelta::days(1),
        }
    }
}

/// Makes a link, in place of any before it.
pub(super) async fn make(
    tx: &mut PgConnection,
    staff: StaffId,
    purpose: Purpose,
    now: DateTime<Utc>,
) -> sqlx::Result<Secret> {
    let token = token::random();
    let digest = &token::digest(token.reveal());
    let expires_at = now + purpose.valid_for();
    store::replace_link(tx, NewLink { digest, staff, purpose, expires_at }, now).await?;
    Ok(token)
}

/// Why a link does nothing, in words for whoever followed it; `None` when it works.
pub(super) fn trouble(link: Option<&Link>, now: DateTime<Utc>) -> Option<&'static str> {
    let Some(link) = link else {
        return Some("It has been revoked, or only a part of it was copied.");
    };
    match link.ended.as_deref() {
        Some("used") => Some("It has been used already. Sign in with the password you chose."),
        Some("replaced") => Some("There is a newer one. Use the link you were sent last."),
        Some(_) => Some("It has been revoked."),
        None if link.expires_at <= now => Some("It has expired."),
        None => None,
    }
}

/// Sets the password and signs in; everywhere else they are signed out.
/// `None` when the link was used, revoked or replaced in the meantime.
pub(super) async fn follow(
    app: &AppState,
    door: &Door,
    link: &Link,
    digest: &TokenDigest,
    password: &NewPassword,
) -> anyhow::Result<Option<Arrival>> {
    let hash = app.passwords.hash(password.secret()).await?;
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    if !store::use_link(&mut *tx, digest, now).await? {
        return Ok(None);
    }
    if !store::set_password(&mut *tx, link.staff, &hash).await? {
        return Ok(None);
    }
    store::end_sessions(&mut tx, link.staff, None).await?;
    Attempt::with_password(&link.email, door.address).forgive(&mut tx).await?;
    let actor = Actor::staff(link.staff, &link.email, door.address);
    let done = if link.purpose == Purpose::Invitation.as_str() {
        entry("staff.invitation_accepted", "Accepted the invitation.")
    } else {
        entry("staff.password_reset", "Set a new password with a one-time link.")
    };
    audit::note(&mut tx, &actor, done, now).await?;
    let arrival = if link.has_second_factor {
        Arrival::CodeNext(door.begin_half(&mut tx, link.staff, now).await?)
    } else {
        store::note_sign_in(&mut *tx, link.staff, now).await?;
        Arrival::In(door.begin_session(&mut tx, link.staff, now).await?)
    };
    tx.commit().await?;
    Ok(Some(arrival))
}
