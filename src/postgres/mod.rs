//! The embedded default: a private Postgres in the data directory.
//!
//! Nothing of it is reachable from outside: trust over a unix socket, in a directory that only
//! its own account may enter, and no TCP. Whoever uses the server holds a shared lock on one
//! file, and a keeper (`keeper.sh`) stops the server when the last of them lets go: so several
//! processes share one server, and none is left behind, whatever becomes of us.

mod account;
mod binaries;
mod cluster;
mod keeper;
mod lock;
mod place;

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use tokio::time::timeout;

use account::Account;
use binaries::Binaries;
use cluster::Cluster;
use keeper::{Durability, Hold};

pub use place::data_dir;

/// The oldest Postgres we work with.
pub const OLDEST: u32 = 14;

/// As long as the slowest server of ours takes to stop.
const STOPS_WITHIN: Duration = Duration::from_secs(8);

/// A server that is there for as long as this is held.
#[derive(Debug)]
pub struct Running {
    hold: Hold,
    major: u32,
}

/// The private server of this data directory: found running, or started, or made first.
pub async fn embedded(data_dir: &Path) -> anyhow::Result<Running> {
    let account = Account::fit()?;
    place::make(data_dir)?;
    let _turn = lock::turn(&data_dir.join("postgres.lock")).await?;
    let (cluster, binaries) = if let Some(cluster) = Cluster::existing(data_dir)? {
        (cluster, None)
    } else {
        let binaries = Binaries::get(None, account.as_ref()).await?;
        let made = Cluster::make(data_dir, &binaries, Durability::Kept, account.as_ref()).await?;
        (made, Some(binaries))
    };
    let account = cluster.owner(account)?;
    let hold = keeper::hold(&cluster, binaries, Durability::Kept, account.as_ref()).await?;
    Ok(Running { hold, major: cluster.major })
}

/// A server for tests: in memory where there is room, careless of power cuts, and gone with
/// everything in it once nobody holds it.
pub async fn throwaway() -> anyhow::Result<Running> {
    let account = Account::fit()?;
    let dir = place::scratch(account.as_ref())?;
    let binaries = Binaries::get(None, account.as_ref()).await?;
    let cluster = Cluster::make(&dir, &binaries, Durability::None, account.as_ref()).await?;
    let hold = keeper::hold(&cluster, Some(binaries), Durability::None, account.as_ref()).await?;
    Ok(Running { hold, major: cluster.major })
}

impl Running {
    /// How to connect.
    pub fn options(&self) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .socket(self.hold.socket_dir())
            .port(cluster::PORT)
            .ssl_mode(PgSslMode::Disable)
            .username("postgres")
            .database("postgres")
    }

    /// The same as a URL, for other programs.
    pub fn url(&self) -> String {
        let dir = self.hold.socket_dir().display().to_string();
        let dir: String = url::form_urlencoded::byte_serialize(dir.as_bytes()).collect();
        format!("postgres://postgres@localhost/postgres?host={dir}")
    }

    pub fn major(&self) -> u32 {
        self.major
    }

    /// Lets go, and waits for the server to stop unless others use it.
    pub async fn stop(self) -> anyhow::Result<()> {
        let Some(mut keeper) = self.hold.release() else { return Ok(()) };
        // Others may use it: then it goes on, and its keeper with it.
        if let Ok(ended) = timeout(STOPS_WITHIN, keeper.wait()).await {
            ended.context("could not wait for the private Postgres to stop")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_throwaway_server_answers_and_leaves_nothing() {
        use sqlx::{ConnectOptions, Connection};
        let server = throwaway().await.unwrap();
        let dir = server.hold.socket_dir().to_owned();
        let mut db = server.options().connect().await.unwrap();
        let one: i32 = sqlx::query_scalar("SELECT 1").fetch_one(&mut db).await.unwrap();
        assert_eq!(one, 1);
        db.close().await.unwrap();
        server.stop().await.unwrap();
        assert!(!dir.exists(), "{dir:?} is still there");
    }
}
