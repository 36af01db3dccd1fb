//! What is going on: syncs under way, what is left of each token's budget, what each connector has, and how every
//! repository stands. Live: the script asks for the page again and replaces the parts that say so.

use crate::layout::{self, proof};
use crate::look::{Line, Look, Overall};
use crate::stop::Stop;
use crate::who::{Change, Role, Who};
use crate::words::{exact, number, several, span, when};
use crate::{Console, Run, Shared, bars};
use axum::extract::{Query, State};
use axum::response::Redirect;
use engine::audit;
use engine::{Integration, Left, RepositoryStatus, Standing, Sum, budgets, integration};
use jiff::Timestamp;
use maud::{Markup, html};
use std::collections::HashMap;

/// Repositories a page.
const PAGE: usize = 25;

/// Which repositories are shown, as the address says.
struct Filter {
    text: String,
    overall: Option<Overall>,
    organization: String,
    page: usize,
}

impl Filter {
    fn of(query: &HashMap<String, String>) -> Self {
        let field = |name: &str| query.get(name).map(|value| value.trim().to_owned()).unwrap_or_default();
        let state = field("state");
        Self {
            text: field("find").to_lowercase(),
            overall: Overall::ALL.into_iter().find(|one| one.key() == state),
            organization: field("organization").to_lowercase(),
            page: field("page").parse().unwrap_or(1).max(1),
        }
    }

    fn takes(&self, line: &Line) -> bool {
        let owner = || line.repo.split('/').next().unwrap_or_default();
        (self.text.is_empty() || line.repo.to_lowercase().contains(&self.text))
            && self.overall.is_none_or(|overall| line.overall == overall)
            && (self.organization.is_empty() || owner().eq_ignore_ascii_case(&self.organization))
    }

    fn address(&self, page: usize) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in [("find", self.text.as_str()), ("organization", &self.organization), ("state", self.overall.map_or("", Overall::key))] {
            if !value.is_empty() {
                query.append_pair(name, value);
            }
        }
        if page > 1 {
            query.append_pair("page", &page.to_string());
        }
        format!("/console/?{}", query.finish())
    }
}

pub(crate) async fn page(State(console): Shared, who: Who, Query(query): Query<HashMap<String, String>>) -> Result<Markup, Stop> {
    let (look, now) = (console.look().await?, console.now());
    let installed = integration::integrations(console.store.as_ref()).await?;
    let filter = Filter::of(&query);
    let found: Vec<&Line> = look.lines.iter().filter(|line| filter.takes(line)).collect();
    let first = (filter.page - 1) * PAGE;
    let ids: Vec<u64> = found.iter().skip(first).take(PAGE).map(|line| line.id).collect();
    let shown = engine::status_of(console.store.as_ref(), &ids, now).await?;
    let left = budgets(console.store.as_ref(), now).await?;
    let runs = console.syncs.as_ref().map(|syncs| syncs.runs()).unwrap_or_default();
    let busy = runs.iter().any(|run| run.ended.is_none());
    let body = html! {
        div class="title" {
            h1 { "Activity" }
            @if who.role == Role::Admin { a class="button" href="/console/connectors/new" { "Install a connector" } }
        }
        div id="live" data-live=(if busy { 2 } else { 10 }) {
            @if installed.is_empty() && look.lines.is_empty() { (nothing_yet(&who)) }
            (headline(&look, now))
            (syncs(&console, &who, &installed, &runs, now))
            (limits(&look, &left, now))
            (organizations(&look, now))
            (entities(&look))
        }
        @if !look.lines.is_empty() {
            section aria-labelledby="repositories-title" {
                h2 id="repositories-title" { "Repositories and boards" }
                (search(&look, &filter))
                div id="repositories" data-live="" { (repositories(&found, &shown, &filter, now)) }
            }
        }
    };
    Ok(layout::page(&console, &who, "Activity", "Activity", body))
}

fn nothing_yet(who: &Who) -> Markup {
    layout::empty(
        "Nothing is copied yet",
        html! {
            p { "A connector says which GitHub is copied, with whose token, and what of it. It is installed in a minute, and its copy can be watched here." }
            @if who.role == Role::Admin { p { a class="button main" href="/console/connectors/new" { "Install a connector" } } }
        },
    )
}

