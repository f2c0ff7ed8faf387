//! Somebody added at the command line of this machine.

use chrono::{DateTime, Utc};
use sqlx::PgPool;

use super::Role;
use super::password::{NewPassword, Unfit};
use super::sign_in::entry;
use super::store::{self, NewStaff, WriteError};
use crate::audit::{self, Actor};
use crate::ids::StaffId;
use crate::kit::email::Email;
use crate::kit::password::Passwords;
use crate::kit::secret::Secret;

/// Who is added. They are called as their e-mail address suggests until they say otherwise.
#[derive(Clone, Debug)]
pub struct Addition<'a> {
    pub email: &'a Email,
    pub role: Role,
    /// Of the accounts they look after: our id or CloudLink's.
    pub accounts: &'a [String],
    pub password: &'a Secret,
}

/// Why nobody was added. Nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum AddError {
    #[error("Somebody with that e-mail address is here already.")]
    EmailTaken,
    #[error("The password does not do. {0}")]
    Password(#[from] Unfit),
    #[error("There is no account {0}.")]
    NoSuchAccount(String),
    #[error("A partner admin looks after every account: leave the accounts out.")]
    HasEveryAccount,
    #[error(transparent)]
    Other(#[from] anyhow::Error),
}

impl From<WriteError> for AddError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::EmailTaken => Self::EmailTaken,
            WriteError::Db(error) => error.into(),
        }
    }
}

impl From<sqlx::Error> for AddError {
    fn from(error: sqlx::Error) -> Self {
        Self::Other(error.into())
    }
}

pub async fn add(
    db: &PgPool,
    passwords: &Passwords,
    addition: &Addition<'_>,
    now: DateTime<Utc>,
) -> Result<StaffId, AddError> {
    let Addition { email, role, accounts: wanted, password } = *addition;
    let password = NewPassword::parse(password, email)?;
    if role == Role::PartnerAdmin && !wanted.is_empty() {
        return Err(AddError::HasEveryAccount);
    }
    let hash = passwords.hash(password.secret()).await?;
    let mut tx = db.begin().await?;
    let mut accounts = Vec::with_capacity(wanted.len());
    for id in wanted {
        let found = store::account_called(&mut *tx, id).await?;
        accounts.push(found.ok_or_else(|| AddError::NoSuchAccount(id.clone()))?);
    }
    let (id, name) = (StaffId::new(), name_from(email));
    let staff = NewStaff { id, name: &name, email, role, password_hash: Some(&hash) };
    store::insert(&mut *tx, staff, now).await?;
    store::assign(&mut tx, id, &accounts).await?;
    let added = format!("Added {email} as {}.", role.label().to_lowercase());
    audit::note(&mut tx, &Actor::command_line(), entry("staff.added", added), now).await?;
    tx.commit().await?;
    Ok(id)
}

/// `ann.archer@…` is Ann Archer.
fn name_from(email: &Email) -> String {
    let local = email.as_str().split(['@', '+']).next().unwrap_or_default();
    let words = local.split(['.', '_', '-']).filter(|word| !word.is_empty()).map(|word| {
        let mut letters = word.chars();
        let first = letters.next().into_iter().flat_map(char::to_uppercase);
        first.chain(letters).collect::<String>()
    });
    let name = words.collect::<Vec<_>>().join(" ");
    if name.is_empty() { email.to_string() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_called_as_their_address_suggests() {
        let name = |email: &str| name_from(&Email::parse(email).unwrap());
        assert_eq!(name("ann.archer@partner.example"), "Ann Archer");
        assert_eq!(name("bob_o-neil+portal@partner.example"), "Bob O Neil");
        assert_eq!(name("+@partner.example"), "+@partner.example");
    }
}
