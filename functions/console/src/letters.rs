//! Dead letters: jobs and events that were given up, sent back or thrown away by the same calls as `sei-github dlq`. Where
//! there are no queues it says what takes their place.

use crate::layout::{self, proof};
use crate::stop::Stop;
use crate::who::{Change, Role, Who};
use crate::words::{number, several, when};
use crate::{Console, Shared, bars, look};
use axum::extract::State;
use axum::response::Redirect;
use engine::dead::{Known, Letter, Letters, known};
use maud::{Markup, html};

/// So many are shown, the oldest first.
const SHOWN: usize = 200;
/// Of a message's body, so many letters.
const PART: usize = 20_000;

pub(crate) async fn page(State(console): Shared, who: Who) -> Result<Markup, Stop> {
    let body = html! {
        div class="title" { h1 { "Dead letters" } }
        p class="muted" { "Jobs and events that failed time after time and were put aside. Nothing is lost by that: mend what stood in the way, and send them back." }
        @match &console.place.dead {
            Some(dead) => (waiting(&console, dead.as_ref(), &who).await?),
            None => (without(&console).await?),
        }
    };
    Ok(layout::page(&console, &who, "Dead letters", "Dead letters", body))
}

async fn waiting(console: &Console, dead: &dyn Letters, who: &Who) -> Result<Markup, Stop> {
    let all = dead.list().await?;
    let shown = all.get(..SHOWN).unwrap_or(&all);
    let known = known(console.store.as_ref(), shown, console.now()).await?;
    let admin = who.role == Role::Admin;
    Ok(html! {
        @if all.is_empty() {
            (layout::empty("No message is dead", html! { p { "What fails is tried five times, and comes here then. The stack's alarms tell when that happens." } }))
        } @else {
            p class="muted" role="status" { (several(all.len() as u64, "message", "messages")) @if all.len() > SHOWN { ", of which the oldest " (SHOWN) " are shown" } }
            div class="scroll" tabindex="0" role="region" aria-label="Dead letters" {
                table {
                    thead { tr {
                        th scope="col" { "What" } th scope="col" { "Was a" } th scope="col" { "Sent" }
                        th scope="col" class="count" title="Tries, and looks at it" { "Received" } th scope="col" { "Why, as far as known" }
                        @if admin { th scope="col" { "Do" } }
                    } }
                    tbody { @for (letter, known) in shown.iter().zip(&known) { (row(console, who, letter, known)) } }
                }
            }
            @if admin { (all_of_them(who, &all)) }
        }
    })
}

fn row(console: &Console, who: &Who, letter: &Letter, known: &Known) -> Markup {
    let (log, kind) = if letter.queue == "events" { ("receiver", "event") } else { ("fetcher", "job") };
    html! {
        tr {
            th scope="row" {
                @if let Some(delivery) = letter.delivery() {
                    a href={ "/console/events/" (url::form_urlencoded::byte_serialize(delivery.as_bytes()).collect::<String>()) } { (letter.what()) }
                } @else if let Some(scope) = letter.scope() { a href={ "/console/repositories/" (scope) } { (letter.what()) } }
                @else { (letter.what()) }
                @if let Some(repo) = &known.repo { p class="muted" { (repo) } }
                details { summary { "The message" } p class="muted" { code { (letter.id) } } pre tabindex="0" role="region" aria-label={ "Message " (letter.id) } { (part(&letter.body)) } }
            }
            td { (bars::chip("calm", kind)) }
            td { @if let Some(at) = letter.sent_at { (when(at, console.now())) } }
            td class="count" { @if let Some(times) = letter.received { (number(times)) "×" } }
            td class="why" {
                @match &known.why {
                    Some(why) => (why),
                    None => { "Its log says: " code { "sei-github logs --function " (log) } },
                }
            }
            @if who.role == Role::Admin {
                td {
                    form class="does" method="post" action="/console/letters" {
                        (proof(who))
                        input type="hidden" name="id" value=(letter.id);
                        button name="action" value="redrive" aria-label={ "Send back " (letter.what()) } { "Send back" }
                        button class="danger" name="action" value="purge" aria-label={ "Delete " (letter.what()) } { "Delete" }
                    }
                }
            }
        }
    }
}

