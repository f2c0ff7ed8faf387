//! The second factor: codes of an authenticator app (RFC 6238), and recovery codes for
//! the day the phone is lost. A code is taken once, and with it those before it.

use anyhow::anyhow;
use chrono::{DateTime, Utc};
use totp_rs::{Builder, Totp};

use super::door::Door;
use super::qr::Qr;
use super::setup::{digest, random_code};
use super::sign_in::{Arrival, Outcome, entry};
use super::store::second_factor::{self as kept, SecondFactor, codes_owner, secret_owner};
use super::throttle::{Attempt, Closed};
use super::{HALF_LIMIT, Viewer, store};
use crate::audit::{self, Actor};
use crate::ids::StaffId;
use crate::kit::email::Email;
use crate::kit::secret::Secret;
use crate::kit::token::TokenDigest;
use crate::state::AppState;

const RECOVERY_CODES: usize = 10;
/// Groups of 25 bits: a hundred bits withstand whoever has only their digest.
const RECOVERY_GROUPS: usize = 4;

/// What an authenticator app is given.
pub(super) struct Offer {
    pub qr: Qr,
    /// The secret in groups of four, to type.
    pub secret: String,
}

/// Offers a new secret, unless the second factor is on.
pub(super) async fn offer(app: &AppState, viewer: &Viewer) -> anyhow::Result<()> {
    let secret = totp_rs::Secret::from(rand::random::<[u8; 20]>());
    let secret = Secret::new(secret.to_base32());
    let sealed = app.sealer.seal(&secret_owner(viewer.staff), &secret)?;
    kept::offer_second_factor(&app.db, viewer.staff, &sealed).await?;
    Ok(())
}

impl Offer {
    pub(super) fn of(
        app: &AppState,
        viewer: &Viewer,
        factor: &SecondFactor,
    ) -> anyhow::Result<Self> {
        let secret = app.sealer.open(&secret_owner(viewer.staff), &factor.secret)?;
        let url = totp(&secret, &viewer.email)?.to_url().map_err(|e| anyhow!("{e}"))?;
        let letters: Vec<char> = secret.reveal().chars().collect();
        let groups: Vec<String> = letters.chunks(4).map(|group| group.iter().collect()).collect();
        Ok(Self { qr: Qr::of(&url)?, secret: groups.join(" ") })
    }
}

fn totp(secret: &Secret, email: &Email) -> anyhow::Result<Totp> {
    let secret = totp_rs::Secret::try_from_base32(secret.reveal()).map_err(|e| anyhow!("{e}"))?;
    let totp = Builder::new()
        .with_secret(secret)
        .with_issuer(Some("presence-portal"))
        .with_account_name(email.as_str())
        .build();
    totp.map_err(|e| anyhow!("the secret of a second factor: {e}"))
}

/// The step whose code this is: the present one, or one beside it.
fn step(totp: &Totp, typed: &str, now: DateTime<Utc>) -> Option<i64> {
    let digits: String = typed.chars().filter(|c| !c.is_whitespace()).collect();
    let seconds = u64::try_from(now.timestamp()).ok()?;
    i64::try_from(totp.check(&digits, seconds)?).ok()
}

/// How a first code fared.
#[derive(Debug)]
pub(super) enum Confirmed {
    On,
    Wrong,
    Closed(Closed),
}

