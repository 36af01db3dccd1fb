//! How much of what was changed was new, changed again soon, or old: rework. Pure but for `answer`,
//! which loads the changes; knows no clock.

use super::ask::{AskError, Asked};
use super::catalogue::{Answer, Entry, Report};
use super::changes::{Change, each};
use super::groups::{Keys, Of};
use super::options;
use super::sheet::{Cell, Column, Sheet};
use crate::ports::Rows;
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::sync::Arc;

pub(super) static ENTRY: Entry = Entry {
    name: "rework",
    aliases: &[],
    title: "Rework",
    about: "How many of the changed lines were new, changed again soon, or old",
    across: &["all", "repository", "author", "week", "month"],
    own: &[options::COMMITTED, options::LIMIT],
    measures: false,
    run: |store, asked| Box::pin(answer(store, asked)),
};

async fn answer(store: &dyn Rows, asked: &Asked) -> Result<Answer, AskError> {
    let days = i64::try_from(asked.number("limit", 1, 65_535)?).unwrap_or(30);
    let mut rework = Rework::new(Of::parse(asked.across()), SignedDuration::from_hours(24 * days));
    let hint = each(store, asked, &mut |change| rework.add(change)).await?;
    Ok(Answer { report: Report::Sheet(rework.sheet(asked.now)), hint })
}

#[derive(Default)]
struct Lines {
    new: u64,
    refactored: u64,
    legacy: u64,
    files: u64,
}

/// A file that was changed less than `limit` before is refactored, one that was changed longer ago legacy, and one that
/// was never changed before new. Counts the lines added and removed.
struct Rework {
    of: Of,
    limit: SignedDuration,
    keys: Keys,
    groups: HashMap<Option<Arc<str>>, Lines>,
}

impl Rework {
    fn new(of: Of, limit: SignedDuration) -> Self {
        Self { of, limit, keys: Keys::new(of), groups: HashMap::new() }
    }

    fn add(&mut self, change: &Change<'_>) {
        let name = self.keys.of(change.repo, change.author, change.at);
        let group = self.groups.entry(name).or_default();
        let lines = change.additions + change.deletions;
        group.files += 1;
        match change.before {
            None => group.new += lines,
            Some(before) if change.at.duration_since(before) < self.limit => group.refactored += lines,
            Some(_) => group.legacy += lines,
        }
    }

    fn sheet(self, as_of: Timestamp) -> Sheet {
        let Self { of, limit, groups, .. } = self;
        let changes: u64 = groups.values().map(|group| group.files).sum();
        let rows = of.in_order(groups, |lines| lines.new + lines.refactored + lines.legacy);
        let days = limit.as_hours() / 24;
        Sheet {
            report: "rework",
            title: "Rework",
            as_of,
            facts: vec![format!("{changes} changed files"), format!("refactored: changed again within {days} days"), "without merges".to_owned()],
            columns: vec![
                Column::new("group", "", ""),
                Column::new("changed_lines", "lines", "added and removed"),
                Column::new("new", "new", "lines of files that no earlier commit changed"),
                Column::new("refactored", "refactored", "lines of files that were changed less than the limit before"),
                Column::new("legacy", "legacy", "lines of files that were last changed before that"),
                Column::new("new_share", "new %", ""),
                Column::new("refactored_share", "refactored %", "rework: the share of changed lines"),
                Column::new("legacy_share", "legacy %", ""),
                Column::new("changed_files", "files", "changes of a file by a commit"),
            ],
            rows: rows.into_iter().map(|(name, lines)| row(name.as_deref(), &lines)).collect(),
            drawn: vec![2, 3, 4],
            more: 0,
        }
    }
}

fn row(name: Option<&str>, lines: &Lines) -> Vec<Cell> {
    let all = lines.new + lines.refactored + lines.legacy;
    let share = |part: u64| Cell::share(part, all);
    let shares = [lines.new, lines.refactored, lines.legacy].map(share);
    let mut row = vec![Of::cell(name)];
    row.extend([all, lines.new, lines.refactored, lines.legacy].map(Cell::Number));
    row.extend(shares);
    row.push(Cell::Number(lines.files));
    row
}
