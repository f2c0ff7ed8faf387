//! The directory: who is in Microsoft Entra.

use super::{Connection, Microsoft, Refusal, Token};
use crate::ids::EntraUserId;

/// A user in Entra, as far as an answer said; what is `None` was not said and has not changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub id: EntraUserId,
    pub user_principal_name: Option<String>,
    /// Empty: the user has none.
    pub mail: Option<String>,
    /// Lower case, without the `smtp:` in front; other kinds of address are left out.
    pub proxy_addresses: Option<Vec<String>>,
    pub display_name: Option<String>,
    pub enabled: Option<bool>,
}

/// One page of what changed in a directory. The same user may come twice; the later one counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserChanges {
    pub users: Vec<User>,
    pub removed: Vec<EntraUserId>,
    pub next: Next,
}

/// Where to go on, both times by giving the link to [`Microsoft::user_changes`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// There is more now.
    Page(String),
    /// That was all; what changes from now on will be found here.
    Done(String),
}

impl Microsoft {
    /// One page of the directory's changes: its beginning without a link, or where a link leads.
    ///
    /// A link that has run out is refused with [`super::Cause::StartOver`].
    pub async fn user_changes(
        &self,
        connection: &Connection,
        link: Option<&str>,
    ) -> Result<UserChanges, Refusal> {
        let _ = (connection, link);
        self.not_yet().await.outcome.map(|()| UserChanges {
            users: Vec::new(),
            removed: Vec::new(),
            next: Next::Done(String::new()),
        })
    }

    /// A harmless look into the directory, with a token from [`Microsoft::sign_in`] and no other:
    /// so that a setup is tested with what was typed and not with what was kept.
    pub async fn try_directory(
        &self,
        connection: &Connection,
        token: &Token,
    ) -> Result<Vec<User>, Refusal> {
        let _ = (connection, token);
        self.not_yet().await.outcome.map(|()| Vec::new())
    }

    /// The first few users of the directory.
    pub async fn first_users(
        &self,
        connection: &Connection,
        top: u16,
    ) -> Result<Vec<User>, Refusal> {
        let _ = (connection, top);
        self.not_yet().await.outcome.map(|()| Vec::new())
    }

    /// Whoever has this address, as principal name, mail, or one among many. Two are two candidates.
    pub async fn users_by_address(
        &self,
        connection: &Connection,
        address: &str,
    ) -> Result<Vec<User>, Refusal> {
        let _ = (connection, address);
        self.not_yet().await.outcome.map(|()| Vec::new())
    }
}
