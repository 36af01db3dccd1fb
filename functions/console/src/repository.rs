//! One repository or board: how each of its entities stands, what is missing and why, and what mends it.

use crate::layout;
use crate::stop::Stop;
use crate::who::Who;
use crate::words::{exact, number, when};
use crate::{Shared, bars, look};
use axum::extract::{Path, State};
use engine::{EntityStatus, RepositoryStatus, Standing, integration};
use jiff::Timestamp;
use maud::{Markup, html};

pub(crate) async fn page(State(console): Shared, who: Who, Path(id): Path<u64>) -> Result<Markup, Stop> {
    let now = console.now();
    let found = engine::status_of(console.store.as_ref(), &[id], now).await?.into_iter().next();
    let repo = found.ok_or_else(|| Stop::Absent("There is no such repository in this copy.".to_owned()))?;
    let web = integration::integrations(console.store.as_ref()).await?.iter().find_map(|one| github::ApiUrl::parse(&one.github).ok().map(|url| url.web()));
    let overall = look::overall(&repo);
    let busy = overall == look::Overall::CatchingUp;
    let body = html! {
        p class="trail" { a href="/console/" { "Activity" } }
        div class="title" {
            h1 { (repo.repo) }
            @if let Some(web) = web.filter(|_| !engine::is_project(id)) { a class="button" href={ (web) "/" (repo.repo) } rel="noreferrer" { "On GitHub" } }
        }
        div id="live" data-live=(if busy { 2 } else { 10 }) {
            p { (bars::chip(overall.tone(), overall.name())) }
            @if repo.gone { p class="notice" { "GitHub no longer has it, or does not show that it does. What was copied stays." } }
            (table(&repo, now))
        }
    };
    Ok(layout::page(&console, &who, "Activity", &repo.repo, body))
}

fn table(repo: &RepositoryStatus, now: Timestamp) -> Markup {
    html! {
        div class="scroll" tabindex="0" role="region" aria-label="Entities" {
            table {
                thead { tr {
                    th scope="col" { "Entity" } th scope="col" { "State" } th scope="col" class="count" { "Rows" } th scope="col" { "Progress" }
                    th scope="col" { "What is missing, and why" } th scope="col" { "Last read" } th scope="col" class="count" { "Spent" }
                } }
                tbody { @for entity in &repo.entities { (row(entity, now)) } }
            }
        }
    }
}

fn row(entity: &EntityStatus, now: Timestamp) -> Markup {
    let total = entity.total.filter(|_| entity.state != Standing::SwitchedOff);
    html! {
        tr {
            th scope="row" { (entity.entity.replace('_', " ")) }
            td { (bars::state(entity.state)) }
            td class="count" title=[entity.counted_at.map(|at| format!("counted at {at:.0}"))] { (bars::rows(entity.rows, total)) }
            td { @if let Some(total) = total { (bars::share(entity.entity, entity.rows, total)) } }
            td class="why" { (why(entity)) }
            td { @if let Some(at) = entity.last_success { (when(at, now)) } }
            td class="count" { @if let Some(spent) = entity.spent { (number(spent.requests)) span class="of" { " req., " (number(spent.points)) " pts" } } }
        }
    }
}

fn why(entity: &EntityStatus) -> Markup {
    let details = entity.details();
    html! {
        @if let Some(link) = &entity.link {
            @if let Some(needs) = &entity.needs { "The token needs " (needs) ". " }
            // Only an address of the web: what GitHub tells is not ours to trust.
            @if link.starts_with("https://") || link.starts_with("http://") { a href=(link) rel="noreferrer" { "Mend it on GitHub" } } @else { (link) }
        } @else if !details.is_empty() { (details.trim_start_matches([',', ':', ' '])) }
        @if let Some(error) = &entity.error { p { (error.message) span class="muted" { " (" (error.code) ", since " (exact(error.since, 0)) ")" } } }
        @if !entity.missing.is_empty() {
            details { summary { (number(entity.missing.len() as u64)) " missing" } ul { @for missing in entity.missing.iter().take(100) { li { (missing) } } } }
        }
    }
}
