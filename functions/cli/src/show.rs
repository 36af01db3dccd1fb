//! `status`, and what describes the connector itself: SCHEMA.md and the queries.

use crate::arguments::Status;
use crate::failure::Failure;
use engine::{Clock, Standing, SystemClock};
use std::fmt::Write as _;
use std::io::Write;
use std::process::ExitCode;

pub(crate) async fn status(arguments: Status) -> Result<ExitCode, Failure> {
    let table = aws::Embedded::open(&arguments.place.data_dir).await?;
    let status = engine::status(&table.store(), SystemClock.now()).await?;
    table.shutdown().await;
    let mut out = std::io::stdout().lock();
    if arguments.json {
        serde_json::to_writer_pretty(&mut out, &status).map_err(std::io::Error::from)?;
        writeln!(out)?;
        return Ok(ExitCode::SUCCESS);
    }
    if status.repositories.is_empty() {
        writeln!(out, "Nothing is here yet. Run `sei-github sync --org ORG` or `sei-github demo`.")?;
        return Ok(ExitCode::SUCCESS);
    }
    for repo in &status.repositories {
        writeln!(out, "{}{}", repo.repo, if repo.gone { "  (gone from GitHub; the copy stays)" } else { "" })?;
        for entity in repo.entities.iter().filter(|entity| entity.rows > 0 || entity.state != Standing::Empty) {
            let total = entity.total.map(|total| format!(" of {total}")).unwrap_or_default();
            let waiting = entity.waiting_until.map(|until| format!(", until {until}")).unwrap_or_default();
            let state = format!("{:?}", entity.state).to_lowercase();
            writeln!(out, "  {:<22} {:>8}{:<10} {state}{waiting}", entity.entity, entity.rows, total)?;
            for missing in &entity.missing {
                writeln!(out, "    missing: {missing}")?;
            }
        }
    }
    writeln!(out, "{} users", status.users)?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn schema() -> Result<ExitCode, Failure> {
    let mut text = String::from(
        "# Entities and fields\n\nWhat `sei-github export` prints, one object a row. Made by `sei-github schema`; a test keeps it so.\n\
         Times are RFC 3339 in UTC. Rows of a repository begin with `repo`, its present owner/name. Null means that GitHub has no value.\n",
    );
    for entity in engine::entities::ALL {
        let _ = write!(
            text,
            "\n## {}\n\n{} `--fetch {}`. [Source]({})\n\n| field | type | meaning |\n|---|---|---|\n",
            entity.name,
            entity.about,
            entity.group.name(),
            entity.source
        );
        for field in entity.fields {
            let _ = writeln!(text, "| {} | {} | {} |", field.name, format!("{:?}", field.kind).to_lowercase(), field.about);
        }
    }
    print!("{text}");
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn queries() -> Result<ExitCode, Failure> {
    let all: std::collections::BTreeMap<String, String> = engine::queries().into_iter().collect();
    println!("{}", serde_json::to_string_pretty(&all).unwrap_or_default());
    Ok(ExitCode::SUCCESS)
}
