//! Fills a database quickly: accounts that are set up and switched on, users matched with
//! Entra, and presences. It is filled as time would have filled it, and stays.

mod copy;
mod rows;

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context, ensure};
use chrono::{DateTime, Utc};
use presence_portal::app::opening::{self, Opened};
use presence_portal::config::Config;
use presence_portal::ids::{AccountId, IntegrationId};
use presence_portal::integrations::secret_owner;
use presence_portal::kit::clock::Clock;
use presence_portal::kit::email::Email;
use presence_portal::kit::password::{Cost, Passwords};
use presence_portal::kit::secret::{Sealer, Secret};
use presence_portal::kit::token;
use presence_portal::sandbox::{Customer, Sandbox, Settings, World};
use presence_portal::staff::{Addition, Role, add};
use sqlx::PgPool;
use tokio::time::Instant;

use crate::world::Shape;
use rows::Rows;

const EMAIL: &str = "admin@partner.example";
const PASSWORD: &str = "a seed for every garden";
/// Users written in one transaction, or a little more.
const AT_ONCE: usize = 50_000;

#[derive(Debug, clap::Args)]
pub struct Wanted {
    #[command(flatten)]
    pub shape: Shape,
    #[command(flatten)]
    life: Life,
    /// Where the private Postgres is kept; else `DATABASE_URL` and `PORTAL_MASTER_KEY` say where.
    #[arg(long)]
    pub dir: Option<PathBuf>,
    /// Afterwards serves the pretend CloudLink and Microsoft of these accounts here, until ctrl-c.
    #[arg(long)]
    pub sandbox: Option<SocketAddr>,
}

/// How lively it is.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Life {
    /// Of a hundred users, for how many Teams holds something of ours.
    #[arg(long, default_value_t = 0)]
    pub held: usize,
    /// Also figures of the last hour, activity, and accounts that something is wrong with.
    #[arg(long)]
    pub lived_in: bool,
}

/// Fills the database, unless it is filled already, and says how to use it.
pub async fn run(wanted: &Wanted) -> anyhow::Result<()> {
    let config = config(wanted.dir.as_deref())?;
    let opened = opening::open(&config).await?;
    let world = wanted.shape.world();
    let began = Instant::now();
    if is_filled(&opened.db).await? {
        println!("The database is filled already: nothing was added.");
    } else {
        fill(&opened, &world, wanted.life).await?;
        staff(&opened.db).await?;
        println!("{} accounts in {:.0?}.", world.customers.len(), began.elapsed());
    }
    println!("Sign in as {EMAIL} with the password '{PASSWORD}'.");
    let Some(listen) = wanted.sandbox else { return opened.close().await };
    let settings = Settings { listen, journal: 0 };
    let sandbox = Sandbox::start_with(world, Clock::default(), settings).await?;
    println!("The pretend systems are up. The portal finds them, and the database, with");
    for (name, value) in surroundings(wanted.dir.as_deref(), &sandbox) {
        println!("{name}='{value}' \\");
    }
    println!("  target/release/presence-portal");
    tokio::signal::ctrl_c().await?;
    sandbox.stop().await;
    opened.close().await
}

/// The settings of a portal between this sandbox and the database in `dir`.
pub fn surroundings(
    dir: Option<&std::path::Path>,
    sandbox: &Sandbox,
) -> Vec<(&'static str, String)> {
    let partner = &sandbox.world().partner;
    let at = |path: &str| format!("http://{}{path}", sandbox.address());
    let mut settings = vec![
        ("PORTAL_CLOUDLINK_URL", sandbox.cloudlink_url()),
        ("PORTAL_CLOUDLINK_CLIENT_ID", partner.client_id.clone()),
        ("PORTAL_CLOUDLINK_CLIENT_SECRET", partner.client_secret.reveal().to_owned()),
        ("PORTAL_CLOUDLINK_PARTNER_ACCOUNT", partner.account.to_string()),
        ("PORTAL_MICROSOFT_LOGIN_URL", at("/login")),
        ("PORTAL_MICROSOFT_GRAPH_URL", at("/graph")),
    ];
    settings.extend(dir.map(|dir| ("PORTAL_DATA_DIR", dir.display().to_string())));
    settings
}

