//! The lines of a setup check, and what can stand on one.

use std::str::FromStr;

use crate::integrations::CredentialKind;

/// One thing that is looked at. They are looked at in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "kebab-case")]
pub enum Line {
    Reachable,
    Tenant,
    Application,
    Secret,
    Expiry,
    ReadUsers,
    WritePresence,
    Excess,
    Clock,
    Cloudlink,
    Users,
    Directory,
    Matching,
    Subscription,
    Pilot,
}

/// Where a line stands on the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    SigningIn,
    Permissions,
    People,
    Feed,
    Pilot,
}

impl Group {
    pub const ALL: [Self; 5] =
        [Self::SigningIn, Self::Permissions, Self::People, Self::Feed, Self::Pilot];

    pub fn key(self) -> &'static str {
        match self {
            Self::SigningIn => "signing-in",
            Self::Permissions => "permissions",
            Self::People => "people",
            Self::Feed => "feed",
            Self::Pilot => "pilot",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::SigningIn => "Signing in to Microsoft",
            Self::Permissions => "Permissions",
            Self::People => "People",
            Self::Feed => "CloudLink and the clock",
            Self::Pilot => "Showing presence",
        }
    }
}

impl Line {
    pub const ALL: [Self; 15] = [
        Self::Reachable,
        Self::Tenant,
        Self::Application,
        Self::Secret,
        Self::Expiry,
        Self::ReadUsers,
        Self::WritePresence,
        Self::Excess,
        Self::Clock,
        Self::Cloudlink,
        Self::Users,
        Self::Directory,
        Self::Matching,
        Self::Subscription,
        Self::Pilot,
    ];

    pub fn key(self) -> &'static str {
        match self {
            Self::Reachable => "reachable",
            Self::Tenant => "tenant",
            Self::Application => "application",
            Self::Secret => "secret",
            Self::Expiry => "expiry",
            Self::ReadUsers => "read-users",
            Self::WritePresence => "write-presence",
            Self::Excess => "excess",
            Self::Clock => "clock",
            Self::Cloudlink => "cloudlink",
            Self::Users => "users",
            Self::Directory => "directory",
            Self::Matching => "matching",
            Self::Subscription => "subscription",
            Self::Pilot => "pilot",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Reachable => "Microsoft can be reached",
            Self::Tenant => "The tenant exists",
            Self::Application => "The application is known in it",
            Self::Secret => "The secret is accepted",
            Self::Expiry => "The secret lasts",
            Self::ReadUsers => "User.Read.All is granted",
            Self::WritePresence => "Presence.ReadWrite.All is granted",
            Self::Excess => "No permission that is not needed",
            Self::Clock => "This server’s clock is right",
            Self::Cloudlink => "The CloudLink account can be reached",
            Self::Users => "Users in CloudLink",
            Self::Directory => "Users in Microsoft Entra",
            Self::Matching => "Who is matched",
            Self::Subscription => "The subscription is alive",
            Self::Pilot => "Presence can be set and cleared",
        }
    }

    /// The same, of an integration that signs in with this.
    pub fn label_for(self, credential: CredentialKind) -> &'static str {
        match (self, credential) {
            (Self::Secret, CredentialKind::Certificate) => "The certificate is accepted",
            (Self::Expiry, CredentialKind::Certificate) => "The certificate lasts",
            _ => self.label(),
        }
    }

    pub fn group(self) -> Group {
        match self {
            Self::Reachable | Self::Tenant | Self::Application | Self::Secret | Self::Expiry => {
                Group::SigningIn
            }
            Self::ReadUsers | Self::WritePresence | Self::Excess => Group::Permissions,
            Self::Users | Self::Directory | Self::Matching => Group::People,
            Self::Cloudlink | Self::Subscription | Self::Clock => Group::Feed,
            Self::Pilot => Group::Pilot,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a word of ours")]
pub struct UnknownWord;

impl FromStr for Line {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|line| line.key() == text).ok_or(UnknownWord)
    }
}

