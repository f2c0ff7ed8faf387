//! The programs of Postgres: found on the machine, or fetched once.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, bail};

use super::OLDEST;
use super::account::{Account, command};

/// Finds and fetches. The scripts in `bin` use the same file, so that it is written once.
const SCRIPT: &str = concat!(
    include_str!("../../bin/lib/common.sh"),
    include_str!("../../bin/lib/debian.sh"),
    include_str!("../../bin/lib/postgres.sh")
);

/// A directory with `postgres` and `initdb` in it that run here.
#[derive(Clone, Debug)]
pub struct Binaries {
    pub dir: PathBuf,
    pub major: u32,
}

impl Binaries {
    /// The newest on the machine, or those of the given major version; else fetched.
    pub async fn get(major: Option<u32>, account: Option<&Account>) -> anyhow::Result<Self> {
        let fits = |found: &Self| match major {
            Some(major) => found.major == major,
            None => found.major >= OLDEST,
        };
        for dir in ask("postgres_candidates", major, Stdio::null()).await? {
            if let Some(found) = Self::at(&dir, account).await
                && fits(&found)
            {
                return Ok(found);
            }
        }
        for dir in ask("postgres_fetch", major, Stdio::inherit()).await? {
            if let Some(found) = Self::at(&dir, account).await
                && fits(&found)
            {
                return Ok(found);
            }
        }
        match major {
            Some(major) => bail!(
                "The data was made by Postgres {major}, which is no longer on this machine and \
                 could not be fetched. Install postgresql-{major}, or set PORTAL_PG_BIN to the \
                 directory of its programs."
            ),
            None => bail!(
                "There is no Postgres on this machine and it could not be fetched. Install it \
                 (Debian: apt-get install postgresql; macOS: brew install postgresql) or set \
                 DATABASE_URL."
            ),
        }
    }

    /// What is in `dir`, if the account can run it.
    async fn at(dir: &Path, account: Option<&Account>) -> Option<Self> {
        let mut asked = command(dir.join("postgres"), account);
        let said = asked.arg("--version").current_dir("/").output().await.ok()?;
        let major = major_of(std::str::from_utf8(&said.stdout).ok()?)?;
        dir.join("initdb").exists().then(|| Self { dir: dir.to_owned(), major })
    }
}

/// What the script and what it calls may see of our environment: where things are, and the way
/// out. It runs programs of others, who need not know our keys and secrets.
const SHOWN: [&str; 31] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "TMPDIR",
    "LANG",
    "LC_ALL",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "PORTAL_PG_BIN",
    "PORTAL_PG_FETCH",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
    "PIP_CERT",
    "PIP_CONFIG_FILE",
    "PIP_INDEX_URL",
    "NPM_CONFIG_USERCONFIG",
    "NPM_CONFIG_REGISTRY",
];

/// Asks the script one question, and reads the directories it answers with.
async fn ask(question: &str, major: Option<u32>, says: Stdio) -> anyhow::Result<Vec<PathBuf>> {
    let answer = tokio::process::Command::new("/bin/sh")
        .arg("-c")
        .arg(format!("{SCRIPT}\n{question} \"$@\""))
        .arg("postgres.sh")
        .args(major.map(|major| major.to_string()))
        .env_clear()
        .envs(SHOWN.into_iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(says)
        .spawn()
        .context("could not run /bin/sh to look for Postgres")?
        .wait_with_output()
        .await?;
    if !answer.status.success() {
        tracing::debug!("{question} ended with {}", answer.status);
        return Ok(Vec::new());
    }
    let text = String::from_utf8_lossy(&answer.stdout);
    Ok(text.lines().map(PathBuf::from).collect())
}

/// From a line such as `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`.
fn major_of(version: &str) -> Option<u32> {
    let number = version.split(' ').find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    number.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_however_it_is_packaged() {
        let debian = "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n";
        assert_eq!(major_of(debian), Some(15));
        assert_eq!(major_of("postgres (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(major_of("no such thing"), None);
    }
}