fn headline(look: &Look, now: Timestamp) -> Markup {
    let count = |overall: Overall| look.lines.iter().filter(|line| line.overall == overall).count() as u64;
    let whole = count(Overall::Complete);
    let open = look.lines.len() as u64 - whole - count(Overall::Gone);
    html! {
        @if !look.lines.is_empty() {
            dl class="tiles" {
                div { dt { "Complete" } dd { (number(whole)) span class="of" { " of " (number(look.lines.len() as u64)) } } }
                div { dt { "Not complete" } dd { (number(open)) } }
                div { dt { "Rows here" } dd { (number(look.rows)) } }
                div { dt { "Spent on them" } dd { (number(look.spent.requests)) span class="of" { " requests, " (number(look.spent.points)) " points" } } }
                div { dt { "As of" } dd class="plain" { (when(look.at, now)) } }
            }
        }
        @for silent in &look.silent { p class="notice wait" { (silent) ". GitHub may have changed how it sends them: a newer version of this program may know." } }
    }
}

fn syncs(console: &Console, who: &Who, installed: &[Integration], runs: &[Run], now: Timestamp) -> Markup {
    html! {
        @if console.syncs.is_some() && !installed.is_empty() {
            section aria-labelledby="syncs-title" {
                h2 id="syncs-title" { "Syncs" }
                ul class="cards" {
                    @for one in installed {
                        @let run = runs.iter().find(|run| run.integration.eq_ignore_ascii_case(&one.name));
                        li { h3 { a href=(crate::connectors::address(&one.name)) { (one.name) } } (one_sync(who, one, run, now)) }
                    }
                }
            }
        }
    }
}

/// How the last sync of one goes, and what begins or ends it.
pub(crate) fn one_sync(who: &Who, one: &Integration, run: Option<&Run>, now: Timestamp) -> Markup {
    html! {
        div class="card" {
            div class="row" {
                (run_state(one, run))
                @if who.role == Role::Admin && !one.paused { (run_button(who, one, run)) }
            }
            @if let Some(run) = run { (run_text(run, now)) }
            @else { p class="muted" { "Not copied since this console was started." } }
        }
    }
}

fn run_state(one: &Integration, run: Option<&Run>) -> Markup {
    match run.map(|run| &run.ended) {
        Some(None) => bars::chip("busy", "copying"),
        _ if one.paused => bars::chip("calm", "paused"),
        Some(Some(ended)) if ended.well => bars::chip("good", "done"),
        Some(Some(_)) => bars::chip("bad", "not all of it"),
        None => bars::chip("calm", "idle"),
    }
}

fn run_button(who: &Who, one: &Integration, run: Option<&Run>) -> Markup {
    let running = run.is_some_and(|run| run.ended.is_none());
    let (what, word) = if running { ("stop", "Stop") } else { ("begin", "Sync now") };
    html! {
        form method="post" action="/console/syncs" data-quiet="" {
            (proof(who))
            input type="hidden" name="integration" value=(one.name);
            button name="action" value=(what) id={ "sync-" (one.name) } { (word) span class="unseen" { " " (one.name) } }
        }
    }
}

fn run_text(run: &Run, now: Timestamp) -> Markup {
    let took = run.ended.as_ref().map_or(now, |ended| ended.at).duration_since(run.began).as_secs().unsigned_abs();
    // Jobs differ in length: an end told from few of them would be a guess.
    let left = (run.ended.is_none() && run.done >= 10 && took >= 2).then(|| (run.of - run.done.min(run.of)) * took / run.done);
    html! {
        @if run.ended.is_none() { (bars::share("jobs done", run.done, run.of.max(1))) }
        p {
            (number(run.done)) " of " (several(run.of, "job", "jobs")) " in " (span(took))
            @if took > 0 && run.done > 0 { ", " (number(run.done * 60 / took)) " a minute" }
            @if let Some(left) = left { ", about " (span(left)) " left" }
            @if !run.message.is_empty() { "; " (run.message) }
        }
        @if !run.lines.is_empty() {
            ul class="log" { @for line in run.lines.iter().rev().take(8) { li { (line) } } }
        }
    }
}

