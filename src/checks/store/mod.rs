//! What the database knows of setup checks.

mod ask;
mod pilot;
mod run;
mod show;

pub use ask::{Ask, ask, claim, claim_one, enrol, enter};
pub use pilot::{Candidate, candidate, candidates, is_in_use, look_again_at, waits_for_a_person};
pub use run::{End, finish, give_back, stay, unlooked, write_line};
pub use show::{Check, Found, Urgent, lines, of_integration, urgent};
