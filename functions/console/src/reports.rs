//! Every report of the engine's list, asked by the address: the same question as the command's, drawn by the same library.
//! Computes no figure.

use crate::layout;
use crate::stop::Stop;
use crate::who::Who;
use crate::{Console, Shared};
use axum::extract::{Path, RawQuery, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use drawing::{Format, Links, Pieces, pieces};
use engine::integration;
use engine::report::{self, AskError, Entry, Opt, REPORTS, Takes};
use maud::{Markup, PreEscaped, html};

/// What can be taken along.
const FILES: [(&str, Format); 3] = [("csv", Format::Csv), ("json", Format::Json), ("svg", Format::Svg)];

impl From<AskError> for Stop {
    fn from(error: AskError) -> Self {
        match error {
            AskError::Store(error) => Self::Store(error),
            error @ AskError::NoReport { .. } => Self::Absent(error.to_string()),
            error => Self::Wrong(error.to_string()),
        }
    }
}

pub(crate) async fn list(State(console): Shared, who: Who) -> Markup {
    let body = html! {
        div class="title" { h1 { "Reports" } }
        p class="muted" { "Computed from this copy; GitHub is asked nothing. Each is the same as " code { "sei-github report" } " prints." }
        ul class="cards" {
            @for entry in REPORTS {
                li { div class="card" { h2 { a href={ "/console/reports/" (entry.name) } { (entry.title) } } p { (entry.about) "." } } }
            }
        }
    };
    layout::page(&console, &who, "Reports", "Reports", body)
}

pub(crate) async fn one(State(console): Shared, who: Who, Path(name): Path<String>, RawQuery(query): RawQuery) -> Result<Response, Stop> {
    let entry = report::entry(&name)?;
    let pairs = report::pairs(query.as_deref().unwrap_or_default());
    let (wrong, hint, pieces) = match report::report(console.store.as_ref(), &name, &pairs, console.now()).await {
        Ok(answer) => {
            let web = web(&console).await?;
            let links = Links { web: web.as_deref(), group: &|name| narrower(entry, &pairs, name) };
            (None, answer.hint, pieces(&answer.report, &links))
        }
        Err(error @ (AskError::Value { .. } | AskError::NoOption { .. })) => {
            (Some(error.to_string()), None, Pieces { title: entry.title.to_owned(), ..Pieces::default() })
        }
        Err(error) => return Err(error.into()),
    };
    let files = if pieces.table.is_some() { &FILES[..] } else { &[] };
    let asked = asked(&pairs);
    let body = html! {
        p class="trail" { a href="/console/reports" { "Reports" } }
        div class="title" {
            h1 { (pieces.title) }
            @if !files.is_empty() {
                p { @for (file, _) in files { a class="button" href={ "/console/reports/" (entry.name) "/" (file) (asked) } download="" { (file.to_uppercase()) } " " } }
            }
        }
        p class="muted" { (pieces.facts.join(" · ")) }
        (form(entry, &pairs))
        @if let Some(wrong) = &wrong { p class="notice bad" role="alert" { (wrong) } }
        @else if pieces.table.is_none() {
            (layout::empty("Nothing to count", html! {
                p { (hint.as_deref().unwrap_or("Nothing in this copy matches what was asked.")) }
            }))
        }
        (drawn(&pieces))
    };
    let status = if wrong.is_some() { axum::http::StatusCode::UNPROCESSABLE_ENTITY } else { axum::http::StatusCode::OK };
    Ok((status, layout::page(&console, &who, "Reports", entry.title, body)).into_response())
}

/// The report as a file, as the command prints it.
pub(crate) async fn file(State(console): Shared, _: Who, Path((name, file)): Path<(String, String)>, RawQuery(query): RawQuery) -> Result<Response, Stop> {
    let found = FILES.into_iter().find(|(known, _)| *known == file);
    let (file, format) = found.ok_or_else(|| Stop::Absent(format!("A report is no {file}. There are: csv, json, svg")))?;
    let pairs = report::pairs(query.as_deref().unwrap_or_default());
    let answer = report::report(console.store.as_ref(), &name, &pairs, console.now()).await?;
    let mut text = Vec::new();
    drawing::write(&answer.report, format, &mut text).map_err(|error| Stop::Wrong(error.to_string()))?;
    let name = report::entry(&name)?.name;
    let headers = [(header::CONTENT_TYPE, format.media_type().to_owned()), (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}.{file}\""))];
    Ok((headers, text).into_response())
}

/// Where people look at this GitHub.
async fn web(console: &Console) -> Result<Option<String>, Stop> {
    let all = integration::integrations(console.store.as_ref()).await?;
    Ok(all.iter().find_map(|one| github::ApiUrl::parse(&one.github).ok().map(|url| url.web())))
}

/// What was asked, as the end of an address.
fn asked(pairs: &[(String, String)]) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(pairs.iter().filter(|(_, value)| !value.trim().is_empty()));
    let query = query.finish();
    if query.is_empty() { query } else { format!("?{query}") }
}

