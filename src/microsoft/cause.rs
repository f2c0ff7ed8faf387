//! What can be wrong at Microsoft's side, as causes with a name and advice.
//!
//! A cause is found by codes, never by texts: Microsoft changes its texts.

use std::time::Duration;

/// An application permission that we need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Permission {
    UserReadAll,
    PresenceReadWriteAll,
}

impl Permission {
    pub const ALL: [Self; 2] = [Self::UserReadAll, Self::PresenceReadWriteAll];

    /// As Microsoft writes it, in tokens and on pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UserReadAll => "User.Read.All",
            Self::PresenceReadWriteAll => "Presence.ReadWrite.All",
        }
    }
}

/// Why Microsoft did not do what we asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    SecretExpired,
    SecretWrong,
    /// The secret is wrong and looks like the *Secret ID* that stands beside the value.
    SecretIdPasted,
    /// Entra does not have our certificate, or not with this key.
    CertificateWrong,
    CertificateExpired,
    /// The assertion's times are not Microsoft's: this server's clock is wrong.
    ClockWrong,
    ApplicationUnknown,
    TenantUnknown,
    OtherCloud,
    ApplicationDisabled,
    ConditionalAccess,
    /// The sign-in was refused with a code that we do not know.
    SignInRefused,
    PermissionMissing(Permission),
    /// No such user in the tenant; concerns that user alone.
    NoSuchUser,
    /// Microsoft refused this user's presence, most often because the user has no Teams; concerns that user alone.
    UserRefused,
    /// A delta link is of no use any more: read the whole directory again.
    StartOver,
    /// No answer: name, connection, certificate or time-out.
    Unreachable,
    /// Asked too often, or about to be.
    Throttled,
    /// Trouble at Microsoft's side that passes.
    Trouble,
    /// An answer that is not what Graph sends: HTML, cut short, too long, or another host's.
    Garbled,
    /// Refused with a code that we do not know.
    Unexpected,
}

/// The form field that a cause concerns, by its name in the setup form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    Tenant,
    Client,
    Secret,
    Cloud,
}

impl Field {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tenant => "tenant_id",
            Self::Client => "client_id",
            Self::Secret => "client_secret",
            Self::Cloud => "cloud",
        }
    }
}

impl Cause {
    pub const ALL: [Self; 22] = [
        Self::SecretExpired,
        Self::SecretWrong,
        Self::SecretIdPasted,
        Self::CertificateWrong,
        Self::CertificateExpired,
        Self::ClockWrong,
        Self::ApplicationUnknown,
        Self::TenantUnknown,
        Self::OtherCloud,
        Self::ApplicationDisabled,
        Self::ConditionalAccess,
        Self::SignInRefused,
        Self::PermissionMissing(Permission::UserReadAll),
        Self::PermissionMissing(Permission::PresenceReadWriteAll),
        Self::NoSuchUser,
        Self::UserRefused,
        Self::StartOver,
        Self::Unreachable,
        Self::Throttled,
        Self::Trouble,
        Self::Garbled,
        Self::Unexpected,
    ];

