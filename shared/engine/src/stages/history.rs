//! Histories of a board, and how long each thing on it stayed in each stage.

use super::names::Names;
use super::same::Fact;
use super::sighting::{OptionName, STATUS, Sighting, What};
use super::subjects::{self, Link};
use super::{Source, Text, Transition, walk};
use crate::model::ScopeId;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

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
    pub item: Option<Text>,
    pub issue: Option<(ScopeId, u64)>,
    pub content: Option<Text>,
    pub transitions: Vec<Transition>,
}

/// Time in one stage: from `start` until just before `end`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stay {
    /// None: on the board, in no stage.
    pub stage: Option<Text>,
    pub start: Timestamp,
    /// None: still there.
    pub end: Option<Timestamp>,
}

impl History {
    /// What all sightings of one board tell of one of its fields, however they are ordered or repeated.
    #[must_use]
    pub fn all(sightings: &[Sighting], known: &Known, field: &str) -> Vec<Self> {
        let links = known.links.as_slice();
        let mut each: Vec<&Sighting> = sightings.iter().collect();
        // Keys are dear to make. What they are made of is alike where they are, so they decide only where it is alike.
        each.sort_by(|one, other| parts_of_key(one).cmp(&parts_of_key(other)).then_with(|| one.key().cmp(&other.key())));
        each.dedup_by(|one, other| parts_of_key(one) == parts_of_key(other) && one.key() == other.key());
        let fields = of_field(&each, field);
        let concerns = |sighting: &Sighting| match (&sighting.what, &sighting.field_id) {
            (What::Moved, Some(id)) => fields.contains(&**id),
            (What::Moved, None) => sighting.field.eq_ignore_ascii_case(field),
            _ => true,
        };
        let names = Names::new(each.iter().copied().filter(|sighting| concerns(sighting)), &known.options);
        let (subjects, of_board) = subjects::sort(&each, links);
        let end = of_board.iter().find(|sighting| sighting.what == What::Removed).map(|end| walk::gone(end.latest, end.earliest, end.source));
        let by_item: HashMap<&str, &Link> = links.iter().map(|link| (&*link.item, link)).collect();
        let present = Present::of(links);
        let one = |subject: Vec<&Sighting>| {
            // On no item of the board when that was last read: it had left before.
            let read_at = known.read_at.filter(|_| !subject.iter().any(|one| present.has(one)));
            let left = read_at.map(|at| walk::gone(at, at, Source::Snapshot));
            let facts = subject.iter().filter(|sighting| concerns(sighting)).map(|sighting| Fact::new(sighting, &names)).chain(end.clone()).collect();
            let transitions = walk::walk(facts, left, &names);
            let item = transitions.iter().rev().find_map(|transition| transition.item.clone());
            let link = item.as_deref().and_then(|item| by_item.get(item));
            let last = |of: &dyn Fn(&Sighting) -> bool| subject.iter().filter(|one| of(one)).max_by_key(|one| (one.latest, one.key())).copied();
            let issue = link.and_then(|link| link.issue).or_else(|| last(&|one| one.issue.is_some())?.issue);
            let content = link.and_then(|link| link.content.clone()).or_else(|| last(&|one| one.content.is_some())?.content.clone());
            (!transitions.is_empty()).then_some(Self { item, issue, content, transitions })
        };
        let mut all = each_of(subjects, &one);
        all.sort_by_key(|history| (history.transitions.first().map(|first| first.at), history.item.clone(), history.issue));
        all
    }
}

fn parts_of_key(one: &Sighting) -> impl Ord + '_ {
    (one.item.as_deref(), one.source, one.what, one.field_id.as_deref(), one.to.as_ref().map(|to| to.id.as_deref()), one.event.as_deref())
}

/// What is on the board now, by each of its names.
struct Present<'a> {
    items: HashSet<&'a str>,
    contents: HashSet<&'a str>,
    issues: HashSet<(ScopeId, u64)>,
}

impl<'a> Present<'a> {
    fn of(links: &'a [Link]) -> Self {
        let there = || links.iter().filter(|link| !link.gone);
        Self {
            items: there().map(|link| &*link.item).collect(),
            contents: there().filter_map(|link| link.content.as_deref()).collect(),
            issues: there().filter_map(|link| link.issue).collect(),
        }
    }

    fn has(&self, sighting: &Sighting) -> bool {
        let named = |name: Option<&str>, among: &HashSet<&str>| name.is_some_and(|name| among.contains(name));
        let issue = sighting.issue.is_some_and(|issue| self.issues.contains(&issue));
        issue || named(sighting.item.as_deref(), &self.items) || named(sighting.content.as_deref(), &self.contents)
    }
}

/// What `one` makes of each, on all cores: boards have tens of thousands of items.
fn each_of<T: Send, U: Send>(mut all: Vec<T>, one: &(impl Fn(T) -> Option<U> + Sync)) -> Vec<U> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = all.len().div_ceil(threads).max(1000);
    std::thread::scope(|scope| {
        let mut parts = Vec::new();
        while all.len() > share {
            let part = all.split_off(all.len() - share);
            parts.push(scope.spawn(move || part.into_iter().filter_map(one).collect::<Vec<U>>()));
        }
        let mut made: Vec<U> = all.into_iter().filter_map(one).collect();
        for part in parts {
            match part.join() {
                Ok(part) => made.extend(part),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        made
    })
}

/// The fields that are called so now, or were when they were last heard of.
fn of_field<'a>(sightings: &[&'a Sighting], field: &str) -> BTreeSet<&'a str> {
    let mut last: BTreeMap<&str, (Timestamp, &str)> = BTreeMap::new();
    for sighting in sightings.iter().filter(|sighting| sighting.what == What::Moved) {
        if let Some(id) = &sighting.field_id {
            let told = (sighting.latest, &*sighting.field);
            let known = last.entry(id).or_insert(told);
            *known = (*known).max(told);
        }
    }
    let wanted = if field.is_empty() { STATUS } else { field };
    last.into_iter().filter(|(_, (_, name))| name.eq_ignore_ascii_case(wanted)).map(|(id, _)| id).collect()
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
