//! What a directory of Parquet files holds: written last, so that a whole export is told from one that was broken off.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The layout of the files; a directory of another one is not written into.
pub(crate) const LAYOUT: u32 = 1;

/// What was asked for: only the same question goes on with what was broken off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// Which copy.
    pub of: String,
    pub entities: Vec<String>,
    /// Globs of repositories; empty for all.
    pub repos: Vec<String>,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    pub rows: u64,
    pub bytes: u64,
    /// The beginning of the export that last read its rows.
    pub read_at: Timestamp,
    /// The beginning of the export that last found other rows in the copy than in the file.
    pub changed_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    pub layout: u32,
    /// When the last export began: whatever was in the copy then is in the files that it was asked for.
    pub as_of: Timestamp,
    pub question: Question,
    /// By path below the directory.
    pub files: BTreeMap<String, Written>,
}
