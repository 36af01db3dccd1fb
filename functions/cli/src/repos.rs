//! `repos`: which repositories a sync would take and, for each other one, why not. Keeps nothing.

use crate::arguments::Fetch;
use crate::arguments::Repos;
use crate::failure::Failure;
use crate::place::Place;
use crate::runner::LocalQueue;
use crate::source::Chosen;
use engine::{Choice, Choices, Env, SystemClock, repositories};
use serde_json::{Value, json};
use std::io::{BufWriter, Write};
use std::process::ExitCode;
use std::sync::Arc;

pub(crate) async fn run(arguments: Repos) -> Result<ExitCode, Failure> {
    let place = arguments.place.find().await?;
    let chosen = arguments.source.one(&Fetch::default(), &place).await?;
    let (env, table) = passing(&chosen, &place).await?;
    let mut all: Vec<(&String, Choices)> = Vec::new();
    let mut failures = Vec::new();
    for org in &env.settings.orgs {
        match repositories(org, &env).await.map_err(Failure::from) {
            Ok(choices) => all.push((org, choices)),
            // One organization that may not be copied does not hide the others.
            Err(failure @ Failure::Engine(_)) => failures.push(failure),
            Err(failure) => return Err(failure),
        }
    }
    let spent = env.github.spent();
    table.shutdown().await;
    let mut out = BufWriter::new(std::io::stdout().lock());
    if arguments.json {
        let organizations: Vec<Value> = all.iter().map(|(org, choices)| describe(org, choices)).collect();
        let cost = json!({ "requests": spent.requests(), "points": spent.points });
        serde_json::to_writer_pretty(&mut out, &json!({ "organizations": organizations, "spent": cost })).map_err(std::io::Error::from)?;
        writeln!(out)?;
    } else {
        for choice in all.iter().flat_map(|(_, choices)| &choices.repositories) {
            let why: Vec<String> = choice.against.iter().map(ToString::to_string).collect();
            let judged = if why.is_empty() { "taken".to_owned() } else { format!("left out: {}", why.join("; ")) };
            writeln!(out, "{:<50} {judged}", choice.repo)?;
        }
    }
    out.flush()?;
    for (org, choices) in &all {
        eprintln!(
            "{org}: {} of {} repositories are taken",
            choices.repositories.iter().filter(|choice| choice.against.is_empty()).count(),
            choices.repositories.len()
        );
        for missing in &choices.missing {
            eprintln!("missing: {missing}");
        }
    }
    eprintln!("{} requests, {} points", spent.requests(), spent.points);
    for failure in &failures {
        eprintln!("sei-github: {failure}");
    }
    let whole = failures.is_empty() && all.iter().all(|(_, choices)| choices.missing.is_empty());
    Ok(if whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// An environment that asks GitHub and keeps nothing: its table, with the gate in it, ends with the process.
pub(crate) async fn passing(chosen: &Chosen, place: &Place) -> Result<(Env, aws::Embedded), Failure> {
    let github = chosen.tokens(place).await?;
    let table = aws::Embedded::in_memory().await?;
    let env = Env::new(github, Arc::new(table.store()), Arc::new(LocalQueue::default()), Arc::new(SystemClock), chosen.settings.clone());
    Ok((env, table))
}

fn describe(org: &str, choices: &Choices) -> Value {
    let one = |choice: &Choice| {
        let against: Vec<Value> = choice.against.iter().map(|reason| json!({ "code": reason.code(), "message": reason.to_string() })).collect();
        json!({
            "repo": choice.repo, "id": choice.id, "visibility": choice.visibility, "archived": choice.archived, "fork": choice.fork,
            "topics": choice.topics, "pushed_at": choice.pushed_at, "taken": choice.against.is_empty(), "left_out_because": against,
        })
    };
    json!({ "organization": org, "repositories": choices.repositories.iter().map(one).collect::<Vec<_>>(), "missing": choices.missing })
}
