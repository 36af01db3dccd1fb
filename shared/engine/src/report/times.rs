//! Reports of one time of each item: from a beginning to an end, or still open. Groups and measures; loads nothing, knows no clock.

use super::groups::{Traits, keys};
use super::hours::Ruler;
use super::longest::{Long, Longest};
use super::question::{Across, Question};
use super::statistics::Figures;
use jiff::Timestamp;
use serde::Serialize;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// What a report of times says of itself.
#[derive(Debug, PartialEq, Eq)]
pub struct Words {
    pub report: &'static str,
    pub title: &'static str,
    /// What those are whose time is known.
    pub counted: &'static str,
    /// What those wait for whose time is not.
    pub waits: &'static str,
    /// What the range of the end is called.
    pub ended: &'static str,
    /// A figure and what it means.
    pub notes: &'static [(&'static str, &'static str)],
}

/// An item and its time.
pub(super) struct Timed<'a> {
    pub(super) traits: Traits<'a>,
    pub(super) number: u64,
    pub(super) start: Timestamp,
    pub(super) end: Option<Timestamp>,
    /// Whether one without an end waits for it.
    pub(super) open: bool,
}

/// All times are whole seconds.
#[derive(Debug, Clone, Serialize)]
pub struct TimesReport {
    pub report: &'static str,
    pub as_of: Timestamp,
    pub across: Across,
    pub measured_in: String,
    /// Those whose time is known.
    pub items: u64,
    /// Those that ended without it.
    pub without: u64,
    pub groups: Vec<TimesGroup>,
    /// Those that wait for it, the oldest first.
    pub open: Vec<OpenTime>,
    /// A few whose time was longest.
    pub longest: Vec<Long>,
    #[serde(skip)]
    pub words: &'static Words,
}

#[derive(Debug, Clone, Serialize)]
pub struct TimesGroup {
    /// Null: all, or those without one.
    pub name: Option<String>,
    pub time: Figures,
    pub open: u64,
    /// Since the oldest open one began.
    pub oldest: Option<i64>,
}

#[derive(Debug, Clone, Serialize)]
pub struct OpenTime {
    pub repo: String,
    pub number: u64,
    /// Since it was created.
    pub age: i64,
    pub waits: i64,
}

#[derive(Default)]
struct Gathered {
    times: Vec<i64>,
    open: u64,
    oldest: Option<i64>,
}

/// What began by the time of the question, and when it ended.
pub(super) fn times<'a>(words: &'static Words, timed: impl Iterator<Item = Timed<'a>>, question: &Question) -> TimesReport {
    let now = question.now;
    let mut timed: Vec<Timed<'_>> = timed.filter(|one| one.start <= now && one.traits.created_at <= now).collect();
    for one in &mut timed {
        one.end = one.end.filter(|end| *end <= now);
        one.traits.ended_at = one.traits.ended_at.filter(|at| *at <= now);
    }
    timed.retain(|one| question.created.takes(Some(one.traits.created_at)) && question.closed.takes(one.traits.ended_at));
    let first = timed.iter().map(|one| one.start.min(one.traits.created_at)).min().unwrap_or(now);
    let (ruler, zone) = (Ruler::new(&question.measure, first, now), question.measure.zone());
    let mut groups: BTreeMap<Option<String>, Gathered> = BTreeMap::new();
    let (mut items, mut without, mut open, mut longest) = (0, 0, Vec::new(), Longest::default());
    for one in &timed {
        let waits = ruler.between(one.start, now);
        if one.end.is_none() && !one.open {
            without += 1;
            continue;
        }
        for key in keys(&one.traits, question.across, &zone) {
            let group = groups.entry(key).or_default();
            if let Some(end) = one.end {
                group.times.push(ruler.between(one.start, end));
            } else {
                group.open += 1;
                group.oldest = group.oldest.max(Some(waits));
            }
        }
        if let Some(end) = one.end {
            items += 1;
            longest.add(one.traits.repo, Some(one.number), None, ruler.between(one.start, end));
        } else {
            let age = ruler.between(one.traits.created_at, now);
            open.push(OpenTime { repo: one.traits.repo.unwrap_or_default().to_owned(), number: one.number, age, waits });
        }
    }
    open.sort_by(|a, b| b.waits.cmp(&a.waits).then_with(|| (&a.repo, a.number).cmp(&(&b.repo, b.number))));
    let group =
        |(name, gathered): (Option<String>, Gathered)| TimesGroup { name, time: Figures::of(gathered.times), open: gathered.open, oldest: gathered.oldest };
    let mut groups: Vec<TimesGroup> = groups.into_iter().map(group).collect();
    if !question.across.is_a_week() {
        groups.sort_by(|a, b| Reverse(a.time.count).cmp(&Reverse(b.time.count)).then_with(|| a.name.cmp(&b.name)));
    }
    TimesReport {
        report: words.report,
        as_of: now,
        across: question.across,
        measured_in: question.measure.about(),
        items,
        without,
        groups,
        open,
        longest: longest.list(),
        words,
    }
}
