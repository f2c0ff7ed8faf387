//! What many accounts cost one process: memory, an idle hour, a cold start.

use std::path::PathBuf;
use std::time::Duration;

use presence_portal::app::opening;
use presence_portal::kit::clock::Clock;
use presence_portal::sandbox::{Sandbox, Settings};
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
    let before = portal.cost();
    sleep(Duration::from_secs(seconds)).await;
    let idle = portal.cost() - before;
    #[expect(clippy::cast_precision_loss, reason = "seconds of a bench")]
    let percent = |spent: f64| spent * 100.0 / seconds as f64;
    println!(
        "scale: {accounts}, {users} | {up:.1?} | {settled:.1?} | {} MiB | {:.1} %, {:.1} % of a core",
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
