//! Which files, folders or kinds of files are changed most. Pure but for `answer`, which loads the changes;
//! knows no clock.

use super::ask::{AskError, Asked};
use super::catalogue::{Answer, Entry, Report};
use super::changes::{Change, each};
use super::options;
use super::sheet::{Cell, Column, Sheet};
use crate::ports::Rows;
use jiff::Timestamp;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

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

async fn answer(store: &dyn Rows, asked: &Asked) -> Result<Answer, AskError> {
    let most = usize::try_from(asked.number("top", 1, 1_000_000)?).unwrap_or(50);
    let mut spots = Spots { by: asked.one("by").and_then(By::parse).unwrap_or(By::File), repos: BTreeMap::new(), changes: 0 };
    let hint = each(store, asked, &mut |change| spots.add(change)).await?;
    Ok(Answer { report: Report::Sheet(spots.sheet(most, asked.now)), hint })
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

struct Spot {
    changes: u64,
    additions: u64,
    deletions: u64,
    authors: BTreeSet<Arc<str>>,
    last: Timestamp,
}

/// By repository and by what is counted; extensions are the same everywhere.
struct Spots {
    by: By,
    repos: BTreeMap<String, HashMap<String, Spot>>,
    changes: u64,
}

impl Spots {
    fn add(&mut self, change: &Change<'_>) {
        self.changes += 1;
        let repo = if self.by == By::Extension { "" } else { change.repo };
        if !self.repos.contains_key(repo) {
            self.repos.insert(repo.to_owned(), HashMap::new());
        }
        let Some(spots) = self.repos.get_mut(repo) else { return };
        let new = || Spot { changes: 0, additions: 0, deletions: 0, authors: BTreeSet::new(), last: change.at };
        let spot = spots.entry(self.by.of(change.path)).or_insert_with(new);
        spot.changes += 1;
        spot.additions += change.additions;
        spot.deletions += change.deletions;
        if let Some(author) = change.author.filter(|author| !spot.authors.contains(*author)) {
            spot.authors.insert(author.clone());
        }
        spot.last = spot.last.max(change.at);
    }

    /// The `most` that were changed most often, the most often changed first.
    fn sheet(self, most: usize, as_of: Timestamp) -> Sheet {
        let by = self.by;
        let flat = self.repos.into_iter().flat_map(|(repo, spots)| spots.into_iter().map(move |(name, spot)| (repo.clone(), name, spot)));
        let mut rows: Vec<(String, String, Spot)> = flat.collect();
        rows.sort_by(|(repo, name, left), (other_repo, other, right)| {
            let lines = |spot: &Spot| Reverse(spot.additions + spot.deletions);
            (Reverse(left.changes), lines(left), name, repo).cmp(&(Reverse(right.changes), lines(right), other, other_repo))
        });
        let more = u64::try_from(rows.len().saturating_sub(most)).unwrap_or(u64::MAX);
        let row = |(repo, name, spot): (String, String, Spot)| {
            let authors = u64::try_from(spot.authors.len()).unwrap_or(u64::MAX);
            let repo = if repo.is_empty() { Cell::Nothing } else { Cell::Text(repo) };
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
            facts: vec![format!("{} changed files", self.changes), "without merges".to_owned()],
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
}
