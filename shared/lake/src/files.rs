//! An exported directory, read as the rows that reports are made of. Decodes what is asked for alone, a row group at a time;
//! writes nothing.

use crate::decode::{At, Group};
use crate::manifest::Manifest;
use crate::{BUCKETS, Lake, LakeError};
use async_trait::async_trait;
use engine::entities::{Entity, REPOSITORIES};
use engine::export::has_repo;
use engine::{Listed, Listing, Rows, ScopeId, Show, Shown, StoreError, Stored, Version};
use parquet::file::reader::FileReader;
use parquet::file::serialized_reader::SerializedFileReader;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Row groups that are kept decoded: reports read four parts of an entity at once.
const KEPT: usize = 5;

/// Cheap to clone; clones share what is decoded.
#[derive(Clone)]
pub struct Files(Arc<Inner>);

/// Their rows, by id.
type Repositories = Vec<(ScopeId, Map<String, Value>)>;

struct Inner {
    dir: PathBuf,
    manifest: Manifest,
    repositories: Repositories,
    indexes: Mutex<HashMap<(&'static str, u64), Arc<Index>>>,
    decoded: Mutex<Vec<(Key, Arc<Group>)>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Key {
    entity: &'static str,
    bucket: u64,
    group: usize,
    only: Vec<String>,
}

/// What a file has where.
struct Index {
    path: PathBuf,
    /// The first row of each group, and how many there are.
    starts: Vec<usize>,
    scopes: BTreeMap<ScopeId, Range<usize>>,
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Files {
    /// What the last whole export into the directory left there.
    pub fn open(dir: &Path) -> Result<Self, LakeError> {
        let manifest = Lake::manifest(dir)?.ok_or_else(|| LakeError::Nothing { dir: dir.to_owned() })?;
        let mut inner = Inner { dir: dir.to_owned(), manifest, repositories: Vec::new(), indexes: Mutex::default(), decoded: Mutex::default() };
        inner.repositories = inner.repositories()?;
        Ok(Self(Arc::new(inner)))
    }
}

impl Inner {
    fn path(&self, entity: &Entity, bucket: u64) -> Option<PathBuf> {
        let name = crate::directory::name(entity, bucket);
        self.manifest.files.contains_key(&name).then(|| self.dir.join(name))
    }

    fn repositories(&self) -> Result<Repositories, LakeError> {
        let mut all = Vec::new();
        for bucket in 0..BUCKETS {
            let Some(path) = self.path(&REPOSITORIES, bucket) else { continue };
            let read = || -> Result<(), parquet::errors::ParquetError> {
                let file = SerializedFileReader::new(File::open(&path)?)?;
                for group in 0..file.num_row_groups() {
                    let group = Group::decode(&file, group, &REPOSITORIES, &[])?;
                    all.extend((0..group.rows).map(|at| group.row(at)).filter_map(|row| Some((row.get("id")?.as_u64()?, row))));
                }
                Ok(())
            };
            let mut read = read;
            read().map_err(|source| LakeError::Input { path: path.clone(), source: Box::new(source) })?;
        }
        all.sort_by_key(|(id, _)| *id);
        Ok(all)
    }

    /// None: the directory has no such file.
    fn index(&self, entity: &'static Entity, bucket: u64) -> Result<Option<Arc<Index>>, LakeError> {
        let Some(path) = self.path(entity, bucket) else { return Ok(None) };
        if let Some(known) = lock(&self.indexes).get(&(entity.name, bucket)) {
            return Ok(Some(known.clone()));
        }
        let index = self.read_index(entity, bucket, &path).map_err(|source| LakeError::Input { path, source: Box::new(source) })?;
        let index = Arc::new(index);
        lock(&self.indexes).insert((entity.name, bucket), index.clone());
        Ok(Some(index))
    }

    fn read_index(&self, entity: &'static Entity, bucket: u64, path: &Path) -> Result<Index, parquet::errors::ParquetError> {
        let file = SerializedFileReader::new(File::open(path)?)?;
        let (mut starts, mut rows) = (vec![0], 0);
        let mut scopes: BTreeMap<ScopeId, Range<usize>> = BTreeMap::new();
        let ids: HashMap<&str, ScopeId> = self.repositories.iter().filter_map(|(id, row)| Some((row.get("full_name")?.as_str()?, *id))).collect();
        for place in 0..file.num_row_groups() {
            let begins = rows;
            if has_repo(entity) {
                let group = Group::decode(&file, place, entity, &["repo"])?;
                // Of one repository after the other.
                let mut last: Option<(&str, Option<ScopeId>)> = None;
                for (at, name) in group.texts("repo").enumerate() {
                    let name = name.unwrap_or_default();
                    if last.is_none_or(|(known, _)| known != name) {
                        last = Some((name, ids.get(name).copied()));
                    }
                    if let Some((_, Some(id))) = last {
                        let range = scopes.entry(id).or_insert(begins + at..begins + at);
                        range.end = begins + at + 1;
                    }
                }
                rows += group.rows;
            } else {
                rows += usize::try_from(file.metadata().row_group(place).num_rows()).unwrap_or(0);
            }
            starts.push(rows);
        }
        // Rows that belong to no repository are of no scope that can be told any more: all of a file are of one.
        if !has_repo(entity) && rows > 0 {
            scopes.insert(bucket, 0..rows);
        }
        Ok(Index { path: path.to_owned(), starts, scopes })
    }

    fn group(&self, index: &Index, key: Key, entity: &'static Entity, only: &[&str]) -> Result<Arc<Group>, LakeError> {
        {
            let mut kept = lock(&self.decoded);
            if let Some(place) = kept.iter().position(|(one, _)| *one == key) {
                // What was asked for last goes last.
                let known = kept.remove(place);
                let group = known.1.clone();
                kept.push(known);
                return Ok(group);
            }
        }
        // Opened again: whoever shares a file shares the place where it is read.
        let decode = || Group::decode(&SerializedFileReader::new(File::open(&index.path)?)?, key.group, entity, only);
        let decoded = decode().map_err(|source| LakeError::Input { path: index.path.clone(), source: Box::new(source) })?;
        let decoded = Arc::new(decoded);
        let mut kept = lock(&self.decoded);
        if kept.len() >= KEPT {
            kept.remove(0);
        }
        kept.push((key, decoded.clone()));
        Ok(decoded)
    }

    fn list(&self, entity: &'static Entity, asked: &Asked) -> Result<Listed, LakeError> {
        let bucket = if has_repo(entity) { crate::bucket(asked.scope) } else { asked.scope };
        let Some(index) = self.index(entity, bucket)? else { return Ok(Listed::default()) };
        let Some(range) = index.scopes.get(&asked.scope).cloned() else { return Ok(Listed::default()) };
        let after = asked.after.as_deref().map(|key| range.start + place(key, range.len(), asked.backward));
        let (from, until) = if asked.backward {
            let until = after.unwrap_or(range.end).clamp(range.start, range.end);
            (until.saturating_sub(asked.limit).max(range.start), until)
        } else {
            let from = after.unwrap_or(range.start).clamp(range.start, range.end);
            (from, (from + asked.limit).min(range.end))
        };
        let only: Vec<&str> = asked.only.iter().map(String::as_str).collect();
        let mut rows = Vec::with_capacity(until - from);
        let mut at = from;
        while at < until {
            let group = index.starts.partition_point(|start| *start <= at).saturating_sub(1);
            let (Some(start), Some(end)) = (index.starts.get(group), index.starts.get(group + 1)) else { break };
            let decoded = self.group(&index, Key { entity: entity.name, bucket, group, only: asked.only.clone() }, entity, &only)?;
            for row in at..until.min(*end) {
                rows.push(stored(asked.scope, key(row - range.start, range.len()), decoded.row(row - start)));
            }
            at = until.min(*end);
        }
        if asked.backward {
            rows.reverse();
        }
        let more = if asked.backward { from > range.start } else { until < range.end };
        Ok(Listed { rows, more })
    }
}

impl Inner {
    /// Shows what is left of the row group that the first row asked for is in, and tells the key of the last row shown if there are more.
    fn show(&self, entity: &'static Entity, asked: &Asked, until: Option<&str>, show: &mut Show) -> Result<Shown, LakeError> {
        let bucket = if has_repo(entity) { crate::bucket(asked.scope) } else { asked.scope };
        let Some(index) = self.index(entity, bucket)? else { return Ok(Shown::default()) };
        let Some(range) = index.scopes.get(&asked.scope).cloned() else { return Ok(Shown::default()) };
        let from = range.start + asked.after.as_deref().map_or(0, |key| place(key, range.len(), false));
        let until = range.start + until.map_or(range.len(), |key| place(key, range.len(), false));
        let group = index.starts.partition_point(|start| *start <= from).saturating_sub(1);
        let (Some(start), Some(end)) = (index.starts.get(group), index.starts.get(group + 1)) else { return Ok(Shown::default()) };
        let end = until.min(*end);
        if from >= end {
            return Ok(Shown::default());
        }
        let only: Vec<&str> = asked.only.iter().map(String::as_str).collect();
        let decoded = self.group(&index, Key { entity: entity.name, bucket, group, only: asked.only.clone() }, entity, &only)?;
        (from..end).for_each(|row| show(&At(&decoded, row - start)));
        Ok(Shown { next: (end < until).then(|| key(end - 1 - range.start, range.len())) })
    }
}

/// What is listed, to be handed to another thread.
struct Asked {
    scope: ScopeId,
    after: Option<String>,
    limit: usize,
    backward: bool,
    only: Vec<String>,
}

impl Asked {
    fn of(listing: &Listing<'_>) -> Self {
        Self {
            scope: listing.scope,
            after: listing.after.map(str::to_owned),
            limit: listing.limit,
            backward: listing.backward,
            only: listing.only.iter().map(|name| (*name).to_owned()).collect(),
        }
    }
}

fn broken_off(error: tokio::task::JoinError) -> StoreError {
    StoreError::Unavailable { what: "reading files was broken off".to_owned(), source: error.into() }
}

/// Files have no keys: each row gets one that is in their order and spread evenly over hexadecimal digits, as hashes are, so
/// that reading in parts pays. The first half is where it is among all, the second its place.
fn key(at: usize, of: usize) -> String {
    format!("{:08x}{at:08x}", (at << 32) / of.max(1))
}

/// How many rows' keys are not greater than `bound`, or smaller: it may be of another entity, or a part of one.
fn place(bound: &str, of: usize, smaller: bool) -> usize {
    let (mut low, mut high) = (0, of);
    while low < high {
        let middle = usize::midpoint(low, high);
        let key = key(middle, of);
        if key.as_str() < bound || key == bound && !smaller { low = middle + 1 } else { high = middle }
    }
    low
}

fn stored(scope: ScopeId, key: String, fields: Map<String, Value>) -> Stored {
    Stored { scope, key, version: Version(String::new()), gone: false, fields }
}

impl From<LakeError> for StoreError {
    fn from(error: LakeError) -> Self {
        Self::Broken { what: error.to_string(), source: Box::new(error) }
    }
}

#[async_trait]
impl Rows for Files {
    async fn list(&self, listing: &Listing<'_>) -> Result<Listed, StoreError> {
        if listing.entity == &REPOSITORIES {
            // Few enough to be at hand, and known by their ids.
            let rows = self.0.repositories.iter().map(|(id, row)| stored(0, format!("{id:012}"), row.clone()));
            return Ok(Listed { rows: rows.filter(|row| listing.after.is_none_or(|after| row.key.as_str() > after)).collect(), more: false });
        }
        let (inner, entity, asked) = (self.0.clone(), listing.entity, Asked::of(listing));
        // On a worker, not on a thread of its own: each thread's allocator keeps what it once had.
        let listed = tokio::spawn(async move { inner.list(entity, &asked) }).await;
        Ok(listed.map_err(broken_off)??)
    }

    async fn show(&self, listing: &Listing<'_>, until: Option<&str>, mut show: Show) -> Result<(Show, Shown), StoreError> {
        let (inner, entity, asked) = (self.0.clone(), listing.entity, Asked::of(listing));
        let until = until.map(str::to_owned);
        let shown = tokio::spawn(async move { inner.show(entity, &asked, until.as_deref(), &mut show).map(|shown| (show, shown)) }).await;
        Ok(shown.map_err(broken_off)??)
    }

    async fn scopes(&self, entity: &'static Entity) -> Result<Vec<ScopeId>, StoreError> {
        if entity == &REPOSITORIES {
            return Ok(vec![0]);
        }
        let mut scopes = Vec::new();
        for bucket in 0..BUCKETS {
            let index = self.0.index(entity, bucket)?;
            scopes.extend(index.iter().flat_map(|index| index.scopes.keys().copied()));
        }
        Ok(scopes)
    }

    fn computed(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::{key, place};

    #[test]
    fn keys_are_in_the_order_of_rows_and_every_part_of_a_key_divides_them() {
        for of in [1, 2, 3, 7, 16, 1000, 4097] {
            let keys: Vec<String> = (0..of).map(|at| key(at, of)).collect();
            assert!(keys.is_sorted());
            for (at, key) in keys.iter().enumerate() {
                assert_eq!((place(key, of, false), place(key, of, true)), (at + 1, at));
            }
            for bound in ["4", "8", "c", "0000000100000000", "ffffffff", "0", "80000000ffffffff"] {
                let after = keys.iter().position(|key| key.as_str() > bound).unwrap_or(of);
                assert_eq!(place(bound, of, false), after, "{bound} of {of}");
            }
        }
    }
}
