//! One credential after another without a gap: what lies ready is tried, takes over in time, is
//! taken back when Microsoft refuses it, and what was before is forgotten once that is safe.
//!
//! The tables say what is due, so any node may do it, at any time, and a worker that meets a
//! refusal need not wait for the next round. The running worker sees another version of the
//! connection and changes over.

use std::time::Duration;

use anyhow::Context;
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::credential::{
    CERTIFICATE_LASTS, CredentialKind, Expiry, PROVING, ROLL_BEFORE, TAKE_OVER_BEFORE, TRY_EVERY,
    halves_of,
};
use super::store::spare::{self, NewSpare, ToRoll, ToTry};
use super::store::turn::{self, Turn};
use super::{expiry, secret_owner};
use crate::audit::{self, Actor, Changes, Entry};
use crate::ids::{AccountId, IntegrationId};
use crate::microsoft::{Cause, Certificate, Credential, Refusal};
use crate::state::AppState;

const EVERY: Duration = Duration::from_secs(20);
/// A round may not wait for a slow Microsoft for ever.
const TRIED_WITHIN: Duration = Duration::from_secs(30);

/// Looks for what is due, every so often, on every node.
pub async fn run(app: AppState, stop: CancellationToken) -> anyhow::Result<()> {
    let mut rounds = interval(EVERY);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(rounds.tick()).await.is_some() {
        if let Some(Err(error)) = stop.run_until_cancelled(round(&app)).await {
            tracing::warn!("credentials were not looked after: {error:#}");
        }
    }
    Ok(())
}

/// Does everything that is due once. What goes wrong with one account holds up no other.
pub async fn round(app: &AppState) -> anyhow::Result<()> {
    let now = app.clock.now();
    let soon = now.date_naive() + TimeDelta::days(ROLL_BEFORE);
    for ending in spare::certificates_to_roll(&app.db, soon).await? {
        let account = ending.account;
        look_after(account, roll(app, ending).await);
    }
    for waiting in spare::take_those_to_try(&app.db, &app.sealer, now, now + TRY_EVERY).await? {
        let account = waiting.connection.account;
        look_after(account, try_by_itself(app, waiting).await);
    }
    let causes = blaming();
    let tomorrow = now.date_naive() + TimeDelta::days(TAKE_OVER_BEFORE);
    for due in turn::due(&app.db, tomorrow, &causes).await? {
        let actor = Actor::portal();
        let taken = take_over(app, &actor, due.account, due.version, "as it was to").await;
        look_after(due.account, taken);
    }
    turn::forget_proved(&app.db, now - PROVING, &causes).await?;
    Ok(())
}

fn look_after<T>(account: AccountId, done: anyhow::Result<T>) {
    if let Err(error) = done {
        tracing::warn!(account.id = %account, "its credentials were not looked after: {error:#}");
    }
}

/// The keys of every cause that another credential may mend.
fn blaming() -> Vec<&'static str> {
    let blaming = Cause::ALL.into_iter().filter(|cause| cause.blames_credential());
    blaming.map(Cause::key).collect()
}

/// What became of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turned {
    /// The next credential has taken over.
    Over,
    /// The one before has taken its place again.
    Back,
    /// Another version was put in force meanwhile: the refusal concerns nobody any more.
    MovedOn,
}

/// Microsoft has refused the credential of this version of an account's connection. If there is
/// another one to go on with, it takes its place; none, if not.
pub async fn refused(
    app: &AppState,
    account: AccountId,
    version: i32,
    refusal: &Refusal,
) -> anyhow::Result<Option<Turned>> {
    if !refusal.cause.blames_credential() {
        return Ok(None);
    }
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    let Some(locked) = turn::lock(&mut tx, account, version).await? else {
        return Ok(Some(Turned::MovedOn));
    };
    if locked.removing {
        return Ok(None);
    }
    let integration = locked.integration;
    let said = (refusal.cause.key(), refusal.detail.as_str());
    let at = (account, locked.account_name.as_str());
    let why = refusal.cause.title();
    let turned = match turn::take_back(&mut tx, account, integration, said, now - PROVING, now)
        .await?
    {
        Some(turn) => {
            let summary = format!(
                "The {} before took its place again, because Microsoft refused the new {}: {why}.",
                turn.to.words(),
                turn.from.words()
            );
            note(&mut tx, &Actor::portal(), at, "integration.credential_taken_back", summary, now)
                .await?;
            Turned::Back
        }
        None => match turn::take_over(&mut tx, account, integration, false, now).await? {
            Some(turn) => {
                let why = format!("at once, because Microsoft refused the one before: {why}");
                note_turn(&mut tx, &Actor::portal(), at, turn, &why, now).await?;
                Turned::Over
            }
            None => return Ok(None),
        },
    };
    tx.commit().await?;
    tracing::info!(account.id = %account, cause = refusal.cause.key(), ?turned, "credentials changed places");
    app.wakes.ring(account);
    Ok(Some(turned))
}

