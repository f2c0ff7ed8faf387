//! Signing in as an application: tokens, kept until some minutes before they end.

use std::fmt;
use std::sync::Arc;

use super::{Connection, Microsoft, Permission, Refusal};
use crate::ids::AccountId;

/// A token, and what it says about itself.
#[derive(Clone)]
pub struct Token {
    roles: Option<Arc<[String]>>,
}

impl Token {
    /// The permissions that the token carries, for diagnostics only.
    ///
    /// `None` when it cannot be read: its format is Microsoft's to change.
    pub fn roles(&self) -> Option<&[String]> {
        self.roles.as_deref()
    }

    /// The permissions we need and the token is known not to carry.
    pub fn missing(&self) -> Vec<Permission> {
        let Some(roles) = self.roles() else { return Vec::new() };
        let carries = |wanted: &Permission| roles.iter().any(|role| role == wanted.as_str());
        Permission::ALL.into_iter().filter(|wanted| !carries(wanted)).collect()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("roles", &self.roles).finish_non_exhaustive()
    }
}

impl Microsoft {
    /// Asks for a new token, whatever is kept.
    pub async fn sign_in(&self, connection: &Connection) -> Result<Token, Refusal> {
        let _ = connection;
        self.not_yet().await.outcome.map(|()| Token { roles: None })
    }

    /// Asks for a new token before the next request, so that a change of permissions is noticed.
    pub fn forget_token(&self, account: AccountId) {
        let _ = (self, account);
    }
}
