//! What an answer of Microsoft or CloudLink means for a line. Pure.

use chrono::NaiveDate;

use super::lines::{Finding, Line, Mend};
use crate::cloudlink;
use crate::integrations::CredentialKind;
use crate::integrations::credential::ExpirySource;
use crate::microsoft::{Cause, Permission, Refusal};

/// A secret that ends within this many days is worth a word.
const SOON: i64 = 30;

/// A refusal of Microsoft, as it stands on the line it concerns.
pub fn refused(refusal: &Refusal) -> Finding {
    let cause = refusal.cause;
    let finding = Finding::red(format!("{}.", cause.title()))
        .advising(cause.advice())
        .detailed(detail(refusal))
        .mended_at(mend(cause));
    if cause.needs_person() { finding } else { finding.passing() }
}

fn detail(refusal: &Refusal) -> String {
    match &refusal.request_id {
        Some(id) => format!("{} · Microsoft’s request id {id}", refusal.detail),
        None => refusal.detail.clone(),
    }
}

fn mend(cause: Cause) -> Vec<Mend> {
    match cause {
        cause if cause.blames_credential() => vec![Mend::Secrets, Mend::Configure],
        Cause::ApplicationUnknown => vec![Mend::Registrations, Mend::Consent, Mend::Configure],
        Cause::ApplicationDisabled => vec![Mend::EnterpriseApps],
        Cause::TenantUnknown | Cause::OtherCloud => vec![Mend::Configure],
        Cause::ConditionalAccess | Cause::SignInRefused => vec![Mend::Registration],
        Cause::PermissionMissing(_) => vec![Mend::Permissions, Mend::Consent],
        _ => Vec::new(),
    }
}

/// What a refused sign-in says of the lines it is about.
///
/// An assumption: Microsoft looks at the tenant first, then at the application, then at its
/// secret, then at policies. So whoever is refused for the one has passed those before it.
pub fn refused_sign_in(refusal: &Refusal) -> Vec<(Line, Finding)> {
    let known = || (Line::Application, Finding::green("Microsoft knows it by this id."));
    let unsaid = |line| (line, Finding::not_looked_at("Microsoft’s refusal does not say."));
    match refusal.cause {
        Cause::TenantUnknown | Cause::OtherCloud => vec![
            (Line::Tenant, refused(refusal)),
            (Line::Application, Finding::not_looked_at("There is no tenant to look in.")),
            (Line::Secret, Finding::not_looked_at("There is no tenant to sign in to.")),
        ],
        Cause::ApplicationUnknown | Cause::ApplicationDisabled => vec![
            (Line::Application, refused(refusal)),
            (Line::Secret, Finding::not_looked_at("Microsoft stopped at the application.")),
        ],
        Cause::SecretExpired
        | Cause::SecretWrong
        | Cause::SecretIdPasted
        | Cause::CertificateWrong
        | Cause::CertificateExpired
        | Cause::ConditionalAccess => vec![known(), (Line::Secret, refused(refusal))],
        Cause::PermissionMissing(_) => {
            vec![known(), unsaid(Line::Secret), (Line::ReadUsers, refused(refusal))]
        }
        _ => vec![unsaid(Line::Application), (Line::Secret, refused(refusal))],
    }
}

/// What is known of the end of the credential in force, and of the one that follows.
#[derive(Clone, Copy, Debug)]
pub struct Lasting {
    pub credential: CredentialKind,
    /// As far as somebody typed it or Microsoft told it.
    pub on: Option<NaiveDate>,
    pub source: Option<ExpirySource>,
    /// Microsoft did not say that it has ended.
    pub accepted: bool,
    /// A next one lies ready that Microsoft has accepted.
    pub followed: bool,
}

