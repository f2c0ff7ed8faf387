//! A Postgres of our own, to be crashed, frozen and started again. It keeps what it commits.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, geteuid, kill_process};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor};
use tempfile::TempDir;

pub struct Server {
    dir: TempDir,
    programs: PathBuf,
    pub port: u16,
    child: Option<Child>,
}

/// Where the programs are, as the scripts know.
fn programs() -> PathBuf {
    let script = "cd \"$0\" && . bin/lib/common.sh && . bin/lib/debian.sh && . bin/lib/postgres.sh
        { postgres_candidates; } | head -n 1 | grep . || postgres_fetch";
    let asked = Command::new("sh").args(["-c", script, env!("CARGO_MANIFEST_DIR")]).output();
    let said = String::from_utf8(asked.unwrap().stdout).unwrap();
    PathBuf::from(said.lines().next().expect("Postgres is on this machine, or can be fetched"))
}

/// Whom Postgres runs as, when we are root: it refuses to.
fn account() -> Option<(u32, u32)> {
    if !geteuid().is_root() {
        return None;
    }
    let known = fs::read_to_string("/etc/passwd").unwrap();
    let named = |name: &str| {
        known.lines().find_map(|line| {
            let fields: Vec<_> = line.split(':').collect();
            (fields.first() == Some(&name))
                .then(|| (fields[2].parse().unwrap(), fields[3].parse().unwrap()))
        })
    };
    ["postgres", "nobody"].into_iter().find_map(named)
}

/// Postgres and its like refuse to run as root: then they run as somebody else.
pub fn unprivileged(command: &mut Command) {
    if let Some((uid, gid)) = account() {
        command.uid(uid).gid(gid);
    }
}

impl Server {
    pub async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let data = dir.path().join("data");
        fs::create_dir(&data).unwrap();
        fs::set_permissions(&data, fs::Permissions::from_mode(0o700)).unwrap();
        if let Some((uid, gid)) = account() {
            chown(&data, Some(uid), Some(gid)).unwrap();
        }
        let port = super::free_port();
        let mut server = Self { dir, programs: programs(), port, child: None };
        let mut initdb = server.command("initdb");
        initdb.args(["-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"]);
        assert!(initdb.arg("--no-sync").status().unwrap().success());
        server.launch().await;
        server
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.current_dir("/").env_clear().env("LC_ALL", "C").arg("-D");
        command.arg(self.dir.path().join("data")).stdin(Stdio::null());
        command.stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        unprivileged(&mut command);
        command
    }

    /// Starts it, after a crash too, and waits until it answers.
    pub async fn launch(&mut self) {
        let mut command = self.command("postgres");
        command.args(["-h", "127.0.0.1", "-k", "", "-p", &self.port.to_string()]);
        // The machine stays up: what was handed to its system is safe.
        command.args(["-c", "fsync=off", "-c", "shared_buffers=32MB", "-c", "jit=off"]);
        self.child = Some(command.spawn().unwrap());
        for _ in 0..600 {
            if self.options("postgres").connect().await.is_ok() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("Postgres does not start");
    }

    /// Stops it as `pg_ctl stop -m immediate` does: in the middle of whatever it does.
    pub fn crash(&mut self) {
        let mut child = self.child.take().unwrap();
        kill_process(Pid::from_child(&child), Signal::QUIT).unwrap();
        child.wait().unwrap();
    }

    /// Nothing of it moves any more; its connections stay open.
    pub fn freeze(&self) {
        self.signal_all(Signal::STOP);
    }

    pub fn thaw(&self) {
        self.signal_all(Signal::CONT);
    }

    /// The postmaster first, so that it starts no others meanwhile.
    fn signal_all(&self, signal: Signal) {
        let postmaster = self.child.as_ref().unwrap();
        kill_process(Pid::from_child(postmaster), signal).unwrap();
        let parent = postmaster.id().to_string();
        for entry in fs::read_dir("/proc").unwrap().filter_map(Result::ok) {
            let Ok(pid) = entry.file_name().to_string_lossy().parse::<i32>() else { continue };
            let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
            let of = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1));
            if of == Some(&parent) {
                kill_process(Pid::from_raw(pid).unwrap(), signal).ok();
            }
        }
    }

    pub fn options(&self, database: &str) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .host("127.0.0.1")
            .port(self.port)
            .ssl_mode(PgSslMode::Disable)
            .username("postgres")
            .database(database)
    }

    /// An empty database.
    pub async fn database(&self, name: &str) -> PgConnectOptions {
        let mut admin = self.options("postgres").connect().await.unwrap();
        admin.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
        admin.close().await.unwrap();
        self.options(name)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.child.is_some() {
            self.thaw();
            self.crash();
        }
    }
}
