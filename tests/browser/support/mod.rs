//! A portal, a sandbox and a browser, all real and all ours.

mod chromium;
#[path = "../../it/support/database.rs"]
mod database;
mod portal;
mod visitor;

pub use portal::Portal;
pub use visitor::Visitor;
