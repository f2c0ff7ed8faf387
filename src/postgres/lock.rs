//! Advisory locks on files: the kernel lets go of them whatever becomes of the holder.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use rustix::fs::{FlockOperation, flock};
use tokio::time::{Instant, sleep};

/// Long enough for another process to fetch Postgres, make a cluster and start it.
const PATIENCE: Duration = Duration::from_mins(5);
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// Our turn: nobody else has it until this is dropped.
pub async fn turn(path: &Path) -> anyhow::Result<File> {
    taken(path, FlockOperation::NonBlockingLockExclusive).await
}

/// One of several who use what `path` stands for. Whoever waits for its end has it alone then.
pub async fn shared(path: &Path) -> anyhow::Result<File> {
    taken(path, FlockOperation::NonBlockingLockShared).await
}

async fn taken(path: &Path, how: FlockOperation) -> anyhow::Result<File> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(path)
        .with_context(|| format!("cannot open {}", path.display()))?;
    let deadline = Instant::now() + PATIENCE;
    loop {
        match flock(&file, how).map_err(io::Error::from) {
            Ok(()) => return Ok(file),
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => {
                return Err(error).with_context(|| format!("cannot lock {}", path.display()));
            }
            Err(_) if Instant::now() > deadline => {
                bail!("{} has been locked by another process for minutes", path.display())
            }
            Err(_) => sleep(LOOK_AGAIN).await,
        }
    }
}
