//! How far an export has come, a line for each file that is done, so that one that was killed goes on there.

use crate::LakeError;
use crate::manifest::{Question, Written};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

/// What was broken off longer ago is begun anew: its first files would be old.
const GOOD_FOR: SignedDuration = SignedDuration::from_hours(24);

#[derive(Serialize, Deserialize)]
struct Head {
    began_at: Timestamp,
    question: Question,
}

#[derive(Serialize, Deserialize)]
struct Line {
    path: String,
    /// None: there is no such file any more.
    written: Option<Written>,
}

pub(crate) struct Journal {
    path: PathBuf,
    file: File,
    pub(crate) began_at: Timestamp,
    pub(crate) done: BTreeMap<String, Option<Written>>,
}

impl Journal {
    /// Goes on with an export of the same question, unless it was finished, or begins one now.
    pub(crate) fn open(path: PathBuf, question: &Question, finished: Option<Timestamp>, now: Timestamp) -> Result<Self, LakeError> {
        let output = |source| LakeError::Output { path: path.clone(), source };
        if let Some((head, done)) = read(&path)
            && head.question == *question
            && Some(head.began_at) != finished
            && now.duration_since(head.began_at) < GOOD_FOR
        {
            // Its last line may have been cut short: whatever is not understood is written again.
            let mut journal = Self::begin(path.clone(), question, head.began_at).map_err(output)?;
            for (path, written) in done {
                journal.note(path, written)?;
            }
            return Ok(journal);
        }
        Self::begin(path.clone(), question, now).map_err(output)
    }

    fn begin(path: PathBuf, question: &Question, began_at: Timestamp) -> std::io::Result<Self> {
        let head = serde_json::to_string(&Head { began_at, question: question.clone() })?;
        let mut file = OpenOptions::new().create(true).write(true).truncate(true).open(&path)?;
        writeln!(file, "{head}")?;
        file.sync_all()?;
        Ok(Self { path, file, began_at, done: BTreeMap::new() })
    }

    /// This file is done.
    pub(crate) fn note(&mut self, path: String, written: Option<Written>) -> Result<(), LakeError> {
        let line = Line { path: path.clone(), written: written.clone() };
        let noted =
            serde_json::to_string(&line).map_err(std::io::Error::from).and_then(|line| writeln!(self.file, "{line}")).and_then(|()| self.file.sync_data());
        noted.map_err(|source| LakeError::Output { path: self.path.clone(), source })?;
        self.done.insert(path, written);
        Ok(())
    }
}

fn read(path: &Path) -> Option<(Head, BTreeMap<String, Option<Written>>)> {
    let text = std::fs::read_to_string(path).ok()?;
    let (head, lines) = text.split_once('\n')?;
    let lines = lines.lines().map_while(|line| serde_json::from_str::<Line>(line).ok());
    Some((serde_json::from_str(head).ok()?, lines.map(|line| (line.path, line.written)).collect()))
}
