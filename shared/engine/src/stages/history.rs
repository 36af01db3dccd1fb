//! Histories of a board, and how long each thing on it stayed in each stage.

use super::names::Names;
use super::same::Fact;
use super::sighting::{OptionName, STATUS, Sighting, What};
use super::subjects::{self, Link};
use super::{Source, Transition, walk};
use crate::model::ScopeId;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// What a board is like, besides what was seen happening on it.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// Its items as they are now.
    pub links: Vec<Link>,
    /// What the fields' options are and were called.
    pub options: Vec<OptionName>,
    /// When the last reading of all its items began.
    pub read_at: Option<Timestamp>,
}

/// One thing's way over the board.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// Its item, the last one if there were several.
    pub item: Option<String>,
    pub issue: Option<(ScopeId, u64)>,
    pub content: Option<String>,
    pub transitions: Vec<Transition>,
}

/// Time in one stage: from `start` until just before `end`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stay {
    /// None: on the board, in no stage.
    pub stage: Option<String>,
    pub start: Timestamp,
    /// None: still there.
    pub end: Option<Timestamp>,
}

impl History {
    /// What all sightings of one board tell of one of its fields, however they are ordered or repeated.
    #[must_use]
    pub fn all(sightings: &[Sighting], known: &Known, field: &str) -> Vec<Self> {
        let links = known.links.as_slice();
        let mut each: Vec<(String, &Sighting)> = sightings.iter().map(|sighting| (sighting.key(), sighting)).collect();
        each.sort_by(|(one, _), (other, _)| one.cmp(other));
        each.dedup_by(|(one, _), (other, _)| one == other);
        let each: Vec<&Sighting> = each.into_iter().map(|(_, sighting)| sighting).collect();
        let fields = of_field(&each, field);
        let concerns = |sighting: &Sighting| match (&sighting.what, &sighting.field_id) {
            (What::Moved, Some(id)) => fields.contains(id),
            (What::Moved, None) => sighting.field.eq_ignore_ascii_case(field),
            _ => true,
        };
        let names = Names::new(each.iter().copied().filter(|sighting| concerns(sighting)), &known.options);
        let (subjects, of_board) = subjects::sort(&each, links);
        let end = of_board.iter().find(|sighting| sighting.what == What::Removed).map(|end| walk::gone(end.latest, end.earliest, end.source));
        let by_item: BTreeMap<&str, &Link> = links.iter().map(|link| (link.item.as_str(), link)).collect();
        let mut all: Vec<Self> = subjects
            .into_iter()
            .filter_map(|subject| {
                let still = |link: &&Link| !link.gone && subject.iter().any(|one| is_of(one, link));
                // On no item of the board when that was last read: it had left before.
                let read_at = known.read_at.filter(|_| !links.iter().any(|link| still(&link)));
                let left = read_at.map(|at| walk::gone(at, at, Source::Snapshot));
                let facts = subject.iter().filter(|sighting| concerns(sighting)).map(|sighting| Fact::new(sighting, &names)).chain(end.clone()).collect();
                let transitions = walk::walk(facts, left, &names);
                let item = transitions.iter().rev().find_map(|transition| transition.item.clone());
                let link = item.as_deref().and_then(|item| by_item.get(item));
                let last = |of: &dyn Fn(&Sighting) -> bool| subject.iter().filter(|one| of(one)).max_by_key(|one| (one.latest, one.key())).copied();
                let issue = link.and_then(|link| link.issue).or_else(|| last(&|one| one.issue.is_some())?.issue);
                let content = link.and_then(|link| link.content.clone()).or_else(|| last(&|one| one.content.is_some())?.content.clone());
                (!transitions.is_empty()).then_some(Self { item, issue, content, transitions })
            })
            .collect();
        all.sort_by_key(|history| (history.transitions.first().map(|first| first.at), history.item.clone(), history.issue));
        all
    }
}

fn is_of(sighting: &Sighting, link: &Link) -> bool {
    let content = sighting.content.is_some() && sighting.content == link.content;
    sighting.item.as_deref() == Some(link.item.as_str()) || content || sighting.issue.is_some() && sighting.issue == link.issue
}

/// The fields that are called so now, or were when they were last heard of.
fn of_field(sightings: &[&Sighting], field: &str) -> BTreeSet<String> {
    let mut last: BTreeMap<&str, (Timestamp, &str)> = BTreeMap::new();
    for sighting in sightings.iter().filter(|sighting| sighting.what == What::Moved) {
        if let Some(id) = &sighting.field_id {
            let told = (sighting.latest, sighting.field.as_str());
            let known = last.entry(id).or_insert(told);
            *known = (*known).max(told);
        }
    }
    let wanted = if field.is_empty() { STATUS } else { field };
    last.into_iter().filter(|(_, (_, name))| name.eq_ignore_ascii_case(wanted)).map(|(id, _)| id.to_owned()).collect()
}

/// The times on the board, one after another: together exactly as long as it was there. Time in the archive is none.
#[must_use]
pub fn stays(transitions: &[Transition]) -> Vec<Stay> {
    let mut all: Vec<Stay> = Vec::new();
    let mut open: Option<Stay> = None;
    let mut archived = false;
    for transition in transitions {
        let starts = match transition.what {
            What::Added | What::Restored => true,
            What::Moved => !archived,
            What::Archived | What::Removed => false,
        };
        archived = match transition.what {
            What::Archived => true,
            What::Added | What::Restored | What::Removed => false,
            What::Moved => archived,
        };
        if let Some(mut stay) = open.take() {
            stay.end = Some(transition.at);
            all.push(stay);
        }
        if starts {
            open = Some(Stay { stage: transition.to.clone(), start: transition.at, end: None });
        }
    }
    all.extend(open);
    all
}
