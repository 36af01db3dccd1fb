//! How many commits there are, and how much they change. Pure but for `answer`, which loads them; knows no clock.

use super::ask::{AskError, Asked};
use super::catalogue::{Answer, Entry, Report};
use super::committed::{Commits, Wanted};
use super::groups::{Keys, Of};
use super::options;
use super::sheet::{Cell, Column, Sheet};
use crate::ports::Rows;
use jiff::Timestamp;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

pub(super) static ENTRY: Entry = Entry {
    name: "commits",
    aliases: &[],
    title: "Commits",
    about: "How many commits there are, by how many people, and how many lines they change",
    across: &["week", "month", "repository", "author", "all"],
    own: &[options::COMMITTED],
    measures: false,
    run: |store, asked| Box::pin(answer(store, asked)),
};

async fn answer(store: &dyn Rows, asked: &Asked) -> Result<Answer, AskError> {
    let (commits, hint) = Wanted::of(store, asked).await?.commits(store).await?;
    Ok(Answer { report: Report::Sheet(commits_by(&commits, Of::parse(asked.across()), asked.now)), hint })
}

#[derive(Default)]
struct Gathered<'a> {
    commits: u64,
    authors: HashSet<&'a str>,
    additions: u64,
    deletions: u64,
    files: u64,
}

/// By the committer's date.
#[must_use]
pub fn commits_by(all: &[Commits], of: Of, as_of: Timestamp) -> Sheet {
    let (mut keys, mut groups): (Keys, HashMap<Option<Arc<str>>, Gathered<'_>>) = (Keys::new(of), HashMap::new());
    let mut counted: u64 = 0;
    for (repo, commit) in all.iter().flat_map(|of| of.commits.iter().map(|commit| (&of.repo, commit))) {
        let group = groups.entry(keys.of(repo, commit.author.as_ref(), commit.committed_at)).or_default();
        counted += 1;
        group.commits += 1;
        group.authors.extend(commit.author.as_deref());
        group.additions += commit.additions;
        group.deletions += commit.deletions;
        group.files += commit.changed_files;
    }
    let row = |(name, group): (Option<Arc<str>>, Gathered<'_>)| {
        let authors = u64::try_from(group.authors.len()).unwrap_or(u64::MAX);
        let mut row = vec![Of::cell(name.as_deref())];
        row.extend([group.commits, authors, group.additions, group.deletions, group.files].map(Cell::Number));
        row
    };
    Sheet {
        report: "commits",
        title: "Commits",
        as_of,
        facts: vec![format!("{counted} commits of default branches"), "without merges".to_owned()],
        columns: vec![
            Column::new("group", "", ""),
            Column::new("commits", "commits", ""),
            Column::new("authors", "authors", "different ones"),
            Column::new("additions", "added", "lines"),
            Column::new("deletions", "removed", "lines"),
            Column::new("changed_files", "files", "changes of a file by a commit"),
        ],
        rows: of.in_order(groups, |group| group.commits).into_iter().map(row).collect(),
        drawn: vec![1],
        more: 0,
    }
}
