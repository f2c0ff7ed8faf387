//! Accounts to tick: those that are, and those a search finds.

use askama::Template;
use sqlx::PgPool;

use super::super::store::{self, Choice};
use crate::ids::AccountId;
use crate::kit::text;

const MOST_FOUND: usize = 50;

/// Asks the search again, of the address that `action` posts to.
#[derive(Clone, Debug)]
pub(super) struct Picker {
    pub action: String,
    pub q: String,
    pub ticked: Vec<Choice>,
    pub found: Vec<Choice>,
    /// There are more than are shown.
    pub more: bool,
}

impl Picker {
    pub(super) async fn look(
        db: &PgPool,
        action: String,
        ticked: &[AccountId],
        q: &str,
    ) -> sqlx::Result<Self> {
        let most = i64::try_from(MOST_FOUND + 1).unwrap_or(i64::MAX);
        let mut found = store::accounts_besides(db, ticked, &text::sought(q), most).await?;
        let more = found.len() > MOST_FOUND;
        found.truncate(MOST_FOUND);
        let ticked = store::accounts_of(db, ticked).await?;
        Ok(Self { action, q: q.to_owned(), ticked, found, more })
    }

    /// Neither ticked nor sought: there is no account at all.
    pub(super) fn is_empty(&self) -> bool {
        self.q.is_empty() && self.ticked.is_empty() && self.found.is_empty()
    }
}

/// What htmx puts in place while somebody types.
#[derive(Template)]
#[template(path = "staff/choices.html")]
pub(super) struct Choices {
    pub picker: Picker,
}
