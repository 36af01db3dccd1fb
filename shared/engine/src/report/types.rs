//! Which kinds of files are changed: how often, by how many lines. Pure but for `answer`, which loads the changes; knows no clock.

use super::ask::{AskError, Asked};
use super::catalogue::{Answer, Entry, Report};
use super::changes::{Change, each};
use super::hotspots::extension;
use super::options;
use super::sheet::{Cell, Column, Sheet};
use crate::ports::Rows;
use jiff::Timestamp;
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

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

async fn answer(store: &dyn Rows, asked: &Asked) -> Result<Answer, AskError> {
    let most = usize::try_from(asked.number("top", 1, 1_000_000)?).unwrap_or(50);
    let mut types = Types::default();
    let hint = each(store, asked, &mut |change| types.add(change)).await?;
    Ok(Answer { report: Report::Sheet(types.sheet(most, asked.now)), hint })
}

#[derive(Default)]
struct Gathered {
    changes: u64,
    additions: u64,
    deletions: u64,
    /// Hashes of repository and path: there may be millions.
    files: HashSet<u64>,
    authors: HashSet<Arc<str>>,
}

#[derive(Default)]
struct Types {
    types: BTreeMap<String, Gathered>,
    changes: u64,
}

impl Types {
    fn add(&mut self, change: &Change<'_>) {
        self.changes += 1;
        let name = extension(change.path);
        if !self.types.contains_key(&*name) {
            self.types.insert(name.clone().into_owned(), Gathered::default());
        }
        let Some(one) = self.types.get_mut(&*name) else { return };
        one.changes += 1;
        one.additions += change.additions;
        one.deletions += change.deletions;
        let mut file = DefaultHasher::new();
        (change.repo, change.path).hash(&mut file);
        one.files.insert(file.finish());
        if let Some(author) = change.author.filter(|author| !one.authors.contains(*author)) {
            one.authors.insert(author.clone());
        }
    }

    /// The `most` often changed.
    fn sheet(self, most: usize, as_of: Timestamp) -> Sheet {
        let Self { types, changes: all } = self;
        let mut rows: Vec<_> = types.into_iter().collect();
        rows.sort_by(|(one, left), (other, right)| Reverse(left.changes).cmp(&Reverse(right.changes)).then_with(|| one.cmp(other)));
        let more = u64::try_from(rows.len().saturating_sub(most)).unwrap_or(u64::MAX);
        let row = |(name, one): (String, Gathered)| {
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
}
