//! What many accounts cost one process: memory, an idle hour, a cold start.

use std::path::PathBuf;
use std::time::Duration;

use presence_portal::app::opening;
use presence_portal::kit::clock::Clock;
use presence_portal::sandbox::{Sandbox, Settings};
use sqlx::PgPool;
use tokio::time::sleep;

use crate::portal::{Portal, config, scratch};
use crate::seed::{self, Life};
use crate::world::Shape;

#[derive(Debug, clap::Args)]
pub struct Wanted {
    /// So many accounts, one size after the other.
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 3_000, 10_000])]
    pub sizes: Vec<usize>,
    /// Users an account, on average; the first has a twentieth of all.
    #[arg(long, default_value_t = 100)]
    pub each: usize,
    /// Keeps the databases here, and uses them again.
    #[arg(long)]
    pub dir: Option<PathBuf>,
}

impl Default for Wanted {
    fn default() -> Self {
        Self { sizes: vec![1_000, 3_000, 10_000], each: 100, dir: None }
    }
}

pub async fn run(wanted: &Wanted, seconds: u64) {
    println!(
        "scale: accounts, users | workers up after | settled after | memory | idle: portal, Postgres"
    );
    for size in &wanted.sizes {
        one(wanted, *size, seconds).await;
    }
}

async fn one(wanted: &Wanted, accounts: usize, seconds: u64) {
    let users = accounts * wanted.each;
    let shape = Shape { accounts, users, largest: users / 20, odd: 0 };
    let world = shape.world();
    let dir = match &wanted.dir {
        Some(dir) => dir.join(accounts.to_string()),
        None => scratch(&accounts.to_string()),
    };
    let opened = opening::open(&config(&dir)).await.unwrap();
    if !seed::is_filled(&opened.db).await.unwrap() {
        seed::fill(&opened, &world, Life { held: 0, lived_in: false }).await.unwrap();
    }
    let settings = Settings { journal: 0, ..Settings::default() };
    let sandbox = Sandbox::start_with(world, Clock::default(), settings).await.unwrap();
    read_lately(&opened.db, &sandbox).await;
    let portal = Portal::start(&dir, &sandbox, &[]).await;
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let up = portal.reaches("portal_workers", "", accounts as f64).await;
    // Every subscription was looked at, and made.
    loop {
        let waiting: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM presence_accounts WHERE subscription_checked_at IS NULL OR subscription_id IS NULL",
        )
        .fetch_one(&opened.db)
        .await
        .unwrap();
        if waiting == 0 {
            break;
        }
        sleep(Duration::from_millis(500)).await;
    }
    let settled = portal.began.elapsed();
    sleep(Duration::from_secs(5)).await;
    let read = portal.metric("portal_directory_refreshes_total", "").await;
    let before = portal.cost();
    sleep(Duration::from_secs(seconds)).await;
    let idle = portal.cost() - before;
    let read = portal.metric("portal_directory_refreshes_total", "").await - read;
    #[expect(clippy::cast_precision_loss, reason = "seconds of a bench")]
    let percent = |spent: f64| spent * 100.0 / seconds as f64;
    println!(
        "scale: {accounts}, {users} | {up:.1?} | {settled:.1?} | {} MiB | {:.1} %, {:.1} % of a core; {read} directories read meanwhile",
        portal.memory(),
        percent(idle.portal),
        percent(idle.postgres.unwrap_or(f64::NAN)),
    );
    portal.stop();
    sandbox.stop().await;
    opened.close().await.unwrap();
    if wanted.dir.is_none() {
        let _ = std::fs::remove_dir_all(dir);
    }
}

/// Every directory was read within the last quarter of an hour, each at a time of its own; what has
/// changed since is nothing.
async fn read_lately(db: &PgPool, sandbox: &Sandbox) {
    let link = format!(
        "http://{}/graph/v1.0/users/delta?$deltatoken=latest&$select=id,userPrincipalName,mail,displayName,accountEnabled,proxyAddresses",
        sandbox.address()
    );
    sqlx::query(
        "UPDATE presence_accounts p SET delta_link = $1, delta_tenant = c.tenant_id,
            directory_refreshed_at = at, users_refreshed_at = at
         FROM (SELECT account_id, tenant_id, now() - random() * interval '14 minutes' AS at
            FROM connections) AS c
         WHERE c.account_id = p.account_id",
    )
    .bind(link)
    .execute(db)
    .await
    .unwrap();
    // Nor is it the night in which every setup is checked.
    sqlx::query(
        "INSERT INTO setup_checks (account_id, integration_id, due_at)
         SELECT account_id, id, now() + interval '12 hours' FROM integrations
         ON CONFLICT (account_id, integration_id) DO UPDATE SET due_at = excluded.due_at",
    )
    .execute(db)
    .await
    .unwrap();
}
