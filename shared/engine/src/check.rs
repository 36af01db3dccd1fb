//! Finds out before a sync whether it can work, and what to do if not: one finding for each thing that is looked at.
//! Reads little, stores nothing, prints nothing. Start at [`check`].

mod asker;
mod codes;
mod finding;
mod organization;
mod permissions;
mod server;
mod token;

pub use codes::{CODES, Code};
pub use finding::{Finding, Outcome, Report, Verdict};
pub use server::Way;

use crate::Error;
use crate::env::Settings;
use crate::ports::Clock;
use crate::selection::Selector;
use crate::tokens::Tokens;
use asker::{Asker, Heard};
use codes::{BUDGET_CORE, BUDGET_GRAPHQL, IN_TIME, REACHABLE};
use github::Reply;
use jiff::Timestamp;

pub(crate) fn query() -> (String, String) {
    ("check".to_owned(), organization::QUERY.to_owned())
}

/// Looks at the server, at each token, and at each organization with each token.
pub async fn check(tokens: &Tokens, settings: &Settings, way: &Way, clock: &dyn Clock) -> Result<Report, Error> {
    let selector = settings.selection.compile()?;
    let began = clock.now();
    let until = began.saturating_add(asker::IN_ALL).unwrap_or(Timestamp::MAX);
    let clients = tokens.clients(began).await;
    let askers: Vec<Asker<'_>> = clients.iter().map(|(owner, client)| Asker::new(client, *owner, clock, until, settings.orgs.len())).collect();
    // One question of each token, which costs nothing: there is an answer, or there is no use in asking more.
    let firsts: Vec<Heard<Reply>> = futures::future::join_all(askers.iter().map(|asker| asker.get("/rate_limit"))).await;
    let (mut findings, fingerprints) = (Vec::new(), clients.iter().map(|(_, client)| client.token().fingerprint()).collect::<Vec<_>>());
    if let (Some(asker), Some(first)) = (askers.first(), firsts.first()) {
        findings.extend(server::way(first, asker.client.url(), way));
        if let Ok(first) = first {
            findings.extend(server::itself(&first.told, first.answer.as_ref().err(), clock.now()));
        }
    }
    let reached = findings.iter().any(|finding| finding.code == REACHABLE.name && finding.outcome == Outcome::Pass);
    if reached {
        let accepted = |(_, first): &(&Asker<'_>, &Heard<Reply>)| first.as_ref().is_ok_and(|first| !is_barred(first));
        if let Some((asker, Ok(first))) = askers.iter().zip(&firsts).find(accepted) {
            findings.extend(server::version(asker, &first.told).await);
        }
        let each = askers.iter().zip(&firsts).map(|(asker, first)| of_token(asker, first, settings, &selector, clock));
        for (mut found, fingerprint) in futures::future::join_all(each).await.into_iter().zip(&fingerprints) {
            found.iter_mut().for_each(|finding| finding.token = Some(fingerprint.clone()));
            findings.extend(found);
        }
        if !findings.iter().any(|finding| finding.code == IN_TIME.name) {
            findings.push(complete(askers.iter().any(Asker::met_silence), clock.now().duration_since(began)));
        }
    }
    Ok(Report::new(&fingerprints, tokens.spent().requests(), findings))
}

/// Asking on with this token would be of no use, or do harm.
fn is_barred(first: &github::Probe<Reply>) -> bool {
    matches!(first.answer, Err(github::Error::Unauthenticated | github::Error::Limited { .. })) || spent(first).is_some()
}

/// When a budget that is wholly spent is whole again.
fn spent(first: &github::Probe<Reply>) -> Option<Timestamp> {
    let resources = first.answer.as_ref().ok()?.body.get("resources")?.clone();
    let of = |name: &str| {
        let resource = resources.get(name)?;
        let reset = resource.get("reset")?.as_i64().and_then(|reset| Timestamp::from_second(reset).ok())?;
        (resource.get("remaining")?.as_i64()? <= 0).then_some(reset)
    };
    of("core").max(of("graphql"))
}

async fn of_token(asker: &Asker<'_>, first: &Heard<Reply>, settings: &Settings, selector: &Selector<'_>, clock: &dyn Clock) -> Vec<Finding> {
    let Ok(first) = first else { return Vec::new() };
    match &first.answer {
        Err(github::Error::Unauthenticated) => return vec![token::refused(asker)],
        // Asking on while limited bars the token.
        Err(github::Error::Limited { wait, .. }) => {
            let remedy = format!("run sei-github check again in {} s", wait.as_secs());
            return vec![Finding::fail(&IN_TIME, format!("GitHub asks to wait {} s, so that nothing more was asked", wait.as_secs()), remedy)];
        }
        _ => {}
    }
    if let Some(until) = spent(first) {
        let mut findings = budgets(first.answer.as_ref().ok(), settings);
        let message = "the token's budget is spent, so that nothing more was asked";
        findings.push(Finding::fail(&IN_TIME, message, format!("run sei-github check again after {until}, or with another token")));
        return findings;
    }
    let (holder, mut findings) = token::look(asker, &first.told, settings, clock.now()).await;
    // An installation is good for its own organization only.
    for org in settings.orgs.iter().filter(|org| asker.owner.is_none_or(|owner| owner.eq_ignore_ascii_case(org))) {
        let found = organization::look(asker, org, &holder, settings, selector).await;
        findings.extend(found.into_iter().map(|finding| finding.about(org)));
    }
    findings.extend(budgets(first.answer.as_ref().ok(), settings));
    findings
}

/// From the answer that costs nothing itself.
fn budgets(told: Option<&Reply>, settings: &Settings) -> Vec<Finding> {
    let of = |(code, name): (&'static Code, &str)| {
        let number = |field: &str| told.and_then(|told| told.body.pointer(&format!("/resources/{name}/{field}"))?.as_i64());
        let (Some(limit), Some(left)) = (number("limit"), number("remaining")) else {
            return Finding::pass(code, format!("this server has no limit for {name}"));
        };
        let whole = number("reset").and_then(|reset| Timestamp::from_second(reset).ok()).map_or_else(|| "the next hour".to_owned(), |at| at.to_string());
        let message = format!("{left} of {limit} are left for {name} until {whole}");
        if left * 100 <= limit * i64::from(settings.reserve_percent) {
            return Finding::warn(
                code,
                message,
                format!("nothing need be done: a sync waits by itself. Or add a second token to GITHUB_TOKENS, or begin after {whole}"),
            );
        }
        Finding::pass(code, message)
    };
    [(&BUDGET_CORE, "core"), (&BUDGET_GRAPHQL, "graphql")].map(of).to_vec()
}

fn complete(silent: bool, took: jiff::SignedDuration) -> Finding {
    if silent {
        let message = format!("not everything could be asked within {} s: GitHub, or the way to it, is too slow or broke off", took.as_secs());
        return Finding::fail(&IN_TIME, message, "run sei-github check again; https://www.githubstatus.com tells of outages");
    }
    Finding::pass(&IN_TIME, format!("everything was asked within {:.1} s", took.as_secs_f64()))
}
