//! Signing in, step by step.

use sqlx::PgConnection;

use super::door::Door;
use super::store::{self, Credentials};
use super::throttle::{Attempt, Closed};
use crate::audit::{self, Actor, Changes, Entry};
use crate::kit::email::Email;
use crate::kit::password::Verdict;
use crate::kit::secret::Secret;
use crate::state::AppState;

/// How an attempt went.
#[derive(Debug)]
pub(super) enum Outcome {
    Welcome(Arrival),
    Wrong,
    Closed(Closed),
}

/// Somebody proved who they are, or nearly.
#[derive(Debug)]
pub(super) enum Arrival {
    /// Signed in, with this session.
    In(Secret),
    /// Right so far: this token waits for the code of the second factor.
    CodeNext(Secret),
}

/// An unknown address, a wrong password and a disabled person are the same, and take as long.
pub(super) async fn with_password(
    app: &AppState,
    door: &Door,
    email: &Email,
    password: &Secret,
) -> anyhow::Result<Outcome> {
    let attempt = Attempt::with_password(email, door.address);
    if let Err(closed) = attempt.take(&app.db, app.clock.now()).await? {
        return Ok(Outcome::Closed(closed));
    }
    let found = store::credentials(&app.db, email).await?;
    let hash = found.as_ref().and_then(|found| found.password_hash.as_deref());
    let verdict = app.passwords.verify(password, hash).await?;
    let (Some(found), Some(hash)) = (found.as_ref().filter(|found| !found.disabled), hash) else {
        return refuse(app, door, email).await;
    };
    match verdict {
        Verdict::Wrong => refuse(app, door, email).await,
        Verdict::Right => admit(app, door, &attempt, found, hash).await,
        Verdict::RightButWeak => {
            let strong = app.passwords.hash(password).await?;
            store::strengthen_password(&app.db, found.id, hash, &strong).await?;
            admit(app, door, &attempt, found, &strong).await
        }
    }
}

async fn admit(
    app: &AppState,
    door: &Door,
    attempt: &Attempt,
    person: &Credentials,
    verified: &str,
) -> anyhow::Result<Outcome> {
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    if !store::still_has_password(&mut *tx, person.id, verified).await? {
        drop(tx);
        return refuse(app, door, &person.email).await;
    }
    attempt.succeeded(&mut tx).await?;
    let arrival = if person.has_second_factor {
        Arrival::CodeNext(door.begin_half(&mut tx, person.id, now).await?)
    } else {
        let actor = Actor::staff(person.id, &person.email, door.address);
        Arrival::In(begin(&mut tx, app, door, &actor, person).await?)
    };
    tx.commit().await?;
    Ok(Outcome::Welcome(arrival))
}

async fn begin(
    tx: &mut PgConnection,
    app: &AppState,
    door: &Door,
    actor: &Actor,
    person: &Credentials,
) -> anyhow::Result<Secret> {
    let now = app.clock.now();
    store::note_sign_in(&mut *tx, person.id, now).await?;
    let session = door.begin_session(tx, person.id, now).await?;
    audit::note(tx, actor, entry("sign_in.done", "Signed in."), now).await?;
    Ok(session)
}

async fn refuse(app: &AppState, door: &Door, email: &Email) -> anyhow::Result<Outcome> {
    let stranger = Actor::stranger(email.as_str(), door.address);
    let refused = entry("sign_in.refused", "Was refused: wrong e-mail address or password.");
    audit::note(&mut *app.db.acquire().await?, &stranger, refused, app.clock.now()).await?;
    Ok(Outcome::Wrong)
}

/// Something done to a person or by one, to no account.
pub(super) fn entry(action: &'static str, summary: impl Into<String>) -> Entry<'static> {
    Entry { action, summary: summary.into(), account: None, changes: Changes::default() }
}
