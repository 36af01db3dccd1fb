//! What a report's groups are made by: the traits of issues and pull requests, of commits, and of time. Counts nothing.

use super::question::Across;
use super::sheet::Cell;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// What issues and pull requests are grouped by.
pub(super) struct Traits<'a> {
    pub(super) repo: Option<&'a str>,
    pub(super) author: Option<&'a str>,
    pub(super) labels: &'a [String],
    pub(super) assignees: &'a [String],
    pub(super) milestone: Option<&'a str>,
    pub(super) created_at: Timestamp,
    /// When it was closed or merged, whichever the report is of.
    pub(super) ended_at: Option<Timestamp>,
}

/// The groups that it belongs to; none: it has no such trait. What is of no project or stage is in one group with all others.
pub(super) fn keys(of: &Traits<'_>, across: Across, zone: &TimeZone) -> Vec<Option<String>> {
    let one = |name: Option<&str>| vec![name.map(str::to_owned)];
    match across {
        Across::All | Across::Stage | Across::Project => one(None),
        Across::Repository => one(of.repo),
        Across::Creator => one(of.author),
        Across::Assignee => several(of.assignees),
        Across::Label => several(of.labels),
        Across::Milestone => one(of.milestone),
        Across::Week => vec![Some(week(of.created_at, zone))],
        Across::ClosedWeek => vec![of.ended_at.map(|at| week(at, zone))],
    }
}

fn several(names: &[String]) -> Vec<Option<String>> {
    if names.is_empty() {
        return vec![None];
    }
    let once: BTreeSet<&String> = names.iter().collect();
    once.into_iter().cloned().map(Some).collect()
}

/// The first cell of a group's row.
pub(super) fn named(name: Option<String>, across: Across) -> Cell {
    match (name, across) {
        (Some(name), _) => Cell::Text(name),
        (None, Across::All) => Cell::Text("all".to_owned()),
        (None, Across::Creator) => Cell::No("nobody known"),
        (None, Across::Assignee) => Cell::No("nobody"),
        (None, Across::Label) => Cell::No("no label"),
        (None, Across::Milestone) => Cell::No("no milestone"),
        (None, _) => Cell::No("none"),
    }
}

/// Weeks in their order; of the others, those with the most first.
pub(super) fn in_order<T>(groups: BTreeMap<Option<String>, T>, across: Across, counted: impl Fn(&T) -> u64) -> Vec<(Option<String>, T)> {
    let mut rows: Vec<(Option<String>, T)> = groups.into_iter().collect();
    if !across.is_a_week() {
        rows.sort_by(|(one, left), (other, right)| Reverse(counted(left)).cmp(&Reverse(counted(right))).then_with(|| one.cmp(other)));
    }
    rows
}

/// The ISO week, such as 2026-W05.
pub(super) fn week(at: Timestamp, zone: &TimeZone) -> String {
    let week = at.to_zoned(zone.clone()).date().iso_week_date();
    format!("{}-W{:02}", week.year(), week.week())
}

/// What the groups of commits are; days, weeks and months are those of UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    Everything,
    Repository,
    Author,
    Week,
    Month,
}

impl Of {
    pub(super) const NAMES: [&str; 5] = ["all", "repository", "author", "week", "month"];

    #[must_use]
    pub fn parse(name: &str) -> Self {
        let all = [Self::Everything, Self::Repository, Self::Author, Self::Week, Self::Month];
        Self::NAMES.iter().position(|one| *one == name).and_then(|at| all.get(at).copied()).unwrap_or(Self::Everything)
    }

    pub(super) fn cell(name: Option<&str>) -> Cell {
        name.map_or(Cell::No("nobody known"), |name| Cell::Text(name.to_owned()))
    }

    /// Weeks and months in their order; of the others, those with the most first.
    pub(super) fn in_order<T>(self, groups: HashMap<Option<Arc<str>>, T>, counted: impl Fn(&T) -> u64) -> Vec<(Option<Arc<str>>, T)> {
        let mut rows: Vec<_> = groups.into_iter().collect();
        let weight = |of: &T| if matches!(self, Self::Week | Self::Month) { Reverse(0) } else { Reverse(counted(of)) };
        rows.sort_by(|(one, left), (other, right)| weight(left).cmp(&weight(right)).then_with(|| one.cmp(other)));
        rows
    }
}

/// Names groups of commits: each day's week or month is made out once.
pub(super) struct Keys {
    of: Of,
    days: HashMap<i64, Arc<str>>,
    all: Arc<str>,
}

impl Keys {
    pub(super) fn new(of: Of) -> Self {
        Self { of, days: HashMap::new(), all: "all".into() }
    }

    /// None: nobody known made it.
    pub(super) fn of(&mut self, repo: &Arc<str>, author: Option<&Arc<str>>, at: Timestamp) -> Option<Arc<str>> {
        let day = at.as_second().div_euclid(24 * 3600);
        match self.of {
            Of::Everything => Some(self.all.clone()),
            Of::Repository => Some(repo.clone()),
            Of::Author => author.cloned(),
            Of::Week => Some(self.days.entry(day).or_insert_with(|| week(at, &TimeZone::UTC).into()).clone()),
            Of::Month => Some(self.days.entry(day).or_insert_with(|| at.strftime("%Y-%m").to_string().into()).clone()),
        }
    }
}
