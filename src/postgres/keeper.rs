//! Starts the server and holds on to it, or joins those who hold it already.

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::process::Child;
use tokio::time::{Instant, sleep};

use super::account::{Account, command};
use super::binaries::Binaries;
use super::cluster::{Cluster, PORT, Postmaster};
use super::{lock, place};

const SCRIPT: &str = include_str!("keeper.sh");

/// How long a server may take that neither gets ready nor says that it is about to.
const STARTS_WITHIN: Duration = Duration::from_secs(10);
/// After a crash it first reads what it had written down, which takes as long as it takes.
const RECOVERS_WITHIN: Duration = Duration::from_mins(10);
const LOOK_AGAIN: Duration = Duration::from_millis(5);
/// How long a fallen server's last children may keep its lock.
const STALE_AFTER: Duration = Duration::from_secs(2);
/// Longer, and the name of a socket is refused.
const LONGEST_SOCKET: usize = 107;
const LARGEST_LOG: u64 = 1 << 20;

/// What is asked of the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// What was committed survives a power cut.
    Kept,
    /// It need not survive us.
    None,
}

/// While this is held, the server is there.
#[derive(Debug)]
pub struct Hold {
    users: File,
    postmaster: Postmaster,
    /// Ours to wait for, if it was we who started the server.
    keeper: Option<Child>,
}

impl Hold {
    pub fn socket_dir(&self) -> &Path {
        &self.postmaster.socket_dir
    }

    /// Lets go of the server.
    pub fn release(self) -> Option<Child> {
        drop(self.users);
        self.keeper
    }
}

/// Joins the users of the server, or starts it and is the first.
pub async fn hold(
    cluster: &Cluster,
    binaries: Option<Binaries>,
    durability: Durability,
    account: Option<&Account>,
) -> anyhow::Result<Hold> {
    let users = lock::shared(&cluster.users()).await?;
    if let Some(postmaster) = cluster.answering() {
        return Ok(Hold { users, postmaster, keeper: None });
    }
    let binaries = match binaries {
        Some(binaries) => binaries,
        None => Binaries::get(Some(cluster.major), account).await?,
    };
    let keeper = start(cluster, &binaries, durability, account)?;
    let postmaster = ready(cluster).await?;
    Ok(Hold { users, postmaster, keeper: Some(keeper) })
}

fn start(
    cluster: &Cluster,
    binaries: &Binaries,
    durability: Durability,
    account: Option<&Account>,
) -> anyhow::Result<Child> {
    let own_dir = socket_dir(cluster, account)?;
    let socket_dir = own_dir.as_deref().unwrap_or(&cluster.dir);
    let throwaway = durability == Durability::None;
    let leave = if throwaway { cluster.dir.parent() } else { own_dir.as_deref() };
    let log = open_log(cluster, account)?;
    command("/bin/sh", account)
        .args(["-c", SCRIPT, "presence-portal-postgres"])
        .arg(cluster.users())
        .arg(if throwaway { "QUIT" } else { "INT" })
        .arg(leave.unwrap_or(Path::new("")))
        .arg(binaries.dir.join("postgres"))
        .arg("-D")
        .arg(cluster.data())
        .arg("-k")
        .arg(socket_dir)
        .args(["-p", &PORT.to_string(), "-h", ""])
        .args(settings(throwaway).iter().flat_map(|setting| ["-c", setting.as_str()]))
        .current_dir(&cluster.dir)
        .stdout(log.try_clone().context("cannot share the log")?)
        .stderr(log)
        .spawn()
        .context("cannot start Postgres")
}

fn settings(throwaway: bool) -> Vec<String> {
    let settings: &[&str] = if throwaway {
        &[
            "fsync=off",
            "synchronous_commit=off",
            "full_page_writes=off",
            "autovacuum=off",
            "max_connections=300",
            "shared_buffers=64MB",
            "max_wal_size=4GB",
            "jit=off",
        ]
    } else {
        &["unix_socket_permissions=0700", "max_connections=60", "jit=off"]
    };
    let buffers = (!throwaway).then(|| format!("shared_buffers={}MB", buffers(memory())));
    settings.iter().map(ToString::to_string).chain(buffers).collect()
}

