//! `demo`: the portal with a pretend CloudLink and Microsoft 365 beside it, filled.

mod channels;
mod seed;
mod store;

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use sqlx::Connection;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::serve::announce;
use crate::app::{Portal, listen, opening};
use crate::config::Config;
use crate::kit::clock::Clock;
use crate::kit::email::Email;
use crate::kit::private_file;
use crate::kit::secret::Secret;
use crate::kit::token;
use crate::sandbox::{Sandbox, Settings, World};
use crate::staff::{self, Addition, Role};
use crate::state::AppState;
use crate::{postgres, telemetry};

/// Seals what is no secret, in a database of your own that holds nothing but the demo.
pub const MASTER_KEY: &str = "cHJlc2VuY2UtcG9ydGFsIGRlbW86IG5vdCBzZWNyZXQ=";
const ADMIN: &str = "admin@partner.example";
/// A database that starts with us may come up a little later.
const PATIENCE: Duration = Duration::from_secs(30);

/// Serves both until told to stop.
pub async fn demo(mut config: Config, stop: CancellationToken) -> anyhow::Result<()> {
    let opened = stop.run_until_cancelled(open(&mut config)).await;
    let Some((portal, sandbox, admin)) = opened.transpose()? else { return Ok(()) };
    announce(&portal);
    println!("Sign in as {ADMIN} with the password {}", admin.reveal());
    println!("Lift phones and watch Teams at {}", sandbox.page_url());
    println!("Press Ctrl-C to stop; everything is kept for the next time.");
    let ended = portal.run(stop).await;
    sandbox.stop().await;
    ended
}

async fn open(config: &mut Config) -> anyhow::Result<(Portal, Sandbox, Secret)> {
    let listener = listen_anywhere("PORTAL_LISTEN", config.listen).await?;
    let data_dir = postgres::data_dir(config.data_dir.as_deref()).await?.join("demo");
    config.data_dir = Some(data_dir.clone());
    refuse_real_customers(config).await?;
    let sandbox = start_sandbox(config.sandbox_listen).await?;
    config.styleguide = true;
    config.cloudlink = sandbox.cloudlink_settings();
    config.microsoft = sandbox.microsoft_settings(config.microsoft.requests_per_second);
    config.mail = sandbox.mail_settings();
    config.webhook_hosts = sandbox.webhook_hosts();
    let metrics = config.metrics_listen.map(|_| telemetry::begin_counting()).transpose()?;
    let mut portal = Portal::open(config.clone(), listener, metrics).await?;
    let admin = sign_in(&data_dir)?;
    fill(&portal.app, &admin, &sandbox.webhook_url("tickets"))
        .await
        .context("The demo could not be filled")?;
    portal.setup_code = None;
    Ok((portal, sandbox, admin))
}

/// Before anything is done to a database that somebody named: one with customers that are not the
/// demo's would be worked for, and all of them would be looked for in the sandbox.
async fn refuse_real_customers(config: &Config) -> anyhow::Result<()> {
    if config.database_url.is_none() {
        return Ok(());
    }
    let database = opening::find(config).await?;
    let mut db = opening::connect(&database.options, PATIENCE).await?;
    let customers: Vec<_> =
        World::demo().customers.iter().map(|one| one.account.to_string()).collect();
    let ours = store::is_of_the_demo(&mut db, ADMIN, &customers).await?;
    db.close().await?;
    if !ours {
        bail!(
            "DATABASE_URL leads to a database with customers or people that are not the demo's. \
             The demo would work for them with its pretend systems. Give it an empty database, or \
             none: then it makes one of its own. Nothing was changed."
        );
    }
    Ok(())
}

/// The address, or any free port beside it: so that two demos can run at once.
async fn listen_anywhere(setting: &str, address: SocketAddr) -> anyhow::Result<TcpListener> {
    let taken = listen(setting, address).await;
    match taken {
        Err(error) if is_taken(&error) => {
            println!("{setting} is {address}, which is taken: a free port is used instead.");
            listen(setting, SocketAddr::new(address.ip(), 0)).await
        }
        listener => listener,
    }
}

async fn start_sandbox(address: SocketAddr) -> anyhow::Result<Sandbox> {
    const SETTING: &str = "PORTAL_SANDBOX_LISTEN";
    let start = |listen| {
        let settings = Settings { listen, ..Settings::default() };
        Sandbox::start_with(World::demo(), Clock::default(), settings)
    };
    match start(address).await {
        Err(error) if is_taken(&error) => {
            println!("{SETTING} is {address}, which is taken: a free port is used instead.");
            start(SocketAddr::new(address.ip(), 0)).await
        }
        sandbox => sandbox.with_context(|| format!("{SETTING} cannot be used")),
    }
}

fn is_taken(error: &anyhow::Error) -> bool {
    let cause = error.downcast_ref::<std::io::Error>();
    cause.is_some_and(|error| error.kind() == ErrorKind::AddrInUse)
}

/// The admin's password, made on the first run and kept for the next.
fn sign_in(data_dir: &Path) -> anyhow::Result<Secret> {
    let file = data_dir.join("admin-password");
    if let Some(kept) = private_file::read(&file)? {
        return Ok(kept);
    }
    std::fs::create_dir_all(data_dir)?;
    let made = token::random();
    private_file::write(&file, &made)?;
    Ok(made)
}

/// The customers first: whoever finds them without an admin was cut short in between.
async fn fill(app: &AppState, admin: &Secret, receiver: &str) -> anyhow::Result<()> {
    let now = app.clock.now();
    if opening::is_untouched(&app.db).await? {
        let mut tx = app.db.begin().await?;
        seed::seed(&mut tx, &app.sealer, &World::demo(), now).await?;
        tx.commit().await?;
        channels::plant(app, receiver).await?;
    }
    channels::follow(app, receiver).await?;
    if !staff::store::is_empty(&app.db).await? {
        return Ok(());
    }
    let email = Email::parse(ADMIN)?;
    let addition =
        Addition { email: &email, role: Role::PartnerAdmin, accounts: &[], password: admin };
    staff::add(&app.db, &app.passwords, &addition, now).await?;
    Ok(())
}
