//! A cluster on disk: made once, whole or not at all, and known by the version that made it.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Output;

use anyhow::{Context, bail};

use super::account::{Account, command};
use super::binaries::Binaries;
use super::keeper::Durability;
use super::place;

/// Only part of the socket's name: nothing listens on TCP.
pub const PORT: u16 = 5432;

/// `pg-<major>` in the data directory: the data, its log and its locks.
#[derive(Clone, Debug)]
pub struct Cluster {
    pub dir: PathBuf,
    pub major: u32,
}

/// What a running server says of itself in `postmaster.pid`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Postmaster {
    pub pid: u32,
    pub socket_dir: PathBuf,
    pub ready: bool,
}

impl Cluster {
    /// The cluster that is there, of the newest version if there are several.
    pub fn existing(data_dir: &Path) -> anyhow::Result<Option<Self>> {
        let entries = fs::read_dir(data_dir)
            .with_context(|| format!("cannot read {}", data_dir.display()))?;
        let majors = entries.filter_map(|entry| {
            let name = entry.ok()?.file_name();
            name.to_str()?.strip_prefix("pg-")?.parse().ok()
        });
        let mut found: Vec<u32> = majors.collect();
        found.sort_unstable();
        for major in found.into_iter().rev() {
            let cluster = Self { dir: data_dir.join(format!("pg-{major}")), major };
            match fs::metadata(cluster.data().join("PG_VERSION")) {
                Ok(_) => return Ok(Some(cluster)),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => bail!(
                    "The database in {} belongs to another user ({}). Run as that user, or set \
                     PORTAL_DATA_DIR to a directory of your own.",
                    cluster.dir.display(),
                    error.kind()
                ),
            }
        }
        Ok(None)
    }

    /// Makes a cluster in `data_dir`. One that was begun and not finished is begun anew.
    pub async fn make(
        data_dir: &Path,
        binaries: &Binaries,
        durability: Durability,
        account: Option<&Account>,
    ) -> anyhow::Result<Self> {
        let cluster =
            Self { dir: data_dir.join(format!("pg-{}", binaries.major)), major: binaries.major };
        if !cluster.dir.exists() {
            place::private(&cluster.dir, account)?;
        }
        let new = cluster.dir.join("data.new");
        if new.exists() {
            fs::remove_dir_all(&new).with_context(|| format!("cannot remove {}", new.display()))?;
        }
        let made = initdb(binaries, &new, account).await?;
        if !made.status.success() {
            bail!("initdb could not make a database: {}", last_line(&made.stderr));
        }
        // Before it has its name: a power cut may not leave a database of empty files behind.
        let kept = durability == Durability::Kept;
        if kept {
            on_disk(new.clone()).await?;
        }
        fs::rename(&new, cluster.data()).context("cannot put the new database in its place")?;
        if kept {
            on_disk(cluster.dir.clone()).await?;
        }
        Ok(cluster)
    }

    pub fn data(&self) -> PathBuf {
        self.dir.join("data")
    }

    pub fn log(&self) -> PathBuf {
        self.dir.join("log")
    }

    /// The file that everybody who uses the server holds a shared lock on.
    pub fn users(&self) -> PathBuf {
        self.dir.join("users")
    }

    /// Who must run it: the account that owns it, when we are root.
    pub fn owner(&self, fit: Option<Account>) -> anyhow::Result<Option<Account>> {
        let Some(fit) = fit else { return Ok(None) };
        let owner = Account::owning(&self.data())?;
        Ok(Some(if owner.uid == fit.uid || owner.uid == 0 { fit } else { owner }))
    }

    /// The server that runs on it, if one answers.
    pub fn answering(&self) -> Option<Postmaster> {
        let postmaster = self.postmaster().filter(|postmaster| postmaster.ready)?;
        let socket = postmaster.socket_dir.join(format!(".s.PGSQL.{PORT}"));
        UnixStream::connect(socket).is_ok().then_some(postmaster)
    }

    pub fn postmaster(&self) -> Option<Postmaster> {
        Postmaster::read(&fs::read_to_string(self.data().join("postmaster.pid")).ok()?)
    }
}

impl Postmaster {
    /// The lines are: pid, data, start, port, socket directory, address, memory, status.
    fn read(text: &str) -> Option<Self> {
        let lines: Vec<_> = text.lines().map(str::trim).collect();
        Some(Self {
            pid: lines.first()?.parse().ok()?,
            socket_dir: PathBuf::from(lines.get(4).copied().unwrap_or_default()),
            ready: lines.get(7) == Some(&"ready"),
        })
    }
}

/// In UTF-8, sorted and folded by code point, which is the same everywhere.
async fn initdb(
    binaries: &Binaries,
    new: &Path,
    account: Option<&Account>,
) -> anyhow::Result<Output> {
    let locales: &[&[&str]] = match binaries.major {
        17.. => &[&["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]],
        _ => {
            &[&["--locale=C.UTF-8", "--lc-collate=C"], &["--locale=en_US.UTF-8", "--lc-collate=C"]]
        }
    };
    let mut outcome = None;
    for locale in locales {
        let made = command(binaries.dir.join("initdb"), account)
            .args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-sync"])
            .args(*locale)
            .arg("-D")
            .arg(new)
            .current_dir("/")
            .output()
            .await
            .context("could not run initdb")?;
        let success = made.status.success();
        outcome = Some(made);
        if success {
            break;
        }
    }
    outcome.context("there is a locale to try")
}

/// Waits until what was written below is on the disk. All of the file system at once is far
/// quicker than a thousand files one after another.
async fn on_disk(dir: PathBuf) -> anyhow::Result<()> {
    let synced = tokio::task::spawn_blocking(move || sync(&fs::File::open(dir)?)).await?;
    synced.context("the new database could not be brought to the disk")
}

#[cfg(target_os = "linux")]
fn sync(dir: &fs::File) -> std::io::Result<()> {
    Ok(rustix::fs::syncfs(dir)?)
}

#[cfg(not(target_os = "linux"))]
fn sync(_: &fs::File) -> std::io::Result<()> {
    rustix::fs::sync();
    Ok(())
}

fn last_line(output: &[u8]) -> String {
    let text = String::from_utf8_lossy(output);
    let line = text.lines().rfind(|line| line.contains("error")).or(text.lines().last());
    line.unwrap_or("it did not say why").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_postmaster_is_read_whole_or_in_the_making() {
        let whole = "12\n/d/data\n1700000000\n5432\n/d\n\n  5432001  7\nready   \n";
        let read = Postmaster::read(whole).unwrap();
        assert_eq!(read, Postmaster { pid: 12, socket_dir: "/d".into(), ready: true });
        let begun = Postmaster::read("12\n/d/data\n1700000000\n5432\n").unwrap();
        assert!(!begun.ready);
        assert_eq!(Postmaster::read(""), None);
    }
}
