//! Which files differ between two trees. Knows names, modes and object names; looks into no file.

use crate::Error;
use crate::packs::Reader;
use gix_hash::ObjectId;
use gix_object::TreeRefIter;
use gix_object::tree::{EntryKind, EntryMode, EntryRef};
use std::cmp::Ordering;
use std::sync::Arc;

/// A file, link or submodule at one side of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Side {
    pub(crate) kind: EntryKind,
    pub(crate) id: ObjectId,
}

impl Side {
    pub(crate) fn is_file(self) -> bool {
        matches!(self.kind, EntryKind::Blob | EntryKind::BlobExecutable)
    }

    /// Whether both are files, or both links, or both submodules.
    pub(crate) fn is_alike(self, other: Self) -> bool {
        self.kind == other.kind || self.is_file() && other.is_file()
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Difference {
    pub(crate) path: Vec<u8>,
    pub(crate) before: Option<Side>,
    pub(crate) after: Option<Side>,
}

/// Whatever differs, in the order of its paths.
pub(crate) fn differences(reader: &mut Reader<'_>, before: Option<ObjectId>, after: ObjectId) -> Result<Vec<Difference>, Error> {
    let mut walk = Walk { reader, path: Vec::new(), found: Vec::new() };
    walk.compare(before, Some(after))?;
    Ok(walk.found)
}

struct Walk<'a, 'b> {
    reader: &'a mut Reader<'b>,
    path: Vec<u8>,
    found: Vec<Difference>,
}

impl Walk<'_, '_> {
    fn tree(&mut self, id: Option<ObjectId>) -> Result<Arc<[u8]>, Error> {
        id.map_or_else(|| Ok(Arc::from([])), |id| self.reader.get(&id))
    }

    fn compare(&mut self, before: Option<ObjectId>, after: Option<ObjectId>) -> Result<(), Error> {
        if before == after {
            return Ok(());
        }
        let (before, after) = (self.tree(before)?, self.tree(after)?);
        let mut before = Entries::of(&before)?;
        let mut after = Entries::of(&after)?;
        loop {
            let order = match (before.first, after.first) {
                (None, None) => return Ok(()),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(left), Some(right)) => by_name(&left, &right),
            };
            let left = if order.is_le() { before.take()? } else { None };
            let right = if order.is_ge() { after.take()? } else { None };
            self.pair(left, right)?;
        }
    }

    fn pair(&mut self, left: Option<EntryRef<'_>>, right: Option<EntryRef<'_>>) -> Result<(), Error> {
        if let (Some(left), Some(right)) = (&left, &right)
            && left.oid == right.oid
            && left.mode == right.mode
        {
            return Ok(());
        }
        let Some(name) = left.or(right).map(|entry| entry.filename) else { return Ok(()) };
        let length = self.path.len();
        self.path.extend_from_slice(name);
        let tree = |entry: Option<EntryRef<'_>>| entry.filter(|entry| entry.mode.is_tree()).map(|entry| entry.oid.to_owned());
        let file = |entry: Option<EntryRef<'_>>| entry.filter(|entry| !entry.mode.is_tree()).map(|entry| side(entry.mode, entry.oid));
        let (before, after) = (file(left), file(right));
        if before.is_some() || after.is_some() {
            self.found.push(Difference { path: self.path.clone(), before, after });
        } else {
            self.path.push(b'/');
            self.compare(tree(left), tree(right))?;
        }
        self.path.truncate(length);
        Ok(())
    }
}

fn side(mode: EntryMode, id: &gix_hash::oid) -> Side {
    Side { kind: mode.kind(), id: id.to_owned() }
}

/// Git orders a tree as if its folders' names ended with a slash, so that a file and a folder of one name are two things.
fn by_name(left: &EntryRef<'_>, right: &EntryRef<'_>) -> Ordering {
    let common = left.filename.len().min(right.filename.len());
    let next = |entry: &EntryRef<'_>| entry.filename.get(common).copied().or(entry.mode.is_tree().then_some(b'/'));
    left.filename[..common].cmp(&right.filename[..common]).then_with(|| next(left).cmp(&next(right)))
}

struct Entries<'a> {
    rest: TreeRefIter<'a>,
    first: Option<EntryRef<'a>>,
}

impl<'a> Entries<'a> {
    fn of(data: &'a [u8]) -> Result<Self, Error> {
        let mut entries = Self { rest: TreeRefIter::from_bytes(data, gix_hash::Kind::Sha1), first: None };
        entries.take()?;
        Ok(entries)
    }

    fn take(&mut self) -> Result<Option<EntryRef<'a>>, Error> {
        let next = self.rest.next().transpose().map_err(|error| Error::Broken(error.to_string()))?;
        Ok(std::mem::replace(&mut self.first, next))
    }
}
