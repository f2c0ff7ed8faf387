//! Keeps Teams saying what the telephone says.
//!
//! An event comes in by the webhook (`inbox`), is made durable and mapped (`mapping`) in the
//! same statement, and rings its account's bell. The account's `worker` looks what is due,
//! `plan` names the one next step for each user, `push` does it within the tenant's `budget`
//! and writes down what came of it. The `crew` is one worker for each account whose lease this
//! node holds; the `supervisor` runs it, with those who write for it. The tables are the truth: a ring only hurries, and whoever comes
//! after a crash goes on from what is written.

mod bells;
mod books;
pub mod budget;
mod changeover;
mod chores;
mod condition;
mod crew;
pub mod delays;
mod directory;
mod drawn;
pub mod feed;
pub mod figures;
pub mod hour;
pub mod inbox;
pub mod mapping;
mod marks;
pub mod match_file;
pub mod pages;
pub mod plan;
pub mod preview;
mod problem;
mod pulse;
mod push;
pub mod replay;
mod requests;
mod retry;
mod shared;
pub mod span;
mod steps;
pub mod store;
pub mod supervisor;
mod survey;
mod tally;
pub mod trouble;
mod turning;
mod upkeep;
mod way;
mod worker;

pub use inbox::Inbox;
pub use pages::routes;
pub use pulse::Pulse;
pub use shared::Pace;
pub use supervisor::Supervisor;

use crate::state::AppState;

/// The engine's two halves: what takes events in, and what works them off. Events are answered
/// only while the supervisor runs.
pub fn engine(app: &AppState, pace: Pace) -> (Inbox, Supervisor) {
    figures::describe();
    let pulse = Pulse::new(pace.gone_after);
    let (inbox, writer) = inbox::inbox(app, pulse.clone());
    (inbox, Supervisor::new(app, pace, pulse, writer))
}
