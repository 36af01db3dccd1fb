//! `report`: takes the question, lets the engine compute, and prints. Decides no figure and knows no report by name.

mod arguments;
mod files;

pub(crate) use arguments::Report;

use crate::failure::Failure;
use engine::report::AskError;
use lake::Files;
use std::io::BufWriter;
use std::process::ExitCode;

pub(crate) async fn run(asked: Report) -> Result<ExitCode, Failure> {
    let mut pairs = asked.pairs.clone();
    if let Some(file) = &asked.business_hours {
        pairs.extend(files::hours(file)?);
    }
    if let Some(file) = &asked.aliases {
        pairs.extend(files::aliases(file)?);
    }
    let now = jiff::Timestamp::now();
    // What is mistyped is told before a table is looked for.
    engine::report::Asked::parse(asked.name, &pairs, now).map_err(|error| asked.failure(error))?;
    let answer = match &asked.from {
        Some(dir) => {
            let files = Files::open(dir).map_err(|error| Failure::Usage(error.to_string()))?;
            engine::report::report(&files, asked.name, &pairs, now).await
        }
        None => {
            let table = asked.place.find().await?.existing("sync").await?;
            let answer = engine::report::report(&table.store(), asked.name, &pairs, now).await;
            table.shutdown().await;
            answer
        }
    };
    let answer = answer.map_err(|error| asked.failure(error))?;
    if let Some(hint) = &answer.hint {
        eprintln!("{hint}");
    }
    match drawing::write(&answer.report, asked.format, &mut BufWriter::new(std::io::stdout().lock())) {
        // Whoever read us has had enough: `report … | head`.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        other => Ok(other.map(|()| ExitCode::SUCCESS)?),
    }
}

impl Report {
    fn failure(&self, error: AskError) -> Failure {
        match error {
            AskError::Store(error) => Failure::Store(error),
            // Where it came from a file, that is named, too.
            AskError::Value { option, why } => {
                let file = match option {
                    "zone" | "days" | "hours" | "holidays" => self.business_hours.as_ref(),
                    "alias" => self.aliases.as_ref(),
                    _ => None,
                };
                Failure::Usage(file.map_or_else(|| format!("--{option}: {why}"), |file| format!("{}: {option}: {why}", file.display())))
            }
            other => Failure::Usage(other.to_string()),
        }
    }
}
