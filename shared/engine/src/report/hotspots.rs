//! Which files, folders or kinds of files are changed most. Pure but for `answer`, which loads the changes;
//! knows no clock.

use super::ask::{AskError, Asked};
use super::catalogue::{Answer, Entry, Report};
use super::changes::{Change, asked_for};
use super::options;
use super::sheet::{Cell, Column, Sheet};
use crate::ports::Store;
use jiff::Timestamp;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

pub(super) static ENTRY: Entry = Entry {
    name: "file-hotspots",
    aliases: &["hotspots"],
    title: "Hotspots",
    about: "Which files, folders or kinds of files are changed most",
    across: &[],
    own: &[options::COMMITTED, options::BY, options::TOP],
    measures: false,
    run: |store, asked| Box::pin(answer(store, asked)),
};

async fn answer(store: &dyn Store, asked: &Asked) -> Result<Answer, AskError> {
    let most = usize::try_from(asked.number("top", 1, 1_000_000)?).unwrap_or(50);
    let (changes, hint) = asked_for(store, asked).await?;
    let by = asked.one("by").and_then(By::parse).unwrap_or(By::File);
    Ok(Answer { report: Report::Sheet(hotspots(&changes, by, most, asked.now)), hint })
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    File,
    Folder,
    Extension,
}

impl By {
    pub const NAMES: [&str; 3] = ["file", "folder", "extension"];

    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let all = [Self::File, Self::Folder, Self::Extension];
        Self::NAMES.iter().position(|one| *one == name).and_then(|at| all.get(at).copied())
    }

    pub(super) fn of(self, path: &str) -> String {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        match self {
            Self::File => path.to_owned(),
            Self::Folder => format!("{folder}/"),
            // `.gitignore` has none.
            Self::Extension => {
                name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty()).map_or_else(|| "none".to_owned(), |(_, extension)| extension.to_lowercase())
            }
        }
    }
}

struct Spot<'a> {
    changes: u64,
    additions: u64,
    deletions: u64,
    authors: BTreeSet<&'a str>,
    last: Timestamp,
}

/// The `most` that were changed most often, the most often changed first.
#[must_use]
pub fn hotspots(changes: &[Change], by: By, most: usize, as_of: Timestamp) -> Sheet {
    let mut spots: BTreeMap<(&str, String), Spot<'_>> = BTreeMap::new();
    for change in changes {
        // Extensions are the same everywhere.
        let repo = if by == By::Extension { "" } else { &change.repo };
        let new = || Spot { changes: 0, additions: 0, deletions: 0, authors: BTreeSet::new(), last: change.at };
        let spot = spots.entry((repo, by.of(&change.path))).or_insert_with(new);
        spot.changes += 1;
        spot.additions += change.additions;
        spot.deletions += change.deletions;
        spot.authors.extend(change.author.as_deref());
        spot.last = spot.last.max(change.at);
    }
    let mut rows: Vec<_> = spots.into_iter().collect();
    rows.sort_by(|((_, one), left), ((_, other), right)| {
        (Reverse(left.changes), Reverse(left.additions + left.deletions), one).cmp(&(Reverse(right.changes), Reverse(right.additions + right.deletions), other))
    });
    let more = u64::try_from(rows.len().saturating_sub(most)).unwrap_or(u64::MAX);
    let row = |((repo, name), spot): ((&str, String), Spot<'_>)| {
        let authors = u64::try_from(spot.authors.len()).unwrap_or(u64::MAX);
        let repo = if repo.is_empty() { Cell::Nothing } else { Cell::Text(repo.to_owned()) };
        vec![
            Cell::Text(name),
            repo,
            Cell::Number(spot.changes),
            Cell::Number(spot.additions),
            Cell::Number(spot.deletions),
            Cell::Number(authors),
            Cell::Time(spot.last),
        ]
    };
    Sheet {
        report: "file-hotspots",
        title: "Hotspots",
        as_of,
        facts: vec![format!("{} changed files", changes.len()), "without merges".to_owned()],
        columns: vec![
            Column::new(By::NAMES.get(by as usize).copied().unwrap_or("file"), "", ""),
            Column::new("repo", "repository", ""),
            Column::new("changes", "changes", "commits that changed it"),
            Column::new("additions", "added", "lines"),
            Column::new("deletions", "removed", "lines"),
            Column::new("authors", "authors", "different ones"),
            Column::new("last_changed_at", "last changed", ""),
        ],
        rows: rows.into_iter().take(most).map(row).collect(),
        drawn: vec![2],
        more,
    }
}
