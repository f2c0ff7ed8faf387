//! The master key: where it is kept, whether it is the right one, and how it is replaced.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use crate::kit::private_file;
use crate::kit::secret::{MasterKey, Sealed, Sealer, Secret};

const OWNER: &str = "key_check";
const TEXT: &str = "presence-portal";

/// `master.key` in the data directory: made for the embedded database, and only for it.
#[derive(Clone, Debug)]
pub struct KeyFile(PathBuf);

impl KeyFile {
    pub fn within(data_dir: &Path) -> Self {
        Self(data_dir.join("master.key"))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The key that opens the database. One is made only while nothing has been sealed yet.
    pub fn key(&self, check: Option<&Sealed>) -> anyhow::Result<MasterKey> {
        let kept = read(&self.0)?;
        let Some(check) = check else {
            return kept.map_or_else(|| self.make(), Ok);
        };
        if let Some(key) = kept.as_ref().filter(|key| opens(key, check)) {
            return Ok(key.clone());
        }
        // A rekey that was cut short after the database had taken the new key.
        if let Some(key) = read(&self.next())?.filter(|key| opens(key, check)) {
            self.take_next()?;
            return Ok(key);
        }
        let file = self.0.display();
        match kept {
            Some(_) => bail!(
                "The master key in {file} is not the one this database was sealed with. Put the \
                 right one back; nothing was changed."
            ),
            None => bail!(
                "The master key {file} is gone, and this database was sealed with it. Put it \
                 back from a backup; nothing was changed."
            ),
        }
    }

    fn make(&self) -> anyhow::Result<MasterKey> {
        let key = MasterKey::random();
        write(&self.0, &key)?;
        Ok(key)
    }

    /// Puts the next key beside the present one, before anything is sealed with it.
    pub fn keep_next(&self, key: &MasterKey) -> anyhow::Result<()> {
        write(&self.next(), key)
    }

    /// Puts the next key in the place of the present one.
    pub fn take_next(&self) -> anyhow::Result<()> {
        private_file::rename(&self.next(), &self.0)
            .with_context(|| format!("cannot replace {}", self.0.display()))
    }

    fn next(&self) -> PathBuf {
        self.0.with_extension("key.next")
    }
}

/// The text that tells this key from another.
pub fn seal_check(sealer: &Sealer) -> anyhow::Result<Sealed> {
    sealer.seal(OWNER, &Secret::new(TEXT))
}

/// Whether the database was sealed with this key.
pub fn opens(key: &MasterKey, check: &Sealed) -> bool {
    Sealer::new(key).open(OWNER, check).is_ok_and(|text| text.reveal() == TEXT)
}

fn read(path: &Path) -> anyhow::Result<Option<MasterKey>> {
    private_file::read(path)?
        .map(|text| MasterKey::parse(text.reveal()))
        .transpose()
        .with_context(|| format!("{} does not hold a master key", path.display()))
}

fn write(path: &Path, key: &MasterKey) -> anyhow::Result<()> {
    private_file::write(path, &Secret::new(key.reveal()))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn sealed_with(key: &MasterKey) -> Sealed {
        seal_check(&Sealer::new(key)).unwrap()
    }

    #[test]
    fn a_key_is_made_once_and_for_its_owner_only() {
        let dir = tempfile::tempdir().unwrap();
        let file = KeyFile::within(dir.path());
        let made = file.key(None).unwrap();
        assert_eq!(file.key(Some(&sealed_with(&made))).unwrap().reveal(), made.reveal());
        let rights = fs::metadata(file.path()).unwrap().permissions().mode();
        assert_eq!(rights & 0o777, 0o600);
    }

    #[test]
    fn another_key_and_a_lost_one_are_refused_and_none_is_made() {
        let dir = tempfile::tempdir().unwrap();
        let file = KeyFile::within(dir.path());
        let check = sealed_with(&MasterKey::random());
        assert!(file.key(Some(&check)).unwrap_err().to_string().contains("is gone"));
        assert!(!file.path().exists());
        file.make().unwrap();
        let refusal = file.key(Some(&check)).unwrap_err().to_string();
        assert!(refusal.contains("not the one"), "{refusal}");
    }

    #[test]
    fn a_rekey_that_was_cut_short_is_finished() {
        let dir = tempfile::tempdir().unwrap();
        let file = KeyFile::within(dir.path());
        let (old, new) = (file.make().unwrap(), MasterKey::random());
        file.keep_next(&new).unwrap();
        assert_eq!(file.key(Some(&sealed_with(&old))).unwrap().reveal(), old.reveal());
        assert_eq!(file.key(Some(&sealed_with(&new))).unwrap().reveal(), new.reveal());
        assert_eq!(file.key(Some(&sealed_with(&new))).unwrap().reveal(), new.reveal());
    }
}