/// The next credential takes over. False when that has been done already, or it is not accepted.
pub async fn take_over(
    app: &AppState,
    actor: &Actor,
    account: AccountId,
    version: i32,
    why: &str,
) -> anyhow::Result<bool> {
    let now = app.clock.now();
    let mut tx = app.db.begin().await?;
    let locked = turn::lock(&mut tx, account, version).await?;
    let Some(locked) = locked.filter(|locked| !locked.removing) else { return Ok(false) };
    let taken = turn::take_over(&mut tx, account, locked.integration, true, now).await?;
    let Some(turn) = taken else { return Ok(false) };
    note_turn(&mut tx, actor, (account, &locked.account_name), turn, why, now).await?;
    tx.commit().await?;
    app.wakes.ring(account);
    Ok(true)
}

async fn note_turn(
    tx: &mut PgConnection,
    actor: &Actor,
    at: (AccountId, &str),
    turn: Turn,
    why: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let summary = format!("The next {} took over, {why}.", turn.to.words());
    note(tx, actor, at, "integration.credential_took_over", summary, now).await
}

async fn note(
    tx: &mut PgConnection,
    actor: &Actor,
    at: (AccountId, &str),
    action: &'static str,
    summary: String,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let entry = Entry { action, summary, account: Some(at), changes: Changes::default() };
    audit::note(tx, actor, entry, now).await
}

/// Tries a next credential, and writes down what Microsoft said. What passes by itself says
/// nothing about it.
async fn try_by_itself(app: &AppState, waiting: ToTry) -> anyhow::Result<()> {
    let ToTry { integration, since, connection } = waiting;
    let asked = tokio::time::timeout(TRIED_WITHIN, app.microsoft.sign_in(&connection)).await;
    let now = app.clock.now();
    let at = (connection.account, integration, since);
    match asked {
        Ok(Ok(token)) => {
            let read = expiry::read(app, &connection, &token).await;
            spare::judge_next(&app.db, at, Ok(read.as_ref()), now).await?;
        }
        Ok(Err(refusal)) if refusal.cause.blames_credential() => {
            let said = (refusal.cause.key(), refusal.detail.as_str());
            spare::judge_next(&app.db, at, Err(said), now).await?;
        }
        Ok(Err(_)) | Err(_) => {}
    }
    Ok(())
}

/// Makes the certificate that is to follow one that ends soon, and lays it ready, unless somebody
/// was quicker.
async fn roll(app: &AppState, ending: ToRoll) -> anyhow::Result<()> {
    let (now, actor) = (app.clock.now(), Actor::portal());
    let made = make_certificate(app).await?;
    let mut tx = app.db.begin().await?;
    let at = (ending.account, ending.integration);
    if lay_certificate(app, &mut tx, at, &made, false, now).await? {
        let summary = format!(
            "The certificate ends on {}, so the next one was made. It has to be uploaded to Entra.",
            ending.ends_on.format("%-d %B %Y")
        );
        let at = (ending.account, ending.account_name.as_str());
        note(&mut tx, &actor, at, "integration.certificate_made", summary, now).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Makes a key pair with its certificate, away from the threads that serve.
pub(super) async fn make_certificate(app: &AppState) -> anyhow::Result<Certificate> {
    let host = app.config.public_url.host_str().unwrap_or_default();
    let (for_whom, now) = (format!("presence-portal {host}"), app.clock.now());
    tokio::task::spawn_blocking(move || Certificate::make(&for_whom, now, CERTIFICATE_LASTS))
        .await
        .context("making a key pair was cut short")?
}

/// Lays a certificate ready as the next credential. Until somebody uploads it, Microsoft
/// refuses it: it is tried now and then. False while the integration is being removed, and where
/// another lies ready that it may not replace.
pub(super) async fn lay_certificate(
    app: &AppState,
    tx: &mut PgConnection,
    (account, integration): (AccountId, IntegrationId),
    certificate: &Certificate,
    may_replace: bool,
    now: DateTime<Utc>,
) -> anyhow::Result<bool> {
    let credential = Credential::Certificate(certificate.clone());
    let (secret, der) = halves_of(&credential);
    let sealed = app.sealer.seal(&secret_owner(account, integration), secret)?;
    let expiry = Expiry::certificate(&certificate.shown);
    let new = NewSpare {
        kind: CredentialKind::Certificate,
        sealed: &sealed,
        certificate: der,
        expiry: &expiry,
        accepted_at: None,
        try_at: Some(now + TRY_EVERY),
    };
    Ok(if may_replace {
        spare::put_next(tx, account, integration, new, now).await?
    } else {
        spare::put_first(tx, account, integration, new, now).await?
    })
}
