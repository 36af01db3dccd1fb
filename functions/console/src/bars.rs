//! How a state and a share are drawn: always in words, too, never by colour alone.

use crate::words::number;
use engine::{EntityStatus, RepositoryStatus, Standing};
use maud::{Markup, html};

/// What kind of news a state is.
pub(crate) const fn tone(standing: Standing) -> &'static str {
    match standing {
        Standing::Complete => "good",
        Standing::CatchingUp => "busy",
        Standing::Waiting => "wait",
        Standing::SwitchedOff | Standing::Disabled | Standing::Empty => "calm",
        Standing::NoPermission | Standing::SsoNeeded | Standing::Gone | Standing::Blocked | Standing::Failed => "bad",
    }
}

pub(crate) fn chip(tone: &str, text: &str) -> Markup {
    html! { span class={ "chip " (tone) } { (text) } }
}

pub(crate) fn state(standing: Standing) -> Markup {
    chip(tone(standing), standing.name())
}

/// So much of so much; nothing where there is no whole.
pub(crate) fn share(of: &str, done: u64, whole: u64) -> Markup {
    html! {
        @if whole > 0 {
            progress value=(done.min(whole)) max=(whole) aria-label=(format!("{of}: {} of {}", number(done.min(whole)), number(whole))) {}
        }
    }
}

/// Rows, and GitHub's total where it tells one.
pub(crate) fn rows(rows: u64, total: Option<u64>) -> Markup {
    html! { (number(rows)) @if let Some(total) = total { span class="of" { " of " (number(total)) } } }
}

/// One mark an entity, in the order of the sweeps.
pub(crate) fn strip(repo: &RepositoryStatus) -> Markup {
    let shown: Vec<&EntityStatus> = repo.entities.iter().collect();
    let words: Vec<String> = [("bad", "with trouble"), ("busy", "catching up"), ("wait", "waiting"), ("good", "complete")]
        .into_iter()
        .filter_map(|(wanted, word)| {
            let names: Vec<&str> = shown.iter().filter(|entity| tone(entity.state) == wanted).map(|entity| entity.entity).collect();
            match (names.len(), wanted) {
                (0, _) => None,
                (count, "good") => Some(format!("{count} {word}")),
                (count, _) => Some(format!("{count} {word} ({})", names.join(", "))),
            }
        })
        .collect();
    html! {
        span class="strip" role="img" aria-label=(if words.is_empty() { "nothing to copy".to_owned() } else { words.join(", ") }) {
            @for entity in shown {
                span class={ "cell " (tone(entity.state)) } title=(format!("{}: {}, {}", entity.entity, entity.state.name(), number(entity.rows))) {}
            }
        }
    }
}
