//! Every report there is: its name, what it tells, and what it can be told. The command, the console and the documents are
//! made of this list. A report is one file that has its `ENTRY`, and one line here.

use super::ask::{AskError, Asked};
use super::options::{COMMON, DAYS, HOLIDAYS, HOURS, Opt, Takes, ZONE};
use super::{
    Question, Sheet, StageReport, breadth, collaboration, commits, committers, cycle, days, density, hotspots, production, resolution, response, rework, size,
    stages, types,
};
use crate::ports::Rows;
use futures::future::BoxFuture;
use jiff::Timestamp;
use serde::{Serialize, Serializer};

pub struct Entry {
    pub name: &'static str,
    /// Former names, which still work.
    pub aliases: &'static [&'static str],
    pub title: &'static str,
    /// One sentence.
    pub about: &'static str,
    /// What groups can be made; the first is made unless told.
    pub across: &'static [&'static str],
    /// What it can be told beside what all can.
    pub(super) own: &'static [Opt],
    /// Whether it measures time, and so can be told business hours.
    pub(super) measures: bool,
    pub(super) run: Run,
}

pub(super) type Run = for<'a> fn(&'a dyn Rows, &'a Asked) -> BoxFuture<'a, Result<Answer, AskError>>;

/// The order in which they are listed.
pub static REPORTS: &[&Entry] = &[
    &stages::ENTRY,
    &response::ENTRY,
    &resolution::ENTRY,
    &cycle::ENTRY,
    &production::ENTRY,
    &collaboration::ENTRY,
    &size::ENTRY,
    &density::ENTRY,
    &commits::ENTRY,
    &committers::ENTRY,
    &days::ENTRY,
    &rework::ENTRY,
    &hotspots::ENTRY,
    &types::ENTRY,
    &breadth::ENTRY,
];

const BUSINESS: &[Opt] = &[ZONE, DAYS, HOURS, HOLIDAYS];

impl Entry {
    /// All that it can be told: its own, what all have, and the groups.
    pub fn options(&self) -> impl Iterator<Item = Opt> {
        let across = Opt { name: "across", takes: Takes::Choice(self.across), about: "What the groups are" };
        let hours = if self.measures { BUSINESS } else { &[] };
        let across = (!self.across.is_empty()).then_some(across);
        across.into_iter().chain(self.own.iter().copied()).chain(COMMON.iter().copied()).chain(hours.iter().copied())
    }
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// The report of this name.
pub fn entry(name: &str) -> Result<&'static Entry, AskError> {
    let found = REPORTS.iter().find(|entry| entry.name == name || entry.aliases.contains(&name));
    let there = || REPORTS.iter().map(|entry| entry.name).collect::<Vec<_>>().join(", ");
    found.copied().ok_or_else(|| AskError::NoReport { name: name.to_owned(), there: there() })
}

/// A report, whichever it is, with what was asked.
#[derive(Debug, Clone)]
pub enum Report {
    Stages(Box<(StageReport, Question)>),
    Cycle(Box<(super::CycleReport, Question)>),
    Times(Box<(super::TimesReport, Question)>),
    Sheet(Sheet),
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Stages(of) => of.0.serialize(to),
            Self::Cycle(of) => of.0.serialize(to),
            Self::Times(of) => of.0.serialize(to),
            Self::Sheet(sheet) => sheet.serialize(to),
        }
    }
}

#[derive(Debug, Clone)]
pub struct Answer {
    pub report: Report,
    /// Why there is nothing to count, and what to do about it.
    pub hint: Option<String>,
}

/// Loads what the report needs and computes it. `pairs` are names and values, as typed after the command or as
/// [`super::pairs`] reads them from an address.
pub async fn report(store: &dyn Rows, name: &str, pairs: &[(String, String)], now: Timestamp) -> Result<Answer, AskError> {
    let asked = Asked::parse(name, pairs, now)?;
    (asked.entry.run)(store, &asked).await
}
