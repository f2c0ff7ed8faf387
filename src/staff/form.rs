//! What is typed about a person.

use serde::Deserialize;

use super::{Role, parse_name};
use crate::ids::AccountId;
use crate::kit::email::Email;
use crate::web::FieldErrors;

/// As typed. The accounts come from boxes, so they are ids already.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct InviteForm {
    pub name: String,
    pub email: String,
    pub role: String,
    pub account: Vec<AccountId>,
    pub q: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RightsForm {
    pub role: String,
    pub account: Vec<AccountId>,
    /// What is sought among the accounts.
    pub q: String,
}

/// As meant.
#[derive(Clone, Debug)]
pub(super) struct Invitation {
    pub name: String,
    pub email: Email,
    pub rights: Rights,
}

#[derive(Clone, Debug)]
pub(super) struct Rights {
    pub role: Role,
    /// None for a partner admin, who needs none.
    pub accounts: Vec<AccountId>,
}

impl InviteForm {
    pub(super) fn rights(&self) -> RightsForm {
        RightsForm { role: self.role.clone(), account: self.account.clone(), q: self.q.clone() }
    }

    pub(super) fn parse(&self) -> Result<Invitation, FieldErrors> {
        let mut errors = FieldErrors::default();
        let name = errors.take("name", parse_name(&self.name));
        let email = errors.take("email", Email::parse(&self.email));
        let rights = self.rights().take(&mut errors);
        match (name, email, rights) {
            (Some(name), Some(email), Some(rights)) => Ok(Invitation { name, email, rights }),
            _ => Err(errors),
        }
    }
}

impl RightsForm {
    pub(super) fn parse(&self) -> Result<Rights, FieldErrors> {
        let mut errors = FieldErrors::default();
        self.take(&mut errors).ok_or(errors)
    }

    fn take(&self, errors: &mut FieldErrors) -> Option<Rights> {
        let role = errors.take("role", self.role.parse::<Role>().map_err(|_| "Choose a role."))?;
        let accounts = if role == Role::PartnerAdmin { &[][..] } else { &self.account };
        Some(Rights { role, accounts: accounts.to_vec() })
    }
}
