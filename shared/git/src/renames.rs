//! Which of the files that were removed became which of those that were added, as `git log -M` finds them: the same
//! content first, then a base name that is unique on both sides at 75 % likeness, then the likest at 50 %. Reads
//! contents; counts no lines. <https://git-scm.com/docs/git-diff#Documentation/git-diff.txt--Mn>

use crate::Error;
use crate::contents::Content;
use crate::packs::Reader;
use crate::trees::{Difference, Side};
use std::cmp::Reverse;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher};

/// Likeness is counted in parts of this.
const ALL: u64 = 60_000;
const HALF: u64 = ALL / 2;
const THREE_QUARTERS: u64 = ALL / 4 * 3;
/// Of each added file, so many of the likest are considered.
const CANDIDATES: usize = 4;
/// Beyond so many pairs (1,000 by 1,000, `diff.renameLimit`), only the same content and unique names are looked for.
const MOST_PAIRS: usize = 1_000_000;
/// The longest part of a line that is compared as one.
const SPAN: usize = 64;

/// Pairs of places in `all`: removed, added.
pub(crate) fn find(reader: &mut Reader<'_>, all: &[Difference]) -> Result<Vec<(usize, usize)>, Error> {
    let place = |is: fn(&Difference) -> Option<Side>| -> Vec<File> {
        let files = all.iter().enumerate().filter(|(_, one)| one.before.is_none() || one.after.is_none());
        files.filter_map(|(at, one)| Some(File { at, side: is(one)?, name: base_name(&one.path).to_owned(), taken: false, spans: None })).collect()
    };
    let mut pairing = Pairing { reader, removed: place(|one| one.before), added: place(|one| one.after), found: Vec::new() };
    if !pairing.removed.is_empty() && !pairing.added.is_empty() {
        pairing.same_content();
        pairing.same_name()?;
        pairing.likest()?;
    }
    Ok(pairing.found)
}

/// Whether some pair can only be told by reading contents.
pub(crate) fn base_name(path: &[u8]) -> &[u8] {
    memchr::memrchr(b'/', path).map_or(path, |at| &path[at + 1..])
}

struct File {
    at: usize,
    side: Side,
    name: Vec<u8>,
    taken: bool,
    spans: Option<Spans>,
}

struct Pairing<'a, 'b> {
    reader: &'a mut Reader<'b>,
    removed: Vec<File>,
    added: Vec<File>,
    found: Vec<(usize, usize)>,
}

impl Pairing<'_, '_> {
    fn pair(&mut self, removed: usize, added: usize) {
        let (from, to) = (&mut self.removed[removed], &mut self.added[added]);
        (from.taken, to.taken) = (true, true);
        self.found.push((from.at, to.at));
    }

    fn same_content(&mut self) {
        let mut by_id: HashMap<gix_hash::ObjectId, Vec<usize>> = HashMap::new();
        for (at, file) in self.removed.iter().enumerate() {
            by_id.entry(file.side.id).or_default().push(at);
        }
        for added in 0..self.added.len() {
            let to = &self.added[added];
            let Some(same) = by_id.get(&to.side.id) else { continue };
            let free = same.iter().copied().filter(|at| !self.removed[*at].taken && self.removed[*at].side.is_alike(to.side));
            // The first of the same base name, else the first.
            let best = free.min_by_key(|at| self.removed[*at].name != to.name);
            if let Some(removed) = best {
                self.pair(removed, added);
            }
        }
    }

    fn same_name(&mut self) -> Result<(), Error> {
        fn unique(files: &[File]) -> HashMap<Vec<u8>, Option<usize>> {
            let mut names: HashMap<Vec<u8>, Option<usize>> = HashMap::new();
            for (at, file) in files.iter().enumerate().filter(|(_, file)| !file.taken) {
                names.entry(file.name.clone()).and_modify(|one| *one = None).or_insert(Some(at));
            }
            names
        }
        let (from, to) = (unique(&self.removed), unique(&self.added));
        for removed in 0..self.removed.len() {
            let name = &self.removed[removed].name;
            let (Some(Some(at)), Some(Some(added))) = (from.get(name), to.get(name)) else { continue };
            if *at == removed && !self.added[*added].taken && self.likeness(removed, *added, THREE_QUARTERS)? >= THREE_QUARTERS {
                self.pair(removed, *added);
            }
        }
        Ok(())
    }