/// How a line came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "kebab-case")]
pub enum State {
    Green,
    Amber,
    Red,
    /// Because something before it failed, or nobody asked.
    NotLookedAt,
}

/// Where something is mended: a link that the page makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mend {
    Configure,
    Registrations,
    Registration,
    Secrets,
    Permissions,
    Consent,
    EnterpriseApps,
    Account,
    Settings,
    Presence,
    Matching,
    Integrations,
}

impl Mend {
    const ALL: [Self; 12] = [
        Self::Configure,
        Self::Registrations,
        Self::Registration,
        Self::Secrets,
        Self::Permissions,
        Self::Consent,
        Self::EnterpriseApps,
        Self::Account,
        Self::Settings,
        Self::Presence,
        Self::Matching,
        Self::Integrations,
    ];

    pub fn key(self) -> &'static str {
        match self {
            Self::Configure => "configure",
            Self::Registrations => "registrations",
            Self::Registration => "registration",
            Self::Secrets => "secrets",
            Self::Permissions => "permissions",
            Self::Consent => "consent",
            Self::EnterpriseApps => "enterprise-apps",
            Self::Account => "account",
            Self::Settings => "settings",
            Self::Presence => "presence",
            Self::Matching => "matching",
            Self::Integrations => "integrations",
        }
    }

    pub fn by_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mend| mend.key() == key)
    }
}

/// What was found on one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub state: State,
    /// What was seen, a sentence.
    pub seen: String,
    /// The same where no label stands over it, if that has to be said in other words.
    pub alone: Option<String>,
    /// What to do about it; empty when nothing is to be done.
    pub advice: String,
    /// What the support of Microsoft or Mitel asks for.
    pub detail: String,
    pub mend: Vec<Mend>,
    /// Red, and it stays so until a person does something.
    pub urgent: bool,
    /// It could not be looked at because of something that passes by itself.
    pub passing: bool,
}

impl Finding {
    fn new(state: State, seen: impl Into<String>) -> Self {
        Self {
            state,
            seen: seen.into(),
            alone: None,
            advice: String::new(),
            detail: String::new(),
            mend: Vec::new(),
            urgent: state == State::Red,
            passing: false,
        }
    }

    pub fn green(seen: impl Into<String>) -> Self {
        Self::new(State::Green, seen)
    }

    pub fn amber(seen: impl Into<String>) -> Self {
        Self::new(State::Amber, seen)
    }

    pub fn red(seen: impl Into<String>) -> Self {
        Self::new(State::Red, seen)
    }

    pub fn not_looked_at(why: impl Into<String>) -> Self {
        Self::new(State::NotLookedAt, why)
    }

    #[must_use]
    pub fn advising(self, advice: impl Into<String>) -> Self {
        Self { advice: advice.into(), ..self }
    }

    /// As it is said where no label stands over it.
    #[must_use]
    pub fn or_alone(self, sentence: impl Into<String>) -> Self {
        Self { alone: Some(sentence.into()), ..self }
    }

    /// What was seen, as a sentence that needs no label over it.
    pub fn alone(&self) -> &str {
        self.alone.as_deref().unwrap_or(&self.seen)
    }

    #[must_use]
    pub fn detailed(self, detail: impl Into<String>) -> Self {
        Self { detail: detail.into(), ..self }
    }

    #[must_use]
    pub fn mended_at(self, mend: impl Into<Vec<Mend>>) -> Self {
        Self { mend: mend.into(), ..self }
    }

    /// Nobody has to do anything: it is tried again.
    #[must_use]
    pub fn passing(self) -> Self {
        Self { urgent: false, passing: true, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_found_by_its_key() {
        for line in Line::ALL {
            assert_eq!(line.key().parse(), Ok(line));
        }
        for mend in Mend::ALL {
            assert_eq!(Mend::by_key(mend.key()), Some(mend));
        }
        assert!("nonsense".parse::<Line>().is_err());
    }
}
