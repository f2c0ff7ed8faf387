//! Why something is wrong, as it is kept and compared, and how it is said.

use std::str::FromStr;

use chrono::NaiveDate;

use crate::checks::Line;
use crate::integrations::CredentialKind;
use crate::microsoft::Cause;
use crate::presence::pages::title_of;
use crate::presence::trouble::Trouble;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// A cause, by its key.
    Trouble(String),
    /// A secret or certificate ends, and a step of the reminders has come.
    Ends(End),
    /// What lies ready to follow was refused for this cause.
    Next { what: CredentialKind, cause: String },
    /// This line of the setup check is the first that a person has to mend.
    Check(Line),
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct End {
    pub what: CredentialKind,
    pub on: NaiveDate,
    pub step: i64,
    /// Microsoft says itself that it has ended.
    pub refused: bool,
}

impl CredentialKind {
    /// The cause of Microsoft’s refusal once it has ended.
    pub(super) fn expired(self) -> &'static str {
        match self {
            Self::Secret => Cause::SecretExpired.key(),
            Self::Certificate => Cause::CertificateExpired.key(),
        }
    }
}

impl End {
    fn read(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let what = match words.next()? {
            "ends" => CredentialKind::Secret,
            "certificate-ends" => CredentialKind::Certificate,
            _ => return None,
        };
        let (on, step) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        Some(Self { what, on, step, refused: words.next().is_some() })
    }

    fn key(&self) -> String {
        let Self { what, on, step, refused } = self;
        let word = match what {
            CredentialKind::Secret => "ends",
            CredentialKind::Certificate => "certificate-ends",
        };
        format!("{word} {on} {step}{}", if *refused { " refused" } else { "" })
    }
}

impl Reason {
    /// As it is kept.
    pub fn key(&self) -> String {
        match self {
            Self::Trouble(cause) => cause.clone(),
            Self::Ends(end) => end.key(),
            Self::Next { what, cause } => format!("next {} {cause}", what.as_str()),
            Self::Check(line) => format!("check {}", line.key()),
        }
    }

    pub fn by_key(key: &str) -> Self {
        let next = || {
            let (what, cause) = key.strip_prefix("next ")?.split_once(' ')?;
            let what = CredentialKind::from_str(what).ok()?;
            Some(Self::Next { what, cause: cause.to_owned() })
        };
        let check = || Some(Self::Check(key.strip_prefix("check ")?.parse().ok()?));
        let read = End::read(key).map(Self::Ends).or_else(next).or_else(check);
        read.unwrap_or_else(|| Self::Trouble(key.to_owned()))
    }

    /// Whether it is to be told to somebody who was told of `before`. That its day has passed
    /// and that Microsoft refuses it is one thing.
    pub fn is_news_after(&self, before: &Self) -> bool {
        match (self, before) {
            (Self::Ends(now), Self::Ends(then)) if now.step < 0 => {
                (now.what, now.on, now.step) != (then.what, then.on, then.step)
            }
            _ => self != before,
        }
    }

    /// Told of again as time goes by.
    pub fn is_reminder(&self) -> bool {
        matches!(self, Self::Ends(_))
    }

    /// Microsoft refuses what is in force, whatever a calendar says.
    pub fn is_refused(&self) -> bool {
        matches!(self, Self::Ends(End { refused: true, .. }))
    }

    /// Whether it ends by nothing but somebody’s doing, and so is over at once when it ends.
    pub fn needs_person(&self) -> bool {
        match self {
            Self::Trouble(cause) => Trouble::by_key(cause).is_none_or(Trouble::needs_person),
            Self::Ends(_) | Self::Next { .. } | Self::Check(_) => true,
        }
    }

    /// It is worth a word, and nothing has stopped.
    pub fn is_early(&self) -> bool {
        matches!(self, Self::Ends(End { step: 1.., .. }) | Self::Next { .. })
    }

    /// What several accounts have in common that are told of in one message.
    pub fn group(&self) -> String {
        match self {
            Self::Trouble(cause) => cause.clone(),
            Self::Ends(end) if end.refused => end.what.expired().to_owned(),
            Self::Ends(end) if end.step < 0 => format!("{}-ended", end.what.as_str()),
            Self::Ends(end) => format!("{}-ends-{}", end.what.as_str(), end.step),
            Self::Next { what, .. } => format!("next-{}-refused", what.as_str()),
            Self::Check(_) => "setup-check".to_owned(),
        }
    }

    pub fn title(&self) -> String {
        match self {
            Self::Trouble(cause) => title_of(cause).to_owned(),
            Self::Ends(end) => end.title(),
            Self::Next { what, .. } => format!("Microsoft refused the next {}", what.words()),
            Self::Check(_) => "The setup check found what a person has to mend".to_owned(),
        }
    }

    pub fn advice(&self) -> String {
        let said = match self {
            Self::Trouble(cause) => Trouble::by_key(cause).map_or("", Trouble::advice),
            Self::Ends(End { what: CredentialKind::Secret, .. }) => {
                "Create a new client secret in the Entra app registration, and paste its Value into Configure Microsoft Teams. The old one is used until the new one works."
            }
            Self::Ends(End { what: CredentialKind::Certificate, .. }) => {
                "Upload the next certificate from Configure Microsoft Teams to the Entra app registration. It takes over by itself as soon as Microsoft accepts it and the old one ends."
            }
            Self::Next { .. } => {
                "What is in force goes on for now. Lay another one ready in Configure Microsoft Teams before that ends."
            }
            Self::Check(_) => {
                "Each line of the setup check says what was seen, what to do, and where. Run the check again when it is done."
            }
        };
        said.to_owned()
    }

    /// What there is to do once it is over.
    pub fn advice_when_over(&self) -> &'static str {
        match self {
            Self::Ends(End { what: CredentialKind::Secret, .. }) => {
                "There is a new client secret, the next one lies ready, or none ends soon."
            }
            Self::Ends(End { what: CredentialKind::Certificate, .. }) => {
                "There is a new certificate, the next one lies ready, or none ends soon."
            }
            _ => "Nothing has to be done.",
        }
    }
}

impl End {
    fn title(&self) -> String {
        let what = self.what.words();
        match self.step {
            _ if self.refused => title_of(self.what.expired()).to_owned(),
            ..0 => format!("The {what}’s expiry date has passed"),
            0 => format!("The {what} expires today"),
            1 => format!("The {what} expires tomorrow"),
            step => format!("The {what} expires within {step} days"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_reason_is_the_same_after_it_was_kept(
            days in 0_i32..40_000, step in -999_i64..90, refused: bool, is_certificate: bool,
        ) {
            let on = NaiveDate::from_num_days_from_ce_opt(720_000 + days).unwrap();
            let what = if is_certificate { CredentialKind::Certificate } else { CredentialKind::Secret };
            let reasons = [
                Reason::Ends(End { what, on, step, refused }),
                Reason::Trouble("secret-expired".to_owned()),
                Reason::Next { what, cause: "secret-wrong".to_owned() },
                Reason::Check(Line::Expiry),
            ];
            for reason in reasons {
                prop_assert_eq!(Reason::by_key(&reason.key()), reason);
            }
        }
    }
}