/// The environment's settings, with another data directory if one is given.
pub fn config(dir: Option<&std::path::Path>) -> anyhow::Result<Config> {
    let own = dir.is_some();
    let config = Config::read(|name| match name {
        "PORTAL_DATA_DIR" if own => dir.map(|dir| dir.display().to_string()),
        "DATABASE_URL" | "PORTAL_MASTER_KEY" | "PORTAL_MASTER_KEY_FILE" if own => None,
        name => std::env::var(name).ok(),
    });
    let config = config.map_err(|complaints| anyhow::anyhow!("{}", complaints.join("\n")))?;
    ensure!(
        config.database_url.is_some() || config.data_dir.is_some(),
        "Say where: --dir for a private Postgres, or DATABASE_URL and PORTAL_MASTER_KEY."
    );
    Ok(config)
}

pub async fn is_filled(db: &PgPool) -> anyhow::Result<bool> {
    Ok(sqlx::query_scalar("SELECT EXISTS (SELECT FROM accounts)").fetch_one(db).await?)
}

/// Fills an empty database with the customers of `world`.
pub async fn fill(opened: &Opened, world: &World, life: Life) -> anyhow::Result<()> {
    let now = Clock::default().now();
    let mut waiting = Vec::new();
    let mut users = 0;
    let mut written = 0;
    for customer in &world.customers {
        waiting.push((AccountId::new(), customer));
        users += customer.phones.len();
        if users >= AT_ONCE || waiting.len() >= 1_000 {
            write(opened, &waiting, life, now).await?;
            written += waiting.len();
            eprint!("\r{written} of {} accounts", world.customers.len());
            waiting.clear();
            users = 0;
        }
    }
    write(opened, &waiting, life, now).await?;
    eprintln!("\rtidying up                    ");
    sqlx::query("VACUUM ANALYZE").execute(&opened.db).await?;
    sqlx::query("CHECKPOINT").execute(&opened.db).await?;
    Ok(())
}

async fn write(
    opened: &Opened,
    customers: &[(AccountId, &Customer)],
    life: Life,
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    let mut rows = Rows::new(life, now);
    let mut secrets = Vec::new();
    for (account, customer) in customers {
        let integration = IntegrationId::new();
        rows.customer(*account, integration, customer);
        secrets.push((*account, integration, *customer));
    }
    let mut tx = opened.db.begin().await?;
    sqlx::query("SET LOCAL synchronous_commit = off").execute(&mut *tx).await?;
    rows.write_accounts(&mut tx).await?;
    for (account, integration, customer) in secrets {
        seal(&mut tx, &opened.sealer, account, integration, customer, now).await?;
    }
    rows.write_users(&mut tx).await?;
    tx.commit().await.context("the rows were not taken")
}

/// The rows with something sealed in them.
async fn seal(
    tx: &mut sqlx::PgConnection,
    sealer: &Sealer,
    account: AccountId,
    integration: IntegrationId,
    customer: &Customer,
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    let secret = sealer.seal(&secret_owner(account, integration), &customer.app.secret.value)?;
    sqlx::query(
        "INSERT INTO connections (account_id, integration_id, name, tenant_id, client_id, cloud, secret, version,
            secret_expires_on, tested_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, 'global', $6, nextval('connection_versions'), $7, $8, $8)",
    )
    .bind(account)
    .bind(integration)
    .bind(format!("{} Teams", customer.name))
    .bind(customer.tenant)
    .bind(customer.app.client)
    .bind(secret)
    .bind((now + customer.app.secret.lasts).date_naive())
    .bind(now)
    .execute(&mut *tx)
    .await?;
    let key = token::random();
    let hidden = sealer.seal(&format!("hook/{account}"), &key)?;
    // As if read within the last quarter of an hour, each at a time of its own.
    sqlx::query(
        "INSERT INTO presence_accounts (account_id, hook_digest, hook_key, subscription_checked_at,
            directory_refreshed_at, users_refreshed_at, last_event_at, last_success_at, unmatched)
         SELECT $1, $2, $3, t.at, t.at, t.at, t.at, t.at, false
         FROM (SELECT $4::timestamptz - random() * interval '14 minutes' AS at) t",
    )
    .bind(account)
    .bind(token::digest(key.reveal()))
    .bind(hidden)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

async fn staff(db: &PgPool) -> anyhow::Result<()> {
    let email = Email::parse(EMAIL).map_err(|error| anyhow::anyhow!("{error}"))?;
    let password = Secret::new(PASSWORD);
    let addition =
        Addition { email: &email, role: Role::PartnerAdmin, accounts: &[], password: &password };
    let passwords = Passwords::new(Cost::Recommended);
    add(db, &passwords, &addition, Clock::default().now()).await?;
    Ok(())
}
