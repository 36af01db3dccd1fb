//! `sync`: from arguments and environment to a running engine, and the summary at the end.

use crate::arguments::Sync;
use crate::failure::Failure;
use crate::place::Place;
use crate::progress::Progress;
use crate::runner::{self, LocalQueue, Summary};
use crate::source::Chosen;
use engine::{Env, Group, Integration, Seen, Settings, StateKey, Store, SystemClock, Tokens, integration};
use github::ApiUrl;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;
use std::sync::Arc;

pub(crate) async fn run(arguments: Sync) -> Result<ExitCode, Failure> {
    let place = Place::Directory(arguments.place.data_dir.clone());
    let dir = &arguments.place.data_dir;
    // What is wrong with the flags or the token is told before anything is opened.
    let by_flags = match arguments.source.by_flags(&arguments.groups, arguments.since.as_deref(), &place)? {
        Some(mut chosen) => {
            chosen.settings.full = arguments.full;
            Some((chosen.tokens(&place).await?, chosen))
        }
        None => None,
    };
    let table = aws::Embedded::open(dir).await?;
    let done = match by_flags {
        Some((tokens, chosen)) => match one_github(&table.store(), &chosen.url).await {
            Ok(()) => copy(tokens, chosen.settings, &table, &mut Progress::new()).await.map(|done| done.code),
            Err(failure) => Err(failure),
        },
        None => match arguments.source.installed(&table.store()).await {
            Ok(installed) => every(&installed, arguments.full, &place, &table, &mut Progress::new()).await,
            Err(failure) => Err(failure),
        },
    };
    table.shutdown().await;
    done
}

/// Each of these integrations that is not paused; one that fails does not hold up the others.
pub(crate) async fn every(installed: &[Integration], full: bool, place: &Place, table: &aws::Embedded, progress: &mut Progress) -> Result<ExitCode, Failure> {
    let store = table.store();
    let active: Vec<Integration> = integration::integrations(&store).await?.into_iter().filter(|one| !one.paused).collect();
    let mut code = ExitCode::SUCCESS;
    let mut seen: Vec<BTreeMap<String, Seen>> = Vec::new();
    for one in installed {
        if one.paused {
            progress.sum_up(&format!("{}: paused; `sei-github integrations resume {0}` goes on with it", one.name));
            continue;
        }
        if installed.len() > 1 {
            progress.sum_up(&format!("{}:", one.name));
        }
        let others = active.iter().filter(|other| other.name != one.name);
        let shared = others.flat_map(|other| &other.organizations).map(|org| org.to_lowercase()).collect();
        match integrate(one, shared, full, place, table, progress).await {
            Ok(done) => {
                code = if code == ExitCode::SUCCESS { done.code } else { code };
                seen.push(done.seen);
            }
            Err(failure) => {
                progress.sum_up(&format!("sei-github: {}: {failure}", one.name));
                code = if code == ExitCode::SUCCESS { failure.code() } else { code };
            }
        }
    }
    let orgs: Vec<Vec<String>> = active.into_iter().map(|one| one.organizations).collect();
    engine::bury_what_none_sees(&store, jiff::Timestamp::now(), &orgs, &seen).await?;
    Ok(code)
}

async fn integrate(
    one: &Integration,
    shared: BTreeSet<String>,
    full: bool,
    place: &Place,
    table: &aws::Embedded,
    progress: &mut Progress,
) -> Result<Done, Failure> {
    let chosen = Chosen::of(one)?;
    one_github(&table.store(), &chosen.url).await?;
    let settings = Settings { full, shared, ..chosen.settings.clone() };
    copy(chosen.tokens(place).await?, settings, table, progress).await
}

/// Ids are a server's own: two servers in one copy would mix.
pub(crate) async fn one_github(store: &dyn Store, url: &ApiUrl) -> Result<(), Failure> {
    let key = StateKey { of: "place".to_owned(), name: "github".to_owned() };
    let state = store.states(std::slice::from_ref(&key)).await?.into_iter().next().unwrap_or_default();
    match state.value.as_str() {
        None => Ok(store.save(&key, state.revision, &json!(url.host())).await.map(|_| ())?),
        Some(host) if host == url.host() => Ok(()),
        Some(host) => Err(Failure::Usage(format!("this copy is of {host}, not of {}: choose another directory with --data-dir", url.host()))),
    }
}

/// What a sync left.
pub(crate) struct Done {
    pub(crate) code: ExitCode,
    seen: BTreeMap<String, Seen>,
}

/// The same for `sync`, `demo` and the console.
pub(crate) async fn copy(github: Tokens, settings: Settings, table: &aws::Embedded, progress: &mut Progress) -> Result<Done, Failure> {
    let queue = Arc::new(LocalQueue::default());
    let selective = !settings.selection.is_everything();
    let env = Env::new(github, Arc::new(table.store()), queue.clone(), Arc::new(SystemClock), settings).alone().on(table.scratch()?);
    let began = std::time::Instant::now();
    let summary = runner::run(&env, &queue, progress).await;
    progress.end();
    let summary = summary?;
    tell(&summary, &env, began.elapsed(), progress);
    for silent in engine::silence::look(env.store.as_ref(), &engine::status(env.store.as_ref(), env.now()).await?, env.now()).await? {
        progress.sum_up(&format!("{silent}. GitHub may have changed how it sends them"));
    }
    if selective && summary.repositories == 0 && !summary.stopped {
        return Err(Failure::Usage(format!(
            "no repository matches; {} were listed. `sei-github repos` with the same flags says why each is left out. \
             Globs match owner/name or the name alone, such as 'api-*'",
            summary.left_out
        )));
    }
    let failed = !summary.failed.is_empty() || summary.stopped;
    Ok(Done { code: if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }, seen: summary.seen })
}

fn tell(summary: &Summary, env: &Env, took: std::time::Duration, progress: &Progress) {
    let spent = env.github.spent();
    let left_out = if summary.left_out > 0 { format!(" ({} not selected)", summary.left_out) } else { String::new() };
    progress.sum_up(&format!(
        "{} repositories{left_out} in {:.1} s: {} requests ({} GraphQL, {} REST of which {} unchanged), {} points",
        summary.repositories,
        took.as_secs_f64(),
        spent.graphql + spent.rest,
        spent.graphql,
        spent.rest,
        spent.not_modified,
        spent.points,
    ));
    if let (refused @ 1.., all) = env.github.refused() {
        progress.sum_up(&format!("tokens that GitHub does not accept (wrong, expired or revoked): {refused} of {all}"));
    }
    if summary.repositories > 0 && !summary.unmatched.is_empty() {
        let unmatched: Vec<&str> = summary.unmatched.iter().map(String::as_str).collect();
        progress.sum_up(&format!("no repository fits {}", unmatched.join(", ")));
    }
    for what in &summary.refused {
        progress.sum_up(&format!("missing: {what}"));
    }
    for what in &summary.failed {
        progress.sum_up(&format!("failed: {}. The next sync tries again.", what.trim_end_matches('.')));
    }
    if summary.stopped {
        progress.sum_up("stopped; the next sync goes on where this one was");
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