pub fn expiry(
    Lasting { credential, on, source, accepted, followed }: Lasting,
    today: NaiveDate,
) -> Finding {
    let renewed = match credential {
        CredentialKind::Secret => {
            "Create a new client secret in Entra, and save its Value under Configure. The old one is used until the new one works."
        }
        CredentialKind::Certificate => {
            "Upload the next certificate, which lies under Configure, to Entra. It takes over by itself."
        }
    };
    let places = [Mend::Secrets, Mend::Configure];
    let Some(on) = on else {
        return Finding::amber("Nobody has said when the secret expires.")
            .advising(
                "Look it up in Entra and enter the day under Configure, to be reminded in time.",
            )
            .mended_at(places);
    };
    let (day, what) = (on.format("%-d %B %Y"), credential.words());
    let source = match source {
        Some(ExpirySource::Entra) => "as Entra says",
        Some(ExpirySource::Certificate) => "as the certificate says",
        Some(ExpirySource::Typed) | None => "by the date entered here",
    };
    match (on - today).num_days() {
        left @ 0..=SOON if followed => Finding::green(format!(
            "It expires on {day}, in {}, {source}. The next one lies ready and takes over by itself.",
            days(left)
        )),
        ..0 if accepted => {
            Finding::amber(format!("It expired on {day}, {source}, and yet Microsoft accepts it."))
                .advising("The day is likely wrong. Correct it under Configure.")
                .mended_at([Mend::Configure])
        }
        ..0 => Finding::red(format!("It expired on {day}, {source}."))
            .or_alone(format!("The {what} expired on {day}, {source}."))
            .advising(renewed)
            .mended_at(places),
        0 => Finding::red(format!("It expires today, {source}."))
            .or_alone(format!("The {what} expires today, {source}."))
            .advising(renewed)
            .mended_at(places),
        left @ 1..=SOON => {
            Finding::amber(format!("It expires on {day}, in {}, {source}.", days(left)))
                .advising(renewed)
                .mended_at(places)
        }
        left => Finding::green(format!("Until {day}, {} from now, {source}.", days(left))),
    }
}

fn days(count: i64) -> String {
    if count == 1 { "one day".to_owned() } else { format!("{count} days") }
}

/// A permission that is needed: what the token says of it, and what a harmless call says.
pub fn permission(
    permission: Permission,
    by_token: Option<bool>,
    by_call: Result<(), &Refusal>,
) -> Finding {
    let name = permission.as_str();
    let places = [Mend::Permissions, Mend::Consent];
    let grant = format!(
        "Add {name} to the app registration as a Microsoft Graph application permission (not a delegated one), grant admin consent, wait a minute, and run the check again."
    );
    let refuses = |refusal: &Refusal| matches!(refusal.cause, Cause::PermissionMissing(_));
    let writes = permission == Permission::PresenceReadWriteAll;
    match (by_token, by_call) {
        (Some(false), Ok(())) if writes => Finding::red("The token does not carry it. Presence can be read, by another permission, but not set.")
            .or_alone(format!("{name} is not granted: presence can be read, by another permission, but not set."))
            .advising(grant)
            .mended_at(places),
        (Some(false), _) => {
            Finding::red("The token does not carry it.").or_alone(format!("{name} is not granted: the token does not carry it."))
                .advising(grant).mended_at(places)
        }
        (_, Err(refusal)) if refuses(refusal) => Finding::red("Microsoft Graph refuses us what it allows.")
            .or_alone(format!("{name} does not work: Microsoft Graph refuses us what it allows."))
            .advising(grant)
            .detailed(detail(refusal))
            .mended_at(places),
        (by_token, Err(refusal)) => {
            let half = if by_token == Some(true) { "The token carries it, but a call to prove it did not work" } else { "A call to prove it did not work" };
            let seen = format!("{half}: {}.", decapitalised(refusal.cause.title()));
            let finding = Finding::amber(&seen)
                .or_alone(format!("{name} could not be proved. {seen}"))
                .advising(refusal.cause.advice())
                .detailed(detail(refusal));
            if refusal.cause.needs_person() { finding } else { finding.passing() }
        }
        (Some(true), Ok(())) if writes => {
            Finding::green("The token carries it, and presence was read.")
        }
        (Some(true), Ok(())) => Finding::green("The token carries it, and users were read."),
        (None, Ok(())) if writes => Finding::amber("Presence was read, but the token cannot be read, so nobody knows whether presence can be set.")
            .advising("Try it below on a pilot user."),
        (None, Ok(())) => Finding::green("Users were read. The token itself cannot be read."),
    }
}

