//! The program itself, started as a service manager would, and ended as nobody should.

use std::fs::{self, OpenOptions};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use reqwest::Client;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use url::Url;

pub struct Portal {
    pub url: Url,
    settings: Vec<(&'static str, String)>,
    dir: TempDir,
    child: Option<Child>,
}

impl Portal {
    /// A place for it, under an address that stays the same; it does not run yet.
    pub fn new(settings: Vec<(&'static str, String)>) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let url = Url::parse(&format!("http://{free}")).unwrap();
        Self { url, settings, dir: tempfile::tempdir().unwrap(), child: None }
    }

    pub fn start(&mut self) {
        let log = OpenOptions::new().create(true).append(true).open(self.dir.path().join("log"));
        let log = log.unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_presence-portal"));
        command
            .env_clear()
            .current_dir(self.dir.path())
            .envs(self.settings.iter().map(|(name, value)| (*name, value.as_str())))
            .env("PORTAL_LISTEN", self.url.authority())
            .env("PORTAL_PUBLIC_URL", self.url.as_str())
            .env("PORTAL_LOG", "info")
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        self.child = Some(command.spawn().unwrap());
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(self.child.as_ref().unwrap()), signal).unwrap();
    }

    /// What `/health/ready` says: whether, and why not.
    pub async fn readiness(&self) -> (bool, String) {
        let client = Client::builder().timeout(Duration::from_secs(5)).build().unwrap();
        match client.get(self.url.join("/health/ready").unwrap()).send().await {
            Ok(answer) => (answer.status() == 200, answer.text().await.unwrap_or_default()),
            Err(error) => (false, error.to_string()),
        }
    }

    /// The end of its log, for whoever has to find out why.
    pub fn last_words(&self) -> String {
        let log = fs::read_to_string(self.dir.path().join("log")).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }
}

impl Drop for Portal {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().ok();
            child.wait().ok();
        }
    }
}