fn limits(look: &Look, left: &[Left], now: Timestamp) -> Markup {
    html! {
        @if !left.is_empty() || !look.limits.is_empty() {
            section aria-labelledby="budgets-title" {
                h2 id="budgets-title" { "Budget of each token" }
                @for limit in &look.limits {
                    p class="notice wait" { "Waiting until " (exact(limit.until, 0)) " (" (when(limit.until, now)) "): token " (limit.token) ", " (limit.resource) ". " (limit.why) }
                }
                ul class="meters" {
                    @for one in left {
                        @let name = if one.resource == "core" { "REST requests" } else { "GraphQL points" };
                        li {
                            span class="name" { (name) " " code title="fingerprint of the token" { (one.token) } }
                            (bars::share(&format!("{name} left"), one.remaining.into(), one.limit.into()))
                            span class="value" { (number(one.remaining.into())) span class="of" { " of " (number(one.limit.into())) " left, whole again " (when(one.resets, now)) } }
                        }
                    }
                }
            }
        }
    }
}

fn organizations(look: &Look, now: Timestamp) -> Markup {
    html! {
        @if !look.organizations.is_empty() {
            section aria-labelledby="organizations-title" {
                h2 id="organizations-title" { "Organizations" }
                ul class="cards" {
                    @for one in &look.organizations {
                        li class="card" {
                            div class="row" {
                                h3 { (one.organization) }
                                @if let Some(name) = &one.integration { span class="muted" { "by " a href=(crate::connectors::address(name)) { (name) } } }
                            }
                            p {
                                (several(one.repositories, "repository", "repositories"))
                                @if one.left_out > 0 { ", " (number(one.left_out)) " not selected" }
                                ", last looked at " @match one.last_success { Some(at) => (when(at, now)), None => "never" }
                            }
                            @if let Some(since) = one.since { p class="muted" { "Only what changed since " (exact(since, 0)) " was asked for." } }
                            @if !one.lacks.is_empty() {
                                p class="muted" { "Its server is older and does not know: " (one.lacks.iter().cloned().collect::<Vec<_>>().join(", ")) "." }
                            }
                            @if let Some(ends) = one.token_expires.filter(|ends| ends.duration_since(now).as_hours() < 14 * 24) {
                                p class="notice wait" { "The token ends " (when(ends, now)) ": make a new one before." }
                            }
                            @for missing in &one.missing { p class="notice bad" { "Missing: " (missing) } }
                        }
                    }
                }
            }
        }
    }
}

fn entities(look: &Look) -> Markup {
    html! {
        @if !look.sums.is_empty() {
            section aria-labelledby="entities-title" {
                h2 id="entities-title" { "What is here" }
                div class="scroll" tabindex="0" role="region" aria-label="Rows by entity" {
                    table {
                        thead { tr { th scope="col" { "Entity" } th scope="col" class="count" { "Rows" } th scope="col" { "Share of GitHub's" } th scope="col" { "In how many repositories" } } }
                        tbody {
                            @for (entity, sum) in look.sums.iter().filter(|(_, sum)| sum.rows > 0 || !sum.standings.keys().all(|one| *one == Standing::Empty)) {
                                (entity_row(entity, sum))
                            }
                        }
                    }
                }
            }
        }
    }
}

fn entity_row(entity: &str, sum: &Sum) -> Markup {
    let total = Some(sum.total).filter(|total| sum.told && *total > 0);
    html! {
        tr {
            th scope="row" { (entity.replace('_', " ")) }
            td class="count" { (bars::rows(sum.rows, total)) }
            td { @if let Some(total) = total { (bars::share(entity, sum.rows, total)) } @else { span class="muted" { "GitHub tells no total" } } }
            td class="chips" { @for (standing, count) in &sum.standings { (bars::chip(bars::tone(*standing), &format!("{} {}", number(*count), standing.name()))) " " } }
        }
    }
}

fn search(look: &Look, filter: &Filter) -> Markup {
    let mut owners: Vec<&str> = look.lines.iter().filter_map(|line| line.repo.split('/').next()).collect();
    owners.sort_unstable();
    owners.dedup();
    html! {
        form class="filters" method="get" action="/console/" role="search" data-search="" {
            label { span { "Name" } input type="search" name="find" value=(filter.text) placeholder="part of a name" autocomplete="off"; }
            label {
                span { "State" }
                select name="state" {
                    option value="" { "any" }
                    @for one in Overall::ALL { option value=(one.key()) selected[filter.overall == Some(one)] { (one.name()) } }
                }
            }
            @if owners.len() > 1 {
                label {
                    span { "Organization" }
                    select name="organization" {
                        option value="" { "any" }
                        @for owner in owners { option value=(owner) selected[owner.eq_ignore_ascii_case(&filter.organization)] { (owner) } }
                    }
                }
            }
            button { "Show" }
        }
    }
}

