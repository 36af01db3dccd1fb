//! The events that were received, and the whole way of each by its delivery id.

use crate::layout;
use crate::stop::Stop;
use crate::who::Who;
use crate::words::{exact, number, several, when};
use crate::{Shared, bars};
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use engine::deliveries::{self, Stage, Trace};
use maud::{Markup, html};
use std::collections::HashMap;

const PAGE: usize = 50;

const fn tone(stage: Stage) -> &'static str {
    match stage {
        Stage::Applied => "good",
        Stage::Durable => "busy",
        Stage::Superseded | Stage::Ignored => "calm",
        Stage::Malformed | Stage::DeadLettered => "bad",
    }
}

pub(crate) async fn list(State(console): Shared, who: Who, Query(query): Query<HashMap<String, String>>) -> Result<Response, Stop> {
    let field = |name: &str| query.get(name).map(|value| value.trim().to_owned()).unwrap_or_default();
    let (find, state, page) = (field("find"), field("state"), field("page").parse::<usize>().unwrap_or(1).max(1));
    // Whoever brings a whole id wants this one.
    if !find.is_empty() && deliveries::find(console.store.as_ref(), &find).await?.is_some() {
        let id: String = url::form_urlencoded::byte_serialize(find.as_bytes()).collect();
        return Ok(Redirect::to(&format!("/console/events/{id}")).into_response());
    }
    let mut all = deliveries::all(console.store.as_ref(), console.now()).await?;
    all.reverse();
    let there = all.len();
    let wanted = find.to_lowercase();
    all.retain(|(id, trace)| {
        let text = format!("{id} {} {}", trace.what(), trace.whose().unwrap_or_default()).to_lowercase();
        text.contains(&wanted) && (state.is_empty() || trace.outcome.name() == state)
    });
    let pages = all.len().div_ceil(PAGE).max(1);
    let address = |page: usize| {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("find", &find).append_pair("state", &state).append_pair("page", &page.to_string());
        format!("/console/events?{}", query.finish())
    };
    let body = html! {
        div class="title" { h1 { "Events" } }
        p class="muted" { "What GitHub told over webhooks in the last eight days, the newest first, and what became of it." }
        @if there == 0 {
            (layout::empty("No event was received", html! {
                p { "Without a webhook everything is asked for, and nothing comes by itself. A connector's options say what GitHub is to tell; " code { "sei-github serve" } " or a deployed stack receives it." }
            }))
        } @else {
            form class="filters" method="get" action="/console/events" role="search" data-search="" {
                label { span { "Delivery id, event or repository" } input type="search" name="find" value=(find) autocomplete="off"; }
                label {
                    span { "What became of it" }
                    select name="state" {
                        option value="" { "any" }
                        @for stage in Stage::ALL { option value=(stage.name()) selected[stage.name() == state] { (stage.name()) } }
                    }
                }
                button { "Show" }
            }
            div id="events" data-live="10" {
                p class="muted" role="status" { (several(all.len() as u64, "event fits", "events fit")) @if pages > 1 { ", page " (page) " of " (pages) } }
                div class="scroll" tabindex="0" role="region" aria-label="Events" {
                    table {
                        thead { tr { th scope="col" { "Received" } th scope="col" { "Delivery" } th scope="col" { "Event" } th scope="col" { "Of" } th scope="col" { "Became" } th scope="col" class="count" { "Rows" } } }
                        tbody { @for (id, trace) in all.iter().skip((page - 1) * PAGE).take(PAGE) {
                            tr {
                                td { @if let Some(at) = trace.received_at { (when(at, console.now())) } }
                                th scope="row" { a href={ "/console/events/" (url::form_urlencoded::byte_serialize(id.as_bytes()).collect::<String>()) } { code { (id) } } }
                                td { (trace.what()) } td { (trace.whose().unwrap_or("nobody")) } td { (bars::chip(tone(trace.outcome), trace.outcome.name())) }
                                td class="count" { (number(trace.rows)) }
                            }
                        } }
                    }
                }
                @if pages > 1 {
                    nav class="pages" aria-label="Pages" {
                        @if page > 1 { a href=(address(page - 1)) rel="prev" { "Previous" } }
                        @if page < pages { a href=(address(page + 1)) rel="next" { "Next" } }
                    }
                }
            }
        }
    };
    Ok(layout::page(&console, &who, "Events", "Events", body).into_response())
}

pub(crate) async fn one(State(console): Shared, who: Who, Path(id): Path<String>) -> Result<Markup, Stop> {
    let found = deliveries::find(console.store.as_ref(), &id).await?;
    let body = html! {
        p class="trail" { a href="/console/events" { "Events" } }
        div class="title" { h1 { "Delivery " code { (id) } } }
        @match &found {
            Some(trace) => (way(trace)),
            None => (layout::empty("No such event was received", html! {
                p { "Or it is more than eight days ago. GitHub's list of the webhook's deliveries says whether it was sent, and can send it again; so can " code { "sei-github webhook redeliver" } "." }
            })),
        }
    };
    Ok(layout::page(&console, &who, "Events", "Event", body))
}

fn way(trace: &Trace) -> Markup {
    html! {
        div id="live" data-live=(if trace.settled() { "" } else { "2" }) {
            p { strong { (trace.what()) } " of " (trace.whose().unwrap_or("nobody")) " " (bars::chip(tone(trace.outcome), trace.outcome.name())) }
            ol class="way" {
                @if let Some(hook) = &trace.hook { li { "Sent by webhook " code { (hook) } } }
                @if let Some(at) = trace.received_at { li { (exact(at, 3)) " received, " (number(trace.bytes)) " bytes, and its signature verified" } }
                @if let Some(at) = trace.durable_at { li { (exact(at, 3)) " durable: GitHub was answered with success" } }
                li {
                    @if let Some(at) = trace.applied_at { (exact(at, 3)) " " }
                    (trace.outcome.name())
                    @if trace.outcome == Stage::Applied { ", " (several(trace.rows, "row", "rows")) " written" }
                    @if let Some(why) = &trace.why { ": " (why) }
                }
            }
        }
    }
}
