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

use sqlx::postgres::PgDatabaseError;

pub use reseal::reseal;

/// Whether Postgres chose our statement to end a deadlock, so that it may simply be said again.
pub fn lost_a_deadlock(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .and_then(|refusal| refusal.try_downcast_ref::<PgDatabaseError>())
        .is_some_and(|refusal| matches!(refusal.code(), "40P01" | "40001"))
}