    fn likest(&mut self) -> Result<(), Error> {
        let left = |files: &[File]| files.iter().enumerate().filter(|(_, file)| !file.taken).map(|(at, _)| at).collect::<Vec<_>>();
        let (removed, added) = (left(&self.removed), left(&self.added));
        if removed.len() * added.len() > MOST_PAIRS {
            return Ok(());
        }
        let mut candidates: Vec<Candidate> = Vec::new();
        for to in &added {
            let mut best: Vec<Candidate> = Vec::with_capacity(CANDIDATES);
            for from in &removed {
                let likeness = self.likeness(*from, *to, HALF)?;
                let candidate = Candidate { likeness, same_name: self.removed[*from].name == self.added[*to].name, removed: *from, added: *to };
                if best.len() < CANDIDATES {
                    best.push(candidate);
                } else if let Some(worst) = worst(&best)
                    && candidate.rank() > best[worst].rank()
                {
                    best[worst] = candidate;
                }
            }
            candidates.extend(best);
        }
        candidates.retain(|candidate| candidate.likeness >= HALF);
        candidates.sort_by_key(|candidate| Reverse(candidate.rank()));
        for candidate in candidates {
            if !self.removed[candidate.removed].taken && !self.added[candidate.added].taken {
                self.pair(candidate.removed, candidate.added);
            }
        }
        Ok(())
    }

    /// The bytes that both have, as a share of the longer one; 0 where the lengths alone say that it is under `least`.
    fn likeness(&mut self, removed: usize, added: usize, least: u64) -> Result<u64, Error> {
        let (from, to) = (self.removed[removed].side, self.added[added].side);
        if !from.is_file() || !to.is_file() {
            return Ok(0);
        }
        spans(self.reader, &mut self.removed[removed])?;
        spans(self.reader, &mut self.added[added])?;
        let (Some(from), Some(to)) = (&self.removed[removed].spans, &self.added[added].spans) else { return Ok(0) };
        let (longer, shorter) = (from.bytes.max(to.bytes), from.bytes.min(to.bytes));
        if to.bytes == 0 || longer * (ALL - least) < (longer - shorter) * ALL {
            return Ok(0);
        }
        Ok(from.common(to) * ALL / longer)
    }
}

fn worst(candidates: &[Candidate]) -> Option<usize> {
    (0..candidates.len()).min_by_key(|at| candidates[*at].rank())
}

#[derive(Clone, Copy)]
struct Candidate {
    likeness: u64,
    same_name: bool,
    removed: usize,
    added: usize,
}

impl Candidate {
    fn rank(&self) -> (u64, bool) {
        (self.likeness, self.same_name)
    }
}

/// A content as its parts: lines, or 64 bytes of longer ones, and how many bytes each part has in all.
struct Spans {
    bytes: u64,
    parts: Vec<(u64, u64)>,
}

impl Spans {
    fn of(content: &Content) -> Option<Self> {
        let data = content.bytes()?;
        let is_text = content.text().is_some();
        let mut parts: HashMap<u64, u64> = HashMap::new();
        let mut rest = data;
        let mut line = Vec::with_capacity(SPAN);
        while let Some((first, others)) = rest.split_first() {
            rest = others;
            // A carriage return before the newline is no part of a line of text.
            if is_text && *first == b'\r' && rest.first() == Some(&b'\n') {
                continue;
            }
            line.push(*first);
            if *first == b'\n' || line.len() == SPAN || rest.is_empty() {
                *parts.entry(hash(&line)).or_default() += u64::try_from(line.len()).unwrap_or(0);
                line.clear();
            }
        }
        let mut parts: Vec<(u64, u64)> = parts.into_iter().collect();
        parts.sort_unstable();
        Some(Self { bytes: u64::try_from(data.len()).unwrap_or(u64::MAX), parts })
    }

    fn common(&self, other: &Self) -> u64 {
        let mut theirs = other.parts.iter().peekable();
        let mut common = 0;
        for (part, bytes) in &self.parts {
            while theirs.next_if(|(their, _)| their < part).is_some() {}
            if let Some((_, their_bytes)) = theirs.next_if(|(their, _)| their == part) {
                common += bytes.min(their_bytes);
            }
        }
        common
    }
}

fn hash(line: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(line);
    hasher.finish()
}

fn spans(reader: &mut Reader<'_>, file: &mut File) -> Result<(), Error> {
    if file.spans.is_none() {
        file.spans = Spans::of(&Content::read(reader, file.side)?);
    }
    Ok(())
}
