//! What describes the connector itself: SCHEMA.md and the queries; and the question before what cannot be undone.

use crate::failure::Failure;
use std::fmt::Write as _;
use std::io::IsTerminal;
use std::process::ExitCode;

pub(crate) fn schema() -> Result<ExitCode, Failure> {
    let mut text = String::from(
        "# Entities and fields\n\nWhat `sei-github export` prints, one object a row. Made by `sei-github schema`; a test keeps it so.\n\
         Times are RFC 3339 in UTC. Rows of a repository begin with `repo`, its present owner/name. Null means that GitHub has no value.\n\n\
         In Parquet (`export --format parquet`) the columns are the same: text is a string, integer INT64, time TIMESTAMP in microseconds, in UTC\n\
         and without a zone, texts and integers LISTs, and json a string of JSON.\n",
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

/// Asks a person; where none is there to answer, --yes must have been said.
pub(crate) fn confirmed(question: &str) -> Result<bool, Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::Usage("nothing was done: there is no terminal to ask at. Say --yes to do it".to_owned()));
    }
    let sure = dialoguer::Confirm::new().with_prompt(question).default(false).interact().map_err(crate::connect::no_answer)?;
    if !sure {
        eprintln!("nothing was done");
    }
    Ok(sure)
}