/// Deletes those that were there when the page was made, and none that came since.
fn all_of_them(who: &Who, all: &[Letter]) -> Markup {
    html! {
        section class="sheet" aria-labelledby="all-title" {
            h2 id="all-title" { "All of them" }
            form method="post" action="/console/letters" {
                (proof(who))
                p { button class="main" name="action" value="redrive" { "Send all back" } }
            }
            form method="post" action="/console/letters" {
                (proof(who))
                @for letter in all { input type="hidden" name="id" value=(letter.id); }
                label class="choice" { input type="checkbox" name="sure" value="yes" required; span { "Delete for good" small { "what GitHub still has comes again with the next look at it; what an event told alone does not" } } }
                p { button class="danger" name="action" value="purge" { "Delete " (several(all.len() as u64, "message", "messages")) } }
            }
        }
    }
}

/// As much of a text as one looks at.
fn part(text: &str) -> &str {
    text.char_indices().nth(PART).and_then(|(end, _)| text.get(..end)).unwrap_or(text)
}

/// On a machine of one's own: what failed stays where it is, and is tried again.
async fn without(console: &std::sync::Arc<Console>) -> Result<Markup, Stop> {
    let look = console.look().await?;
    let troubled = look.lines.iter().filter(|line| line.overall == look::Overall::Trouble).count() as u64;
    let runs = console.syncs.as_ref().map(|syncs| syncs.runs()).unwrap_or_default();
    let failed: Vec<_> = runs.iter().filter(|run| run.ended.as_ref().is_some_and(|ended| !ended.well)).collect();
    Ok(html! {
        (layout::empty("This copy has no queues", html! {
            p { "It is on this machine: a job that fails is told at once, in the list of activity, and tried again with the next sync. A deployed stack puts aside what fails five times, and this page shows it." }
            p {
                @if troubled > 0 { a href="/console/?state=missing" { "Something is missing in " (several(troubled, "repository", "repositories")) } "." }
                @else { "Nothing failed that is still missing." }
            }
        }))
        @for run in failed {
            p class="notice bad" { "The last sync of " (run.integration) " did not bring everything: " (run.lines.last().map_or("it says no more", String::as_str)) }
        }
    })
}

pub(crate) async fn change(State(console): Shared, change: Change) -> Result<Redirect, Stop> {
    let dead = console.place.dead.as_ref().ok_or_else(|| Stop::Wrong("This copy has no queues, and so no dead letters.".to_owned()))?;
    let ids = change.all("id");
    let what = change.field("action").to_owned();
    let done = match what.as_str() {
        "redrive" => dead.redrive(&ids).await,
        // Nobody deletes everything by a form that names nothing, or several by a slip.
        "purge" if ids.is_empty() || ids.len() > 1 && !change.has("sure") => {
            return Err(Stop::Wrong("Nothing was deleted: tick that it is for good.".to_owned()));
        }
        "purge" => dead.purge(&ids).await,
        other => return Err(Stop::Wrong(format!("`{other}` is nothing that can be done here."))),
    };
    let of = match (ids.as_slice(), &done) {
        ([one], _) => one.clone(),
        (_, Ok(count)) => several(*count as u64, "message", "messages"),
        (_, Err(_)) => "all".to_owned(),
    };
    // Some may be done where not all are: that leaves a line, too.
    let why_not = done.as_ref().err().map(ToString::to_string).unwrap_or_default();
    console.note_outcome(&change.who, &format!("letters.{what}"), &of, why_not).await?;
    done?;
    Ok(Redirect::to("/console/letters"))
}
