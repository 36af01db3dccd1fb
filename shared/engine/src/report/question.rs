//! What a report is asked: which items, grouped by what, until when, measured how. Computes nothing.

use super::ask::{AskError, Asked, wrong};
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
    /// One group.
    All,
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

impl Question {
    /// `closed` is what the range of the end is called.
    pub(super) fn of(asked: &Asked, closed: &'static str) -> Result<Self, AskError> {
        let measure = asked.measure()?;
        let zone = measure.zone();
        let kinds = asked.all("kind").iter().map(|name| kind(name)).collect::<Result<_, _>>()?;
        Ok(Self {
            across: Across::parse(asked.across()).unwrap_or(Across::Stage),
            created: asked.range("created", &zone)?,
            closed: asked.range(closed, &zone)?,
            exclude: asked.all("exclude-stage"),
            kinds,
            now: asked.now,
            measure,
        })
    }
}

pub(super) fn kind(name: &str) -> Result<ItemKind, AskError> {
    match name {
        "issue" => Ok(ItemKind::Issue),
        "pull-request" => Ok(ItemKind::PullRequest),
        "draft" => Ok(ItemKind::Draft),
        other => Err(wrong("kind", format!("`{other}` is not a kind. There are: issue, pull-request, draft"))),
    }
}

impl Across {
    const NAMES: [&str; 10] = ["stage", "project", "repository", "creator", "assignee", "label", "milestone", "week", "closed-week", "all"];

    /// Those that cards have.
    pub(super) const OF_CARDS: [&str; 9] = ["stage", "project", "repository", "creator", "assignee", "label", "milestone", "week", "closed-week"];

    /// Those that pull requests have: they belong to no project, and their steps are the stages.
    pub(super) const OF_PULLS: [&str; 8] = ["stage", "repository", "creator", "assignee", "label", "milestone", "week", "closed-week"];

    /// Those of reports that know no stage.
    pub(super) const OF_ITEMS: [&str; 8] = ["all", "repository", "creator", "assignee", "label", "milestone", "week", "closed-week"];

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
            "all" => Self::All,
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
