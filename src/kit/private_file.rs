//! Files that hold a secret: for their owner only, and whole or not at all.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use anyhow::Context;

use super::secret::Secret;

/// What the file holds; none when there is no such file.
pub fn read(path: &Path) -> anyhow::Result<Option<Secret>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(Secret::new(text.trim()))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

/// Puts the secret in the place of what was there. Afterwards it survives a power cut.
pub fn write(path: &Path, secret: &Secret) -> anyhow::Result<()> {
    let begun = path.with_added_extension("new");
    let written = || -> io::Result<()> {
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&begun)?;
        file.set_permissions(Permissions::from_mode(0o600))?;
        writeln!(file, "{}", secret.reveal())?;
        file.sync_all()?;
        rename(&begun, path)
    };
    written().with_context(|| format!("cannot write {}", path.display()))
}

/// Renames for good: the directory is on disk, too, when this returns.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    to.parent().map_or(Ok(()), |dir| File::open(dir)?.sync_all())
}
