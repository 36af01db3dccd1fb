//! A directory of Parquet files: one for each entity and bucket of repositories, replaced in one step where its rows are
//! others. Whoever reads finds each row once at any time. Reads no table.

use crate::file::{RowError, Rows};
use crate::journal::Journal;
use crate::manifest::{LAYOUT, Manifest, Question, Written};
use crate::{LakeError, views};
use engine::ScopeId;
use engine::entities::Entity;
use jiff::Timestamp;
use serde_json::{Map, Value};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

/// Repositories are spread over so many files an entity: few enough that none is tiny, many enough to be read in parallel,
/// and that a change does not replace all.
pub const BUCKETS: u64 = 16;

/// The bucket of a repository, organization or board.
#[must_use]
pub const fn bucket(scope: ScopeId) -> u64 {
    scope % BUCKETS
}

/// Whether a file had to be replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replaced {
    Yes,
    /// It has the same rows already, to the byte.
    No,
}

pub struct Lake {
    dir: PathBuf,
    question: Question,
    before: Option<Manifest>,
    journal: Journal,
    /// Held as long as we write.
    _lock: File,
}

/// A file that is being written, under a name that no reader takes.
pub struct Part<'a> {
    lake: &'a mut Lake,
    entity: &'static Entity,
    bucket: u64,
    name: String,
    path: PathBuf,
    unfinished: PathBuf,
    rows: Rows,
}

impl Lake {
    /// Makes the directory if it is not there, and goes on with an export of the same question that was broken off.
    pub fn open(dir: &Path, question: Question, now: Timestamp) -> Result<Self, LakeError> {
        let at = |path: PathBuf| move |source| LakeError::Output { path, source };
        std::fs::create_dir_all(dir).map_err(at(dir.to_owned()))?;
        let path = dir.join("lock");
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(at(path.clone()))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(LakeError::Busy { dir: dir.to_owned() }),
            Err(TryLockError::Error(source)) => return Err(at(path)(source)),
        }
        let before = Self::manifest(dir)?;
        let journal = Journal::open(dir.join("journal"), &question, before.as_ref().map(|manifest| manifest.as_of), now)?;
        Ok(Self { dir: dir.to_owned(), question, before, journal, _lock: lock })
    }

    /// What the last whole export into the directory came to.
    pub fn manifest(dir: &Path) -> Result<Option<Manifest>, LakeError> {
        let path = dir.join("manifest.json");
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(LakeError::Output { path, source }),
        };
        match serde_json::from_str::<Manifest>(&text) {
            Ok(manifest) if manifest.layout == LAYOUT => Ok(Some(manifest)),
            _ => Err(LakeError::Strange { path }),
        }
    }

    /// Since when the files are as the copy was.
    #[must_use]
    pub fn began_at(&self) -> Timestamp {
        self.journal.began_at
    }

    /// How many files are done already: more than none if an export was broken off.
    #[must_use]
    pub fn done(&self) -> usize {
        self.journal.done.len()
    }

    /// Whether the file of this bucket is done.
    #[must_use]
    pub fn has(&self, entity: &Entity, bucket: u64) -> bool {
        self.journal.done.contains_key(&name(entity, bucket))
    }

    /// Begins the file of one bucket.
    pub fn part(&mut self, entity: &'static Entity, bucket: u64) -> Result<Part<'_>, LakeError> {
        let name = name(entity, bucket);
        let path = self.dir.join(&name);
        let unfinished = path.with_extension("unfinished");
        let output = |source| LakeError::Output { path: unfinished.clone(), source };
        std::fs::create_dir_all(parent(&path)).map_err(output)?;
        let file = File::create(&unfinished).map_err(output)?;
        let rows = Rows::new(entity, file).map_err(|error| failure(&unfinished, error))?;
        Ok(Part { lake: self, entity, bucket, name, path, unfinished, rows })
    }

    /// There is nothing in this bucket, and so there is no file. The first one of each entity stays, so that it can be read
    /// as an empty table.
    pub fn empty(&mut self, entity: &'static Entity, bucket: u64) -> Result<Replaced, LakeError> {
        let name = name(entity, bucket);
        let path = self.dir.join(&name);
        let replaced = match std::fs::remove_file(&path) {
            Ok(()) => {
                sync(parent(&path))?;
                Replaced::Yes
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Replaced::No,
            Err(source) => return Err(LakeError::Output { path, source }),
        };
        self.journal.note(name, None)?;
        Ok(replaced)
    }

    /// Every file is written: says so, with the views beside, and forgets how it came.
    pub fn finish(self) -> Result<Manifest, LakeError> {
        let mut files = std::collections::BTreeMap::new();
        // What this export was not asked for stays as it was.
        for (name, written) in self.before.iter().flat_map(|before| &before.files) {
            if !self.journal.done.contains_key(name) {
                files.insert(name.clone(), written.clone());
            }
        }
        files.extend(self.journal.done.iter().filter_map(|(name, written)| Some((name.clone(), written.clone()?))));
        let manifest = Manifest { layout: LAYOUT, as_of: self.journal.began_at, question: self.question.clone(), files };
        let here = std::path::absolute(&self.dir).unwrap_or_else(|_| self.dir.clone());
        let sql = views::views(views::Dialect::DuckDb, &here.to_string_lossy(), &manifest);
        replace(&self.dir.join("views.sql"), sql.as_bytes())?;
        let text = serde_json::to_vec_pretty(&manifest).unwrap_or_default();
        replace(&self.dir.join("manifest.json"), &text)?;
        let journal = self.dir.join("journal");
        std::fs::remove_file(&journal).map_err(|source| LakeError::Output { path: journal, source })?;
        Ok(manifest)
    }
}

impl Part<'_> {
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows.rows
    }

    pub fn row(&mut self, row: &Map<String, Value>) -> Result<(), LakeError> {
        self.rows.push(row).map_err(|error| failure(&self.unfinished, error))
    }

    /// Puts the file in its place, if it differs from what is there.
    pub fn finish(self) -> Result<Replaced, LakeError> {
        let Self { lake, entity, bucket, name, path, unfinished, rows } = self;
        let rows = rows.finish().map_err(|error| failure(&unfinished, error))?;
        let output = |source| LakeError::Output { path: unfinished.clone(), source };
        if rows == 0 && bucket > 0 {
            std::fs::remove_file(&unfinished).map_err(output)?;
            return lake.empty(entity, bucket);
        }
        let bytes = unfinished.metadata().map_err(output)?.len();
        let known = lake.before.as_ref().and_then(|before| before.files.get(&name)).map(|written| written.changed_at);
        let same = alike(&unfinished, &path).map_err(output)?;
        if same {
            std::fs::remove_file(&unfinished).map_err(output)?;
        } else {
            std::fs::rename(&unfinished, &path).map_err(output)?;
            sync(parent(&path))?;
        }
        let read_at = lake.journal.began_at;
        let changed_at = known.filter(|_| same).unwrap_or(read_at);
        lake.journal.note(name, Some(Written { rows, bytes, read_at, changed_at }))?;
        Ok(if same { Replaced::No } else { Replaced::Yes })
    }
}

