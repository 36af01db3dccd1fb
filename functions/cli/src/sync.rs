//! `sync`: from arguments and environment to a running engine, and the summary at the end.

use crate::arguments::Sync;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::runner::{self, LocalQueue, Summary};
use engine::{Env, Group, Settings, SystemClock, Tokens};
use github::{ApiUrl, Token};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

pub(crate) async fn run(arguments: Sync) -> Result<ExitCode, Failure> {
    let url = ApiUrl::parse(&arguments.api_url)?;
    let settings = settings(&arguments)?;
    let ca = certificates(arguments.ca_cert.as_deref())?;
    let github = Tokens::trusting(url, tokens()?, ca.as_deref())?;
    let table = aws::Embedded::open(&arguments.place.data_dir).await?;
    let done = copy(github, settings, &table).await;
    table.shutdown().await;
    done
}

/// The same for `sync` and `demo`.
pub(crate) async fn copy(github: Tokens, settings: Settings, table: &aws::Embedded) -> Result<ExitCode, Failure> {
    let queue = Arc::new(LocalQueue::default());
    let selective = !settings.include.is_empty();
    let env = Env::new(github, Arc::new(table.store()), queue.clone(), Arc::new(SystemClock), settings);
    let mut progress = Progress::new();
    let began = std::time::Instant::now();
    let summary = runner::run(&env, &queue, &mut progress).await;
    progress.end();
    let summary = summary?;
    tell(&summary, &env, began.elapsed());
    if selective && summary.repositories == 0 && !summary.stopped {
        return Err(Failure::Usage(format!(
            "no repository matches --repo; {} were listed. Globs match owner/name or the name alone, such as 'api-*'",
            summary.left_out
        )));
    }
    let failed = !summary.failed.is_empty() || summary.stopped;
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn tell(summary: &Summary, env: &Env, took: std::time::Duration) {
    let spent = env.github.spent();
    let left_out = if summary.left_out > 0 { format!(" ({} not selected)", summary.left_out) } else { String::new() };
    eprintln!(
        "{} repositories{left_out} in {:.1} s: {} requests ({} GraphQL, {} REST of which {} unchanged), {} points",
        summary.repositories,
        took.as_secs_f64(),
        spent.graphql + spent.rest,
        spent.graphql,
        spent.rest,
        spent.not_modified,
        spent.points,
    );
    if let (refused @ 1.., all) = env.github.refused() {
        eprintln!("tokens that GitHub does not accept (wrong, expired or revoked): {refused} of {all}");
    }
    for what in &summary.refused {
        eprintln!("missing: {what}");
    }
    for what in &summary.failed {
        eprintln!("failed: {}. The next sync tries again.", what.trim_end_matches('.'));
    }
    if summary.stopped {
        eprintln!("stopped; the next sync goes on where this one was");
    }
}

pub(crate) fn groups(names: &[String]) -> Result<BTreeSet<Group>, Failure> {
    if names.is_empty() {
        return Ok(Group::ALL.into_iter().collect());
    }
    let known = || Group::ALL.map(Group::name).into_iter().filter(|name| *name != "always").collect::<Vec<_>>().join(", ");
    names.iter().map(|name| Group::parse(name).ok_or_else(|| Failure::Usage(format!("`{name}` is not a group for --fetch. There are: {}", known())))).collect()
}

/// A day or a time, in UTC.
pub(crate) fn date(text: &str) -> Result<jiff::Timestamp, Failure> {
    let day = |text: &str| text.parse::<jiff::civil::Date>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    text.parse().ok().or_else(|| day(text)).ok_or_else(|| Failure::Usage(format!("`{text}` is not a date. Write 2025-01-31 or 2025-01-31T12:00:00Z")))
}

fn settings(arguments: &Sync) -> Result<Settings, Failure> {
    Ok(Settings {
        orgs: arguments.org.clone(),
        include: arguments.repo.clone(),
        exclude: arguments.exclude.clone(),
        groups: groups(&arguments.fetch)?,
        since: arguments.since.as_deref().map(date).transpose()?,
        full: arguments.full,
        ..Settings::default()
    })
}

pub(crate) fn certificates(file: Option<&Path>) -> Result<Option<Vec<u8>>, Failure> {
    let read = |file: &Path| std::fs::read(file).map_err(|error| Failure::Usage(format!("the certificates in {} cannot be read: {error}", file.display())));
    file.map(read).transpose()
}

/// The environment is read here and by clap, nowhere else.
pub(crate) fn tokens() -> Result<Vec<Token>, Failure> {
    let read = |name: &str| std::env::var(name).unwrap_or_default();
    let all = format!("{},{}", read("GITHUB_TOKEN"), read("GITHUB_TOKENS"));
    let mut tokens: Vec<&str> = Vec::new();
    for token in all.split(',').map(str::trim).filter(|token| !token.is_empty()) {
        if !tokens.contains(&token) {
            tokens.push(token);
        }
    }
    if tokens.is_empty() {
        let missing = "there is no token. Set GITHUB_TOKEN to a personal access token with the scopes repo and read:org \
            (https://github.com/settings/tokens), or try `sei-github demo`";
        return Err(Failure::Authentication(missing.to_owned()));
    }
    Ok(tokens.into_iter().map(Token::new).collect::<Result<_, _>>()?)
}
