//! How much is said about pull requests, by how much they change. Pure but for `answer`, which loads them; knows no clock.

use super::ask::{AskError, Asked};
use super::catalogue::{Answer, Entry, Report};
use super::groups::{in_order, keys, named};
use super::items::Word;
use super::options;
use super::people::People;
use super::pulls::{Pull, asked_for};
use super::question::{Across, Question};
use super::sheet::{Cell, Column, Sheet};
use crate::ports::Rows;
use std::collections::BTreeMap;

pub(super) static ENTRY: Entry = Entry {
    name: "pr-comment-density",
    aliases: &[],
    title: "Pull request comment density",
    about: "How many comments pull requests get for each file that they change",
    across: &Across::OF_ITEMS,
    own: &[options::CREATED, options::MERGED, options::LABEL],
    measures: false,
    run: |store, asked| Box::pin(answer(store, asked)),
};

async fn answer(store: &dyn Rows, asked: &Asked) -> Result<Answer, AskError> {
    let question = Question::of(asked, "merged")?;
    let people = People::load(store, asked).await?;
    let (pulls, hint) = asked_for(store, asked, &people, true).await?;
    Ok(Answer { report: Report::Sheet(density(&pulls, &question)), hint })
}

#[derive(Default)]
struct Gathered {
    pulls: u64,
    silent: u64,
    files: u64,
    comments: u64,
    everybodys: u64,
}

/// Of merged ones: comments of others until the merge, and all that there are.
#[must_use]
pub fn density(pulls: &[Pull], question: &Question) -> Sheet {
    let zone = question.measure.zone();
    let mut groups: BTreeMap<Option<String>, Gathered> = BTreeMap::new();
    let mut counted: u64 = 0;
    for pull in pulls {
        let Some(merged_at) = pull.merged_at.filter(|at| *at <= question.now) else { continue };
        if !question.created.takes(Some(pull.item.created_at)) || !question.closed.takes(Some(merged_at)) {
            continue;
        }
        counted += 1;
        let comments = pull.item.said.iter().filter(|said| said.what == Word::Comment && said.at <= merged_at).count();
        let comments = u64::try_from(comments).unwrap_or(u64::MAX);
        for key in keys(&pull.item.traits(Some(merged_at)), question.across, &zone) {
            let group = groups.entry(key).or_default();
            group.pulls += 1;
            group.silent += u64::from(comments == 0);
            group.files += pull.changed_files.unwrap_or(0);
            group.comments += comments;
            group.everybodys += pull.item.comments;
        }
    }
    let row = |(name, group): (Option<String>, Gathered)| {
        let mut row = vec![named(name, question.across)];
        row.extend([group.pulls, group.files, group.comments].map(Cell::Number));
        row.push(Cell::ratio(group.comments, group.files));
        row.extend([Cell::Number(group.silent), Cell::share(group.silent, group.pulls)]);
        row.extend([Cell::Number(group.everybodys), Cell::ratio(group.everybodys, group.files)]);
        row
    };
    Sheet {
        report: "pr-comment-density",
        title: "Pull request comment density",
        as_of: question.now,
        facts: vec![format!("{counted} merged pull requests")],
        columns: vec![
            Column::new("group", "", ""),
            Column::new("merged", "merged", ""),
            Column::new("changed_files", "files", "changed by them"),
            Column::new("comments", "comments", "of others than the author, until the merge; neither of apps nor bots"),
            Column::new("comments_per_file", "per file", "those comments ÷ files"),
            Column::new("without_comment", "without", "merged without one"),
            Column::new("without_comment_share", "without %", ""),
            Column::new("sei_comments", "all (SEI)", "comments whoever wrote them and whenever: as Harness SEI counts them"),
            Column::new("sei_comments_per_file", "per file (SEI)", "those ÷ files"),
        ],
        rows: in_order(groups, question.across, |group| group.pulls).into_iter().map(row).collect(),
        drawn: vec![3],
        more: 0,
    }
}
