//! How long people wait until another first says something. Pure but for `answer`, which loads the items; knows no clock.

use super::ask::{AskError, Asked};
use super::catalogue::{Answer, Entry, Report};
use super::items::{Item, asked_for};
use super::options;
use super::question::{Across, Question};
use super::times::{Timed, TimesReport, Words, times};
use crate::ports::Rows;

pub(super) static ENTRY: Entry = Entry {
    name: WORDS.report,
    aliases: &[],
    title: WORDS.title,
    about: "How long issues and pull requests wait until another first says something",
    across: &Across::OF_ITEMS,
    own: &[options::CREATED, options::CLOSED, options::LABEL, options::KINDS],
    measures: true,
    run: |store, asked| Box::pin(answer(store, asked)),
};

static WORDS: Words = Words {
    report: "first-response",
    title: "First response",
    counted: "answered",
    waits: "a response",
    ended: "closed",
    notes: &[
        ("answered", "another than the author, and no app or bot, commented or reviewed; the time is that from creation to the first such word"),
        ("open", "those that are open and were not answered"),
    ],
};

async fn answer(store: &dyn Rows, asked: &Asked) -> Result<Answer, AskError> {
    let question = Question::of(asked, "closed")?;
    let (items, hint) = asked_for(store, asked, true).await?;
    Ok(Answer { report: Report::Times(Box::new((response(&items, &question), question))), hint })
}

/// Creation to the first word of another.
#[must_use]
pub fn response(items: &[Item], question: &Question) -> TimesReport {
    let timed = items.iter().map(|item| Timed {
        traits: item.traits(item.closed_at),
        number: item.number,
        start: item.created_at,
        end: item.first(question.now, |_| true),
        open: item.closed_at.is_none_or(|at| at > question.now),
    });
    times(&WORDS, timed, question)
}
