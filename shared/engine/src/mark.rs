//! How far one sweep of one repository has been read: the mark, and its life in the store.

use crate::circle::Circle;
use crate::model::{Job, ScopeId, State, StateKey, Written};
use crate::ports::{Store, StoreError};
use crate::summary;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Everything up to `watermark` has been written. A sweep cut short leaves its `walk` and no watermark, so that
/// nothing is skipped.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Mark {
    /// The newest change seen when the last finished sweep began.
    pub watermark: Option<Timestamp>,
    /// What discovery had said of the sweep when the last finished one began: the same again means that nothing moved.
    pub done_for: Option<String>,
    pub finished_at: Option<Timestamp>,
    /// When the last finished sweep began: nothing that it read was read before.
    pub began_at: Option<Timestamp>,
    /// The sweep under way.
    pub walk: Option<Walk>,
    /// Smaller than usual after GitHub found a page too heavy; grows back.
    pub page_size: Option<u32>,
    pub not_before: Option<Timestamp>,
    /// Visits in a row that failed.
    pub failures: u32,
    /// Why it does not get on, if it does not.
    pub problem: Option<Problem>,
    /// Items that could not be read and why: missing until a later sweep can.
    pub missing: Vec<String>,
    /// GitHub's own total at the last page that told one.
    pub total: Option<u64>,
    /// Validator of the first page, for listings that are asked conditionally.
    pub etag: Option<Validator>,
    /// Living rows by entity, counted when the last finished sweep that wrote any ended.
    pub rows: BTreeMap<String, u64>,
    /// When that count began: of two sweeps that write one entity, the later has counted what both wrote.
    pub counted_at: Option<Timestamp>,
    /// What the sweep keeps for itself between walks.
    pub memo: Value,
    pub written: Tally,
    pub pages: u64,
    /// Spent on this sweep in all, by every visit that left word.
    pub spent: Cost,
    #[serde(skip)]
    pub revision: u64,
    /// The repository's summary as this visit last saw it.
    #[serde(skip)]
    pub(crate) noted: Option<State>,
}

/// An `ETag`, and whose token was answered with it: it is no other's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Remembered")]
pub struct Validator {
    pub etag: String,
    /// As keys name a token; empty where that was not kept yet, and then nobody's.
    pub by: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Remembered {
    Bare(String),
    Whole { etag: String, by: String },
}

impl From<Remembered> for Validator {
    fn from(remembered: Remembered) -> Self {
        match remembered {
            Remembered::Bare(etag) => Self { etag, by: String::new() },
            Remembered::Whole { etag, by } => Self { etag, by },
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Walk {
    /// Where to read on; its meaning is the sweep's own. Null at the start.
    pub position: Value,
    pub newest: Option<Timestamp>,
    pub hint: Option<String>,
    pub began: Option<Timestamp>,
    /// Reads everything, whatever the watermark says.
    pub full: bool,
    pub missing: Vec<String>,
    /// Requests' worth of pages so far, and when the last one was written.
    pub pages: u64,
    pub at: Option<Timestamp>,
    /// What they held, by entity.
    pub seen: BTreeMap<String, u64>,
    pub(crate) circle: Circle,
}

/// Rows written in all, by what happened to them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tally {
    pub created: u64,
    pub updated: u64,
    pub removed: u64,
}

/// What GitHub charged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Cost {
    /// Of both APIs; a REST request that is not answered 304 costs one unit of the REST budget.
    pub requests: u64,
    /// Of the GraphQL budget.
    pub points: u64,
}

impl Cost {
    pub(crate) fn of(spent: github::Spent) -> Self {
        Self { requests: spent.requests(), points: spent.points }
    }
}

impl std::ops::AddAssign for Cost {
    fn add_assign(&mut self, other: Self) {
        self.requests += other.requests;
        self.points += other.points;
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Problem {
    /// Short and stable, e.g. `blocked`.
    pub code: String,
    pub message: String,
    pub since: Timestamp,
    /// Whether trying again may mend it without anybody doing anything.
    pub passing: bool,
    /// Scopes or permissions one of which would do, where GitHub names them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs: Option<String>,
    /// Where people mend it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

impl std::ops::AddAssign<&Self> for Tally {
    fn add_assign(&mut self, other: &Self) {
        self.created += other.created;
        self.updated += other.updated;
        self.removed += other.removed;
    }
}

impl Tally {
    pub(crate) fn add(&mut self, written: Written) {
        self.created += written.created;
        self.updated += written.updated;
        self.removed += written.removed;
    }
}

/// The partition of everything we keep about a repository besides its records.
#[must_use]
pub(crate) fn partition(scope: ScopeId) -> String {
    format!("repo#{scope}")
}

pub(crate) fn key(job: &Job) -> StateKey {
    StateKey { of: partition(job.scope), name: format!("mark#{}", job.sweep) }
}

pub(crate) async fn read(store: &dyn Store, job: &Job) -> Result<Mark, StoreError> {
    let states = store.states(&[key(job)]).await?;
    Ok(states.into_iter().next().map(parse).unwrap_or_default())
}

/// A mark we cannot read (written by another version) is no mark: the sweep starts again and loses nothing.
pub(crate) fn parse(state: crate::State) -> Mark {
    let mut mark: Mark = serde_json::from_value(state.value).unwrap_or_default();
    mark.revision = state.revision;
    mark
}

/// Saves the mark if nobody has since it was read, and then what `status` reads of it.
pub(crate) async fn save(store: &dyn Store, job: &Job, mark: &mut Mark) -> Result<(), StoreError> {
    let value = serde_json::to_value(&*mark)
        .map_err(|source| StoreError::Broken { what: format!("the mark of {} cannot be written", job.sweep), source: source.into() })?;
    mark.revision = store.save(&key(job), mark.revision, &value).await?;
    summary::note(store, job, mark).await
}
