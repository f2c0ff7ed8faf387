//! What is done to many accounts, one after another: updates, tests, switching, imports taken
//! back; and the pages that begin such runs, show how far they are, and steer them.

mod deeds;
mod pages;
mod store;

pub use deeds::Deeds;
pub use pages::routes;

use crate::runs::{Pace, Runner};
use crate::state::AppState;

fn noun(accounts: usize) -> &'static str {
    if accounts == 1 { "account" } else { "accounts" }
}

/// What does the work, to be run beside the site.
pub fn runner(app: &AppState, pace: Pace) -> Runner<Deeds> {
    Runner::new(app.clone(), Deeds::new(app.clone()), pace)
}
