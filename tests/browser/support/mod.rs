//! A portal, a sandbox and a browser, all real and all ours.

mod chromium;
#[expect(dead_code, reason = "a journey opens its database by its address")]
#[path = "../../it/support/database.rs"]
mod database;
mod look;
mod portal;
mod road;
mod visitor;

pub use look::{NARROW, Scheme, WIDE};
pub use portal::{EMAIL, PASSWORD, Portal, matched};
pub use road::{Journey, SWITCH, add_account, add_teams, fill_set_up, in_a_call, set_up};
pub use visitor::{Visitor, keys};
