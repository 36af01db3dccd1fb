//! The parts of the form by which an integration is installed or changed, in the order people know. Draws; decides
//! nothing.

use crate::draft::{Draft, Which, groups};
use crate::words::{number, several};
use crate::{Console, bars};
use engine::check::{Finding, Outcome, Report, Verdict};
use engine::{Branches, Choice, FilesFrom, Group, Visibility, Webhook};
use maud::{Markup, html};

/// So many repositories are shown beside those that are chosen.
const SHOWN: usize = 100;

/// What GitHub lists, once it was asked.
#[derive(Default)]
pub(crate) struct Listed {
    pub(crate) organizations: Vec<String>,
    /// Of the organizations that are chosen.
    pub(crate) repositories: Vec<Choice>,
    pub(crate) missing: Vec<String>,
    pub(crate) find: String,
}

pub(crate) const fn about(group: Group) -> &'static str {
    match group {
        Group::Always => "",
        Group::PullRequests => "with reviews, comments, commits and files",
        Group::Issues => "with comments and events",
        Group::Commits => "of default branches",
        Group::CommitFiles => "what changed within commits, from git itself",
        Group::Releases => "and their tags",
        Group::Teams => "and who is in them",
        Group::Deployments => "and their states",
        Group::WorkflowRuns => "of GitHub Actions",
        Group::Projects => "boards, their fields and every move between stages",
    }
}

fn choice(kind: &str, name: &str, value: &str, is: bool, text: &str, more: &str) -> Markup {
    html! {
        label class="choice" {
            input type=(kind) name=(name) value=(value) checked[is];
            span { (text) @if !more.is_empty() { small { (more) } } }
        }
    }
}

pub(crate) fn which_github(draft: &Draft) -> Markup {
    let is = |kind: &str| draft.kind == kind;
    html! {
        fieldset {
            legend { "Which GitHub?" }
            div class="choices" {
                (choice("radio", "kind", "cloud", is("cloud"), "GitHub Cloud", "github.com"))
                (choice("radio", "kind", "residency", is("residency"), "Enterprise Cloud with data residency", "ghe.com"))
                (choice("radio", "kind", "server", is("server"), "GitHub Enterprise Server", "a server of your own"))
            }
            div class="own" {
                label class="field" { span { "Address of its API" } input type="url" name="api_url" value=(draft.api_url) placeholder="https://HOST/api/v3" autocomplete="off" spellcheck="false"; }
                label class="field" { span { "File with certificates of a private authority, on this machine" small { "only if your server's certificate needs one" } } input name="ca_cert" value=(draft.ca_cert) autocomplete="off" spellcheck="false"; }
            }
        }
    }
}

pub(crate) fn name(draft: &Draft) -> Markup {
    html! {
        fieldset {
            legend { "Name" }
            label class="field" {
                span { "Name of the connector" small { "letters, digits, hyphens, dots and underscores; it does not change later" } }
                input name="name" value=(draft.name) required maxlength="64" pattern="[A-Za-z0-9][A-Za-z0-9._\\-]*" autocomplete="off" spellcheck="false";
            }
        }
    }
}

pub(crate) fn repositories(draft: &Draft, listed: &Listed) -> Markup {
    html! {
        fieldset {
            legend { "Organizations and repositories" }
            p class="hint" { "Only organizations of which the token's owner is a member are copied." }
            p { button name="action" value="look" id="look" formnovalidate data-part="" { "Find organizations and repositories" } }
            (organizations(draft, listed))
            div class="choices" {
                (choice("radio", "which", "all", draft.which == Which::All, "All repositories", "present and future ones"))
                (choice("radio", "which", "listed", draft.which == Which::Listed, "Chosen from a list", ""))
                (choice("radio", "which", "patterns", draft.which == Which::Patterns, "By patterns on their names", "present and future ones that fit"))
            }
            div class="listed" {
                label class="field" { span { "Search the list" } input type="search" name="find" value=(listed.find) autocomplete="off" data-look=""; }
                (list(draft, listed))
            }
            div class="patterns" {
                label class="field" { span { "Only names like" small { "such as api-*; empty for all" } } input name="include" value=(draft.include) autocomplete="off" spellcheck="false"; }
                label class="field" { span { "But not names like" } input name="exclude" value=(draft.exclude) autocomplete="off" spellcheck="false"; }
            }
            details {
                summary { "More about which" }
                div class="choices" {
                    @for one in Visibility::ALL { (choice("checkbox", "visibility", one.name(), draft.visibility.iter().any(|is| is == one.name()), &format!("Only {}", one.name()), "")) }
                    (choice("checkbox", "no_archived", "yes", draft.no_archived, "Not archived ones", ""))
                    (choice("checkbox", "no_forks", "yes", draft.no_forks, "Not forks", ""))
                }
                label class="field" { span { "Only those with one of these topics" } input name="topics" value=(draft.topics) autocomplete="off"; }
                label class="field" { span { "Only those pushed to since" small { "2025-01-31, or with a time" } } input name="pushed_since" value=(draft.pushed_since) autocomplete="off"; }
            }
        }
    }
}

