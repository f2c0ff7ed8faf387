//! The portal as a process of its own, and what it and its Postgres cost.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use presence_portal::config::Config;
use presence_portal::kit::http::http_client;
use presence_portal::sandbox::Sandbox;
use reqwest::Client;
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};

use crate::seed::surroundings;

/// How long a start may take before it is given up.
const PATIENCE: Duration = Duration::from_mins(5);
/// Ticks of `/proc`, a second.
const TICKS: f64 = 100.0;

pub struct Portal {
    process: Child,
    pub began: Instant,
    pub address: SocketAddr,
    metrics: SocketAddr,
    postgres: Option<u32>,
    client: Client,
}

/// Processor time in seconds, of the portal and of Postgres beside it.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    pub portal: f64,
    /// None when it is not on this machine, or somebody else's too.
    pub postgres: Option<f64>,
}

impl std::ops::Sub for Cost {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            portal: self.portal - before.portal,
            postgres: self.postgres.zip(before.postgres).map(|(after, before)| after - before),
        }
    }
}

impl Portal {
    /// Starts the portal between the sandbox and the database in `dir`, and waits until it
    /// answers. `settings` go on top.
    pub async fn start(dir: &Path, sandbox: &Sandbox, settings: &[(&str, String)]) -> Self {
        let (address, metrics) = (free_port().await, free_port().await);
        let log = std::fs::File::create(dir.join("portal.log")).unwrap();
        let process = Command::new(env!("CARGO_BIN_EXE_presence-portal"))
            .env_remove("DATABASE_URL")
            .envs(surroundings(Some(dir), sandbox))
            .env("PORTAL_LISTEN", address.to_string())
            .env("PORTAL_METRICS_LISTEN", metrics.to_string())
            .env("PORTAL_LOG", "warn")
            .envs(settings.iter().map(|(name, value)| (*name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let client = http_client().unwrap();
        let began = Instant::now();
        let mut portal = Self { process, began, address, metrics, postgres: None, client };
        while !portal.is_ready().await {
            let ended = portal.process.try_wait().unwrap();
            assert!(
                ended.is_none(),
                "the portal has ended: see {}",
                dir.join("portal.log").display()
            );
            assert!(began.elapsed() < PATIENCE, "the portal does not come up");
            sleep(Duration::from_millis(50)).await;
        }
        portal.postgres = postmaster(dir);
        portal
    }

    async fn is_ready(&self) -> bool {
        let url = format!("http://{}/health/ready", self.address);
        self.client.get(url).send().await.is_ok_and(|answer| answer.status().is_success())
    }

    pub fn cost(&self) -> Cost {
        let postgres = self.postgres.map(|postmaster| {
            let own = spent(postmaster, true);
            children(postmaster).into_iter().map(|child| spent(child, false)).sum::<f64>() + own
        });
        Cost { portal: spent(self.process.id(), false), postgres }
    }

    /// Resident memory, in MiB.
    pub fn memory(&self) -> u64 {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
    }

    /// The sum of a metric over all its labels that contain `labels`.
    pub async fn metric(&self, name: &str, labels: &str) -> f64 {
        let url = format!("http://{}/metrics", self.metrics);
        let text = self.client.get(url).send().await.unwrap().text().await.unwrap();
        text.lines()
            .filter(|line| line.split(['{', ' ']).next() == Some(name) && line.contains(labels))
            .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .sum()
    }

    /// Waits until a metric has reached a value, and returns since when the portal ran by then.
    pub async fn reaches(&self, name: &str, labels: &str, value: f64) -> Duration {
        let patience = Instant::now() + PATIENCE;
        loop {
            let now = self.metric(name, labels).await;
            if now >= value {
                return self.began.elapsed();
            }
            assert!(Instant::now() < patience, "{name} is {now} and not yet {value}");
            sleep(Duration::from_millis(50)).await;
        }
    }

    pub fn stop(mut self) {
        let _ = Command::new("kill").arg(self.process.id().to_string()).status();
        let _ = self.process.wait();
    }
}

impl Drop for Portal {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

async fn free_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

/// The private Postgres's first process.
fn postmaster(dir: &Path) -> Option<u32> {
    let clusters = std::fs::read_dir(dir).ok()?.filter_map(Result::ok).map(|entry| entry.path());
    let file = clusters.map(|dir| dir.join("data/postmaster.pid")).find(|file| file.exists())?;
    std::fs::read_to_string(file).ok()?.lines().next()?.trim().parse().ok()
}

fn stat(process: u32) -> Option<Vec<String>> {
    let text = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name stands in brackets and may hold anything.
    let rest = text.rsplit_once(')')?.1;
    Some(rest.split_whitespace().map(str::to_owned).collect())
}

/// Processor time, with that of children that have ended if asked for.
pub fn spent(process: u32, with_children: bool) -> f64 {
    let Some(stat) = stat(process) else { return 0.0 };
    let fields = if with_children { 11..15 } else { 11..13 };
    stat[fields].iter().filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / TICKS
}

fn children(parent: u32) -> Vec<u32> {
    let all = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    all.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter(|id| stat(*id).is_some_and(|stat| stat[1] == parent.to_string()))
        .collect()
}

/// Everything the rest needs to know of a database that was filled for it.
pub fn config(dir: &Path) -> Config {
    crate::seed::config(Some(dir)).unwrap()
}

/// A place for a database that goes again.
pub fn scratch(name: &str) -> PathBuf {
    let dir =
        std::env::temp_dir().join(format!("presence-portal-bench-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    dir
}
