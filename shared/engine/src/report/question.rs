//! What a report is asked: which items, grouped by what, until when, measured how. Computes nothing.

use super::cards::ItemKind;
use super::hours::Measure;
use super::range::Range;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeSet;

/// What the groups of a report are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Across {
    Stage,
    Project,
    Repository,
    Creator,
    Assignee,
    Label,
    Milestone,
    /// Of creation.
    Week,
    /// Of closing; for pull requests, of merging.
    ClosedWeek,
}

/// What is asked.
#[derive(Debug, Clone)]
pub struct Question {
    pub across: Across,
    pub created: Range,
    pub closed: Range,
    /// Stages that are left out; case does not matter.
    pub exclude: Vec<String>,
    pub kinds: BTreeSet<ItemKind>,
    pub now: Timestamp,
    pub measure: Measure,
}

impl Across {
    pub const NAMES: [&str; 9] = ["stage", "project", "repository", "creator", "assignee", "label", "milestone", "week", "closed-week"];

    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "stage" => Self::Stage,
            "project" => Self::Project,
            "repository" => Self::Repository,
            "creator" => Self::Creator,
            "assignee" => Self::Assignee,
            "label" => Self::Label,
            "milestone" => Self::Milestone,
            "week" => Self::Week,
            "closed-week" => Self::ClosedWeek,
            _ => return None,
        })
    }

    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES.get(self as usize).copied().unwrap_or("stage")
    }

    pub(super) fn is_a_week(self) -> bool {
        matches!(self, Self::Week | Self::ClosedWeek)
    }
}