fn organizations(draft: &Draft, listed: &Listed) -> Markup {
    let others: Vec<&String> = draft.organizations.iter().filter(|login| !listed.organizations.iter().any(|one| one.eq_ignore_ascii_case(login))).collect();
    let only = listed.organizations.len() == 1 && draft.organizations.is_empty();
    html! {
        div id="organizations" {
            @if !listed.organizations.is_empty() {
                div class="choices" role="group" aria-label="Organizations" {
                    @for login in &listed.organizations {
                        (choice("checkbox", "organization", login, only || draft.organizations.iter().any(|one| one.eq_ignore_ascii_case(login)), login, ""))
                    }
                }
            }
            label class="field" {
                span { @if listed.organizations.is_empty() { "Organizations" } @else { "Others" } small { "logins, separated by commas" } }
                input name="organizations" value=(others.iter().map(|login| login.as_str()).collect::<Vec<_>>().join(", ")) autocomplete="off" spellcheck="false";
            }
        }
    }
}

fn list(draft: &Draft, listed: &Listed) -> Markup {
    let wanted = listed.find.to_lowercase();
    let open: Vec<&Choice> = listed.repositories.iter().filter(|one| !draft.chosen.contains(&one.repo) && one.repo.to_lowercase().contains(&wanted)).collect();
    html! {
        div id="repository-list" {
            @for missing in &listed.missing { p class="notice wait" { "Not seen: " (missing) } }
            p class="hint" role="status" {
                @if listed.repositories.is_empty() && draft.chosen.is_empty() { "The list comes once organizations were found." }
                @else { (number(draft.chosen.len() as u64)) " chosen; " (number(open.len() as u64)) @if wanted.is_empty() { " others" } @else { " others fit" } @if open.len() > SHOWN { ", of which the first " (SHOWN) " are shown: search for more" } }
            }
            div class="choices tall" role="group" aria-label="Repositories" {
                @for repo in &draft.chosen { (choice("checkbox", "repository", repo, true, repo, "")) }
                @for one in open.iter().take(SHOWN) {
                    @let marks: Vec<&str> = [(one.archived, "archived"), (one.fork, "fork")].into_iter().filter_map(|(is, word)| is.then_some(word)).collect();
                    (choice("checkbox", "repository", &one.repo, false, &one.repo, &[&[one.visibility.as_str()], marks.as_slice()].concat().join(", ")))
                }
            }
        }
    }
}

