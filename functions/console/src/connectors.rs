//! The integrations that are installed: the list, each with its settings as a form, paused, resumed, checked, removed.

use crate::draft::Draft;
use crate::form::{self, Listed};
use crate::install;
use crate::layout::{self, proof};
use crate::stop::Stop;
use crate::who::{Change, Role, Who};
use crate::words::{number, several, when};
use crate::{Console, Shared, bars};
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use engine::check::Report;
use engine::{Credential, Credentials, Group, Integration, Webhook, integration};
use maud::{Markup, html};

/// Of the page of one.
pub(crate) fn address(name: &str) -> String {
    format!("/console/connectors/of/{}", url::form_urlencoded::byte_serialize(name.as_bytes()).collect::<String>())
}

fn host(one: &Integration) -> String {
    github::ApiUrl::parse(&one.github).map_or_else(|_| one.github.clone(), |url| url.web().replace("https://", ""))
}

pub(crate) async fn list(State(console): Shared, who: Who) -> Result<Markup, Stop> {
    let all = integration::integrations(console.store.as_ref()).await?;
    let look = console.look().await?;
    let body = html! {
        div class="title" {
            h1 { "Connectors" }
            @if who.role == Role::Admin { a class="button main" href="/console/connectors/new" { "Install a connector" } }
        }
        @if all.is_empty() {
            (layout::empty("None is installed yet", html! { p { "A connector says which GitHub is copied, with whose token, which repositories, and what of them." } }))
        } @else {
            ul class="cards" {
                @for one in &all {
                    @let seen: Vec<_> = look.organizations.iter().filter(|seen| seen.integration.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(&one.name))).collect();
                    li class="card" {
                        div class="row" {
                            h2 { a href=(address(&one.name)) { (one.name) } }
                            @if one.paused { (bars::chip("calm", "paused")) } @else { (bars::chip("good", "active")) }
                        }
                        p { (one.organizations.join(", ")) " on " (host(one)) }
                        p class="muted" {
                            @if one.repositories.is_everything() { "all repositories, present and future" } @else { "selected repositories" }
                            "; " (several(one.fetch.iter().filter(|group| **group != Group::Always).count() as u64, "group", "groups")) " fetched"
                            @if !seen.is_empty() { "; " (number(seen.iter().map(|seen| seen.repositories).sum())) " taken" }
                        }
                        @if let Some(at) = seen.iter().filter_map(|seen| seen.last_success).max() { p class="muted" { "Last looked at " (when(at, console.now())) } }
                        @for missing in seen.iter().flat_map(|seen| &seen.missing) { p class="notice bad" { "Missing: " (missing) } }
                    }
                }
            }
        }
    };
    Ok(layout::page(&console, &who, "Connectors", "Connectors", body))
}

#[derive(Default)]
struct Asked {
    listed: Listed,
    report: Option<Report>,
    problem: Option<String>,
    said: Option<&'static str>,
}

pub(crate) async fn one(State(console): Shared, who: Who, Path(name): Path<String>) -> Result<Markup, Stop> {
    let one = integration::integration(console.store.as_ref(), &name).await?;
    let draft = Draft::of(&one);
    draw(&console, &who, &one, &draft, &Asked::default()).await
}

/// Everything that is done to one, from its own page.
pub(crate) async fn change(State(console): Shared, Path(name): Path<String>, change: Change) -> Result<Response, Stop> {
    let store = console.store.as_ref();
    let one = integration::integration(store, &name).await?;
    let what = change.field("action").to_owned();
    match what.as_str() {
        "pause" | "resume" => {
            integration::change(store, &one.name, |one| one.paused = what == "pause").await?;
            console.note(&change.who, &format!("connector.{what}"), &one.name).await?;
            return Ok(Redirect::to(&address(&one.name)).into_response());
        }
        "remove" => {
            if !change.field("name_again").eq_ignore_ascii_case(&one.name) {
                let asked = Asked { problem: Some("Nothing was removed: write the connector's name to confirm.".to_owned()), ..Asked::default() };
                return Ok(draw(&console, &change.who, &one, &Draft::of(&one), &asked).await?.into_response());
            }
            if let Some(syncs) = &console.syncs {
                syncs.stop(&one.name);
            }
            integration::remove(store, &one.name).await?;
            // Its token is of no use to anybody now; that of a stack is the others', too.
            if console.place.one_secret.is_none() {
                integration::keep(console.place.vault.as_ref(), &console.secret(&one.name), &[], false).await?;
            }
            console.note(&change.who, "connector.remove", &one.name).await?;
            return Ok(Redirect::to("/console/connectors").into_response());
        }
        _ => {}
    }
    let form = console.settled(Draft::read(&change));
    // Where it is does not change, whatever a form says.
    let was = Draft::of(&one);
    let draft = Draft { kind: was.kind, api_url: was.api_url, name: was.name, ca_cert: form.ca_cert.clone(), ..form };
    let mut asked = Asked::default();
    if let Err(stop) = edited(&console, &change, &one, &draft, &mut asked).await {
        match stop {
            Stop::Store(error) => return Err(error.into()),
            stop => asked.problem = Some(stop.to_string()),
        }
    }
    let one = integration::integration(store, &name).await?;
    Ok(draw(&console, &change.who, &one, &draft, &asked).await?.into_response())
}

