//! What must be true before anything is served: a database that fits, and the key that opens it.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection, PgPool};
use tokio::time::{Instant, sleep};

use super::keys::{self, KeyFile};
use super::store;
use crate::config::Config;
use crate::kit::db::{is_away, pool};
use crate::kit::secret::{MasterKey, Sealer};
use crate::postgres::{self, OLDEST, Running};

static MIGRATIONS: Migrator = sqlx::migrate!();

/// More would only queue inside Postgres.
const MOST_CONNECTIONS: u32 = 16;
/// A database that starts with us may come up a little later.
const PATIENCE: Duration = Duration::from_secs(30);

/// An open database, and the key to its secrets.
#[derive(Debug)]
pub struct Opened {
    pub db: PgPool,
    pub sealer: Sealer,
    pub database: Database,
}

/// Which database it is.
#[derive(Debug)]
pub struct Database {
    pub options: PgConnectOptions,
    /// The embedded one, with its data directory; none when `DATABASE_URL` is set.
    pub embedded: Option<(Running, PathBuf)>,
}

impl Opened {
    /// Ends the connections, and the private server if nobody else uses it.
    pub async fn close(self) -> anyhow::Result<()> {
        self.db.close().await;
        match self.database.embedded {
            Some((server, _)) => server.stop().await,
            None => Ok(()),
        }
    }
}

/// Opens the database and makes it current. With the wrong key it is left as it was.
pub async fn open(config: &Config) -> anyhow::Result<Opened> {
    let database = find(config).await?;
    let mut db = connect(&past_a_pooler(config, &database)?, PATIENCE).await?;
    fits(&db)?;
    let key = key(config, &database, &mut db).await?;
    migrate(&mut db).await?;
    let sealer = Sealer::new(&key);
    store::keep_key_check(&mut db, &keys::seal_check(&sealer)?).await?;
    // Somebody else may have been first, with another key.
    let check = store::key_check(&mut db).await?;
    if !check.is_some_and(|check| keys::opens(&key, &check)) {
        bail!(WRONG_KEY);
    }
    db.close().await?;
    let pool = pool(MOST_CONNECTIONS).connect_lazy_with(database.options.clone());
    Ok(Opened { db: pool, sealer, database })
}

const WRONG_KEY: &str = "PORTAL_MASTER_KEY is not the key this database was sealed with. Set the \
    right one; nothing was changed.";

/// `DATABASE_URL`, else the embedded one, started if need be.
pub async fn find(config: &Config) -> anyhow::Result<Database> {
    if let Some(url) = &config.database_url {
        let options = PgConnectOptions::from_str(url.reveal())
            // The cause would repeat parts of the URL.
            .map_err(|_| anyhow!("DATABASE_URL is not a Postgres URL that can be used."))?;
        return Ok(Database { options: named(options), embedded: None });
    }
    let data_dir = postgres::data_dir(config.data_dir.as_deref()).await?;
    let server = postgres::embedded(&data_dir).await?;
    tracing::info!(dir = %data_dir.display(), version = server.major(), "private Postgres is up");
    Ok(Database { options: named(server.options()), embedded: Some((server, data_dir)) })
}

/// The way to the server itself. The lock that keeps two nodes from migrating at once belongs to
/// a session, and a pooler gives every transaction another.
fn past_a_pooler(config: &Config, database: &Database) -> anyhow::Result<PgConnectOptions> {
    match &config.database_listen_url {
        Some(url) => PgConnectOptions::from_str(url.reveal()).map(named).map_err(|_| {
            anyhow!("PORTAL_DATABASE_LISTEN_URL is not a Postgres URL that can be used.")
        }),
        None => Ok(database.options.clone()),
    }
}

fn named(options: PgConnectOptions) -> PgConnectOptions {
    options.application_name("presence-portal")
}

/// Connects, and waits so long for a server that is still coming up.
pub async fn connect(
    options: &PgConnectOptions,
    patience: Duration,
) -> anyhow::Result<PgConnection> {
    let begun = Instant::now();
    loop {
        match options.connect().await {
            Ok(db) => return Ok(db),
            Err(error) if is_away(&error) && begun.elapsed() < patience => {
                tracing::warn!("Postgres does not answer yet: {error}");
                sleep(Duration::from_secs(1)).await;
            }
            Err(error) => {
                let (host, port) = (options.get_host(), options.get_port());
                return Err(error)
                    .with_context(|| format!("Postgres at {host}:{port} cannot be used"));
            }
        }
    }
}

/// Whether nobody was ever here: no account and no staff.
pub async fn is_untouched(db: &PgPool) -> anyhow::Result<bool> {
    Ok(store::is_untouched(db).await?)
}

pub fn fits(db: &PgConnection) -> anyhow::Result<u32> {
    let major = db.server_version_num().map_or(0, |number| number / 10_000);
    if major < OLDEST {
        bail!("This is Postgres {major}; the portal needs {OLDEST} or newer.");
    }
    Ok(major)
}

/// The master key, if it is the one the database was sealed with.
pub async fn key(
    config: &Config,
    database: &Database,
    db: &mut PgConnection,
) -> anyhow::Result<MasterKey> {
    let check = store::key_check(db).await.context("cannot look for the master key's mark")?;
    match (&config.master_key, &database.embedded) {
        (Some(key), _) if check.as_ref().is_none_or(|check| keys::opens(key, check)) => {
            Ok(key.clone())
        }
        (Some(_), _) => bail!(WRONG_KEY),
        (None, Some((_, data_dir))) => KeyFile::within(data_dir).key(check.as_ref()),
        (None, None) => bail!("PORTAL_MASTER_KEY is missing."),
    }
}

/// What a start would find of the key, said for people; nothing is made.
pub async fn key_stands(
    config: &Config,
    database: &Database,
    db: &mut PgConnection,
) -> anyhow::Result<&'static str> {
    let new = store::key_check(db).await?.is_none();
    match (&config.master_key, &database.embedded) {
        (None, Some((_, data_dir))) if new && !KeyFile::within(data_dir).path().exists() => {
            Ok("to be made at the first start")
        }
        _ => key(config, database, db)
            .await
            .map(|_| if new { "nothing is sealed yet" } else { "opens this database" }),
    }
}

async fn migrate(db: &mut PgConnection) -> anyhow::Result<()> {
    MIGRATIONS.run(db).await.map_err(|error| match error {
        MigrateError::VersionMissing(_) => anyhow!(
            "The database was made current by a newer release of the portal. Start that one, or \
             restore the backup from before."
        ),
        error => anyhow::Error::new(error).context("the database could not be made current"),
    })
}

/// How many migrations this release brings that the database has not had.
pub async fn migrations_missing(db: &mut PgConnection) -> anyhow::Result<usize> {
    let done = store::migrations_done(db).await?;
    Ok(MIGRATIONS.iter().filter(|migration| !done.contains(&migration.version)).count())
}
