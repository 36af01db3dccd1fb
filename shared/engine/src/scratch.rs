//! Disk for git's packs, for as long as they are read: a folder of the process, emptied when it starts. Knows how much
//! room there is; nothing of what is in a pack.

use crate::model::ScopeId;
use git::Packs;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;

/// Where packs go, how many bytes they may take, and those that are there.
pub struct Scratch {
    directory: PathBuf,
    room: u64,
    next: AtomicU64,
    kept: Mutex<HashMap<ScopeId, Arc<Fetched>>>,
    /// Taking in a pack needs memory in proportion to it, and comparing commits needs the processors.
    pub(crate) fetching: Semaphore,
    pub(crate) comparing: Semaphore,
}

impl std::fmt::Debug for Scratch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scratch").field("directory", &self.directory).field("room", &self.room).finish_non_exhaustive()
    }
}

/// History as it was fetched.
#[derive(Debug)]
pub(crate) struct Fetched {
    pub(crate) packs: Packs,
    /// Where they are, for as long as they are read.
    pub(crate) _folder: Folder,
    /// Commits older than this, in seconds since 1970, were left out; none if it is whole.
    pub(crate) since: Option<i64>,
    pub(crate) without_contents: bool,
    /// On the disk.
    pub(crate) bytes: u64,
    /// Names of the commits that it leads back from.
    pub(crate) wants: Vec<String>,
}

/// Removed with all that is in it when nobody needs it any more.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(folder = %self.0.display(), %error, "a pack was left behind");
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        self.lock().clear();
        // Not there if nothing was ever fetched; not empty if somebody still reads.
        let _ = std::fs::remove_dir(&self.directory);
    }
}

impl Scratch {
    /// Takes `directory` for its own, and removes what a former process left in it.
    pub fn new(directory: &Path, room: u64) -> std::io::Result<Self> {
        if directory.exists() {
            std::fs::remove_dir_all(directory)?;
        }
        let kept = Mutex::default();
        Ok(Self { directory: directory.to_owned(), room, next: AtomicU64::new(0), kept, fetching: Semaphore::new(4), comparing: Semaphore::new(1) })
    }

    /// Bytes that all packs together may take.
    pub(crate) fn room(&self) -> u64 {
        self.room
    }

    pub(crate) fn folder(&self) -> std::io::Result<Folder> {
        let folder = self.directory.join(self.next.fetch_add(1, Ordering::Relaxed).to_string());
        std::fs::create_dir_all(&folder)?;
        Ok(Folder(folder))
    }

    pub(crate) fn get(&self, scope: ScopeId) -> Option<Arc<Fetched>> {
        self.lock().get(&scope).cloned()
    }

    pub(crate) fn keep(&self, scope: ScopeId, fetched: Fetched) -> Arc<Fetched> {
        let fetched = Arc::new(fetched);
        self.lock().insert(scope, fetched.clone());
        fetched
    }

    pub(crate) fn forget(&self, scope: ScopeId) {
        self.lock().remove(&scope);
    }

    /// Gives up what nobody reads just now, if the next one would find less than half of the room: who is between two
    /// pages would have to fetch again.
    pub(crate) fn make_room(&self) {
        let mut kept = self.lock();
        if kept.values().map(|fetched| fetched.bytes).sum::<u64>() > self.room / 2 {
            kept.retain(|_, fetched| Arc::strong_count(fetched) > 1);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<ScopeId, Arc<Fetched>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
