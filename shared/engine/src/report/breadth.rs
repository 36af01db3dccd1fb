//! How wide people's work is: kinds of files, and repositories. Pure but for `answer`, which loads the changes; knows no clock.

use super::ask::{AskError, Asked};
use super::catalogue::{Answer, Entry, Report};
use super::changes::{Change, each};
use super::groups::Of;
use super::hotspots::extension;
use super::options;
use super::sheet::{Cell, Column, Sheet};
use crate::ports::Rows;
use jiff::Timestamp;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

pub(super) static ENTRY: Entry = Entry {
    name: "breadth",
    aliases: &[],
    title: "Breadth",
    about: "How many kinds of files, and repositories, each person changes",
    across: &[],
    own: &[options::COMMITTED, options::TOP_PEOPLE],
    measures: false,
    run: |store, asked| Box::pin(answer(store, asked)),
};

async fn answer(store: &dyn Rows, asked: &Asked) -> Result<Answer, AskError> {
    let most = usize::try_from(asked.number("top", 1, 1_000_000)?).unwrap_or(50);
    let mut people = People::default();
    let hint = each(store, asked, &mut |change| people.add(change)).await?;
    Ok(Answer { report: Report::Sheet(people.sheet(most, asked.now)), hint })
}

#[derive(Default)]
struct Gathered {
    changes: u64,
    types: BTreeMap<String, u64>,
    repos: BTreeSet<Arc<str>>,
}

#[derive(Default)]
struct People {
    people: HashMap<Option<Arc<str>>, Gathered>,
    changes: u64,
}

impl People {
    fn add(&mut self, change: &Change<'_>) {
        self.changes += 1;
        let one = self.people.entry(change.author.cloned()).or_default();
        one.changes += 1;
        let name = extension(change.path);
        match one.types.get_mut(&*name) {
            Some(changes) => *changes += 1,
            None => drop(one.types.insert(name.into_owned(), 1)),
        }
        if !one.repos.contains(change.repo) {
            one.repos.insert(change.repo.clone());
        }
    }

    /// The `most` whose work is widest.
    fn sheet(self, most: usize, as_of: Timestamp) -> Sheet {
        let Self { people, changes } = self;
        let wide = |one: &Gathered| Reverse((one.types.len(), one.repos.len(), one.changes));
        let mut rows: Vec<_> = people.into_iter().collect();
        rows.sort_by(|(one, left), (other, right)| wide(left).cmp(&wide(right)).then_with(|| one.cmp(other)));
        let known = rows.iter().filter(|(name, _)| name.is_some()).count();
        let more = u64::try_from(rows.len().saturating_sub(most)).unwrap_or(u64::MAX);
        let row = |(name, one): (Option<Arc<str>>, Gathered)| {
            let count = |number: usize| Cell::Number(u64::try_from(number).unwrap_or(u64::MAX));
            // Of several as frequent, the first by name.
            let main = one.types.iter().max_by_key(|(name, changes)| (**changes, Reverse(*name))).map(|(name, _)| Cell::Text(name.clone()));
            vec![Of::cell(name.as_deref()), count(one.types.len()), count(one.repos.len()), Cell::Number(one.changes), main.unwrap_or(Cell::Nothing)]
        };
        Sheet {
            report: "breadth",
            title: "Breadth",
            as_of,
            facts: vec![format!("{known} people"), format!("{changes} changed files"), "without merges".to_owned()],
            columns: vec![
                Column::new("author", "", ""),
                Column::new("file_types", "file types", "technical breadth: different extensions of the files that were changed"),
                Column::new("repositories", "repositories", "repository breadth: different ones"),
                Column::new("changes", "changes", "of a file by a commit"),
                Column::new("main_file_type", "mostly", "the kind of file that was changed most often"),
            ],
            rows: rows.into_iter().take(most).map(row).collect(),
            drawn: vec![1],
            more,
        }
    }
}
