//! Which accounts somebody ticked in the list, for work on all of them at once.
//!
//! The list posts `account` once for each of them. When "all that match" was chosen it posts
//! `matching` instead, with what the list's address asked for: ten thousand ids fit in no form.

use sqlx::{PgExecutor, PgPool};

use super::asked::Asked;
use super::store::{self, Sort};
use crate::ids::{AccountId, StaffId};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    These(Vec<AccountId>),
    /// All that the list shows at this address, on all its pages.
    Matching(String),
}

impl Selection {
    /// From the fields of a form; what is no id was never on our list.
    pub fn of_fields(account: &[String], matching: Option<&str>) -> Self {
        match matching {
            Some(query) => Self::Matching(query.to_owned()),
            None => Self::These(account.iter().filter_map(|id| id.parse().ok()).collect()),
        }
    }

    /// How many were ticked one by one.
    pub fn ticked(&self) -> usize {
        match self {
            Self::These(ids) => ids.len(),
            Self::Matching(_) => 0,
        }
    }

    /// Those of them that `scope` looks after (`None`: all), with their names, sorted by these.
    pub async fn accounts(
        &self,
        db: impl PgExecutor<'_>,
        scope: Option<StaffId>,
    ) -> sqlx::Result<Vec<(AccountId, String)>> {
        match self {
            Self::These(ids) => store::named(db, ids, scope).await,
            Self::Matching(query) => store::all(db, &Asked::read(query).wanted(scope)).await,
        }
    }

    /// How many those are, and who they are: of all that match, the first `most`.
    pub async fn glance(
        &self,
        db: &PgPool,
        scope: Option<StaffId>,
        most: u8,
    ) -> sqlx::Result<(usize, Vec<(AccountId, String)>)> {
        let Self::Matching(query) = self else {
            let accounts = self.accounts(db, scope).await?;
            return Ok((accounts.len(), accounts));
        };
        let wanted = Asked::read(query).wanted(scope);
        let count = store::count(db, &wanted).await?.of(wanted.active, wanted.health);
        let first = store::page(db, &wanted, Sort::Name, most.into(), 0).await?;
        let first = first.into_iter().map(|listed| (listed.id, listed.name)).collect();
        Ok((usize::try_from(count).unwrap_or(0), first))
    }
}
