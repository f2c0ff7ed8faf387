//! A command of the portal, run by somebody with nothing in their environment.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::support::until;

/// A command that is about to run, with a data directory that is kept as long as this.
pub struct Home {
    dir: TempDir,
}

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub said: String,
    pub complained: String,
}

/// A command that goes on.
pub struct Serving {
    child: Child,
    said: std::path::PathBuf,
}

impl Home {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        // For the account that runs Postgres.
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        Self { dir }
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn key_file(&self) -> String {
        fs::read_to_string(self.path().join("data/master.key")).unwrap()
    }

    fn command(&self, settings: &[(&str, &str)], arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_presence-portal"));
        command.env_clear().current_dir(self.path()).args(arguments);
        for name in ["PATH", "HOME", "XDG_CACHE_HOME"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command.envs(settings.iter().copied());
        command
    }

    /// Runs to the end.
    pub async fn run(
        &self,
        settings: &[(&str, &str)],
        arguments: &[&str],
        input: &'static str,
    ) -> Ended {
        let mut command = self.command(settings, arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let ended = tokio::task::spawn_blocking(move || {
            let mut child = command.spawn().unwrap();
            child.stdin.take().unwrap().write_all(input.as_bytes()).ok();
            child.wait_with_output().unwrap()
        });
        let ended = ended.await.unwrap();
        Ended {
            code: ended.status.code(),
            said: String::from_utf8(ended.stdout).unwrap(),
            complained: String::from_utf8(ended.stderr).unwrap(),
        }
    }

    /// Starts, and waits until it has said this.
    pub async fn serve(&self, arguments: &[&str], until_it_says: &str) -> Serving {
        let said = self.path().join(format!("said-{:x}", rand::random::<u32>()));
        let log = File::create(self.path().join("log")).unwrap();
        let mut command = self.command(&[], arguments);
        command.stdin(Stdio::null()).stdout(File::create(&said).unwrap()).stderr(log);
        let mut serving = Serving { child: command.spawn().unwrap(), said };
        let log = || fs::read_to_string(self.path().join("log")).unwrap();
        until(&format!("{until_it_says:?} is said"), || {
            let ended = serving.child.try_wait().unwrap();
            assert!(ended.is_none(), "it ended: {ended:?}\n{}", log());
            serving.said().contains(until_it_says)
        })
        .await;
        serving
    }
}

impl Serving {
    pub fn said(&self) -> String {
        fs::read_to_string(&self.said).unwrap()
    }

    /// The address after these words.
    pub fn address(&self, after: &str) -> String {
        let said = self.said();
        let (_, rest) = said.split_once(after).unwrap_or_else(|| panic!("no {after:?} in {said}"));
        rest.split_whitespace().next().unwrap().trim_end_matches('/').to_owned()
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for its end, and says its exit code.
    pub async fn ended(mut self) -> Option<i32> {
        let mut code = None;
        until("it ends", || {
            code = self.child.try_wait().unwrap();
            code.is_some()
        })
        .await;
        code.unwrap().code()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
