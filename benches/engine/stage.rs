//! A portal between the sandbox's systems and a database of its own, settled.

use std::path::PathBuf;
use std::time::Duration;

use presence_portal::app::opening::{self, Opened};
use presence_portal::kit::clock::Clock;
use presence_portal::sandbox::{Sandbox, Settings, World};
use tokio::time::sleep;

use crate::hooks::{Hook, hooks};
use crate::portal::{Portal, config, scratch};
use crate::seed::{self, Life};

pub struct Stage {
    pub portal: Portal,
    pub sandbox: Sandbox,
    pub opened: Opened,
    pub hooks: Vec<Hook>,
    pub dir: PathBuf,
}

impl Stage {
    /// Nobody has an event yet. `first` changes the database before the portal starts.
    pub async fn open(
        world: World,
        journal: usize,
        first: &'static str,
        settings: &[(&str, String)],
    ) -> Self {
        let dir = scratch("stage");
        let opened = opening::open(&config(&dir)).await.unwrap();
        seed::fill(&opened, &world, Life { held: 0, lived_in: false }).await.unwrap();
        sqlx::query(first).execute(&opened.db).await.unwrap();
        let accounts = i64::try_from(world.customers.len()).unwrap();
        let listen = Settings { journal, ..Settings::default() };
        let sandbox = Sandbox::start_with(world, Clock::default(), listen).await.unwrap();
        let portal = Portal::start(&dir, &sandbox, settings).await;
        loop {
            let settled: i64 = sqlx::query_scalar(
                "SELECT count(*) FROM presence_accounts WHERE subscription_id IS NOT NULL",
            )
            .fetch_one(&opened.db)
            .await
            .unwrap();
            if settled == accounts {
                break;
            }
            sleep(Duration::from_millis(100)).await;
        }
        let hooks = hooks(&opened, &sandbox.world().customers).await;
        Self { portal, sandbox, opened, hooks, dir }
    }

    pub async fn close(self) {
        self.portal.stop();
        self.sandbox.stop().await;
        self.opened.close().await.unwrap();
        let _ = std::fs::remove_dir_all(self.dir);
    }
}
