//! On how many days people commit. `answer` loads, the rest is pure; knows no clock.

use super::ask::{AskError, Asked};
use super::catalogue::{Answer, Entry, Report};
use super::committed::{Commits, Wanted};
use super::groups::Of;
use super::items::Texts;
use super::labels::text;
use super::options;
use super::parts::between;
use super::production::default_branches;
use super::range::Range;
use super::sheet::{Cell, Column, Sheet};
use crate::entities::{PULL_REQUEST_COMMITS, PULL_REQUESTS};
use crate::export::Pages;
use crate::model::ScopeId;
use crate::ports::{Rows, StoreError};
use crate::row::Row;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

pub(super) static ENTRY: Entry = Entry {
    name: "coding-days",
    aliases: &[],
    title: "Coding days",
    about: "On how many days people commit, a week, fortnight or month",
    across: &["author", "repository", "all"],
    own: &[options::COMMITTED, options::PER, options::TOP_PEOPLE],
    measures: false,
    run: |store, asked| Box::pin(answer(store, asked)),
};

async fn answer(store: &dyn Rows, asked: &Asked) -> Result<Answer, AskError> {
    let most = usize::try_from(asked.number("top", 1, 1_000_000)?).unwrap_or(50);
    let wanted = Wanted::of(store, asked).await?;
    let (commits, hint) = wanted.commits(store).await?;
    let mut days: Vec<Coded> = Vec::new();
    let defaults = default_branches(store).await?;
    for of in &commits {
        days.extend(of_commits(of));
        if let Some(default) = defaults.get(&of.scope) {
            days.extend(of_pulls(store, of, default, &wanted).await?);
        }
    }
    let asked_of = Question { of: Of::parse(asked.across()), per: Per::parse(asked.one("per").unwrap_or_default()), range: wanted.range, most };
    Ok(Answer { report: Report::Sheet(coding_days(days, &asked_of, asked.now)), hint })
}

/// A day on which somebody made a commit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Coded {
    pub repo: Arc<str>,
    /// None: nobody known.
    pub author: Option<Arc<str>>,
    /// Since 1970-01-01.
    pub day: i64,
}

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Question {
    pub of: Of,
    pub per: Per,
    pub range: Range,
    pub most: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Per {
    Week,
    Fortnight,
    Month,
}

impl Per {
    pub(super) const NAMES: [&str; 3] = ["week", "fortnight", "month"];

    #[must_use]
    pub fn parse(name: &str) -> Self {
        let all = [Self::Week, Self::Fortnight, Self::Month];
        Self::NAMES.iter().position(|one| *one == name).and_then(|at| all.get(at).copied()).unwrap_or(Self::Week)
    }

    fn name(self) -> &'static str {
        Self::NAMES.get(self as usize).copied().unwrap_or("week")
    }

    /// Which one a day is in, counted from one in the past. Weeks begin on Monday; every other of them begins a fortnight.
    fn place(self, day: i64) -> i64 {
        // 1970-01-05 was a Monday.
        let days = day - 4;
        match self {
            Self::Week => days.div_euclid(7),
            Self::Fortnight => days.div_euclid(14),
            Self::Month => {
                let at = Timestamp::from_second(day * DAY).unwrap_or_default().to_zoned(TimeZone::UTC);
                i64::from(at.year()) * 12 + i64::from(at.month())
            }
        }
    }
}

const DAY: i64 = 24 * 3600;

fn day(at: Timestamp) -> i64 {
    at.as_second().div_euclid(DAY)
}

fn of_commits(of: &Commits) -> HashSet<Coded> {
    let coded = of.commits.iter().map(|commit| Coded { repo: of.repo.clone(), author: commit.author.clone(), day: day(commit.authored_at) });
    coded.collect()
}