pub(crate) fn options(console: &Console, draft: &Draft) -> Markup {
    let files = [
        (FilesFrom::Auto, "from git, and over REST what git does not reach"),
        (FilesFrom::Git, "from git only"),
        (FilesFrom::Rest, "over REST only, at a request a commit"),
    ];
    let branches = [(Branches::Default, "of the default branch"), (Branches::All, "of all branches")];
    let told = [
        (Webhook::None, "Everything is asked for", "no webhook"),
        (Webhook::Stages, "Asked for; moves on boards are told exactly", "a webhook for issues and projects"),
        (Webhook::Push, "Everything is told at once", "a webhook for everything; only what may have been missed is asked for"),
    ];
    html! {
        fieldset {
            legend { "What is fetched?" }
            p class="hint" { "Each can be switched later: what is switched on then is read from its beginning." }
            div class="choices" {
                @for group in groups() { (choice("checkbox", "fetch", group.name(), draft.fetch.iter().any(|name| name == group.name()), &group.name().replace('-', " "), about(group))) }
            }
        }
        fieldset {
            legend { "How does it learn what happens?" }
            div class="choices" {
                @for (mode, text, more) in told { (choice("radio", "webhook", mode.name(), draft.webhook == mode.name(), text, more)) }
            }
            div class="told" {
                label class="field" {
                    span { "Where GitHub reaches the receiver" small { "such as the WebhookUrl of the deployed stack; " code { "sei-github webhook create" } " then makes the webhook" } }
                    input type="url" name="webhook_url" value=(if draft.webhook_url.is_empty() { console.place.webhook_url.as_deref().unwrap_or_default() } else { &draft.webhook_url }) autocomplete="off";
                }
            }
            details {
                summary { "Advanced" }
                label class="field" { span { "Only what changed since" small { "2025-01-31, or with a time; empty for everything" } } input name="since" value=(draft.since) autocomplete="off"; }
                label class="field" { span { "Percent of each token's budget that is left to its owner" } input type="number" name="reserve" value=(draft.reserve) min="0" max="90"; }
                label class="field" {
                    span { "Commits" }
                    select name="branches" { @for (one, text) in branches { option value=(one.name()) selected[draft.branches == one.name()] { (text) } } }
                }
                label class="field" {
                    span { "Files of commits" }
                    select name="files_from" { @for (one, text) in files { option value=(one.name()) selected[draft.files_from == one.name()] { (text) } } }
                }
            }
        }
    }
}

/// What a check found, each with its mend.
pub(crate) fn findings(report: Option<&Report>) -> Markup {
    html! {
        div id="findings" aria-live="polite" {
            @if let Some(report) = report {
                @let count = |outcome| report.findings.iter().filter(|finding| finding.outcome == outcome).count() as u64;
                @let (tone, text) = match report.verdict {
                    Verdict::Works => ("good", "What was chosen can work"),
                    Verdict::Unauthenticated => ("bad", "GitHub does not accept the token"),
                    Verdict::Fails => ("bad", "What was chosen cannot work, or not wholly"),
                };
                p { (bars::chip(tone, text)) " " (count(Outcome::Pass)) " passed, " (several(count(Outcome::Warn), "warning", "warnings")) ", " (count(Outcome::Fail)) " failed; " (several(report.requests, "request", "requests")) }
                ul class="findings" { @for one in report.findings.iter().filter(|one| one.outcome != Outcome::Pass) { (finding(one)) } }
                details { summary { "What passed" } ul class="findings" { @for one in report.findings.iter().filter(|one| one.outcome == Outcome::Pass) { (finding(one)) } } }
            }
        }
    }
}

fn finding(one: &Finding) -> Markup {
    let (tone, word) = match one.outcome {
        Outcome::Pass => ("good", "pass"),
        Outcome::Warn => ("wait", "warn"),
        Outcome::Fail => ("bad", "fail"),
    };
    html! {
        li {
            (bars::chip(tone, word)) " " code { (one.code) }
            p { @if let Some(organization) = &one.organization { (organization) ": " } (one.message) }
            @if let Some(costs) = &one.costs { p class="muted" { "Costs: " (costs) } }
            @if let Some(remedy) = &one.remedy { p { "Do: " (linked(remedy)) } }
        }
    }
}

/// Addresses in it become links; nothing else of it becomes markup.
pub(crate) fn linked(text: &str) -> Markup {
    let is_address = |word: &str| word.starts_with("https://") || word.starts_with("http://");
    html! {
        @for (place, word) in text.split(' ').enumerate() {
            @if place > 0 { " " }
            @let bare = word.trim_end_matches(['.', ',', ';', ':', ')']);
            @if is_address(bare) { a href=(bare) rel="noreferrer" { (bare) } (&word[bare.len()..]) } @else { (word) }
        }
    }
}

pub(crate) fn problem(text: Option<&str>) -> Markup {
    html! { div id="problem" role="alert" { @if let Some(text) = text { p class="notice bad" { (text) } } } }
}
