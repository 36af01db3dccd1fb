//! Which kinds of files are changed: how often, by how many lines. Pure but for `answer`, which loads the changes; knows no clock.

use super::ask::{AskError, Asked};
use super::catalogue::{Answer, Entry, Report};
use super::changes::{Change, asked_for};
use super::hotspots::By;
use super::options;
use super::sheet::{Cell, Column, Sheet};
use crate::ports::Store;
use jiff::Timestamp;
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashSet};

pub(super) static ENTRY: Entry = Entry {
    name: "file-types",
    aliases: &[],
    title: "File types",
    about: "Which kinds of files are changed, how often and by how many lines",
    across: &[],
    own: &[options::COMMITTED, options::TOP],
    measures: false,
    run: |store, asked| Box::pin(answer(store, asked)),
};

async fn answer(store: &dyn Store, asked: &Asked) -> Result<Answer, AskError> {
    let most = usize::try_from(asked.number("top", 1, 1_000_000)?).unwrap_or(50);
    let (changes, hint) = asked_for(store, asked).await?;
    Ok(Answer { report: Report::Sheet(file_types(&changes, most, asked.now)), hint })
}

#[derive(Default)]
struct Gathered<'a> {
    changes: u64,
    additions: u64,
    deletions: u64,
    files: HashSet<(&'a str, &'a str)>,
    authors: HashSet<&'a str>,
}

/// The `most` often changed.
#[must_use]
pub fn file_types(changes: &[Change], most: usize, as_of: Timestamp) -> Sheet {
    let mut types: BTreeMap<String, Gathered<'_>> = BTreeMap::new();
    for change in changes {
        let one = types.entry(By::Extension.of(&change.path)).or_default();
        one.changes += 1;
        one.additions += change.additions;
        one.deletions += change.deletions;
        one.files.insert((&change.repo, &change.path));
        one.authors.extend(change.author.as_deref());
    }
    let all = u64::try_from(changes.len()).unwrap_or(u64::MAX);
    let mut rows: Vec<_> = types.into_iter().collect();
    rows.sort_by(|(one, left), (other, right)| Reverse(left.changes).cmp(&Reverse(right.changes)).then_with(|| one.cmp(other)));
    let more = u64::try_from(rows.len().saturating_sub(most)).unwrap_or(u64::MAX);
    let row = |(name, one): (String, Gathered<'_>)| {
        let count = |number: usize| Cell::Number(u64::try_from(number).unwrap_or(u64::MAX));
        let mut row = vec![Cell::Text(name), Cell::Number(one.changes), Cell::share(one.changes, all)];
        row.extend([one.additions, one.deletions].map(Cell::Number));
        row.extend([count(one.files.len()), count(one.authors.len())]);
        row
    };
    Sheet {
        report: "file-types",
        title: "File types",
        as_of,
        facts: vec![format!("{all} changed files"), "without merges".to_owned()],
        columns: vec![
            Column::new("file_type", "", ""),
            Column::new("changes", "changes", "of a file by a commit"),
            Column::new("changes_share", "changes %", ""),
            Column::new("additions", "added", "lines"),
            Column::new("deletions", "removed", "lines"),
            Column::new("files", "files", "different ones"),
            Column::new("authors", "authors", "different ones"),
        ],
        rows: rows.into_iter().take(most).map(row).collect(),
        drawn: vec![1],
        more,
    }
}
