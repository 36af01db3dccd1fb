//! `status`, and what describes the connector itself: SCHEMA.md and the queries.

use crate::arguments::Status;
use crate::failure::Failure;
use engine::{Clock, Standing, SystemClock};
use std::fmt::Write as _;
use std::io::Write;
use std::process::ExitCode;

pub(crate) async fn status(arguments: Status) -> Result<ExitCode, Failure> {
    let dir = &arguments.place.data_dir;
    if !arguments.json && !aws::Embedded::is_in(dir) {
        println!("Nothing is in {} yet. Run `sei-github sync --org ORG` or `sei-github demo`.", dir.display());
        return Ok(ExitCode::SUCCESS);
    }
    let table = aws::Embedded::open(dir).await?;
    let status = engine::status(&table.store(), SystemClock.now()).await?;
    table.shutdown().await;
    let mut out = std::io::stdout().lock();
    if arguments.json {
        serde_json::to_writer_pretty(&mut out, &status).map_err(std::io::Error::from)?;
        writeln!(out)?;
        return Ok(ExitCode::SUCCESS);
    }
    if status.repositories.is_empty() && status.organizations.is_empty() {
        writeln!(out, "Nothing is here yet. Run `sei-github sync --org ORG` or `sei-github demo`.")?;
        return Ok(ExitCode::SUCCESS);
    }
    for organization in &status.organizations {
        let left_out = if organization.left_out > 0 { format!(", {} not selected", organization.left_out) } else { String::new() };
        let last = organization.last_success.map_or_else(|| "never".to_owned(), |at| format!("{at:.0}"));
        writeln!(out, "{}: {} repositories{left_out}, last looked at {last}", organization.organization, organization.repositories)?;
        for missing in &organization.missing {
            writeln!(out, "    missing: {missing}")?;
        }
    }
    for repo in &status.repositories {
        writeln!(out, "{}{}", repo.repo, if repo.gone { "  (gone from GitHub; the copy stays)" } else { "" })?;
        for entity in repo.entities.iter().filter(|entity| entity.rows > 0 || entity.state != Standing::Empty) {
            let total = entity.total.map(|total| format!(" of {total}")).unwrap_or_default();
            let waiting = entity.waiting_until.map(|until| format!(", until {until:.0}")).unwrap_or_default();
            let state = entity.state.name();
            let success = entity.last_success.map(|at| format!(", last read {at:.0}")).unwrap_or_default();
            writeln!(out, "  {:<22} {:>8}{:<10} {state}{waiting}{success}", entity.entity, entity.rows, total)?;
            for missing in &entity.missing {
                writeln!(out, "    missing: {missing}")?;
            }
        }
    }
    writeln!(out, "{} users", status.users)?;
    writeln!(out, "spent in all: {} requests, {} points", status.spent.requests, status.spent.points)?;
    for limit in &status.limits {
        writeln!(out, "waiting until {:.0}: token {} ({}), {}", limit.until, limit.token, limit.resource, limit.why)?;
    }
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
