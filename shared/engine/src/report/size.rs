//! How large pull requests are. Pure but for `answer`, which loads them; knows no clock.

use super::ask::{AskError, Asked, wrong};
use super::catalogue::{Answer, Entry, Report};
use super::groups::{in_order, keys, named};
use super::options;
use super::people::People;
use super::pulls::{Pull, asked_for};
use super::question::{Across, Question};
use super::sheet::{Cell, Column, Sheet};
use crate::ports::Rows;
use std::collections::BTreeMap;

pub(super) static ENTRY: Entry = Entry {
    name: "pr-size",
    aliases: &[],
    title: "Pull request size",
    about: "How many lines pull requests change: how many are small, medium and large",
    across: &Across::OF_ITEMS,
    own: &[options::CREATED, options::MERGED, options::LABEL, options::SIZES],
    measures: false,
    run: |store, asked| Box::pin(answer(store, asked)),
};

async fn answer(store: &dyn Rows, asked: &Asked) -> Result<Answer, AskError> {
    let question = Question::of(asked, "merged")?;
    let sizes = sizes(asked.one("sizes").unwrap_or_default())?;
    let people = People::load(store, asked).await?;
    let (pulls, hint) = asked_for(store, asked, &people, false).await?;
    Ok(Answer { report: Report::Sheet(size(&pulls, sizes, &question)), hint })
}

/// From how many lines on one is medium, and large.
fn sizes(text: &str) -> Result<(u64, u64), AskError> {
    let read = || {
        let (medium, large) = text.split_once('/')?;
        let (medium, large) = (medium.trim().parse().ok()?, large.trim().parse().ok()?);
        (medium < large).then_some((medium, large))
    };
    read().ok_or_else(|| wrong("sizes", format!("`{text}` is none. Write MEDIUM/LARGE in lines, such as 100/1000")))
}

#[derive(Default)]
struct Gathered {
    small: u64,
    medium: u64,
    large: u64,
    lines: Vec<u64>,
    files: u64,
}

/// Lines are those added and removed. One whose size is not known is not counted.
#[must_use]
pub fn size(pulls: &[Pull], (medium, large): (u64, u64), question: &Question) -> Sheet {
    let zone = question.measure.zone();
    let mut groups: BTreeMap<Option<String>, Gathered> = BTreeMap::new();
    let mut counted: u64 = 0;
    for pull in pulls {
        let merged = pull.merged_at.filter(|at| *at <= question.now);
        let fits = pull.item.created_at <= question.now && question.created.takes(Some(pull.item.created_at)) && question.closed.takes(merged);
        let Some(lines) = pull.additions.zip(pull.deletions).map(|(added, removed)| added + removed).filter(|_| fits) else { continue };
        counted += 1;
        for key in keys(&pull.item.traits(merged), question.across, &zone) {
            let group = groups.entry(key).or_default();
            *(if lines < medium {
                &mut group.small
            } else if lines < large {
                &mut group.medium
            } else {
                &mut group.large
            }) += 1;
            group.lines.push(lines);
            group.files += pull.changed_files.unwrap_or(0);
        }
    }
    let rows = in_order(groups, question.across, |group| u64::try_from(group.lines.len()).unwrap_or(u64::MAX));
    Sheet {
        report: "pr-size",
        title: "Pull request size",
        as_of: question.now,
        facts: vec![format!("{counted} pull requests"), format!("small: fewer than {medium} changed lines; large: {large} or more")],
        columns: vec![
            Column::new("group", "", ""),
            Column::new("pull_requests", "pull requests", ""),
            Column::new("small", "small", ""),
            Column::new("medium", "medium", ""),
            Column::new("large", "large", ""),
            Column::new("small_share", "small %", ""),
            Column::new("large_share", "large %", ""),
            Column::new("median_lines", "median", "lines added and removed; the discrete percentile"),
            Column::new("p90_lines", "p90", "of a hundred, 90 change no more lines"),
            Column::new("files_per_pull_request", "files", "changed by one, on average"),
        ],
        rows: rows.into_iter().map(|(name, group)| row(named(name, question.across), group)).collect(),
        drawn: vec![2, 3, 4],
        more: 0,
    }
}

fn row(name: Cell, mut group: Gathered) -> Vec<Cell> {
    group.lines.sort_unstable();
    let all = group.small + group.medium + group.large;
    let percentile = |percent: usize| {
        let rank = (group.lines.len() * percent).div_ceil(100);
        rank.checked_sub(1).and_then(|at| group.lines.get(at)).map_or(Cell::Nothing, |lines| Cell::Number(*lines))
    };
    let mut row = vec![name];
    row.extend([all, group.small, group.medium, group.large].map(Cell::Number));
    row.extend([Cell::share(group.small, all), Cell::share(group.large, all), percentile(50), percentile(90), Cell::ratio(group.files, all)]);
    row
}
