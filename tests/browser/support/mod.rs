//! A portal, a sandbox and a browser, all real and all ours.

mod chromium;
#[expect(dead_code, reason = "a journey opens its database by its address")]
#[path = "../../it/support/database.rs"]
mod database;
mod portal;
mod visitor;

pub use portal::{Portal, matched};
pub use visitor::{Visitor, keys};
