//! `export`: streams rows to stdout, as JSON lines or CSV, or into Parquet files.

mod parquet;
mod rows;

use crate::arguments::{Export, Format};
use crate::failure::Failure;
use crate::source::matcher;
use crate::sync::date;
use engine::Store;
use engine::entities::{self, Entity};
use engine::export::{Filter, has_repo, schema};
use rows::Rows;
use serde_json::{Map, Value};
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
    if let Some(dialect) = arguments.views {
        parquet::views(&arguments, dialect)?;
        return Ok(ExitCode::SUCCESS);
    }
    let entity = arguments.entity.as_deref().map(named).transpose()?;
    if let Some(entity) = entity.filter(|_| arguments.schema) {
        println!("{}", serde_json::to_string_pretty(&schema(entity)).unwrap_or_default());
        return Ok(ExitCode::SUCCESS);
    }
    if let Format::Parquet = arguments.format {
        parquet::run(&arguments, &parquet::chosen(&arguments, entity)).await?;
        return Ok(ExitCode::SUCCESS);
    }
    let Some(entity) = entity.filter(|_| arguments.out.is_none()) else {
        return Err(Failure::Usage("--all and --out are for --format parquet; ndjson and csv are one entity, on stdout".to_owned()));
    };
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

fn named(name: &str) -> Result<&'static Entity, Failure> {
    entities::find(name).ok_or_else(|| {
        let all: Vec<&str> = entities::ALL.iter().map(|entity| entity.name).collect();
        Failure::Usage(format!("there is no entity `{name}`. There are: {}", all.join(", ")))
    })
}

async fn write(
    store: &dyn Store,
    entity: &'static Entity,
    filter: &Filter,
    format: Format,
    takes: &(dyn Fn(&str) -> bool + Send + Sync),
) -> Result<(), Failure> {
    let rows = Rows::new(store, filter, takes).await?;
    let mut out = Output::new(format, entity, filter.deleted)?;
    for scope in rows.scopes(entity).await? {
        rows.of(entity, scope, &mut |row| out.row(&row)).await?;
    }
    Ok(out.end()?)
}

enum Output {
    Lines(BufWriter<std::io::Stdout>),
    Table(Box<csv::Writer<std::io::Stdout>>, Vec<&'static str>),
}

impl Output {
    fn new(format: Format, entity: &'static Entity, deleted: bool) -> Result<Self, Failure> {
        Ok(match format {
            // Parquet goes another way.
            Format::Ndjson | Format::Parquet => Self::Lines(BufWriter::new(std::io::stdout())),
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
                    Some(Value::String(text)) => drawing::cell(text),
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
