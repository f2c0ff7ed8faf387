//! From Microsoft's codes to our causes: the only place that knows their numbers and names.

use super::{Cause, Permission};

/// What was asked, as far as it decides what a refusal means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Area {
    Directory,
    /// Presence of one user.
    Presence,
    /// Presence of many, read only.
    Presences,
}

/// What an AADSTS number means. `None`: we do not know it.
pub(super) fn of_aadsts(number: u32) -> Option<Cause> {
    Some(match number {
        7_000_222 => Cause::SecretExpired,
        // The last two: nothing was sent as a secret, which for whoever filled in the form is a wrong one.
        7_000_215 | 7_000_216 | 7_000_218 => Cause::SecretWrong,
        700_027 => Cause::CertificateWrong,
        1_000_502 => Cause::CertificateExpired,
        700_024 => Cause::ClockWrong,
        700_016 | 7_000_229 => Cause::ApplicationUnknown,
        90_002 | 90_023 | 900_023 => Cause::TenantUnknown,
        90_038 | 900_382 | 900_432 | 500_011 | 500_014 => Cause::OtherCloud,
        7_000_112 => Cause::ApplicationDisabled,
        53_003 => Cause::ConditionalAccess,
        65_001 => Cause::PermissionMissing(Permission::UserReadAll),
        // 50196 is a loop of token requests: ours to slow down.
        90_055 | 50_196 => Cause::Throttled,
        90_006 | 90_024 | 90_033 | 90_090 => Cause::Trouble,
        _ => return None,
    })
}

/// What a refused sign-in means: the first number that we know, else what the status says.
pub(super) fn of_sign_in(status: u16, error: &str, numbers: &[u32]) -> Cause {
    if let Some(cause) = numbers.iter().find_map(|number| of_aadsts(*number)) {
        return cause;
    }
    match (status, error) {
        (429, _) => Cause::Throttled,
        (408 | 500..=599, _) | (_, "temporarily_unavailable" | "server_error") => Cause::Trouble,
        // An OAuth error that Microsoft numbers in a way we do not know.
        (400..=499, _) if !error.is_empty() => Cause::SignInRefused,
        _ => Cause::Garbled,
    }
}

/// What a refusal of Graph means. `codes` stand from the outermost to the innermost.
pub(super) fn of_graph(area: Area, status: u16, codes: &[String]) -> Cause {
    let said = |known: &[&str]| {
        codes.iter().any(|code| known.iter().any(|known| code.eq_ignore_ascii_case(known)))
    };
    if matches!(status, 429 | 509)
        || said(&["TooManyRequests", "activityLimitReached", "throttledRequest"])
    {
        return Cause::Throttled;
    }
    if status == 410 || said(STARTING_OVER) {
        return Cause::StartOver;
    }
    match (status, area) {
        (401, _) if said(&["ServiceError"]) => Cause::Trouble,
        (403, Area::Directory) => Cause::PermissionMissing(Permission::UserReadAll),
        (403, Area::Presence | Area::Presences) => {
            Cause::PermissionMissing(Permission::PresenceReadWriteAll)
        }
        (404, Area::Presence) => Cause::NoSuchUser,
        (404, _) if said(&["Request_ResourceNotFound"]) => Cause::NoSuchUser,
        (400 | 402 | 405..=499, Area::Presence) if status != 408 => Cause::UserRefused,
        (408 | 500..=599, _) => Cause::Trouble,
        (400..=499, _) => Cause::Unexpected,
        // Neither an answer nor a refusal: a redirect, which we do not follow, or stranger.
        _ => Cause::Garbled,
    }
}

/// Ways of saying that a link into the directory has run out.
const STARTING_OVER: &[&str] =
    &["syncStateNotFound", "syncStateInvalid", "resyncRequired", "Directory_ExpiredPageToken"];

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(area: Area, status: u16, code: &str) -> Cause {
        of_graph(area, status, &[code.to_owned()])
    }

    #[test]
    fn a_sign_in_is_judged_by_its_number_and_not_by_its_status() {
        for status in [400, 401, 403] {
            assert_eq!(of_sign_in(status, "invalid_client", &[7_000_222]), Cause::SecretExpired);
        }
        assert_eq!(of_sign_in(400, "x", &[1, 90_002]), Cause::TenantUnknown);
        assert_eq!(of_sign_in(503, "invalid_client", &[7_000_215]), Cause::SecretWrong);
        assert_eq!(of_sign_in(400, "invalid_grant", &[123]), Cause::SignInRefused);
        assert_eq!(of_sign_in(400, "temporarily_unavailable", &[]), Cause::Trouble);
        assert_eq!(of_sign_in(502, "", &[]), Cause::Trouble);
        assert_eq!(of_sign_in(429, "", &[]), Cause::Throttled);
        assert_eq!(of_sign_in(403, "", &[]), Cause::Garbled, "a proxy's page, say");
        assert_eq!(of_sign_in(302, "", &[]), Cause::Garbled);
    }

    #[test]
    fn a_refusal_of_graph_is_judged_by_its_codes_first() {
        let read = Cause::PermissionMissing(Permission::UserReadAll);
        let write = Cause::PermissionMissing(Permission::PresenceReadWriteAll);
        assert_eq!(graph(Area::Directory, 403, "Authorization_RequestDenied"), read);
        assert_eq!(graph(Area::Presence, 403, "Forbidden"), write);
        assert_eq!(graph(Area::Presence, 404, "NotFound"), Cause::NoSuchUser);
        assert_eq!(graph(Area::Presence, 400, "InvalidArgument"), Cause::UserRefused);
        assert_eq!(graph(Area::Presence, 401, "ServiceError"), Cause::Trouble);
        assert_eq!(graph(Area::Presence, 408, ""), Cause::Trouble);
        assert_eq!(graph(Area::Presences, 400, "InvalidArgument"), Cause::Unexpected);
        assert_eq!(graph(Area::Directory, 400, "SYNCSTATENOTFOUND"), Cause::StartOver);
        assert_eq!(graph(Area::Directory, 410, ""), Cause::StartOver);
        assert_eq!(graph(Area::Directory, 400, "activityLimitReached"), Cause::Throttled);
        assert_eq!(graph(Area::Directory, 504, "UnknownError"), Cause::Trouble);
        assert_eq!(graph(Area::Directory, 301, ""), Cause::Garbled);
    }
}
