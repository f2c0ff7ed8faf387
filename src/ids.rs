//! Every typed id, in one list.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! guids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash,
            Serialize, Deserialize, sqlx::Type,
        )]
        #[serde(transparent)]
        #[sqlx(transparent)]
        pub struct $name(Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            /// Takes the hyphenated form only, as both vendors print it.
            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                text.parse::<uuid::fmt::Hyphenated>().map(|id| Self(id.into_uuid()))
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    )*};
}

/// Ids that we make: they sort by age.
macro_rules! our_ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        guids! { $($(#[$doc])* $name),* }
        $(impl $name {
            #[expect(clippy::new_without_default, reason = "no two are alike")]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }
        })*
    };
}

our_ids! {
    /// A customer of the partner.
    AccountId,
    /// An address under which a calendar is read.
    CalendarId,
    /// A way to tell people of problems.
    ChannelId,
    /// An application added to an account.
    IntegrationId,
    /// A message to one recipient.
    MessageId,
    /// A search of the list of accounts that somebody gave a name.
    FilterId,
    /// A presence monitor on an integration's list.
    MonitorId,
    /// One running process of the portal.
    NodeId,
    /// Long work over accounts.
    RunId,
    /// A one-time link by which a customer renews a client secret.
    RenewalId,
    /// Somebody who signs in here.
    StaffId,
}

guids! {
    /// A Microsoft Entra tenant.
    TenantId,
    /// An application registration in Entra; also the session id of the presence it sets.
    ClientId,
    /// A user in Microsoft Entra.
    EntraUserId,
}

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident up to $limit:literal),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(
            Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, sqlx::Type,
        )]
        #[serde(try_from = "String", into = "String")]
        #[sqlx(transparent)]
        pub struct $name(String);

        impl $name {
            /// Letters, digits, `-`, `_`, `.`, `@` and `:`, so that it can stand in a path as it is.
            pub fn parse(text: &str) -> Result<Self, MalformedId> {
                let text = text.trim();
                let fits = !text.is_empty()
                    && text.len() <= $limit
                    && !text.starts_with('.')
                    && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.@:".contains(c));
                if fits { Ok(Self(text.to_owned())) } else { Err(MalformedId) }
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = MalformedId;

            fn from_str(text: &str) -> Result<Self, MalformedId> {
                Self::parse(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = MalformedId;

            fn try_from(text: String) -> Result<Self, MalformedId> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    )*};
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("That is not an id: letters, digits and - _ . @ : only.")]
pub struct MalformedId;

texts! {
    /// A CloudLink account: a GUID, or the account's number (both are accepted by CloudLink).
    CloudlinkAccountId up to 64,
    /// A CloudLink user: the last segment of a presentity's subject.
    CloudlinkUserId up to 128,
    /// A CloudLink notification subscription.
    SubscriptionId up to 128,
}