/// An eighth of the memory, in MiB: what is looked at often stays at hand, and the rest is left to
/// whatever else runs here.
fn buffers(memory: Option<u64>) -> u64 {
    memory.map_or(128, |memory| (memory / 8).clamp(128, 1_024))
}

/// The memory of this machine, or what its container may have of it, in MiB.
fn memory() -> Option<u64> {
    let all = fs::read_to_string("/proc/meminfo").ok()?;
    let all = all.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let all = all.trim().strip_suffix(" kB")?.parse::<u64>().ok()? / 1_024;
    let allowed = fs::read_to_string("/sys/fs/cgroup/memory.max").ok();
    let allowed = allowed.and_then(|bytes| bytes.trim().parse::<u64>().ok());
    Some(allowed.map_or(all, |bytes| all.min(bytes / (1_024 * 1_024))))
}

/// A directory for the socket, where the cluster's own has too long a name.
fn socket_dir(cluster: &Cluster, account: Option<&Account>) -> anyhow::Result<Option<PathBuf>> {
    let socket = cluster.dir.join(format!(".s.PGSQL.{PORT}"));
    if socket.as_os_str().len() <= LONGEST_SOCKET {
        return Ok(None);
    }
    let dir = std::env::temp_dir().join(place::unguessable("presence-portal"));
    place::private(&dir, account)?;
    Ok(Some(dir))
}

/// The server's log goes on where it ended, unless it has grown long.
fn open_log(cluster: &Cluster, account: Option<&Account>) -> anyhow::Result<File> {
    let path = cluster.log();
    if fs::metadata(&path).is_ok_and(|log| log.len() > LARGEST_LOG) {
        fs::rename(&path, path.with_extension("old")).context("cannot turn the log over")?;
    }
    let log = OpenOptions::new().create(true).append(true).open(&path);
    let log = log.with_context(|| format!("cannot write {}", path.display()))?;
    place::hand_over(&path, account)?;
    Ok(log)
}

/// Waits until the server answers. Its keeper tries again and again, which is what a server
/// needs that fell a moment ago: the last of its children still hold its memory then.
async fn ready(cluster: &Cluster) -> anyhow::Result<Postmaster> {
    let begun = Instant::now();
    loop {
        if let Some(postmaster) = cluster.answering() {
            return Ok(postmaster);
        }
        let waited = begun.elapsed();
        let postmaster = cluster.postmaster();
        let alive = postmaster.as_ref().is_some_and(|postmaster| is_postgres(postmaster.pid));
        let patience = if alive { RECOVERS_WITHIN } else { STARTS_WITHIN };
        if waited > patience {
            bail!(
                "The private Postgres does not start: {} Its log is {}.",
                last_complaint(cluster),
                cluster.log().display()
            );
        }
        if waited > STALE_AFTER && postmaster.is_some() && !alive {
            // The number was given to another process since: only we may say so, because
            // nobody else holds the turn to start this server.
            let _ = fs::remove_file(cluster.data().join("postmaster.pid"));
        }
        sleep(LOOK_AGAIN).await;
    }
}

/// Whether that process is a Postgres server, as far as can be told.
fn is_postgres(pid: u32) -> bool {
    match fs::read_to_string(format!("/proc/{pid}/comm")) {
        Ok(name) => name.trim() == "postgres",
        Err(_) => !Path::new("/proc/self").exists(),
    }
}

fn last_complaint(cluster: &Cluster) -> String {
    let log = fs::read(cluster.log()).unwrap_or_default();
    let log = String::from_utf8_lossy(&log);
    let line = log.lines().rfind(|line| line.contains("FATAL") || line.contains("PANIC"));
    let line = line.or(log.lines().last()).unwrap_or("it does not say why");
    format!("{}.", line.trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn postgres_keeps_an_eighth_of_the_memory_at_hand_within_reason() {
        let of = [None, Some(512), Some(4_096), Some(65_536)].map(buffers);
        assert_eq!(of, [128, 128, 512, 1_024]);
        assert!(settings(false).iter().any(|setting| setting.starts_with("shared_buffers=")));
    }
}
