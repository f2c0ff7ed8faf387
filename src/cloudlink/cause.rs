//! What can be wrong at CloudLink's side, as causes with a name and advice.

use std::time::Duration;

/// Why CloudLink did not do what we asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The settings name no credentials.
    NotConfigured,
    /// CloudLink does not accept the credentials.
    CredentialsWrong,
    /// CloudLink accepts the credentials, but not for this.
    Forbidden,
    /// CloudLink knows nothing by this id.
    Unknown,
    /// No answer: name, connection, certificate or time-out.
    Unreachable,
    Throttled,
    /// Trouble at CloudLink's side that passes.
    Trouble,
    /// An answer that is not what CloudLink sends.
    Garbled,
    /// Refused for a reason that we do not know.
    Unexpected,
}

impl Cause {
    pub const ALL: [Self; 9] = [
        Self::NotConfigured,
        Self::CredentialsWrong,
        Self::Forbidden,
        Self::Unknown,
        Self::Unreachable,
        Self::Throttled,
        Self::Trouble,
        Self::Garbled,
        Self::Unexpected,
    ];

    /// The cause as the database, metrics and links write it.
    pub fn key(self) -> &'static str {
        match self {
            Self::NotConfigured => "cloudlink-not-configured",
            Self::CredentialsWrong => "cloudlink-credentials",
            Self::Forbidden => "cloudlink-forbidden",
            Self::Unknown => "cloudlink-unknown",
            Self::Unreachable => "cloudlink-unreachable",
            Self::Throttled => "cloudlink-throttling",
            Self::Trouble => "cloudlink-trouble",
            Self::Garbled => "cloudlink-garbled",
            Self::Unexpected => "cloudlink-unexpected",
        }
    }

    pub fn by_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.key() == key)
    }

    /// Whether it lasts until a person changes something; all else passes by itself.
    pub fn needs_person(self) -> bool {
        !matches!(self, Self::Unreachable | Self::Throttled | Self::Trouble | Self::Garbled)
    }

    /// What is the matter, in a few words.
    pub fn title(self) -> &'static str {
        match self {
            Self::NotConfigured => "CloudLink is not connected yet",
            Self::CredentialsWrong => "CloudLink does not accept our credentials",
            Self::Forbidden => "CloudLink does not let us into this account",
            Self::Unknown => "CloudLink does not know this account",
            Self::Unreachable => "CloudLink cannot be reached",
            Self::Throttled => "CloudLink asks us to slow down",
            Self::Trouble => "CloudLink has trouble of its own",
            Self::Garbled => "CloudLink’s answer made no sense",
            Self::Unexpected => "CloudLink refused for a reason we do not know",
        }
    }

    /// What to do about it.
    pub fn advice(self) -> &'static str {
        match self {
            Self::NotConfigured => {
                "Whoever runs this server sets PORTAL_CLOUDLINK_CLIENT_ID, PORTAL_CLOUDLINK_CLIENT_SECRET and PORTAL_CLOUDLINK_PARTNER_ACCOUNT, and starts it again."
            }
            Self::CredentialsWrong => {
                "Whoever runs this server compares the CloudLink client id, secret and address in its settings with those of the partner account."
            }
            Self::Forbidden => {
                "Check that the account’s CloudLink account id is right, that it is under the partner, and that our CloudLink client has the role PARTNER_ADMIN."
            }
            Self::Unknown => {
                "Compare the account’s CloudLink account id with the Account ID shown in Mitel Administration."
            }
            Self::Unreachable => {
                "Nothing to do if it passes; we keep trying. If it lasts, check this server’s network, proxy and DNS."
            }
            Self::Throttled => "Nothing to do: we wait as CloudLink asked and then go on.",
            Self::Trouble => "Nothing to do if it passes; we keep trying.",
            Self::Garbled => {
                "We keep trying. If it lasts, something between this server and CloudLink answers in its place, such as a proxy."
            }
            Self::Unexpected => {
                "We try again every hour. The detail and the correlation id below are what Mitel’s support will ask for."
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
    /// What Mitel's support asks for.
    pub correlation_id: Option<String>,
    /// How long to wait before asking again.
    pub retry_after: Option<Duration>,
    /// One line for an administrator: never a secret, a token, or a person's name.
    pub detail: String,
}

impl Refusal {
    pub(super) fn new(cause: Cause, detail: impl Into<String>) -> Self {
        Self { cause, status: None, correlation_id: None, retry_after: None, detail: detail.into() }
    }

    /// A collection whose pages lead on and on.
    pub fn endless() -> Self {
        Self::new(Cause::Garbled, "the pages have no end")
    }
}