    /// The cause as the database, metrics and links write it.
    pub fn key(self) -> &'static str {
        match self {
            Self::SecretExpired => "secret-expired",
            Self::SecretWrong => "secret-wrong",
            Self::SecretIdPasted => "secret-id-pasted",
            Self::CertificateWrong => "certificate-wrong",
            Self::CertificateExpired => "certificate-expired",
            Self::ClockWrong => "clock-wrong",
            Self::ApplicationUnknown => "application-unknown",
            Self::TenantUnknown => "tenant-unknown",
            Self::OtherCloud => "other-cloud",
            Self::ApplicationDisabled => "application-disabled",
            Self::ConditionalAccess => "conditional-access",
            Self::SignInRefused => "sign-in-refused",
            Self::PermissionMissing(Permission::UserReadAll) => "permission-user-read",
            Self::PermissionMissing(Permission::PresenceReadWriteAll) => "permission-presence",
            Self::NoSuchUser => "no-such-user",
            Self::UserRefused => "user-refused",
            Self::StartOver => "start-over",
            Self::Unreachable => "microsoft-unreachable",
            Self::Throttled => "microsoft-throttling",
            Self::Trouble => "microsoft-trouble",
            Self::Garbled => "microsoft-garbled",
            Self::Unexpected => "microsoft-unexpected",
        }
    }

    pub fn by_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.key() == key)
    }

    /// Whether it lasts until a person changes something; all else passes by itself.
    pub fn needs_person(self) -> bool {
        !matches!(
            self,
            Self::StartOver | Self::Unreachable | Self::Throttled | Self::Trouble | Self::Garbled
        )
    }

    /// Whether the secret or certificate is at fault, so that another one may mend it.
    pub fn blames_credential(self) -> bool {
        self.field() == Some(Field::Secret)
    }

    /// Whether it is about signing in, so that a token that is given ends it.
    pub fn concerns_sign_in(self) -> bool {
        self.field().is_some()
            || matches!(self, Self::ConditionalAccess | Self::SignInRefused | Self::ClockWrong)
    }

    /// Whether it says nothing about the rest of the account.
    pub fn concerns_one_user(self) -> bool {
        matches!(self, Self::NoSuchUser | Self::UserRefused)
    }

    /// The field of the setup form it concerns, if it concerns one.
    pub fn field(self) -> Option<Field> {
        match self {
            Self::SecretExpired
            | Self::SecretWrong
            | Self::SecretIdPasted
            | Self::CertificateWrong
            | Self::CertificateExpired => Some(Field::Secret),
            Self::ApplicationUnknown | Self::ApplicationDisabled => Some(Field::Client),
            Self::TenantUnknown => Some(Field::Tenant),
            Self::OtherCloud => Some(Field::Cloud),
            _ => None,
        }
    }

    /// What is the matter, in a few words.
    pub fn title(self) -> &'static str {
        match self {
            Self::SecretExpired => "The client secret has expired",
            Self::SecretWrong => "Microsoft does not accept the client secret",
            Self::SecretIdPasted => "The Secret ID was pasted instead of the Value",
            Self::CertificateWrong => "Microsoft does not accept the certificate",
            Self::CertificateExpired => "The certificate has expired",
            Self::ClockWrong => "This server’s clock is wrong",
            Self::ApplicationUnknown => "The application is not in this tenant",
            Self::TenantUnknown => "Microsoft does not know this tenant",
            Self::OtherCloud => "The tenant is in another Microsoft cloud",
            Self::ApplicationDisabled => "The application is disabled",
            Self::ConditionalAccess => "Blocked by Conditional Access",
            Self::SignInRefused => "Microsoft refused the sign-in",
            Self::PermissionMissing(Permission::UserReadAll) => {
                "The permission User.Read.All is missing"
            }
            Self::PermissionMissing(Permission::PresenceReadWriteAll) => {
                "The permission Presence.ReadWrite.All is missing"
            }
            Self::NoSuchUser => "Microsoft does not know this user",
            Self::UserRefused => "Microsoft refused this user’s presence",
            Self::StartOver => "The directory is read again from the start",
            Self::Unreachable => "Microsoft cannot be reached",
            Self::Throttled => "Microsoft asks us to slow down",
            Self::Trouble => "Microsoft has trouble of its own",
            Self::Garbled => "Microsoft’s answer made no sense",
            Self::Unexpected => "Microsoft refused for a reason we do not know",
        }
    }

    /// What to do about it.
    pub fn advice(self) -> &'static str {
        match self {
            Self::SecretExpired => {
                "Create a new client secret in the Entra app registration, and enter its Value in place of the old one."
            }
            Self::SecretWrong => {
                "Paste the Value of a client secret that belongs to this application. If nobody kept it, create a new one."
            }
            Self::SecretIdPasted => {
                "What you pasted looks like a Secret ID. Copy what stands in the column Value; Entra shows it only once, so you may have to create a new secret."
            }
            Self::CertificateWrong => {
                "Entra does not know the certificate, or a new upload has yet to be heard of everywhere, which takes a minute or two. Upload it to the app registration (again), under Certificates & secrets, Certificates."
            }
            Self::CertificateExpired => {
                "Make a new certificate in the Configure dialog, upload it to the Entra app registration, and use it."
            }
            Self::ClockWrong => {
                "Microsoft found the time in our sign-in out of range. Set this server’s clock, or have it set by NTP."
            }
            Self::ApplicationUnknown => {
                "Compare Tenant Id and Application (Client) Id with the app registration’s overview page. If both are right, an administrator of the tenant has yet to grant admin consent."
            }
            Self::TenantUnknown => {
                "Compare the Tenant Id with Directory (tenant) ID on the app registration’s overview page, and check the cloud."
            }
            Self::OtherCloud => "Choose the cloud that the tenant belongs to.",
            Self::ApplicationDisabled => {
                "An administrator of the tenant has to enable sign-in for the enterprise application in Entra."
            }
            Self::ConditionalAccess => {
                "A Conditional Access policy for workload identities keeps us out. An administrator of the tenant has to allow this server’s address."
            }
            Self::SignInRefused => {
                "Look the AADSTS number up at login.microsoftonline.com/error, mend what it names, and try again."
            }
            Self::PermissionMissing(Permission::UserReadAll) => {
                "Add the Microsoft Graph application permission User.Read.All to the app registration, then grant admin consent. It must be an application permission, not a delegated one."
            }
            Self::PermissionMissing(Permission::PresenceReadWriteAll) => {
                "Add the Microsoft Graph application permission Presence.ReadWrite.All to the app registration, then grant admin consent. It must be an application permission, not a delegated one."
            }
            Self::NoSuchUser => {
                "The user was deleted in Entra, or is not there yet. The directory is read again every 15 minutes."
            }
            Self::UserRefused => "Check that the user is enabled in Entra and has a Teams licence.",
            Self::StartOver => "Nothing to do: this happens now and then.",
            Self::Unreachable => {
                "Nothing to do if it passes; we keep trying. If it lasts, check this server’s network, proxy and DNS."
            }
            Self::Throttled => {
                "Nothing to do: we wait for as long as Microsoft asked and then go on."
            }
            Self::Trouble => {
                "Nothing to do if it passes; we keep trying. If it lasts, look at Microsoft’s service health page."
            }
            Self::Garbled => {
                "We keep trying. If it lasts, something between this server and Microsoft answers in its place, such as a proxy."
            }
            Self::Unexpected => {
                "We try again every hour. The detail and Microsoft’s request id below are what Microsoft’s support will ask for."
            }
        }
    }
}

