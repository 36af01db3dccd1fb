//! Who commits: how much, where, and from when until when. Pure but for `answer`, which loads the commits; knows no clock.

use super::ask::{AskError, Asked};
use super::catalogue::{Answer, Entry, Report};
use super::committed::{Commits, Wanted};
use super::groups::Of;
use super::options;
use super::sheet::{Cell, Column, Sheet};
use crate::ports::Rows;
use jiff::Timestamp;
use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};

pub(super) static ENTRY: Entry = Entry {
    name: "committers",
    aliases: &[],
    title: "Committers",
    about: "Who commits: how much, to how many repositories, and when last",
    across: &[],
    own: &[options::COMMITTED, options::TOP_PEOPLE],
    measures: false,
    run: |store, asked| Box::pin(answer(store, asked)),
};

async fn answer(store: &dyn Rows, asked: &Asked) -> Result<Answer, AskError> {
    let most = usize::try_from(asked.number("top", 1, 1_000_000)?).unwrap_or(50);
    let (commits, hint) = Wanted::of(store, asked).await?.commits(store).await?;
    Ok(Answer { report: Report::Sheet(committers(&commits, most, asked.now)), hint })
}

struct Gathered<'a> {
    commits: u64,
    additions: u64,
    deletions: u64,
    repos: BTreeSet<&'a str>,
    first: Timestamp,
    last: Timestamp,
}

/// The `most` with the most commits, by the committer's date.
#[must_use]
pub fn committers(all: &[Commits], most: usize, as_of: Timestamp) -> Sheet {
    let mut people: HashMap<Option<&str>, Gathered<'_>> = HashMap::new();
    let mut counted: u64 = 0;
    for (repo, commit) in all.iter().flat_map(|of| of.commits.iter().map(|commit| (&of.repo, commit))) {
        let at = commit.committed_at;
        let new = || Gathered { commits: 0, additions: 0, deletions: 0, repos: BTreeSet::new(), first: at, last: at };
        let one = people.entry(commit.author.as_deref()).or_insert_with(new);
        counted += 1;
        one.commits += 1;
        one.additions += commit.additions;
        one.deletions += commit.deletions;
        one.repos.insert(repo);
        one.first = one.first.min(at);
        one.last = one.last.max(at);
    }
    let known = people.keys().flatten().count();
    let mut rows: Vec<_> = people.into_iter().collect();
    rows.sort_by(|(one, left), (other, right)| Reverse(left.commits).cmp(&Reverse(right.commits)).then_with(|| one.cmp(other)));
    let more = u64::try_from(rows.len().saturating_sub(most)).unwrap_or(u64::MAX);
    let row = |(name, one): (Option<&str>, Gathered<'_>)| {
        let repos = u64::try_from(one.repos.len()).unwrap_or(u64::MAX);
        let mut row = vec![Of::cell(name)];
        row.extend([one.commits, one.additions, one.deletions, repos].map(Cell::Number));
        row.extend([one.first, one.last].map(Cell::Time));
        row
    };
    Sheet {
        report: "committers",
        title: "Committers",
        as_of,
        facts: vec![format!("{known} people"), format!("{counted} commits of default branches"), "without merges".to_owned()],
        columns: vec![
            Column::new("author", "", ""),
            Column::new("commits", "commits", ""),
            Column::new("additions", "added", "lines"),
            Column::new("deletions", "removed", "lines"),
            Column::new("repositories", "repositories", "different ones"),
            Column::new("first_commit_at", "first", ""),
            Column::new("last_commit_at", "last", ""),
        ],
        rows: rows.into_iter().take(most).map(row).collect(),
        drawn: vec![1],
        more,
    }
}
