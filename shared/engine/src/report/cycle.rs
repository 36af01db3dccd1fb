//! How long pull requests take: coding, pickup, review, merge. Pure but for `answer`, which loads them; knows no clock.

use super::ask::{AskError, Asked};
use super::bounds::bounds as read_bounds;
use super::catalogue::{Answer, Entry, Report};
use super::groups::keys;
use super::hours::Ruler;
use super::items::Word;
use super::longest::{Long, Longest};
use super::options;
use super::people::People;
use super::pulls::{Pull, asked_for};
use super::question::{Across, Question};
use super::statistics::Figures;
use crate::ports::Rows;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;

pub(super) static ENTRY: Entry = Entry {
    name: "pr-cycle",
    aliases: &[],
    title: "Pull request cycle",
    about: "How long pull requests take: coding, pickup, review, merge",
    across: &Across::OF_PULLS,
    own: &[options::CREATED, options::MERGED, options::LABEL, options::BOUNDS],
    measures: true,
    run: |store, asked| Box::pin(answer(store, asked)),
};

async fn answer(store: &dyn Rows, asked: &Asked) -> Result<Answer, AskError> {
    let question = Question::of(asked, "merged")?;
    let bounds = read_bounds(&asked.all("bounds"))?;
    let people = People::load(store, asked).await?;
    let (pulls, hint) = asked_for(store, asked, &people, true).await?;
    Ok(Answer { report: Report::Cycle(Box::new((cycle(&pulls, &question, &bounds), question))), hint })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// First commit to creation.
    Coding,
    /// Creation to the first comment or review by another.
    Pickup,
    /// That to the first approval.
    Review,
    /// That to the merge.
    Merge,
    /// First commit (or creation, whichever is earlier) to the merge.
    Total,
}

/// Up to `good` is good, up to `acceptable` acceptable, and what is longer is slow; in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Bounds {
    pub good: i64,
    pub acceptable: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    Good,
    Acceptable,
    Slow,
}

/// All times are whole seconds.
#[derive(Debug, Clone, Serialize)]
pub struct CycleReport {
    pub report: &'static str,
    pub as_of: Timestamp,
    pub across: Across,
    pub measured_in: String,
    /// Merged ones: those that are counted.
    pub items: u64,
    pub groups: Vec<CycleGroup>,
    /// Pull requests that are open now, the oldest first.
    pub open: Vec<OpenPull>,
    /// A few whose total was longest.
    pub longest: Vec<Long>,
}

#[derive(Debug, Clone, Serialize)]
pub struct CycleGroup {
    /// Null: all, or those without one.
    pub name: Option<String>,
    pub merged: u64,
    pub open: u64,
    /// Since the oldest open one was created.
    pub oldest: Option<i64>,
    pub steps: Vec<CycleStage>,
}

#[derive(Debug, Clone, Serialize)]
pub struct CycleStage {
    pub step: Step,
    /// Of those of which both ends are known.
    pub time: Figures,
    pub bounds: Bounds,
    pub good: u64,
    pub acceptable: u64,
    pub slow: u64,
    /// Of the mean.
    pub grade: Option<Grade>,
}

#[derive(Debug, Clone, Serialize)]
pub struct OpenPull {
    pub repo: String,
    pub number: u64,
    /// What it waits for the end of: pickup, review or merge.
    pub step: Step,
    pub age: i64,
    pub in_step: i64,
}

impl Step {
    pub const ALL: [Self; 5] = [Self::Coding, Self::Pickup, Self::Review, Self::Merge, Self::Total];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Coding => "coding",
            Self::Pickup => "pickup",
            Self::Review => "review",
            Self::Merge => "merge",
            Self::Total => "total",
        }
    }

    /// Unless told: a day and four for each step, four days and eleven for the whole.
    #[must_use]
    pub fn bounds(self) -> Bounds {
        let day = 24 * 3600;
        if self == Self::Total { Bounds { good: 4 * day, acceptable: 11 * day } } else { Bounds { good: day, acceptable: 4 * day } }
    }
}

impl Bounds {
    fn grade(self, time: i64) -> Grade {
        match time {
            time if time <= self.good => Grade::Good,
            time if time <= self.acceptable => Grade::Acceptable,
            _ => Grade::Slow,
        }
    }
}

/// The instants that bound the steps, each no earlier than the one before.
struct Milestones {
    began: Timestamp,
    created: Timestamp,
    responded: Option<Timestamp>,
    approved: Option<Timestamp>,
    merged: Option<Timestamp>,
}

impl Milestones {
    fn of(pull: &Pull, now: Timestamp) -> Self {
        let merged = pull.merged_at.filter(|at| *at <= now);
        // A word after the merge has held up nothing.
        let until = merged.unwrap_or(now);
        let (responded, approved) = (pull.item.first(until, |_| true), pull.item.first(until, |what| what == Word::Approval));
        let created = pull.item.created_at;
        let began = pull.first_commit_at.map_or(created, |at| at.min(created));
        Self { began, created, responded, approved, merged }
    }

