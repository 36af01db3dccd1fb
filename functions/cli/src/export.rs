//! `export`: streams rows to stdout, as JSON lines or CSV.

use crate::arguments::{Export, Format};
use crate::failure::Failure;
use crate::source::matcher;
use crate::sync::date;
use engine::entities::{self, Entity};
use engine::export::{Filter, export, has_repo, names, schema};
use engine::{ScopeId, Store};
use jiff::Timestamp;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::io::{BufWriter, Write};
use std::process::ExitCode;

pub(crate) async fn run(arguments: Export) -> Result<ExitCode, Failure> {
    if arguments.list {
        for entity in entities::ALL {
            let fields: Vec<&str> = entity.fields.iter().map(|field| field.name).collect();
            println!("{}: {}", entity.name, fields.join(", "));
        }
        return Ok(ExitCode::SUCCESS);
    }
    let name = arguments.entity.clone().unwrap_or_default();
    let entity = entities::find(&name).ok_or_else(|| {
        let all: Vec<&str> = entities::ALL.iter().map(|entity| entity.name).collect();
        Failure::Usage(format!("there is no entity `{name}`. There are: {}", all.join(", ")))
    })?;
    if arguments.schema {
        println!("{}", serde_json::to_string_pretty(&schema(entity)).unwrap_or_default());
        return Ok(ExitCode::SUCCESS);
    }
    let since = arguments.since.as_deref().map(date).transpose()?;
    let filter = Filter { since, deleted: arguments.deleted };
    let takes = matcher(&arguments.repo)?;
    let place = arguments.place.find().await?;
    place.require("sync")?;
    let table = place.join().await?;
    let store = table.store();
    let done = write(&store, entity, &filter, arguments.format, &takes).await;
    table.shutdown().await;
    match done {
        // Whoever read us has had enough: `export … | head`.
        Err(Failure::Output(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        other => other.map(|()| ExitCode::SUCCESS),
    }
}

async fn write(
    store: &dyn Store,
    entity: &'static Entity,
    filter: &Filter,
    format: Format,
    takes: &(dyn Fn(&str) -> bool + Send + Sync),
) -> Result<(), Failure> {
    let names = names(store, filter.deleted).await?;
    if !names.is_empty() && !names.values().any(|name| takes(name)) {
        return Err(Failure::Usage("no repository of this copy matches --repo. `sei-github status` lists them".to_owned()));
    }
    let mut out = Output::new(format, entity, filter.deleted)?;
    if entity == &entities::STAGE_TRANSITIONS {
        transitions(store, &names, filter, takes, &mut out).await?;
        return Ok(out.end()?);
    }
    for scope in store.scopes(entity).await? {
        let repo = names.get(&scope).map(String::as_str);
        if has_repo(entity) && !repo.is_some_and(takes) {
            continue;
        }
        let mut each = |mut row: Map<String, Value>| {
            // An item of a board names its repository as it was called when the board was read.
            if let Some(name) = row.get("repo_id").and_then(Value::as_u64).and_then(|id| names.get(&id)).filter(|_| row.contains_key("repo_name")) {
                row.insert("repo_name".to_owned(), name.as_str().into());
            }
            let own = row.get("full_name").or_else(|| row.get("repo_name")).and_then(Value::as_str);
            if own.is_none_or(takes) { out.row(&row) } else { Ok(()) }
        };
        export(store, entity, scope, repo, filter, &mut each).await??;
    }
    Ok(out.end()?)
}

/// Moves over boards are kept as they were seen, and follow from that board by board.
async fn transitions(
    store: &dyn Store,
    names: &BTreeMap<ScopeId, String>,
    filter: &Filter,
    takes: &(dyn Fn(&str) -> bool + Send + Sync),
    out: &mut Output,
) -> Result<(), Failure> {
    let projects = engine::boards::projects(store).await?;
    for scope in engine::boards::scopes(store).await? {
        let project = projects.get(&scope);
        let Some(board) = engine::boards::read(store, scope, project).await? else { continue };
        if board.gone && !filter.deleted {
            continue;
        }
        for mut row in board.transitions(board.field(None), names) {
            let text = |name: &str| row.get(name).and_then(Value::as_str);
            let late = filter.since.is_none_or(|since| text("at").and_then(|at| at.parse::<Timestamp>().ok()).is_none_or(|at| at >= since));
            if late && text("repo").is_none_or(takes) {
                if filter.deleted {
                    row.insert("deleted".to_owned(), board.gone.into());
                }
                out.row(&row)?;
            }
        }
    }
    Ok(())
}

/// A cell that a spreadsheet would take for a formula begins with an apostrophe, which it shows as text: what anybody
/// wrote on GitHub must not run where it is looked at. <https://owasp.org/www-community/attacks/CSV_Injection>
pub(crate) fn cell(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if is_formula { format!("'{text}") } else { text.to_owned() }
}

enum Output {
    Lines(BufWriter<std::io::Stdout>),
    Table(Box<csv::Writer<std::io::Stdout>>, Vec<&'static str>),
}

impl Output {
    fn new(format: Format, entity: &'static Entity, deleted: bool) -> Result<Self, Failure> {
        Ok(match format {
            Format::Ndjson => Self::Lines(BufWriter::new(std::io::stdout())),
            Format::Csv => {
                let mut columns: Vec<&'static str> = if has_repo(entity) { vec!["repo"] } else { Vec::new() };
                columns.extend(entity.fields.iter().map(|field| field.name));
                columns.extend(deleted.then_some("deleted"));
                let mut writer = csv::Writer::from_writer(std::io::stdout());
                writer.write_record(&columns).map_err(std::io::Error::from)?;
                Self::Table(Box::new(writer), columns)
            }
        })
    }

    fn row(&mut self, row: &Map<String, Value>) -> std::io::Result<()> {
        match self {
            Self::Lines(out) => {
                serde_json::to_writer(&mut *out, row)?;
                out.write_all(b"\n")
            }
            Self::Table(out, columns) => {
                let cells = columns.iter().map(|name| match row.get(*name) {
                    None | Some(Value::Null) => String::new(),
                    Some(Value::String(text)) => cell(text),
                    Some(other) => other.to_string(),
                });
                out.write_record(cells).map_err(std::io::Error::from)
            }
        }
    }

    fn end(self) -> std::io::Result<()> {
        match self {
            Self::Lines(mut out) => out.flush(),
            Self::Table(mut out, _) => out.flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::cell;

    #[test]
    fn a_cell_is_no_formula() {
        for (text, shown) in [("=HYPERLINK(1)", "'=HYPERLINK(1)"), ("+1", "'+1"), ("-1", "'-1"), ("@a", "'@a"), ("\t=1", "'\t=1"), ("a=1", "a=1"), ("", "")] {
            assert_eq!(cell(text), shown);
        }
    }
}
