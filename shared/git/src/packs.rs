//! Packs on disk: taking one in from a stream, and reading objects out of several. Knows nothing of what is in them.

use crate::Error;
use crate::recent::Recent;
use gix_hash::{Kind, ObjectId};
use gix_pack::Bundle;
use gix_pack::data::decode::header::ResolvedBase;
use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// Blobs larger than this are not looked into: nobody wrote their lines by hand.
pub(crate) const LARGEST_BLOB: u64 = 32 << 20;

/// Writes the pack that `stream` brings, and an index of it, into `directory`; none if there is nothing in it.
/// Blocks. `stop` ends it early.
pub fn receive(stream: &mut dyn BufRead, directory: &Path, stop: &AtomicBool) -> Result<Option<PathBuf>, Error> {
    // Whoever made the pack says how large its objects are: the fetcher has a gigabyte of memory in all.
    let alloc_limit_bytes = Some(256 << 20);
    let options = gix_pack::bundle::write::Options { thread_limit: Some(2), alloc_limit_bytes, ..Default::default() };
    let nothing_outside = None::<gix_object::find::Never>;
    let mut progress = gix_utils::progress::Discard;
    let written = Bundle::write_to_directory(stream, Some(directory), &mut progress, stop, nothing_outside, Kind::Sha1, options).map_err(broken)?;
    // It keeps git itself from clearing the pack away: there is no git here.
    if let Some(keep) = written.keep_path {
        let _ = std::fs::remove_file(keep);
    }
    Ok(written.index_path.filter(|_| written.index.num_objects > 0))
}

fn broken(error: impl std::fmt::Display) -> Error {
    Error::Broken(error.to_string())
}

/// The objects of several packs.
#[derive(Default)]
pub struct Packs {
    all: Vec<Bundle>,
}

impl std::fmt::Debug for Packs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Packs").field("count", &self.all.len()).finish()
    }
}

impl Packs {
    /// Adds a pack by its index.
    pub fn add(&mut self, index: &Path) -> Result<(), Error> {
        let mut bundle = Bundle::at(index, Kind::Sha1).map_err(broken)?;
        // By which objects at the same place of different packs are told apart.
        static NEXT: AtomicU32 = AtomicU32::new(0);
        bundle.pack.id = NEXT.fetch_add(1, Ordering::Relaxed);
        self.all.push(bundle);
        Ok(())
    }

    /// Adds every pack in `directory`.
    pub fn open(directory: &Path) -> Result<Self, Error> {
        let mut packs = Self::default();
        let mut indexes: Vec<PathBuf> = std::fs::read_dir(directory)?.filter_map(|entry| Some(entry.ok()?.path())).collect();
        indexes.retain(|path| path.extension().is_some_and(|extension| extension == "idx"));
        indexes.sort();
        for index in indexes {
            packs.add(&index)?;
        }
        Ok(packs)
    }
}

/// Reads objects, and remembers some. One for each thread.
pub(crate) struct Reader<'a> {
    packs: Vec<&'a Bundle>,
    recent: Recent,
    inflate: gix_zlib::Inflate,
    buffer: Vec<u8>,
    bases: gix_pack::cache::lru::MemoryCappedHashmap,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(packs: &[&'a Packs]) -> Self {
        Self {
            packs: packs.iter().flat_map(|packs| &packs.all).collect(),
            recent: Recent::new(32 << 20),
            inflate: gix_zlib::Inflate::default(),
            buffer: Vec::new(),
            bases: gix_pack::cache::lru::MemoryCappedHashmap::new(16 << 20),
        }
    }

    pub(crate) fn has(&self, id: &ObjectId) -> bool {
        self.packs.iter().any(|pack| pack.index.lookup(id).is_some())
    }

    pub(crate) fn get(&mut self, id: &ObjectId) -> Result<Arc<[u8]>, Error> {
        if let Some(found) = self.recent.get(id) {
            return Ok(found);
        }
        for pack in &self.packs {
            let found = pack.find(id, &mut self.buffer, &mut self.inflate, &mut self.bases).map_err(broken)?;
            if let Some((object, _)) = found {
                let data: Arc<[u8]> = object.data.into();
                self.recent.keep(*id, data.clone());
                return Ok(data);
            }
        }
        Err(Error::Missing(*id))
    }

    /// A blob's content; none if it is too large to be looked into.
    pub(crate) fn blob(&mut self, id: &ObjectId) -> Result<Option<Arc<[u8]>>, Error> {
        if let Some(found) = self.recent.get(id) {
            return Ok(Some(found));
        }
        for pack in &self.packs {
            let Some(place) = pack.index.lookup(id) else { continue };
            let entry = pack.pack.entry(pack.index.pack_offset_at_index(place)).map_err(broken)?;
            let base = |id: &gix_hash::oid| {
                let entry = pack.index.lookup(id).map(|place| pack.pack.entry(pack.index.pack_offset_at_index(place)));
                Ok(entry.transpose()?.map(ResolvedBase::InPack))
            };
            let header = pack.pack.decode_header(entry, &mut self.inflate, &base).map_err(broken)?;
            if header.object_size > LARGEST_BLOB {
                return Ok(None);
            }
            break;
        }
        self.get(id).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pack with an empty tree in it, as git makes it.
    const PACK: [u8; 41] =
        *b"PACK\0\0\0\x02\0\0\0\x01\x20\x78\x9c\x03\0\0\0\0\x01\xd3\xb1\xb7\xcf\x66\xad\x31\x7a\xb0\x8f\xb7\x81\xdb\xa8\xd8\xae\x68\xe1\xb2\0";

    #[test]
    fn damaged_packs_are_told() -> Result<(), Error> {
        let directory = std::env::temp_dir().join(format!("sei-github-packs-{}", std::process::id()));
        std::fs::create_dir_all(&directory)?;
        let whole = receive(&mut PACK.as_slice(), &directory, &AtomicBool::new(false))?;
        assert!(whole.is_some(), "an empty tree");
        let mut refused = 0;
        for at in 0..PACK.len() {
            let cut = PACK.get(..at).unwrap_or_default();
            let mut changed = PACK.to_vec();
            if let Some(byte) = changed.get_mut(at) {
                *byte ^= 0x55;
            }
            for mut bad in [cut, changed.as_slice()] {
                refused += usize::from(receive(&mut bad, &directory, &AtomicBool::new(false)).is_err());
            }
        }
        std::fs::remove_dir_all(&directory)?;
        assert_eq!(refused, 2 * PACK.len(), "each cut and each changed byte");
        Ok(())
    }
}
