//! How long issues and pull requests take until they are closed. Pure but for `answer`, which loads them; knows no clock.

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
    about: "How long issues and pull requests take until they are closed",
    across: &Across::OF_ITEMS,
    own: &[options::CREATED, options::CLOSED, options::LABEL, options::KINDS],
    measures: true,
    run: |store, asked| Box::pin(answer(store, asked)),
};

static WORDS: Words = Words {
    report: "resolution",
    title: "Resolution",
    counted: "closed",
    waits: "its end",
    ended: "closed",
    notes: &[("closed", "the time is that from creation to closing; of one that was reopened, to the last closing, with all between")],
};

async fn answer(store: &dyn Rows, asked: &Asked) -> Result<Answer, AskError> {
    let question = Question::of(asked, "closed")?;
    let (items, hint) = asked_for(store, asked, false).await?;
    Ok(Answer { report: Report::Times(Box::new((resolution(&items, &question), question))), hint })
}

/// Creation to the last closing.
#[must_use]
pub fn resolution(items: &[Item], question: &Question) -> TimesReport {
    let timed =
        items.iter().map(|item| Timed { traits: item.traits(item.closed_at), number: item.number, start: item.created_at, end: item.closed_at, open: true });
    times(&WORDS, timed, question)
}
