//! The stage: a portal as a process of its own, what it talks to, and a crowd of telephones.

#[path = "../../it/support/database.rs"]
pub mod database;
mod portal;
pub mod proxy;
pub mod server;
mod storm;
pub mod tls;
mod town;

pub use portal::Portal;
pub use storm::Storm;
pub use town::{Person, Town, as_url};

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// How often something is done again: so many times, or as `name` in the environment says.
pub fn rounds(name: &str, usually: usize) -> usize {
    std::env::var(name).map_or(usually, |text| text.parse().unwrap())
}
