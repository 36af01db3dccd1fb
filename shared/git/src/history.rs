//! What commits changed, several at once. Knows what a commit is; the work is done in `trees`, `renames` and `lines`.

use crate::contents::Content;
use crate::packs::{Packs, Reader};
use crate::trees::{self, Difference, Side};
use crate::{Error, lines, renames};
use gix_hash::ObjectId;
use gix_object::CommitRefIter;
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A file that a commit changed, against its first parent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What is not UTF-8 in it is replaced.
    pub path: String,
    /// Of a renamed file.
    pub previous_path: Option<String>,
    pub status: Status,
    /// Lines; 0 for what is not text.
    pub additions: u64,
    pub deletions: u64,
    /// Not text, or too large to be looked into: git tells no numbers.
    pub binary: bool,
}

/// Named as GitHub names them. <https://docs.github.com/en/rest/commits/commits#get-a-commit>
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Added,
    Removed,
    Modified,
    Renamed,
    /// Its mode or kind alone.
    Changed,
}

impl Status {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Modified => "modified",
            Self::Renamed => "renamed",
            Self::Changed => "changed",
        }
    }
}

/// A commit and what it changed.
#[derive(Debug)]
pub struct Changed {
    /// Seconds since 1970.
    pub committed_at: i64,
    pub files: Vec<Change>,
}

/// Commits and what is needed to compare them.
pub struct History<'a> {
    packs: Vec<&'a Packs>,
    threads: usize,
}

struct Commit {
    tree: ObjectId,
    parent: Option<ObjectId>,
    committed_at: i64,
}

/// How many commits a thread takes at a time: neighbours share trees.
const BLOCK: usize = 64;