async fn edited(console: &Console, change: &Change, one: &Integration, draft: &Draft, asked: &mut Asked) -> Result<(), Stop> {
    let given: Option<Vec<Credential>> = match install::token(change.field("token"))? {
        Some(token) => Some(vec![token]),
        None => install::app(change.field("app_client_id"), change.field("private_key"))?.map(|app| vec![app]),
    };
    if change.field("action") == "look" {
        asked.listed = console.look_for(draft, change, given.as_deref(), Some(one)).await?;
        return Ok(());
    }
    let wanted = draft.onto(one.clone())?;
    if change.field("action") == "check" {
        asked.report = Some(console.checked(&wanted, given.as_deref(), draft).await?);
        return Ok(());
    }
    if let Some(given) = &given {
        integration::keep(console.place.vault.as_ref(), &console.secret(&one.name), given, console.place.one_secret.is_some()).await?;
        console.note(&change.who, "connector.token", &one.name).await?;
    }
    integration::change(console.store.as_ref(), &one.name, |there| {
        let credentials = if given.is_some() { Credentials::Stored } else { there.credentials };
        // What happened to it meanwhile and is in no form stays.
        *there = Integration { paused: there.paused, credentials, ..wanted.clone() };
    })
    .await?;
    console.note(&change.who, "connector.edit", &one.name).await?;
    asked.said = Some(
        "Saved. The next sync follows it: what is new is read from its beginning; what is switched off stays as it is until `sei-github integrations purge`.",
    );
    Ok(())
}

async fn draw(console: &Console, who: &Who, one: &Integration, draft: &Draft, asked: &Asked) -> Result<Markup, Stop> {
    let runs = console.syncs.as_ref().map(|syncs| syncs.runs()).unwrap_or_default();
    let run = runs.iter().find(|run| run.integration.eq_ignore_ascii_case(&one.name));
    let running = run.is_some_and(|run| run.ended.is_none());
    let admin = who.role == Role::Admin;
    let body = html! {
        p class="trail" { a href="/console/connectors" { "Connectors" } }
        div class="title" {
            h1 { (one.name) }
            @if admin {
                form method="post" action=(address(&one.name)) { (proof(who)) button name="action" value=(if one.paused { "resume" } else { "pause" }) { (if one.paused { "Resume" } else { "Pause" }) } }
            }
        }
        p { (one.organizations.join(", ")) " on " (host(one)) " " @if one.paused { (bars::chip("calm", "paused: syncs leave it out")) } }
        @if console.syncs.is_some() {
            div id="live" data-live=(if running { 2 } else { 10 }) {
                (crate::activity::one_sync(who, one, run, console.now()))
            }
        }
        @if one.webhook != Webhook::None { p class="muted" { code { "sei-github webhook create" } " makes the webhook that it wants, and " code { "sei-github webhook verify" } " says whether it is well." } }
        @if admin {
            form class="sheet" method="post" action=(address(&one.name)) data-parts="" autocomplete="off" {
                (proof(who))
                (credentials(one))
                (form::repositories(draft, &asked.listed))
                (form::options(console, draft))
                fieldset {
                    legend { "Check and save" }
                    p { button name="action" value="check" data-part="" { "Check" } }
                    (form::findings(asked.report.as_ref()))
                    (form::problem(asked.problem.as_deref()))
                    div id="done" role="status" { @if let Some(said) = asked.said { p class="notice good" { (said) } } }
                    p { button class="main" name="action" value="save" data-part="" { "Save changes" } }
                }
            }
            section class="sheet" aria-labelledby="remove-title" {
                h2 id="remove-title" { "Remove" }
                form method="post" action=(address(&one.name)) {
                    (proof(who))
                    p class="hint" { "Forgets the connector and its token. What it copied stays; " code { "sei-github integrations purge" } " deletes what no connector chooses." }
                    label class="field" { span { "Write its name to confirm" } input name="name_again" autocomplete="off" spellcheck="false" required; }
                    p { button class="danger" name="action" value="remove" { "Remove " (one.name) } }
                }
            }
        } @else { (settings(one)) }
    };
    Ok(layout::page(console, who, "Connectors", &one.name, body))
}

fn credentials(one: &Integration) -> Markup {
    html! {
        fieldset {
            legend { "Sign-in" }
            p class="hint" {
                @match one.credentials {
                    Credentials::Stored => "A token is kept. It is never shown; another one takes its place.",
                    Credentials::Environment => "It signs in with the environment's token, at each run. One that is pasted here is used instead, and kept.",
                }
            }
            label class="field" { span { "Another token" } input type="password" name="token" autocomplete="off" spellcheck="false"; }
            details {
                summary { "Or a GitHub App" }
                label class="field" { span { "Client id" } input name="app_client_id" autocomplete="off" spellcheck="false"; }
                label class="field" { span { "Private key" } textarea name="private_key" rows="4" autocomplete="off" spellcheck="false" {} }
            }
            input type="hidden" name="ca_cert" value=(one.ca_cert.as_deref().unwrap_or_default());
        }
    }
}

/// For whom it is not theirs to change.
fn settings(one: &Integration) -> Markup {
    let rules = &one.repositories;
    html! {
        dl class="facts" {
            dt { "Repositories" } dd {
                @if rules.is_everything() { "all, present and future" } @else {
                    @if !rules.include.is_empty() { "named " (rules.include.join(", ")) " " }
                    @if !rules.exclude.is_empty() { "not named " (rules.exclude.join(", ")) " " }
                    @if rules.no_archived { "not archived " } @if rules.no_forks { "no forks " }
                    @if !rules.topics.is_empty() { "with a topic of " (rules.topics.join(", ")) }
                }
            }
            dt { "Fetched" } dd { (one.fetch.iter().filter(|group| **group != Group::Always).map(|group| group.name()).collect::<Vec<_>>().join(", ")) }
            dt { "Webhook" } dd { (one.webhook.name()) }
            dt { "Left to the token's owner" } dd { (one.reserve_percent) " %" }
        }
    }
}
