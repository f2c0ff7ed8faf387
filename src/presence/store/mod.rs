//! The questions and deeds of the presence tables, one file for each family.

pub mod by_hand;
pub mod candidates;
pub mod directory;
pub mod doctor;
pub mod doubt;
pub mod due;
pub mod events;
pub mod feed;
pub mod growth;
pub mod health;
pub mod hints;
pub mod history;
pub mod hours;
pub mod leases;
pub mod match_file;
pub mod matching;
pub mod minutes;
pub mod outcomes;
pub mod overview;
pub mod pauses;
pub mod people;
pub mod rules;
pub mod steps;
mod reseal;
pub mod tally;
pub mod telephones;
pub mod why;
pub mod winding;

use sqlx::PgConnection;
use sqlx::postgres::PgDatabaseError;

use crate::ids::AccountId;

pub use reseal::reseal;

/// Whether Postgres chose our statement to end a deadlock, so that it may simply be said again.
pub fn lost_a_deadlock(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .and_then(|refusal| refusal.try_downcast_ref::<PgDatabaseError>())
        .is_some_and(|refusal| matches!(refusal.code(), "40P01" | "40001"))
}

/// Keeps others from changing what a person decides for this account (matches, pauses, its mapping)
/// until the transaction is over: two people may not take the same Entra user for two, and what was
/// read before a change is what it changes.
pub async fn lock(tx: &mut PgConnection, account: AccountId) -> sqlx::Result<()> {
    sqlx::query!("SELECT FROM accounts WHERE id = $1 FOR NO KEY UPDATE", account as AccountId)
        .execute(tx)
        .await?;
    Ok(())
}