/// Commits of pull requests against the default branch, merged or not, by their authors' dates: when several are squashed into one, the
/// branch has only the day of the merge.
async fn of_pulls(store: &dyn Rows, of: &Commits, default: &str, wanted: &Wanted) -> Result<HashSet<Coded>, StoreError> {
    let (against, keys) = against(store, of.scope, default).await?;
    let against = Arc::new(against);
    let reader = || {
        let (mut texts, against) = (Texts::default(), against.clone());
        move |row: &dyn Row| {
            row.number("pull_request").filter(|number| against.contains(number))?;
            // What merges another branch into this one is no work of its own. A pull request's list does not tell parents.
            if row.text("message").is_some_and(|message| message.starts_with("Merge branch ") || message.starts_with("Merge remote-tracking branch ")) {
                return None;
            }
            let author = row.text("author").or_else(|| row.text("author_email")).map(|author| texts.keep(author));
            Some((author, row.time("authored_at")?, row.time("committed_at")?))
        }
    };
    let bounds: Vec<&str> = (1..4).filter_map(|part| keys.get(keys.len() * part / 4)).map(String::as_str).collect();
    let only = ["pull_request", "message", "author", "author_email", "authored_at", "committed_at"];
    let found = between(store, &PULL_REQUEST_COMMITS, of.scope, &bounds, &only, reader).await?;
    let counts = found.into_iter().filter(|(author, _, committed_at)| wanted.takes(*committed_at) && wanted.people.counts(author.as_deref()));
    Ok(counts.map(|(author, at, _)| Coded { repo: of.repo.clone(), author: author.map(|author| wanted.people.shared(author)), day: day(at) }).collect())
}

/// The numbers and keys of the pull requests against a branch.
async fn against(store: &dyn Rows, scope: ScopeId, branch: &str) -> Result<(HashSet<u64>, Vec<String>), StoreError> {
    let (mut numbers, mut keys) = (HashSet::new(), Vec::new());
    let mut pages = Pages::only(store, &PULL_REQUESTS, scope, &["number", "base_ref"]);
    while let Some(rows) = pages.next().await? {
        for row in rows.into_iter().filter(|row| !row.gone) {
            if text(&row.fields, "base_ref") == Some(branch) {
                numbers.extend(row.fields.get("number").and_then(Value::as_u64));
            }
            keys.push(row.key);
        }
    }
    Ok((numbers, keys))
}

/// The days of each of its people, once each.
type Days = BTreeSet<(Option<Arc<str>>, i64)>;

/// A person's days, once each, of the group; what a group has of several people is added up.
#[must_use]
pub fn coding_days(days: Vec<Coded>, question: &Question, as_of: Timestamp) -> Sheet {
    let mut groups: BTreeMap<Option<String>, Days> = BTreeMap::new();
    let (mut first, mut last) = (None, None);
    for one in days {
        first = Some(first.map_or(one.day, |first: i64| first.min(one.day)));
        last = Some(last.map_or(one.day, |last: i64| last.max(one.day)));
        let key = match question.of {
            Of::Author => one.author.as_deref().map(str::to_owned),
            Of::Repository => Some(one.repo.to_string()),
            _ => Some("all".to_owned()),
        };
        groups.entry(key).or_default().insert((one.author, one.day));
    }
    // Where the range is open, from the first day on which anybody did, to the last.
    let from = question.range.from.map(day).or(first);
    let until = question.range.until.map(|until| day(until - jiff::SignedDuration::from_nanos(1)).min(day(as_of))).or(last);
    let periods = from.zip(until).map_or(0, |(from, until)| question.per.place(until) - question.per.place(from) + 1);
    let periods = u64::try_from(periods).unwrap_or(0);
    let mut rows: Vec<_> = groups.into_iter().collect();
    rows.sort_by(|(one, left), (other, right)| Reverse(left.len()).cmp(&Reverse(right.len())).then_with(|| one.cmp(other)));
    let more = u64::try_from(rows.len().saturating_sub(question.most)).unwrap_or(u64::MAX);
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    let row = |(name, days): (Option<String>, Days)| {
        let people = count(days.iter().map(|(author, _)| author).collect::<BTreeSet<_>>().len());
        let days = count(days.len());
        vec![Of::cell(name.as_deref()), Cell::Number(days), Cell::Number(people), Cell::Number(periods), Cell::ratio(days, people * periods)]
    };
    let per = question.per.name();
    Sheet {
        report: "coding-days",
        title: "Coding days",
        as_of,
        facts: vec![format!("{periods} {per}s"), "days of UTC, by the authors' dates".to_owned(), "without merges".to_owned()],
        columns: vec![
            Column::new("group", "", ""),
            Column::new("coding_days", "days", "with at least one commit, of the default branch or of a pull request against it; of several people, added up"),
            Column::new("committers", "people", ""),
            Column::new("periods", "periods", "weeks, fortnights or months, as asked, from the first day to the last"),
            Column::new("days_per_period", "per period", "days of one person in one period, on average"),
        ],
        rows: rows.into_iter().take(question.most).map(row).collect(),
        drawn: vec![1],
        more,
    }
}