fn repositories(found: &[&Line], shown: &[RepositoryStatus], filter: &Filter, now: Timestamp) -> Markup {
    let pages = found.len().div_ceil(PAGE).max(1);
    html! {
        p class="muted" role="status" {
            (several(found.len() as u64, "one fits", "fit")) @if pages > 1 { ", page " (number(filter.page as u64)) " of " (number(pages as u64)) }
        }
        @if found.is_empty() { p { "None fits. Take a part of the name away, or choose another state." } }
        @else {
            div class="scroll" tabindex="0" role="region" aria-label="List of repositories" {
                table class="repositories" {
                    thead { tr {
                        th scope="col" { "Repository" } th scope="col" { "State" } th scope="col" { "Progress" }
                        th scope="col" { "Entities" } th scope="col" { "What is missing, and why" } th scope="col" { "Last read" }
                    } }
                    tbody { @for repo in shown { (repository_row(found, repo, now)) } }
                }
            }
            @if pages > 1 {
                nav class="pages" aria-label="Pages" {
                    @if filter.page > 1 { a href=(filter.address(filter.page - 1)) rel="prev" { "Previous" } }
                    @if filter.page < pages { a href=(filter.address(filter.page + 1)) rel="next" { "Next" } }
                }
            }
        }
    }
}

fn repository_row(found: &[&Line], repo: &RepositoryStatus, now: Timestamp) -> Markup {
    let overall = crate::look::overall(repo);
    let line = found.iter().find(|line| line.id == repo.id);
    html! {
        tr {
            th scope="row" { a href={ "/console/repositories/" (repo.id) } { (repo.repo) } }
            td { (bars::chip(overall.tone(), overall.name())) }
            td { @if let Some(line) = line { (bars::share(&repo.repo, line.rows, line.total)) } }
            td { (bars::strip(repo)) }
            td class="why" { (missing(repo)) }
            td { @if let Some(at) = line.and_then(|line| line.last_success) { (when(at, now)) } }
        }
    }
}

/// The first thing that is missing; the repository's own page has all.
fn missing(repo: &RepositoryStatus) -> String {
    if repo.gone {
        return "GitHub no longer has it. The copy stays.".to_owned();
    }
    let troubled = repo.entities.iter().filter(|entity| !entity.state.is_whole() || !entity.missing.is_empty());
    let mut all: Vec<_> = troubled.collect();
    all.sort_by_key(|entity| std::cmp::Reverse(bars::tone(entity.state) == "bad"));
    let Some(first) = all.first() else { return String::new() };
    let why = first.error.as_ref().map(|error| format!(": {}", error.message)).or_else(|| first.missing.first().map(|missing| format!(": {missing}")));
    let more = if all.len() > 1 { format!(" (and {} more)", all.len() - 1) } else { String::new() };
    format!("{} {}{}{more}", first.entity.replace('_', " "), first.state.name(), why.unwrap_or_else(|| first.details()))
}

/// Begins or ends a sync.
pub(crate) async fn change(State(console): Shared, change: Change) -> Result<Redirect, Stop> {
    let syncs = console.syncs.as_ref().ok_or_else(|| Stop::Wrong("This copy is kept by a stack, which copies by itself.".to_owned()))?;
    let one = integration::integration(console.store.as_ref(), change.field("integration")).await?;
    let what = match change.field("action") {
        "begin" if one.paused => return Err(Stop::Wrong(format!("{} is paused: resume it first.", one.name))),
        "begin" => "sync.begin",
        "stop" => "sync.stop",
        other => return Err(Stop::Wrong(format!("`{other}` is nothing that can be done here."))),
    };
    console.note(&change.who, what, &one.name).await?;
    if what == "sync.begin" {
        syncs.begin(&one.name)
    } else {
        syncs.stop(&one.name)
    }
    Ok(Redirect::to("/console/"))
}

impl Console {
    /// Leaves word of a change.
    pub(crate) async fn note(&self, who: &Who, what: &str, of: &str) -> Result<(), Stop> {
        self.note_outcome(who, what, of, String::new()).await
    }

    /// The same of one that may not have come about, or not wholly.
    pub(crate) async fn note_outcome(&self, who: &Who, what: &str, of: &str, why_not: String) -> Result<(), Stop> {
        let change = audit::Change { at: self.now(), who: who.name.clone(), what: what.to_owned(), of: of.to_owned(), why_not };
        Ok(audit::note(self.store.as_ref(), &change).await?)
    }
}
