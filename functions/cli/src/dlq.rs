//! `dlq`: what a deployed stack could not do after several tries: jobs and events in its dead-letter queues. Looks,
//! sends them to where they came from, or throws them away.

use crate::arguments::{Dlq, Letters as Asked};
use crate::failure::Failure;
use crate::show::confirmed;
use engine::dead::{DeadError, Letter, Letters};
use serde_json::{Value, json};
use std::io::{BufWriter, Write};
use std::process::ExitCode;

impl From<DeadError> for Failure {
    fn from(error: DeadError) -> Self {
        match error {
            DeadError::Unknown(id) => unknown(&id),
            DeadError::Store(error) => Self::Store(error),
        }
    }
}

fn unknown(id: &str) -> Failure {
    Failure::Usage(format!("there is no message {id}. `sei-github dlq list` names those that are there"))
}

pub(crate) async fn run(command: Dlq) -> Result<ExitCode, Failure> {
    let (Dlq::List(asked) | Dlq::Show(asked) | Dlq::Redrive(asked) | Dlq::Purge(asked)) = &command;
    let dead = asked.stack.find().await?.dead_letters()?;
    match command {
        Dlq::List(_) | Dlq::Show(_) => print(&chosen(&dead, asked).await?, asked, matches!(command, Dlq::Show(_)))?,
        Dlq::Redrive(_) => {
            let count = dead.redrive(&asked.id).await?;
            eprintln!("{} sent back to their queues: `sei-github dlq list` shows whether they come again", messages(count));
        }
        Dlq::Purge(_) => {
            // What is asked about is what is deleted, and not what came meanwhile.
            let ids: Vec<String> = chosen(&dead, asked).await?.into_iter().map(|letter| letter.id).collect();
            let sure = ids.is_empty() || asked.yes || confirmed(&format!("Delete {} for good?", messages(ids.len())))?;
            if !sure {
                return Ok(ExitCode::FAILURE);
            }
            let count = if ids.is_empty() { 0 } else { dead.purge(&ids).await? };
            eprintln!("{} deleted", messages(count));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn messages(count: usize) -> String {
    if count == 1 { "1 message".to_owned() } else { format!("{count} messages") }
}

/// Those that are named, or all.
async fn chosen(dead: &dyn Letters, asked: &Asked) -> Result<Vec<Letter>, Failure> {
    let mut all = dead.list().await?;
    if let Some(id) = asked.id.iter().find(|id| !all.iter().any(|letter| letter.id == **id)) {
        return Err(unknown(id));
    }
    all.retain(|letter| asked.id.is_empty() || asked.id.contains(&letter.id));
    Ok(all)
}

fn describe(letter: &Letter) -> Value {
    json!({ "id": letter.id, "queue": letter.queue, "sent_at": letter.sent_at, "received": letter.received, "what": letter.what(),
        "attributes": letter.attributes, "body": letter.body })
}

fn print(letters: &[Letter], asked: &Asked, whole: bool) -> Result<(), Failure> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    if asked.json {
        let all: Vec<Value> = letters.iter().map(describe).collect();
        serde_json::to_writer_pretty(&mut out, &all).map_err(std::io::Error::from)?;
        writeln!(out)?;
    } else {
        for letter in letters {
            let at = letter.sent_at.map(|at| format!("{at:.0}")).unwrap_or_default();
            writeln!(out, "{at}  {:<36}  {:<6}  {}", letter.id, letter.queue, letter.what())?;
            if whole {
                for (name, value) in &letter.attributes {
                    writeln!(out, "    {name}: {value}")?;
                }
                writeln!(out, "{}", letter.body)?;
            }
        }
    }
    out.flush()?;
    if letters.is_empty() {
        eprintln!("no message is dead");
    }
    Ok(())
}
