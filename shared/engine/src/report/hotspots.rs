//! Which files, folders or kinds of files are changed most. Pure but for `answer`, which loads the changes;
//! knows no clock.

use super::ask::{AskError, Asked};
use super::catalogue::{Answer, Entry, Report};
use super::changes::{Change, each};
use super::options;
use super::sheet::{Cell, Column, Sheet};
use crate::ports::Rows;
use jiff::Timestamp;
use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
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
    let mut spots = Spots::new(asked.one("by").and_then(By::parse).unwrap_or(By::File));
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

    fn of(self, path: &str) -> Cow<'_, str> {
        match self {
            Self::File => path.into(),
            Self::Folder => format!("{}/", path.rsplit_once('/').map_or("", |(folder, _)| folder)).into(),
            Self::Extension => extension(path),
        }
    }
}

/// The end of a file's name in small letters; `.gitignore` has none.
pub(super) fn extension(path: &str) -> Cow<'_, str> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let Some((_, extension)) = name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty()) else { return "none".into() };
    // Most are small as they are.
    let small = extension.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    if small { extension.into() } else { extension.to_lowercase().into() }
}

struct Spot {
    changes: u64,
    additions: u64,
    deletions: u64,
    /// Places of names, in order: most files have few authors.
    authors: Vec<u32>,
    last: Timestamp,
}

/// By repository and by what is counted; extensions are the same everywhere.
struct Spots {
    by: By,
    repos: BTreeMap<Arc<str>, HashMap<Arc<str>, Spot>>,
    authors: HashMap<Arc<str>, u32>,
    everywhere: Arc<str>,
    changes: u64,
}

impl Spots {
    fn new(by: By) -> Self {
        Self { by, repos: BTreeMap::new(), authors: HashMap::new(), everywhere: "".into(), changes: 0 }
    }

    fn add(&mut self, change: &Change<'_>) {
        self.changes += 1;
        let repo = if self.by == By::Extension { &self.everywhere } else { change.repo };
        if !self.repos.contains_key(repo) {
            self.repos.insert(repo.clone(), HashMap::new());
        }
        let Some(spots) = self.repos.get_mut(repo) else { return };
        let name = if self.by == By::File { change.path.clone() } else { Arc::from(self.by.of(change.path)) };
        let spot = spots.entry(name).or_insert_with(|| Spot { changes: 0, additions: 0, deletions: 0, authors: Vec::new(), last: change.at });
        spot.changes += 1;
        spot.additions += change.additions;
        spot.deletions += change.deletions;
        if let Some(author) = change.author {
            let next = u32::try_from(self.authors.len()).unwrap_or(u32::MAX);
            let author = *self.authors.entry(author.clone()).or_insert(next);
            if let Err(place) = spot.authors.binary_search(&author) {
                spot.authors.insert(place, author);
            }
        }
        spot.last = spot.last.max(change.at);
    }

    /// The `most` that were changed most often, the most often changed first.
    fn sheet(self, most: usize, as_of: Timestamp) -> Sheet {
        let by = self.by;
        let mut rows: Vec<(Arc<str>, Arc<str>, Spot)> = Vec::new();
        let mut all = 0;
        // There may be millions: after each repository, only those that may be among the most stay.
        for (repo, spots) in self.repos {
            all += spots.len();
            rows.extend(spots.into_iter().map(|(name, spot)| (repo.clone(), name, spot)));
            rows.sort_unstable_by(|(repo, name, left), (other_repo, other, right)| {
                let lines = |spot: &Spot| Reverse(spot.additions + spot.deletions);
                (Reverse(left.changes), lines(left), name, repo).cmp(&(Reverse(right.changes), lines(right), other, other_repo))
            });
            rows.truncate(most);
        }
        let more = u64::try_from(all - rows.len()).unwrap_or(u64::MAX);
        let row = |(repo, name, spot): (Arc<str>, Arc<str>, Spot)| {
            let authors = u64::try_from(spot.authors.len()).unwrap_or(u64::MAX);
            let repo = if repo.is_empty() { Cell::Nothing } else { Cell::Text(repo.to_string()) };
            vec![
                Cell::Text(name.to_string()),
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
            rows: rows.into_iter().map(row).collect(),
            drawn: vec![2],
            more,
        }
    }
}
