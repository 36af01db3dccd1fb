//! `verify`: asks GitHub for its totals again, counts the copy's rows, and lists what differs. Changes nothing.

use crate::arguments::Fetch;
use crate::arguments::Verify;
use crate::failure::Failure;
use crate::place::Place;
use crate::runner::{LocalQueue, patiently};
use crate::source::Chosen;
use aws::DynamoStore;
use engine::{Difference, Env, SystemClock, Verification};
use serde_json::json;
use std::io::{BufWriter, Write};
use std::process::ExitCode;
use std::sync::Arc;

pub(crate) async fn run(arguments: Verify) -> Result<ExitCode, Failure> {
    let place = arguments.place.find().await?;
    arguments.source.is_of(&place)?;
    let by_flags = if arguments.source.org.is_empty() { None } else { arguments.source.by_flags(&Fetch::default(), None, &place)? };
    arguments.source.rules.selection()?;
    let table = place.existing("sync").await?;
    let compared = compare(&arguments, by_flags, table.store(), &place).await;
    table.shutdown().await;
    let Compared { all, failures, spent } = compared?;
    let mut out = BufWriter::new(std::io::stdout().lock());
    if arguments.json {
        let cost = json!({ "requests": spent.requests(), "points": spent.points });
        serde_json::to_writer_pretty(&mut out, &json!({ "organizations": all, "spent": cost })).map_err(std::io::Error::from)?;
        writeln!(out)?;
    } else {
        for verification in &all {
            tell(&mut out, verification)?;
        }
    }
    out.flush()?;
    eprintln!("{} requests, {} points", spent.requests(), spent.points);
    for failure in &failures {
        eprintln!("sei-github: {failure}");
    }
    let differs = |verification: &Verification| !verification.missing.is_empty() || verification.differences.iter().any(|one| one.because.is_none());
    let agrees = failures.is_empty() && !all.iter().any(differs);
    Ok(if agrees { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

struct Compared {
    all: Vec<Verification>,
    failures: Vec<Failure>,
    spent: github::Spent,
}

/// What the flags say, or each integration, or what was ever copied.
async fn compare(arguments: &Verify, by_flags: Option<Chosen>, store: DynamoStore, place: &Place) -> Result<Compared, Failure> {
    let store = Arc::new(store);
    let mut chosen: Vec<Chosen> = by_flags.into_iter().collect();
    if chosen.is_empty() {
        chosen = match arguments.source.chosen(place, store.as_ref()).await {
            Err(Failure::Usage(_)) if !arguments.source.names_integrations() => Vec::new(),
            other => other?,
        };
    }
    if chosen.is_empty() {
        let orgs = engine::organizations(store.as_ref()).await?;
        chosen.push(arguments.source.about(orgs, place)?);
    }
    let mut compared = Compared { all: Vec::new(), failures: Vec::new(), spent: github::Spent::default() };
    for mut one in chosen {
        arguments.source.rules.amend(&mut one.settings.selection)?;
        let github = one.tokens(place).await?;
        let env = Env::new(github, store.clone(), Arc::new(LocalQueue::default()), Arc::new(SystemClock), one.settings).alone();
        for org in &env.settings.orgs {
            match patiently(&env, || engine::verify(org, &env)).await.map_err(Failure::from) {
                Ok(verification) => compared.all.push(verification),
                // One organization that may not be read does not hide the others.
                Err(failure @ Failure::Engine(_)) => compared.failures.push(failure),
                Err(failure) => return Err(failure),
            }
        }
        compared.spent = compared.spent.and(env.github.spent());
    }
    Ok(compared)
}

fn tell(out: &mut impl Write, verification: &Verification) -> std::io::Result<()> {
    let Verification { organization, repositories, compared, differences, missing } = verification;
    for Difference { repo, entity, github, here, because, .. } in differences {
        let more = if github > here { format!("{} more on GitHub", github - here) } else { format!("{} more here", here - github) };
        let why = because.as_ref().map_or_else(
            || "unexplained. `sei-github sync --full` reads everything again".to_owned(),
            |because| format!("{}: {}", because.code, because.message),
        );
        writeln!(out, "{repo:<40} {entity:<16} GitHub {github}, here {here}, {more}: {why}")?;
    }
    for missing in missing {
        writeln!(out, "missing: {missing}")?;
    }
    let unexplained = differences.iter().filter(|one| one.because.is_none()).count();
    let judged = match differences.len() {
        0 => "nothing differs".to_owned(),
        some => format!("{some} differ, {unexplained} of them unexplained"),
    };
    writeln!(out, "{organization}: {repositories} repositories, {compared} totals compared: {judged}")
}
