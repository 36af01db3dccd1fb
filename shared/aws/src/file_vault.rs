//! Credentials in `credentials.json` of the data directory, for the owner's eyes only. Shows none of them.

use async_trait::async_trait;
use engine::{Credential, Kept, StoreError, Vault};
use serde::{Deserialize, Serialize};
use sha2::Digest;
use std::collections::BTreeMap;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

const FILE: &str = "credentials.json";
const OWNER_ONLY: u32 = 0o600;

/// By name of the integration.
#[derive(Default, Serialize, Deserialize)]
struct All(BTreeMap<String, Vec<Credential>>);

#[derive(Debug, Clone)]
pub struct FileVault {
    dir: PathBuf,
}

impl FileVault {
    /// The vault of this data directory; the file is made when something is kept.
    #[must_use]
    pub fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned() }
    }

    fn file(&self) -> PathBuf {
        self.dir.join(FILE)
    }

    fn broken(&self, why: &str) -> StoreError {
        StoreError::Broken { what: format!("{} {why}", self.file().display()), source: why.to_owned().into() }
    }

    fn all(&self) -> Result<All, StoreError> {
        let file = self.file();
        let mode = match std::fs::metadata(&file) {
            Ok(metadata) => metadata.permissions().mode(),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(All::default()),
            Err(error) => return Err(self.broken(&format!("cannot be read: {error}"))),
        };
        if mode & 0o077 != 0 {
            return Err(self.broken(&format!("may be read by others. Run `chmod 600 {}`, and renew what is in it if others use this machine", file.display())));
        }
        let text = std::fs::read(&file).map_err(|error| self.broken(&format!("cannot be read: {error}")))?;
        // Not what serde says: it repeats what it does not understand.
        serde_json::from_slice(&text)
            .map_err(|error| self.broken(&format!("is damaged at line {}, column {}. Mend it, or remove it and connect again", error.line(), error.column())))
    }

    /// Whole or not at all: others see the old file until the new one is on the disk.
    fn write(&self, all: &All) -> Result<(), StoreError> {
        let text = serde_json::to_vec_pretty(all).map_err(|error| self.broken(&error.to_string()))?;
        let temporary = self.dir.join(format!("{FILE}.new"));
        let done = || -> std::io::Result<()> {
            match std::fs::remove_file(&temporary) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let mut file = OpenOptions::new().write(true).create_new(true).mode(OWNER_ONLY).open(&temporary)?;
            file.write_all(&text)?;
            file.sync_all()?;
            std::fs::rename(&temporary, self.file())?;
            File::open(&self.dir)?.sync_all()
        };
        done().map_err(|error| self.broken(&format!("cannot be written: {error}. Nothing was changed")))
    }

    fn swap(&self, name: &str, seen: &str, credentials: &[Credential]) -> Result<String, StoreError> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.dir).map_err(|error| self.broken(&format!("cannot be written: {error}")))?;
        let lock = OpenOptions::new().create(true).truncate(false).write(true).mode(OWNER_ONLY).open(self.dir.join(format!("{FILE}.lock")));
        // Held until the end: two processes that replace at once do so one after the other.
        let lock = lock.and_then(|lock| lock.lock().map(|()| lock)).map_err(|error| self.broken(&format!("cannot be locked: {error}")))?;
        let mut all = self.all()?;
        if revision(all.0.get(name)) != seen {
            return Err(StoreError::Conflict);
        }
        if credentials.is_empty() {
            all.0.remove(name);
        } else {
            all.0.insert(name.to_owned(), credentials.to_vec());
        }
        self.write(&all)?;
        drop(lock);
        Ok(revision(all.0.get(name)))
    }
}

/// Follows from what is there, so that a change by hand is noticed, too.
fn revision(credentials: Option<&Vec<Credential>>) -> String {
    let Some(text) = credentials.and_then(|credentials| serde_json::to_vec(credentials).ok()) else { return String::new() };
    sha2::Sha256::digest(text).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

#[async_trait]
impl Vault for FileVault {
    async fn read(&self, name: &str) -> Result<Kept, StoreError> {
        let mut all = self.all()?;
        let revision = revision(all.0.get(name));
        Ok(Kept { credentials: all.0.remove(name).unwrap_or_default(), revision })
    }

    async fn replace(&self, name: &str, seen: &str, credentials: &[Credential]) -> Result<String, StoreError> {
        self.swap(name, seen, credentials)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that panics has failed, as it should")]
mod tests {
    use super::*;

    /// A vault in a directory of the test's own, which is removed at the end.
    struct Place(FileVault);

    impl Place {
        fn new(name: &str) -> Self {
            let dir = std::env::temp_dir().join(format!("sei-github-{name}-{}", std::process::id()));
            let _ = std::fs::remove_dir_all(&dir);
            Self(FileVault::new(&dir))
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0.dir);
        }
    }

    #[tokio::test]
    async fn what_is_replaced_is_there_for_the_owner_only_and_by_one_of_two() {
        let place = Place::new("swap");
        let vault = &place.0;
        let nothing = vault.read("acme").await.unwrap();
        assert_eq!(nothing, Kept::default());
        let (one, two) = ([Credential::token("canary-1")], [Credential::token("canary-2")]);
        let first = vault.replace("acme", &nothing.revision, &one).await.unwrap();
        assert!(matches!(vault.replace("acme", &nothing.revision, &two).await, Err(StoreError::Conflict)));
        vault.replace("other", "", &two).await.unwrap();
        assert_eq!(vault.read("acme").await.unwrap(), Kept { credentials: one.to_vec(), revision: first.clone() });
        assert_eq!(std::fs::metadata(vault.file()).unwrap().permissions().mode() & 0o777, OWNER_ONLY);
        vault.replace("acme", &first, &[]).await.unwrap();
        assert_eq!(vault.read("acme").await.unwrap(), nothing);
        assert_eq!(vault.read("other").await.unwrap().credentials, two);
    }

    #[tokio::test]
    async fn a_file_that_others_may_read_or_that_is_damaged_is_refused_and_not_shown() {
        let place = Place::new("mode");
        let vault = &place.0;
        vault.replace("acme", "", &[Credential::token("canary")]).await.unwrap();
        for mode in [0o640, 0o604, 0o660] {
            std::fs::set_permissions(vault.file(), std::fs::Permissions::from_mode(mode)).unwrap();
            let told = vault.read("acme").await.unwrap_err().to_string();
            assert!(told.contains("chmod 600") && !told.contains("canary"), "{told}");
        }
        std::fs::set_permissions(vault.file(), std::fs::Permissions::from_mode(OWNER_ONLY)).unwrap();
        std::fs::write(vault.file(), r#"{"acme": [{"kind": "canary"}]}"#).unwrap();
        let told = vault.read("acme").await.unwrap_err();
        assert!(told.to_string().contains("line 1") && !format!("{told} {told:?}").contains("canary"), "{told:?}");
    }
}
