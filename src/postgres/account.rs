//! The account Postgres runs under: it refuses root.

use std::fs;
use std::path::Path;

use anyhow::{Context, bail};
use rustix::process::geteuid;
use tokio::process::Command;

/// An unprivileged account of this machine, which root becomes to run Postgres.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub uid: u32,
    pub gid: u32,
    pub name: String,
}

impl Account {
    /// None for an ordinary user, who is fit already.
    pub fn fit() -> anyhow::Result<Option<Self>> {
        if !geteuid().is_root() {
            return Ok(None);
        }
        let known = fs::read_to_string("/etc/passwd").context("could not read /etc/passwd")?;
        let account = ["postgres", "nobody"].iter().find_map(|name| named(&known, name));
        match account {
            Some(account) => Ok(Some(account)),
            None => bail!(
                "Postgres does not run as root, and this machine has no account named postgres \
                 or nobody. Run as an ordinary user, or set DATABASE_URL."
            ),
        }
    }

    /// The account that owns `path`.
    pub fn owning(path: &Path) -> anyhow::Result<Self> {
        use std::os::unix::fs::MetadataExt;
        let owned =
            fs::metadata(path).with_context(|| format!("cannot look at {}", path.display()))?;
        let (uid, gid) = (owned.uid(), owned.gid());
        Ok(Self { uid, gid, name: format!("user {uid}") })
    }
}

/// A command that runs as this account, in its own process group so that a Ctrl-C meant for us
/// does not reach it, with nothing of our environment.
pub fn command(program: impl AsRef<std::ffi::OsStr>, account: Option<&Account>) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("LC_ALL", "C").process_group(0).stdin(std::process::Stdio::null());
    for name in ["PATH", "HOME", "TMPDIR"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    if let Some(account) = account {
        command.uid(account.uid).gid(account.gid).env("HOME", "/");
    }
    command
}

/// Whether the account may enter this directory.
pub async fn may_enter(dir: &Path, account: Option<&Account>) -> bool {
    let asked = command("/bin/sh", account)
        .args(["-c", r#"cd "$1""#, "sh"])
        .arg(dir)
        .current_dir("/")
        .stderr(std::process::Stdio::null())
        .status()
        .await;
    asked.is_ok_and(|status| status.success())
}

fn named(known: &str, name: &str) -> Option<Account> {
    known.lines().find_map(|line| {
        let mut fields = line.split(':');
        let found = fields.next()? == name;
        let (uid, gid) = (fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
        (found && uid != 0).then(|| Account { uid, gid, name: name.to_owned() })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_found_by_its_name_alone_and_never_root() {
        let known = "root:x:0:0::/:/bin/sh\nnobodys:x:7:7::/:\nnobody:x:65534:65533:a:/:\n";
        let nobody = named(known, "nobody").unwrap();
        assert_eq!((nobody.uid, nobody.gid), (65534, 65533));
        assert_eq!(named(known, "root"), None);
        assert_eq!(named(known, "postgres"), None);
    }
}