fn decapitalised(text: &str) -> String {
    // Names keep their capital letter.
    if text.starts_with("Microsoft") || text.starts_with("CloudLink") {
        return text.to_owned();
    }
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

/// Reads secrets' expiry where it happens to be granted: of use, though not needed.
const OF_USE: &str = "Application.Read.All";

/// What is granted beyond what is needed.
pub fn excess(roles: Option<&[String]>) -> Finding {
    let Some(roles) = roles else {
        return Finding::not_looked_at(
            "The token cannot be read, so what else is granted is not known.",
        );
    };
    let needed = |role: &&String| Permission::ALL.iter().any(|one| one.as_str() == role.as_str());
    let (of_use, excess): (Vec<_>, Vec<_>) =
        roles.iter().filter(|role| !needed(role)).partition(|role| *role == OF_USE);
    let also = if of_use.is_empty() {
        ""
    } else {
        " Application.Read.All lets us read when the secret expires."
    };
    if excess.is_empty() {
        return Finding::green(format!("Nothing is granted beyond what is needed.{also}"));
    }
    let named: Vec<_> =
        excess.iter().map(|role| crate::kit::http::clean(role, 80)).take(20).collect();
    Finding::amber(format!("Granted, but not needed: {}.{also}", named.join(", ")))
        .advising("Whoever holds the secret or certificate may do that, too. Unless something else uses this registration, remove it and grant admin consent again.")
        .mended_at([Mend::Permissions])
}

/// A refusal of CloudLink.
pub fn refused_by_cloudlink(refusal: &cloudlink::Refusal) -> Finding {
    let cause = refusal.cause;
    let detail = match &refusal.correlation_id {
        Some(id) => format!("{} · CloudLink’s correlation id {id}", refusal.detail),
        None => refusal.detail.clone(),
    };
    let place = match cause {
        cloudlink::Cause::NotConfigured | cloudlink::Cause::CredentialsWrong => Mend::Settings,
        _ => Mend::Account,
    };
    let finding =
        Finding::red(format!("{}.", cause.title())).advising(cause.advice()).detailed(detail);
    if cause.needs_person() { finding.mended_at([place]) } else { finding.passing() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::lines::State;

    fn refusal(cause: Cause) -> Refusal {
        Refusal {
            cause,
            status: Some(400),
            code: None,
            request_id: Some("r-1".to_owned()),
            retry_after: None,
            detail: "x".to_owned(),
        }
    }

    #[test]
    fn nothing_that_failed_is_a_pass() {
        for cause in Cause::ALL {
            for (line, finding) in refused_sign_in(&refusal(cause)) {
                let implied = line == Line::Application && finding.state == State::Green;
                assert!(finding.state != State::Green || implied, "{line:?} after {cause:?}");
            }
            for by_token in [Some(true), Some(false), None] {
                for needed in Permission::ALL {
                    let found = permission(needed, by_token, Err(&refusal(cause)));
                    assert_ne!(found.state, State::Green, "{cause:?}");
                }
            }
            assert_eq!(refused(&refusal(cause)).urgent, cause.needs_person());
        }
    }

    #[test]
    fn a_permission_needs_both_the_token_and_the_call() {
        let presence = Permission::PresenceReadWriteAll;
        assert_eq!(permission(presence, Some(true), Ok(())).state, State::Green);
        assert_eq!(permission(presence, Some(false), Ok(())).state, State::Red);
        assert_eq!(
            permission(presence, None, Ok(())).state,
            State::Amber,
            "reading is not writing"
        );
        assert_eq!(permission(Permission::UserReadAll, None, Ok(())).state, State::Green);
        let away = refusal(Cause::Unreachable);
        let found = permission(presence, Some(true), Err(&away));
        assert_eq!((found.state, found.passing, found.urgent), (State::Amber, true, false));
    }

    #[test]
    fn days_are_said_as_people_say_them() {
        let today: NaiveDate = "2026-03-02".parse().unwrap();
        let credential = CredentialKind::Secret;
        let known = Lasting { credential, on: None, source: None, accepted: true, followed: false };
        let on =
            |on: &str, accepted| expiry(Lasting { on: on.parse().ok(), accepted, ..known }, today);
        assert_eq!(on("2026-03-01", true).state, State::Amber, "the date is wrong, not the secret");
        assert_eq!(on("2026-03-01", false).state, State::Red);
        assert_eq!(on("2026-03-02", true).state, State::Red);
        assert!(on("2026-03-03", true).seen.contains("in one day"));
        assert_eq!(on("2026-04-01", true).state, State::Amber);
        assert_eq!(on("2026-04-02", true).state, State::Green);
        assert_eq!(expiry(known, today).state, State::Amber);
        let soon = Lasting { on: "2026-03-09".parse().ok(), followed: true, ..known };
        assert_eq!(expiry(soon, today).state, State::Green, "nobody has to do anything");
        let certificate = CredentialKind::Certificate;
        let ends = expiry(Lasting { credential: certificate, followed: false, ..soon }, today);
        assert!(!ends.advice.contains("client secret"), "{}", ends.advice);
    }

    #[test]
    fn each_permission_too_many_is_named() {
        let roles = ["User.Read.All", "Mail.Read", "Application.Read.All"].map(str::to_owned);
        let found = excess(Some(&roles));
        assert_eq!(found.state, State::Amber);
        assert!(found.seen.contains("Mail.Read") && !found.seen.contains("User.Read.All"));
        assert_eq!(excess(Some(&roles[..1])).state, State::Green);
        assert_eq!(excess(None).state, State::NotLookedAt);
    }
}