impl<'a> History<'a> {
    /// Works with `threads` threads.
    #[must_use]
    pub fn of(packs: &[&'a Packs], threads: usize) -> Self {
        Self { packs: packs.to_vec(), threads: threads.max(1) }
    }

    /// What each of `commits` changed, in their order. Blocks. Neighbours should be near each other.
    #[must_use]
    pub fn changes(&self, commits: &[ObjectId]) -> Vec<Result<Changed, Error>> {
        self.each(commits, changes)
    }

    /// The contents that are not in the packs and that [`Self::changes`] would need. Blocks.
    pub fn wanting(&self, commits: &[ObjectId]) -> Vec<Result<BTreeSet<ObjectId>, Error>> {
        self.each(commits, |reader, id| {
            let (_, differences) = differences(reader, id)?;
            let sides = differences.iter().flat_map(|one| [one.before, one.after]).flatten();
            let blobs = sides.filter(|side| side.kind != gix_object::tree::EntryKind::Commit).map(|side| side.id);
            Ok(blobs.filter(|id| !reader.has(id)).collect())
        })
    }

    /// Newest first, as far as it is here: from `head` along all parents.
    pub fn walk(&self, head: ObjectId) -> Result<Vec<ObjectId>, Error> {
        let mut reader = Reader::new(&self.packs);
        let mut open = std::collections::BinaryHeap::new();
        let mut seen = std::collections::HashSet::from([head]);
        let (_, at) = parents(&mut reader, &head)?;
        open.push((at, head));
        let mut all = Vec::new();
        while let Some((_, id)) = open.pop() {
            all.push(id);
            for parent in parents(&mut reader, &id)?.0 {
                if seen.insert(parent) && reader.has(&parent) {
                    let (_, at) = parents(&mut reader, &parent)?;
                    open.push((at, parent));
                }
            }
        }
        Ok(all)
    }

    fn each<T: Send>(&self, commits: &[ObjectId], work: impl Fn(&mut Reader<'_>, &ObjectId) -> Result<T, Error> + Sync) -> Vec<Result<T, Error>> {
        let next = AtomicUsize::new(0);
        let blocks: Vec<&[ObjectId]> = commits.chunks(BLOCK).collect();
        let done: Vec<Mutex<Vec<Result<T, Error>>>> = blocks.iter().map(|_| Mutex::default()).collect();
        std::thread::scope(|scope| {
            for _ in 0..self.threads.min(blocks.len()) {
                scope.spawn(|| {
                    let mut reader = Reader::new(&self.packs);
                    loop {
                        let at = next.fetch_add(1, Ordering::Relaxed);
                        let (Some(block), Some(done)) = (blocks.get(at), done.get(at)) else { return };
                        let results = block.iter().map(|id| work(&mut reader, id)).collect();
                        *done.lock().unwrap_or_else(PoisonError::into_inner) = results;
                    }
                });
            }
        });
        done.into_iter().flat_map(|block| block.into_inner().unwrap_or_else(PoisonError::into_inner)).collect()
    }
}

fn broken(error: impl std::fmt::Display) -> Error {
    Error::Broken(error.to_string())
}

fn parents(reader: &mut Reader<'_>, id: &ObjectId) -> Result<(Vec<ObjectId>, i64), Error> {
    let data = reader.get(id)?;
    let commit = CommitRefIter::from_bytes(&data, gix_hash::Kind::Sha1);
    let at = commit.committer().map_err(broken)?.seconds();
    Ok((commit.parent_ids().collect(), at))
}

fn read(reader: &mut Reader<'_>, id: &ObjectId) -> Result<Commit, Error> {
    let data = reader.get(id)?;
    let mut commit = CommitRefIter::from_bytes(&data, gix_hash::Kind::Sha1);
    let committed_at = commit.committer().map_err(broken)?.seconds();
    let tree = commit.tree_id().map_err(broken)?;
    Ok(Commit { tree, parent: commit.parent_ids().next(), committed_at })
}

fn differences(reader: &mut Reader<'_>, id: &ObjectId) -> Result<(Commit, Vec<Difference>), Error> {
    let commit = read(reader, id)?;
    // A root is compared with nothing. Where history was cut, the parent is missing, and nothing can be said.
    let before = commit.parent.map(|parent| read(reader, &parent)).transpose()?.map(|parent| parent.tree);
    let differences = trees::differences(reader, before, commit.tree)?;
    Ok((commit, differences))
}

fn changes(reader: &mut Reader<'_>, id: &ObjectId) -> Result<Changed, Error> {
    let (commit, differences) = differences(reader, id)?;
    let mut from = vec![None; differences.len()];
    let mut gone = vec![false; differences.len()];
    for (removed, added) in renames::find(reader, &differences)? {
        from[added] = differences.get(removed);
        gone[removed] = true;
    }
    let mut files = Vec::with_capacity(differences.len());
    for (at, one) in differences.iter().enumerate().filter(|(at, _)| !gone[*at]) {
        files.push(change(reader, one, from[at])?);
    }
    Ok(Changed { committed_at: commit.committed_at, files })
}

fn change(reader: &mut Reader<'_>, one: &Difference, renamed: Option<&Difference>) -> Result<Change, Error> {
    let before = renamed.map_or(one.before, |from| from.before);
    let status = match (before, one.after) {
        (Some(_), _) if renamed.is_some() => Status::Renamed,
        (Some(before), Some(after)) if before.id == after.id || !before.is_alike(after) => Status::Changed,
        (Some(_), Some(_)) => Status::Modified,
        (None, _) => Status::Added,
        (_, None) => Status::Removed,
    };
    let text = |path: &[u8]| String::from_utf8_lossy(path).into_owned();
    let counted = count(reader, before, one.after)?;
    let (additions, deletions) = counted.unwrap_or_default();
    Ok(Change { path: text(&one.path), previous_path: renamed.map(|from| text(&from.path)), status, additions, deletions, binary: counted.is_none() })
}

/// Lines added and removed; none where there are no lines.
fn count(reader: &mut Reader<'_>, before: Option<Side>, after: Option<Side>) -> Result<Option<(u64, u64)>, Error> {
    if let (Some(before), Some(after)) = (before, after)
        && before.id == after.id
    {
        // Nothing to count, but whether there are lines at all.
        return Ok(Content::read(reader, after)?.text().map(|_| (0, 0)));
    }
    let mut read = |side: Option<Side>| side.map_or_else(|| Ok(Content::none()), |side| Content::read(reader, side));
    let (before, after) = (read(before)?, read(after)?);
    let (Some(before), Some(after)) = (before.text(), after.text()) else { return Ok(None) };
    Ok(Some(lines::count(before, after)))
}
