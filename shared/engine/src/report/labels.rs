//! Makes stages for issues without a board: from labels that begin with a prefix, or from open and closed. Reads rows of
//! issues and their events, and changes nothing.

use super::cards::{Card, ItemKind, Stay};
use super::parts::{all, pick};
use crate::entities::{ISSUE_EVENTS, ISSUES};
use crate::model::{ScopeId, Stored};
use crate::ports::{Rows, StoreError};
use crate::row::Row;
use crate::stages::Text;
use jiff::Timestamp;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What an issue's stages are made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StagesOf {
    /// Each label that begins with this is a stage, named by what follows.
    Labels(String),
    /// Open and closed.
    State,
}

/// What an event says about stages.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Happened {
    // In this order, where several happened in one second.
    Reopened,
    Unlabeled(String),
    Labeled(String),
    Closed,
}

struct Issue {
    card: Card,
    updated_at: Timestamp,
    events: Vec<(Timestamp, Happened)>,
}

/// What is needed of an issue: not its text.
const OF_ISSUE: [&str; 8] = ["number", "author", "labels", "assignees", "milestone", "created_at", "updated_at", "closed_at"];

/// The issues of one repository.
pub async fn from_issues(store: &dyn Rows, scope: ScopeId, repo: &str, of: &StagesOf) -> Result<Vec<Card>, StoreError> {
    let mut issues: BTreeMap<u64, Issue> = BTreeMap::new();
    let mut keys = Vec::new();
    let read = |row: Stored| Some((card(&row.fields, repo, of).filter(|_| !row.gone)?, row.key));
    for ((number, card, updated_at), key) in all(store, &ISSUES, scope, &OF_ISSUE, read).await? {
        issues.insert(number, Issue { card, updated_at, events: Vec::new() });
        keys.push(key);
    }
    // There are many more events than issues, and their keys begin with those of their issues.
    let reader = || {
        let of = of.clone();
        move |row: &dyn Row| {
            let number = row.number("number").filter(|_| row.text("on") == Some("issue"))?;
            Some((number, row.time("created_at")?, happened(row, &of)?))
        }
    };
    let events = pick(store, &ISSUE_EVENTS, scope, &keys, &["number", "on", "created_at", "event", "label"], reader);
    for (number, at, happened) in events.await? {
        if let Some(issue) = issues.get_mut(&number) {
            issue.events.push((at, happened));
        }
    }
    let made = issues.into_values().map(|Issue { mut card, updated_at, mut events }| {
        events.sort();
        card.stays = stays(&card, of, updated_at, events);
        // What is a stage is no label to group by.
        if let StagesOf::Labels(prefix) = of {
            card.labels.retain(|label| !is_stage(label, prefix));
        }
        card
    });
    Ok(made.filter(|card| !card.stays.is_empty()).collect())
}

fn card(row: &Map<String, Value>, repo: &str, of: &StagesOf) -> Option<(u64, Card, Timestamp)> {
    let number = row.get("number")?.as_u64()?;
    let created_at = time(row, "created_at")?;
    let project = match of {
        StagesOf::Labels(prefix) => format!("label:{prefix}"),
        StagesOf::State => "state".to_owned(),
    };
    let card = Card {
        project,
        repo: Some(repo.to_owned()),
        number: Some(number),
        kind: ItemKind::Issue,
        creator: text(row, "author").map(str::to_owned),
        labels: texts(row, "labels"),
        assignees: texts(row, "assignees"),
        milestone: text(row, "milestone").map(str::to_owned),
        created_at,
        closed_at: time(row, "closed_at"),
        stays: Vec::new(),
    };
    Some((number, card, time(row, "updated_at").unwrap_or(created_at)))
}

fn happened(row: &dyn Row, of: &StagesOf) -> Option<Happened> {
    let label = || row.text("label").filter(|label| matches!(of, StagesOf::Labels(prefix) if is_stage(label, prefix))).map(str::to_owned);
    match row.text("event")? {
        "closed" => Some(Happened::Closed),
        "reopened" => Some(Happened::Reopened),
        "labeled" => label().map(Happened::Labeled),
        "unlabeled" => label().map(Happened::Unlabeled),
        _ => None,
    }
}

fn is_stage(label: &str, prefix: &str) -> bool {
    label.len() > prefix.len() && label.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// Plays the events through. Of several stage labels at once the one added last is the stage; while an issue is closed,
/// its labels are no stage.
fn stays(card: &Card, of: &StagesOf, updated_at: Timestamp, events: Vec<(Timestamp, Happened)>) -> Vec<Stay> {
    let mut made = Made { of, stays: Vec::new(), labels: Vec::new(), open: true };
    // What the issue has, and no event tells since when: since it was made.
    if let StagesOf::Labels(prefix) = of {
        let told = |label: &String| events.iter().any(|(_, happened)| matches!(happened, Happened::Labeled(name) | Happened::Unlabeled(name) if name == label));
        made.labels = card.labels.iter().filter(|label| is_stage(label, prefix) && !told(label)).cloned().collect();
    }
    made.enter(card.created_at);
    for (at, happened) in events {
        match happened {
            Happened::Reopened => made.open = true,
            Happened::Closed => made.open = false,
            Happened::Labeled(label) => {
                made.labels.retain(|other| *other != label);
                made.labels.push(label);
            }
            Happened::Unlabeled(label) => made.labels.retain(|other| *other != label),
        }
        made.enter(at.max(card.created_at));
    }
    // What the issue is now holds over what the events say: one may be missing.
    let before = made.open;
    made.open = card.closed_at.is_none();
    if before && !made.open {
        made.enter(card.closed_at.unwrap_or(updated_at));
    }
    made.labels.retain(|label| card.labels.contains(label));
    made.enter(updated_at);
    made.stays
}

struct Made<'a> {
    of: &'a StagesOf,
    stays: Vec<Stay>,
    /// Stage labels now, the one added last at the end.
    labels: Vec<String>,
    open: bool,
}

impl Made<'_> {
    /// Ends the present stay and begins the next, if the stage is another.
    fn enter(&mut self, at: Timestamp) {
        let stage = match self.of {
            StagesOf::State => Some(if self.open { "open" } else { "closed" }.into()),
            StagesOf::Labels(prefix) => self.labels.last().filter(|_| self.open).and_then(|label| label.get(prefix.len()..)).map(Text::from),
        };
        let last = self.stays.last_mut().filter(|last| last.end.is_none());
        if last.as_ref().and_then(|last| last.stage.as_ref()) == stage.as_ref() {
            return;
        }
        if let Some(last) = last {
            last.end = Some(at.max(last.start));
        }
        if stage.is_some() {
            self.stays.push(Stay { stage, start: at, end: None });
        }
    }
}

pub(super) fn text<'a>(row: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    row.get(name).and_then(Value::as_str)
}

pub(super) fn time(row: &Map<String, Value>, name: &str) -> Option<Timestamp> {
    text(row, name)?.parse().ok()
}

pub(super) fn texts(row: &Map<String, Value>, name: &str) -> Vec<String> {
    let list = row.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}
