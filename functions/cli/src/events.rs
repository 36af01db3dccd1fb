//! `events`: what became of the events that were received, all of them or one. Asks nobody.

use crate::arguments::Events;
use crate::failure::Failure;
use engine::deliveries::{self, Stage, Trace};
use engine::{Clock, SystemClock};
use serde_json::json;
use std::collections::BTreeMap;
use std::io::{BufWriter, Write};
use std::process::ExitCode;

pub(crate) async fn run(arguments: Events) -> Result<ExitCode, Failure> {
    let place = arguments.place.find().await?;
    place.require("serve")?;
    let table = place.join().await?;
    let store = table.store();
    let found = match &arguments.delivery_id {
        Some(id) => deliveries::find(&store, id).await.map(|found| found.into_iter().map(|trace| (id.clone(), trace)).collect()),
        None => deliveries::all(&store, SystemClock.now()).await,
    };
    table.shutdown().await;
    let found: Vec<(String, Trace)> = found?;
    if let (Some(id), true) = (&arguments.delivery_id, found.is_empty()) {
        eprintln!(
            "sei-github: no event {id} was received, or it is more than eight days ago. GitHub's list of the webhook's deliveries says whether it was sent, and can send it again"
        );
        return Ok(ExitCode::FAILURE);
    }
    let mut out = BufWriter::new(std::io::stdout().lock());
    let told = if arguments.json {
        let all: Vec<_> = found.iter().map(|(id, trace)| as_json(id, trace)).collect();
        let value = if arguments.delivery_id.is_some() { all.into_iter().next().unwrap_or_default() } else { json!(all) };
        serde_json::to_writer_pretty(&mut out, &value).map_err(std::io::Error::from).and_then(|()| writeln!(out))
    } else if let (Some(_), Some((id, trace))) = (&arguments.delivery_id, found.first()) {
        one(&mut out, id, trace)
    } else {
        list(&mut out, &found)
    };
    match told.and_then(|()| out.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        other => Ok(other.map(|()| ExitCode::SUCCESS)?),
    }
}

fn as_json(id: &str, trace: &Trace) -> serde_json::Value {
    let mut value = json!(trace);
    if let Some(fields) = value.as_object_mut() {
        fields.remove("_expires");
        fields.insert("delivery".to_owned(), id.into());
    }
    value
}

fn list(out: &mut impl Write, all: &[(String, Trace)]) -> std::io::Result<()> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (id, trace) in all {
        *counts.entry(trace.outcome.name()).or_default() += 1;
        let at = trace.received_at.map(|at| format!("{at:.0}")).unwrap_or_default();
        let whose = trace.whose().unwrap_or_default();
        writeln!(out, "{at}  {id:<36}  {:<34} {whose:<30} {}", trace.what(), trace.outcome.name())?;
    }
    let counts: Vec<String> = counts.into_iter().map(|(word, count)| format!("{count} {word}")).collect();
    writeln!(out, "{} events of the last eight days{}{}", all.len(), if counts.is_empty() { "" } else { ": " }, counts.join(", "))
}

fn one(out: &mut impl Write, id: &str, trace: &Trace) -> std::io::Result<()> {
    writeln!(out, "{id}: {} of {}", trace.what(), trace.whose().unwrap_or("nobody"))?;
    if let Some(hook) = &trace.hook {
        writeln!(out, "  sent by webhook {hook}")?;
    }
    if let Some(at) = trace.received_at {
        writeln!(out, "  {at:.3}  received, {} bytes, and its signature verified", trace.bytes)?;
    }
    if let Some(at) = trace.durable_at {
        writeln!(out, "  {at:.3}  durable")?;
    }
    let why = trace.why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
    let at = trace.applied_at.map(|at| format!("{at:.3}  ")).unwrap_or_default();
    let rows = if trace.outcome == Stage::Applied { format!(", {} rows written", trace.rows) } else { String::new() };
    writeln!(out, "  {at}{}{rows}{why}", trace.outcome.name())
}
