//! What a report of stages counts: items and the stages they stayed in. Computes nothing.

use crate::ports::{Store, StoreError};
use jiff::Timestamp;
use serde::Serialize;

/// An item of a project or, without a board, an issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    /// Title of the project or, without one, what the stages were made from.
    pub project: String,
    /// owner/name; none for a draft.
    pub repo: Option<String>,
    pub number: Option<u64>,
    pub kind: ItemKind,
    pub creator: Option<String>,
    pub labels: Vec<String>,
    pub assignees: Vec<String>,
    pub milestone: Option<String>,
    pub created_at: Timestamp,
    pub closed_at: Option<Timestamp>,
    /// In any order. They do not overlap; where there is none, the item was in no stage.
    pub stays: Vec<Stay>,
}

/// One interval, half-open: the start belongs to it, the end does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stay {
    /// None: on the board, with no value of the field.
    pub stage: Option<String>,
    pub start: Timestamp,
    /// None: still there.
    pub end: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemKind {
    Issue,
    PullRequest,
    Draft,
}

impl Card {
    /// As it was at this moment: what happened later had not happened yet.
    #[must_use]
    pub fn as_of(mut self, now: Timestamp) -> Option<Self> {
        if self.created_at > now {
            return None;
        }
        self.closed_at = self.closed_at.filter(|at| *at <= now);
        self.stays.retain(|stay| stay.start <= now);
        for stay in &mut self.stays {
            stay.end = stay.end.filter(|end| *end <= now);
        }
        Some(self)
    }
}

/// The items of every project, by the stages that `field` names.
pub async fn from_boards(store: &dyn Store, field: &str) -> Result<Vec<Card>, StoreError> {
    let _ = (store, field);
    Ok(Vec::new())
}