/// Why a request came to nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {detail}", cause.key())]
pub struct Refusal {
    pub cause: Cause,
    /// The HTTP status; none when there was no answer.
    pub status: Option<u16>,
    /// Microsoft's own code: `AADSTS7000215`, `Forbidden`.
    pub code: Option<String>,
    /// What Microsoft's support asks for.
    pub request_id: Option<String>,
    /// How long to wait before asking anything of Microsoft for this account.
    pub retry_after: Option<Duration>,
    /// One line for an administrator: never a secret, a token, or a person's name.
    pub detail: String,
}

impl Refusal {
    pub(super) fn new(cause: Cause, detail: impl Into<String>) -> Self {
        Self {
            cause,
            status: None,
            code: None,
            request_id: None,
            retry_after: None,
            detail: detail.into(),
        }
    }

    /// A directory whose pages lead on and on.
    pub fn endless() -> Self {
        Self::new(Cause::Garbled, "the pages have no end")
    }
}

/// What came of one request, for those who keep books on it.
#[derive(Clone, Debug)]
pub struct Answered<T> {
    /// The HTTP status; none when there was no answer.
    pub status: Option<u16>,
    pub request_id: Option<String>,
    /// From sending the request to having its answer, tokens not included.
    pub took: Duration,
    pub outcome: Result<T, Refusal>,
}