/// The address of the report of one of its groups alone or, of a person who is listed, of their commits.
fn narrower(entry: &'static Entry, pairs: &[(String, String)], group: &str) -> Option<String> {
    let has = |name: &str| entry.options().any(|option| option.name == name);
    if matches!(entry.name, "committers" | "breadth") {
        return Some(format!(
            "/console/reports/commits{}",
            asked(&[("across".to_owned(), "repository".to_owned()), ("person".to_owned(), report::exactly(group))])
        ));
    }
    let across = pairs.iter().rev().find(|(name, value)| name == "across" && !value.is_empty()).map(|(_, value)| value.as_str());
    let across = across.or_else(|| entry.across.first().copied())?;
    let ended = ["closed", "merged"].into_iter().find(|name| has(name));
    let (name, value) = match across {
        "repository" => ("repo", report::exactly(group)),
        "creator" | "author" => ("person", report::exactly(group)),
        "label" => ("label", group.to_owned()),
        "week" => (if has("created") { "created" } else { "committed" }, week(group)?),
        "closed-week" => (ended?, week(group)?),
        "month" => ("committed", group.to_owned()),
        _ => return None,
    };
    let mut narrow: Vec<(String, String)> = pairs.iter().filter(|(one, _)| one != "across" && one != name).cloned().collect();
    // Of one group, how it is divided; where time is the default, people are.
    narrow.extend(
        (entry.across.first() == Some(&across))
            .then(|| ("across".to_owned(), "author".to_owned()))
            .filter(|_| entry.across.contains(&"author") && across != "author"),
    );
    narrow.push((name.to_owned(), value));
    Some(format!("/console/reports/{}{}", entry.name, asked(&narrow)))
}

/// An ISO week as a range of days, both included.
fn week(name: &str) -> Option<String> {
    let (year, week) = name.split_once("-W")?;
    let monday = jiff::civil::ISOWeekDate::new(year.parse().ok()?, week.parse().ok()?, jiff::civil::Weekday::Monday).ok()?.date();
    let sunday = monday.checked_add(jiff::Span::new().days(6)).ok()?;
    Some(format!("{monday}..{sunday}"))
}

/// Each option of the report as a field; the address says what was asked, and leads back to it.
fn form(entry: &'static Entry, pairs: &[(String, String)]) -> Markup {
    let told = |name: &str| pairs.iter().filter(|(one, _)| one == name).map(|(_, value)| value.trim()).filter(|value| !value.is_empty()).collect::<Vec<_>>();
    // Whether what most people ask is enough.
    let (usual, rare): (Vec<Opt>, Vec<Opt>) = entry.options().partition(|option| {
        matches!(option.name, "across" | "by" | "stages" | "exclude-stage" | "created" | "closed" | "merged" | "committed" | "repo" | "team" | "label")
    });
    let open = rare.iter().any(|option| !told(option.name).is_empty());
    html! {
        form class="filters" method="get" action={ "/console/reports/" (entry.name) } {
            @for option in &usual { (field(option, &told(option.name))) }
            button class="main" { "Show" }
            details class="rare" open[open] { summary { "More to ask" } div class="filters" { @for option in &rare { (field(option, &told(option.name))) } } }
        }
    }
}

fn field(option: &Opt, told: &[&str]) -> Markup {
    let (name, value) = (option.name, told.join(","));
    let text = |kind: &str, unless: Option<&str>| {
        html! {
            input name=(name) value=(value) placeholder=(unless.unwrap_or(kind)) autocomplete="off" spellcheck="false";
        }
    };
    html! {
        label title=(option.about) {
            span { (name.replace('-', " ")) }
            @match option.takes {
                Takes::Flag => select name=(name) { option value="" { "no" } option value="true" selected[!told.is_empty() && told != ["false"]] { "yes" } },
                Takes::Choice(of) => select name=(name) { @for one in of { option value=(one) selected[told.last() == Some(one)] { (one.replace('-', " ")) } } },
                Takes::Text(kind, unless) | Takes::Words(kind, unless) => (text(kind, unless)),
                Takes::Many(kind) => (text(kind, None)),
            }
        }
    }
}

/// What can be scrolled can be reached by keyboard, and has a name.
fn scrolls(inner: &str, name: &str) -> Markup {
    let table = inner.trim().strip_prefix("<div class=\"scroll\">").and_then(|rest| rest.strip_suffix("</div>")).unwrap_or(inner);
    html! { div class="scroll" tabindex="0" role="region" aria-label=(name) { (PreEscaped(table)) } }
}

fn drawn(pieces: &Pieces) -> Markup {
    html! {
        @if !pieces.tiles.is_empty() && pieces.table.is_some() {
            dl class="tiles" { @for (value, of) in &pieces.tiles { div { dt { (of) } dd { (value) } } } }
        }
        @if !pieces.charts.is_empty() {
            section { h2 { "Distribution" } @for (place, chart) in pieces.charts.iter().enumerate() { div class="drawn" { (scrolls(chart, &format!("Chart {}", place + 1))) } } }
        }
        @if let Some(table) = &pieces.table {
            section class="figures" { h2 { "The figures" } @if let Some(note) = &pieces.note { p class="hint" { (note) } } (scrolls(table, "The figures")) @if let Some(more) = &pieces.more { p class="hint" { (more) } } }
        }
        @if let Some((before, table)) = &pieces.open {
            section class="figures" { h2 { "Open now" } p class="hint" { (before) } (scrolls(table, "Open now")) }
        }
        @if let Some((before, table)) = &pieces.longest {
            section class="figures" { h2 { "What took longest" } p class="hint" { (before) } (scrolls(table, "What took longest")) }
        }
        @if !pieces.notes.is_empty() {
            section { h2 { "What the figures mean" } dl class="facts" { @for (term, meaning) in &pieces.notes { dt { (term) } dd { (meaning) } } } }
        }
    }
}