    fn step(&self, step: Step) -> Option<(Timestamp, Timestamp)> {
        Some(match step {
            Step::Coding => (self.began, self.created),
            Step::Pickup => (self.created, self.responded?),
            Step::Review => (self.responded?, self.approved?),
            Step::Merge => (self.approved?, self.merged?),
            Step::Total => (self.began, self.merged?),
        })
    }

    /// What an open one waits for, and since when.
    fn waits(&self) -> (Step, Timestamp) {
        match (self.responded, self.approved) {
            (_, Some(approved)) => (Step::Merge, approved),
            (Some(responded), None) => (Step::Review, responded),
            (None, None) => (Step::Pickup, self.created),
        }
    }
}

#[derive(Default)]
struct Gathered {
    merged: u64,
    open: u64,
    oldest: Option<i64>,
    times: BTreeMap<Step, Vec<i64>>,
}

/// Computes the report: of the question, everything but the stages and kinds counts. `bounds` has what differs from [`Step::bounds`].
#[must_use]
pub fn cycle(pulls: &[Pull], question: &Question, bounds: &BTreeMap<Step, Bounds>) -> CycleReport {
    let now = question.now;
    let fits = |pull: &&Pull| {
        let merged = pull.merged_at.filter(|at| *at <= now);
        pull.item.created_at <= now && question.created.takes(Some(pull.item.created_at)) && question.closed.takes(merged)
    };
    let taken: Vec<(&Pull, Milestones)> = pulls.iter().filter(fits).map(|pull| (pull, Milestones::of(pull, now))).collect();
    let first = taken.iter().map(|(_, milestones)| milestones.began).min().unwrap_or(now);
    let ruler = Ruler::new(&question.measure, first, now);
    let zone = question.measure.zone();
    let mut groups: BTreeMap<Option<String>, Gathered> = BTreeMap::new();
    let (mut items, mut open, mut longest) = (0, Vec::new(), Longest::default());
    for (pull, milestones) in &taken {
        let is_open = pull.item.closed_at.is_none_or(|at| at > now) && milestones.merged.is_none();
        if milestones.merged.is_none() && !is_open {
            continue;
        }
        let age = ruler.between(pull.item.created_at, now);
        for key in keys(&pull.item.traits(milestones.merged), question.across, &zone) {
            let group = groups.entry(key).or_default();
            if is_open {
                group.open += 1;
                group.oldest = group.oldest.max(Some(age));
                continue;
            }
            group.merged += 1;
            for step in Step::ALL {
                if let Some((start, end)) = milestones.step(step) {
                    group.times.entry(step).or_default().push(ruler.between(start, end));
                }
            }
        }
        if is_open {
            let (step, since) = milestones.waits();
            open.push(OpenPull { repo: pull.item.repo.clone(), number: pull.item.number, step, age, in_step: ruler.between(since, now) });
        } else {
            items += 1;
            if let Some((start, end)) = milestones.step(Step::Total) {
                longest.add(Some(&pull.item.repo), Some(pull.item.number), None, ruler.between(start, end));
            }
        }
    }
    open.sort_by(|a, b| b.age.cmp(&a.age).then_with(|| (&a.repo, a.number).cmp(&(&b.repo, b.number))));
    let mut groups: Vec<CycleGroup> = groups.into_iter().map(|(name, gathered)| gathered.group(name, bounds)).collect();
    if !question.across.is_a_week() {
        groups.sort_by(|a, b| b.merged.cmp(&a.merged).then_with(|| a.name.cmp(&b.name)));
    }
    CycleReport { report: "pr-cycle", as_of: now, across: question.across, measured_in: question.measure.about(), items, groups, open, longest: longest.list() }
}

impl Gathered {
    fn group(mut self, name: Option<String>, bounds: &BTreeMap<Step, Bounds>) -> CycleGroup {
        let steps = Step::ALL.map(|step| {
            let times = self.times.remove(&step).unwrap_or_default();
            let bounds = bounds.get(&step).copied().unwrap_or_else(|| step.bounds());
            let mut graded = [0; 3];
            for time in &times {
                if let Some(number) = graded.get_mut(bounds.grade(*time) as usize) {
                    *number += 1;
                }
            }
            let [good, acceptable, slow] = graded;
            let time = Figures::of(times);
            let grade = time.mean.map(|mean| bounds.grade(mean));
            CycleStage { step, time, bounds, good, acceptable, slow, grade }
        });
        CycleGroup { name, merged: self.merged, open: self.open, oldest: self.oldest, steps: steps.into() }
    }
}
