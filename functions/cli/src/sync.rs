//! `sync`: from arguments and environment to a running engine, and the summary at the end.

use crate::arguments::Sync;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::runner::{self, LocalQueue, Summary};
use engine::{Env, Group, Settings, SystemClock, Tokens};
use std::collections::BTreeSet;
use std::process::ExitCode;
use std::sync::Arc;

pub(crate) async fn run(arguments: Sync) -> Result<ExitCode, Failure> {
    let settings = settings(&arguments)?;
    let github = arguments.source.tokens()?;
    let table = aws::Embedded::open(&arguments.place.data_dir).await?;
    let done = copy(github, settings, &table).await;
    table.shutdown().await;
    done
}

/// The same for `sync` and `demo`.
pub(crate) async fn copy(github: Tokens, settings: Settings, table: &aws::Embedded) -> Result<ExitCode, Failure> {
    let queue = Arc::new(LocalQueue::default());
    let selective = !settings.selection.is_everything();
    let env = Env::new(github, Arc::new(table.store()), queue.clone(), Arc::new(SystemClock), settings);
    let mut progress = Progress::new();
    let began = std::time::Instant::now();
    let summary = runner::run(&env, &queue, &mut progress).await;
    progress.end();
    let summary = summary?;
    tell(&summary, &env, began.elapsed());
    if selective && summary.repositories == 0 && !summary.stopped {
        return Err(Failure::Usage(format!(
            "no repository matches; {} were listed. `sei-github repos` with the same flags says why each is left out. \
             Globs match owner/name or the name alone, such as 'api-*'",
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
    if summary.repositories > 0 && !summary.unmatched.is_empty() {
        let unmatched: Vec<&str> = summary.unmatched.iter().map(String::as_str).collect();
        eprintln!("no repository fits {}", unmatched.join(", "));
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
        orgs: arguments.source.org.clone(),
        selection: arguments.source.selection()?,
        groups: groups(&arguments.fetch)?,
        since: arguments.since.as_deref().map(date).transpose()?,
        full: arguments.full,
        ..Settings::default()
    })
}