/// As partitions are named since Hive: DuckDB finds the buckets, and Athena is told how they are named.
pub(crate) fn name(entity: &Entity, bucket: u64) -> String {
    format!("{}/bucket={bucket:02}/rows.parquet", entity.name)
}

fn parent(path: &Path) -> &Path {
    path.parent().unwrap_or(path)
}

fn failure(path: &Path, error: RowError) -> LakeError {
    match error {
        RowError::Unfit(unfit) => LakeError::Unfit(unfit),
        RowError::Output(source) => LakeError::Output { path: path.to_owned(), source },
    }
}

/// A rename is durable once its directory is.
fn sync(dir: &Path) -> Result<(), LakeError> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(|source| LakeError::Output { path: dir.to_owned(), source })
}

fn replace(path: &Path, bytes: &[u8]) -> Result<(), LakeError> {
    let unfinished = path.with_extension("unfinished");
    let write = || {
        let mut file = File::create(&unfinished)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&unfinished, path)
    };
    write().map_err(|source| LakeError::Output { path: path.to_owned(), source })?;
    sync(parent(path))
}

/// Whether both are there and have the same bytes.
fn alike(one: &Path, other: &Path) -> std::io::Result<bool> {
    let other = match File::open(other) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    let one = File::open(one)?;
    if one.metadata()?.len() != other.metadata()?.len() {
        return Ok(false);
    }
    let (mut one, mut other) = (BufReader::with_capacity(1 << 16, one), BufReader::with_capacity(1 << 16, other));
    loop {
        let (left, right) = (one.fill_buf()?, other.fill_buf()?);
        let both = left.len().min(right.len());
        if both == 0 {
            return Ok(left.len() == right.len());
        }
        if left.get(..both) != right.get(..both) {
            return Ok(false);
        }
        one.consume(both);
        other.consume(both);
    }
}
