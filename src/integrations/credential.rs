//! What a connection proves itself with, as far as it may be shown: of what kind, how long it is
//! good, who says so; and what lies ready beside the one in force.

use std::str::FromStr;

use anyhow::{Context, bail};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use crate::kit::secret::Secret;
use crate::microsoft::{Cause, Certificate, Credential, ShownCertificate};

/// How long what was in force before is kept: until a few sign-ins have been made without it.
pub const PROVING: TimeDelta = TimeDelta::hours(2);
/// A certificate of ours is good for so long.
pub const CERTIFICATE_LASTS: TimeDelta = TimeDelta::days(365);
/// So many days before a certificate ends the next one is made, to be uploaded.
pub const ROLL_BEFORE: i64 = 60;
/// So many days before the end of the one in force the next one takes over.
pub const TAKE_OVER_BEFORE: i64 = 1;
/// How often a certificate that waits to be uploaded is tried.
pub const TRY_EVERY: TimeDelta = TimeDelta::hours(1);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "kebab-case")]
pub enum CredentialKind {
    Secret,
    Certificate,
}

impl CredentialKind {
    /// As the database writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Secret => "secret",
            Self::Certificate => "certificate",
        }
    }

    /// As people say it, in the middle of a sentence.
    pub fn words(self) -> &'static str {
        match self {
            Self::Secret => "client secret",
            Self::Certificate => "certificate",
        }
    }

    pub fn of(credential: &Credential) -> Self {
        match credential {
            Credential::Secret(_) => Self::Secret,
            Credential::Certificate(_) => Self::Certificate,
        }
    }
}

impl FromStr for CredentialKind {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        match text {
            "secret" => Ok(Self::Secret),
            "certificate" => Ok(Self::Certificate),
            other => bail!("{other} is no kind of credential"),
        }
    }
}

/// Puts together what the database keeps apart: the opened secret, and the certificate it is of.
pub fn credential_of(secret: Secret, certificate: Option<Vec<u8>>) -> anyhow::Result<Credential> {
    Ok(match certificate {
        None => Credential::Secret(secret),
        Some(der) => Credential::Certificate(
            Certificate::of(der, secret).context("a certificate in the database")?,
        ),
    })
}

/// What of a credential is sealed, and what is not.
pub fn halves_of(credential: &Credential) -> (&Secret, Option<&[u8]>) {
    match credential {
        Credential::Secret(secret) => (secret, None),
        Credential::Certificate(it) => (it.private_key(), Some(it.shown.der())),
    }
}

/// Who says when a credential ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpirySource {
    Typed,
    Entra,
    Certificate,
}

impl ExpirySource {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Typed => "typed",
            Self::Entra => "entra",
            Self::Certificate => "certificate",
        }
    }

    pub fn read(text: Option<&str>) -> Option<Self> {
        [Self::Typed, Self::Entra, Self::Certificate]
            .into_iter()
            .find(|source| Some(source.as_str()) == text)
    }
}

/// When a credential ends, and who says so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expiry {
    pub on: Option<NaiveDate>,
    pub source: Option<ExpirySource>,
    /// Whoever typed it.
    pub by: Option<String>,
    /// When it was typed or read.
    pub at: Option<DateTime<Utc>>,
}

impl Expiry {
    pub fn typed(on: Option<NaiveDate>, by: &str, at: DateTime<Utc>) -> Self {
        let source = on.map(|_| ExpirySource::Typed);
        Self { on, source, by: on.map(|_| by.to_owned()), at: on.map(|_| at) }
    }

    pub fn entra(ends_at: DateTime<Utc>, at: DateTime<Utc>) -> Self {
        let (on, source) = (Some(ends_at.date_naive()), Some(ExpirySource::Entra));
        Self { on, source, by: None, at: Some(at) }
    }

    pub fn certificate(certificate: &ShownCertificate) -> Self {
        let (on, source) =
            (Some(certificate.ends_at.date_naive()), Some(ExpirySource::Certificate));
        Self { on, source, by: None, at: None }
    }

    /// Who says so, in words: "read from Entra 2 hours ago".
    pub fn said(&self, now: DateTime<Utc>) -> String {
        let ago = self.at.map(|at| ago(now - at)).unwrap_or_default();
        match (self.source, &self.by) {
            (Some(ExpirySource::Typed), Some(by)) => format!("typed by {by} {ago}"),
            (Some(ExpirySource::Typed), None) => format!("typed {ago}"),
            (Some(ExpirySource::Entra), _) => format!("read from Entra {ago}"),
            (Some(ExpirySource::Certificate), _) => "as the certificate says".to_owned(),
            (None, _) if self.on.is_some() => "as entered here".to_owned(),
            (None, _) => String::new(),
        }
    }
}

fn ago(passed: TimeDelta) -> String {
    let counted = |number: i64, unit: &str| {
        format!("{number} {unit}{} ago", if number == 1 { "" } else { "s" })
    };
    match (passed.num_days(), passed.num_hours(), passed.num_minutes()) {
        (1.., _, _) => counted(passed.num_days(), "day"),
        (_, 1.., _) => counted(passed.num_hours(), "hour"),
        (_, _, 1..) => counted(passed.num_minutes(), "minute"),
        _ => "just now".to_owned(),
    }
}

/// A credential beside the one in force, without what is sealed.
#[derive(Clone, Debug)]
pub struct Spare {
    pub kind: CredentialKind,
    pub certificate: Option<ShownCertificate>,
    pub expiry: Expiry,
    pub since: DateTime<Utc>,
    /// None: Microsoft has not let us in with it yet, or does not any more.
    pub accepted_at: Option<DateTime<Utc>>,
    pub refused: Option<Refused>,
}

/// What Microsoft said to a spare credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub cause: Option<Cause>,
    pub detail: String,
    pub at: DateTime<Utc>,
}

impl Refused {
    /// What is the matter, for whoever waits for it to be accepted.
    pub fn words(&self) -> &'static str {
        match self.cause {
            Some(Cause::CertificateWrong) => "Entra does not have it yet",
            Some(cause) => cause.title(),
            None => "Microsoft did not accept it",
        }
    }
}

/// What lies beside the credential in force.
#[derive(Clone, Debug, Default)]
pub struct Spares {
    pub next: Option<Spare>,
    pub previous: Option<Spare>,
}

/// The day on which a next credential takes over by itself, given the end of the one in force.
pub fn takes_over_on(ends_on: NaiveDate) -> NaiveDate {
    ends_on - TimeDelta::days(TAKE_OVER_BEFORE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_says_when_it_ends_is_said_with_it() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let read = Expiry::entra(now + TimeDelta::days(9), now - TimeDelta::minutes(130));
        assert_eq!(read.said(now), "read from Entra 2 hours ago");
        let typed = Expiry::typed(read.on, "ann@x.example", now - TimeDelta::days(1));
        assert_eq!(typed.said(now), "typed by ann@x.example 1 day ago");
        assert_eq!(Expiry::typed(None, "ann", now), Expiry::default(), "no date, nobody said it");
        assert_eq!(Expiry { at: Some(now), ..read }.said(now), "read from Entra just now");
    }
}
