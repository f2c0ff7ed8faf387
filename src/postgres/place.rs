//! Where things lie: the data directory, and room for throw-away servers.

use std::env;
use std::fs::{self, DirBuilder};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::{DirBuilderExt, chown};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use rustix::fs::statvfs;

use super::account::{Account, may_enter};

const SYSTEM_WIDE: &str = "/var/lib/presence-portal";
/// What the tests' databases take, with room to spare.
const ENOUGH_MEMORY: u64 = 3 << 30;

/// The data directory: the one that was set, else `./data`. As root, where the account that
/// Postgres needs cannot reach that, a directory of this checkout's own under `/var/lib`.
pub async fn data_dir(given: Option<&Path>) -> anyhow::Result<PathBuf> {
    let here = env::current_dir().context("the directory we were started in is gone")?;
    let account = Account::fit()?;
    if let Some(given) = given {
        let dir = here.join(given);
        let deepest = dir.ancestors().find(|dir| dir.exists()).unwrap_or(&here);
        if !may_enter(deepest, account.as_ref()).await {
            let name = account.map_or_else(String::new, |account| account.name);
            bail!(
                "PORTAL_DATA_DIR names {}, which the account {name} that runs Postgres cannot \
                 reach. Choose a directory below /var/lib, or set DATABASE_URL.",
                dir.display()
            );
        }
        return Ok(dir);
    }
    let dir = here.join("data");
    let reachable = may_enter(&here, account.as_ref()).await;
    Ok(if reachable { dir } else { Path::new(SYSTEM_WIDE).join(own_name(&here)) })
}

/// A name that no other checkout has, and that says which it is.
fn own_name(checkout: &Path) -> String {
    let name = checkout.file_name().unwrap_or_default().to_string_lossy();
    let mut digest = DefaultHasher::new();
    checkout.hash(&mut digest);
    format!("{name}-{:08x}", digest.finish() & 0xffff_ffff)
}

/// Makes the data directory. It is ours; what lies in it has owners of its own.
pub fn make(data_dir: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(data_dir)
        .with_context(|| format!("cannot make the data directory {}", data_dir.display()))
}

/// A new directory that only the account may enter.
pub fn private(dir: &Path, account: Option<&Account>) -> anyhow::Result<()> {
    let making = || format!("cannot make {}", dir.display());
    DirBuilder::new().mode(0o700).create(dir).with_context(making)?;
    hand_over(dir, account)
}

/// Makes the account the owner.
pub fn hand_over(path: &Path, account: Option<&Account>) -> anyhow::Result<()> {
    if let Some(account) = account {
        chown(path, Some(account.uid), Some(account.gid)).with_context(|| {
            format!("cannot give {} to the account {}", path.display(), account.name)
        })?;
    }
    Ok(())
}

/// A new private directory in memory, or where temporary files go when memory is scarce.
pub fn scratch(account: Option<&Account>) -> anyhow::Result<PathBuf> {
    let memory = Path::new("/dev/shm");
    let roomy = statvfs(memory).is_ok_and(|room| room.f_bavail * room.f_frsize > ENOUGH_MEMORY);
    let parent = if roomy { memory.to_owned() } else { env::temp_dir() };
    let dir = parent.join(unguessable("presence-portal-test"));
    private(&dir, account)?;
    Ok(dir)
}

pub fn unguessable(name: &str) -> String {
    format!("{name}-{:016x}", rand::random::<u64>())
}