/// Turns the second factor on, once a code shows that the app has the secret.
pub(super) async fn confirm(
    app: &AppState,
    viewer: &Viewer,
    factor: &SecondFactor,
    typed: &str,
) -> anyhow::Result<Confirmed> {
    let now = app.clock.now();
    let attempt = Attempt::with_code(&viewer.email, viewer.address);
    if let Err(closed) = attempt.take(&app.db, now).await? {
        return Ok(Confirmed::Closed(closed));
    }
    let secret = app.sealer.open(&secret_owner(viewer.staff), &factor.secret)?;
    let Some(step) = step(&totp(&secret, &viewer.email)?, typed, now) else {
        return Ok(Confirmed::Wrong);
    };
    let codes: Vec<Secret> = (0..RECOVERY_CODES).map(|_| random_code(RECOVERY_GROUPS)).collect();
    let lines: Vec<&str> = codes.iter().map(Secret::reveal).collect();
    let lines = Secret::new(lines.join("\n"));
    let unread = app.sealer.seal(&codes_owner(viewer.staff), &lines)?;

    let mut tx = app.db.begin().await?;
    let secret = (&factor.secret, step);
    if kept::confirm_second_factor(&mut *tx, viewer.staff, secret, &unread, now).await? {
        for code in &codes {
            kept::add_recovery_code(&mut *tx, viewer.staff, &digest(code.reveal())).await?;
        }
        let on = entry("second_factor.on", "Turned the second factor on.");
        audit::note(&mut tx, &viewer.actor(), on, now).await?;
    }
    attempt.succeeded(&mut tx).await?;
    tx.commit().await?;
    Ok(Confirmed::On)
}

/// Recovery codes that their owner has yet to say they kept.
pub(super) fn unread_codes(
    app: &AppState,
    staff: StaffId,
    factor: &SecondFactor,
) -> anyhow::Result<Vec<String>> {
    let Some(sealed) = &factor.unread_codes else { return Ok(Vec::new()) };
    let lines = app.sealer.open(&codes_owner(staff), sealed)?;
    Ok(lines.reveal().lines().map(str::to_owned).collect())
}

/// Turns it off for `whom`; false when it was not on.
pub(super) async fn turn_off(
    app: &AppState,
    viewer: &Viewer,
    (staff, email): (StaffId, &Email),
) -> sqlx::Result<bool> {
    let mut tx = app.db.begin().await?;
    let was_on = kept::forget_second_factor(&mut *tx, staff).await?;
    if was_on {
        let said = if staff == viewer.staff {
            "Turned the second factor off.".to_owned()
        } else {
            format!("Turned the second factor of {email} off.")
        };
        let off = entry("second_factor.off", said);
        audit::note(&mut tx, &viewer.actor(), off, app.clock.now()).await?;
    }
    tx.commit().await?;
    Ok(was_on)
}

/// The second step of signing in. `None` when the first was too long ago.
pub(super) async fn with_code(
    app: &AppState,
    door: &Door,
    half: &TokenDigest,
    typed: &str,
) -> anyhow::Result<Option<Outcome>> {
    let now = app.clock.now();
    let Some((staff, email)) = store::half_signed_in(&app.db, half, now - HALF_LIMIT).await? else {
        return Ok(None);
    };
    let attempt = Attempt::with_code(&email, door.address);
    if let Err(closed) = attempt.take(&app.db, now).await? {
        return Ok(Some(Outcome::Closed(closed)));
    }
    let Some(factor) = kept::second_factor(&app.db, staff).await? else { return Ok(None) };
    let secret = app.sealer.open(&secret_owner(staff), &factor.secret)?;
    let step = step(&totp(&secret, &email)?, typed, now);

    let mut tx = app.db.begin().await?;
    let (taken, how) = match step {
        Some(step) => (kept::take_step(&mut *tx, staff, step).await?, "Signed in with a code."),
        None => (
            kept::take_recovery_code(&mut *tx, staff, &digest(typed)).await?,
            "Signed in with a recovery code.",
        ),
    };
    if !taken {
        let stranger = Actor::stranger(email.as_str(), door.address);
        let refused = entry("sign_in.refused", "Was refused: right password, wrong code.");
        audit::note(&mut tx, &stranger, refused, now).await?;
        tx.commit().await?;
        return Ok(Some(Outcome::Wrong));
    }
    if !store::end_half_sign_in(&mut *tx, half).await? {
        return Ok(None);
    }
    attempt.succeeded(&mut tx).await?;
    store::note_sign_in(&mut *tx, staff, now).await?;
    let session = door.begin_session(&mut tx, staff, now).await?;
    let actor = Actor::staff(staff, &email, door.address);
    audit::note(&mut tx, &actor, entry("sign_in.done", how), now).await?;
    tx.commit().await?;
    Ok(Some(Outcome::Welcome(Arrival::In(session))))
}
