//! `dlq`: what a deployed stack could not do after several tries: jobs and events in its dead-letter queues. Looks,
//! sends them to where they came from, or throws them away. Understands no more of a message than its name.
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html>

use crate::arguments::{Dlq, Letters};
use crate::failure::Failure;
use crate::show::confirmed;
use crate::stack::{Stack, refused};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{BufWriter, Write};
use std::process::ExitCode;

/// A dead-letter queue, and the queue that its messages were in: names of the stack's outputs.
const QUEUES: [(&str, &str, &str); 2] = [("jobs", "DeadLetterQueueUrl", "QueueUrl"), ("events", "DeadEventsQueueUrl", "EventsQueueUrl")];
/// Seconds in which nobody else sees what we look at.
const LOOK: i32 = 30;

struct Letter {
    queue: &'static str,
    dead: String,
    origin: String,
    message: Message,
}

pub(crate) async fn run(command: Dlq) -> Result<ExitCode, Failure> {
    let (Dlq::List(letters) | Dlq::Show(letters) | Dlq::Redrive(letters) | Dlq::Purge(letters)) = &command;
    let stack = letters.stack.find().await?;
    let client = Client::new(&stack.aws);
    let mut all = read(&stack, &client).await?;
    let wanted: BTreeSet<&str> = letters.id.iter().map(String::as_str).collect();
    let there: BTreeSet<String> = all.iter().map(|letter| id(letter).to_owned()).collect();
    if let Some(unknown) = wanted.iter().find(|id| !there.contains(**id)) {
        put_back(&client, &all).await?;
        return Err(Failure::Usage(format!("there is no message {unknown}. `sei-github dlq list` names those that are there")));
    }
    let (mut chosen, others): (Vec<_>, Vec<_>) = all.drain(..).partition(|letter| wanted.is_empty() || wanted.contains(id(letter)));
    put_back(&client, &others).await?;
    chosen.sort_by_key(|letter| sent(letter).unwrap_or_default());
    match command {
        Dlq::List(_) | Dlq::Show(_) => {
            put_back(&client, &chosen).await?;
            print(&chosen, letters, matches!(command, Dlq::Show(_)))?;
        }
        Dlq::Redrive(_) => {
            for letter in &chosen {
                send_back(&client, letter).await?;
            }
            eprintln!("{} sent back to their queues: `sei-github dlq list` shows whether they come again", messages(chosen.len()));
        }
        Dlq::Purge(_) => {
            let sure = chosen.is_empty() || letters.yes || {
                // Whatever the answer is, others see them again.
                let sure = confirmed(&format!("Delete {} for good?", messages(chosen.len())));
                if !matches!(sure, Ok(true)) {
                    put_back(&client, &chosen).await?;
                }
                sure?
            };
            if !sure {
                return Ok(ExitCode::FAILURE);
            }
            for letter in &chosen {
                delete(&client, letter).await?;
            }
            eprintln!("{} deleted", messages(chosen.len()));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn messages(count: usize) -> String {
    if count == 1 { "1 message".to_owned() } else { format!("{count} messages") }
}

/// Everything that is there and nobody else looks at.
async fn read(stack: &Stack, client: &Client) -> Result<Vec<Letter>, Failure> {
    let mut all = Vec::new();
    for (queue, dead, origin) in QUEUES {
        let (dead, origin) = (stack.output(dead)?.to_owned(), stack.output(origin)?.to_owned());
        loop {
            let request = client.receive_message().queue_url(&dead).max_number_of_messages(10).visibility_timeout(LOOK);
            let request = request.message_attribute_names("All").message_system_attribute_names(MessageSystemAttributeName::All).wait_time_seconds(1);
            let answer = request.send().await.map_err(|error| refused("the dead-letter queue cannot be read", &error))?;
            let messages = answer.messages.unwrap_or_default();
            if messages.is_empty() {
                break;
            }
            all.extend(messages.into_iter().map(|message| Letter { queue, dead: dead.clone(), origin: origin.clone(), message }));
        }
    }
    Ok(all)
}

/// Visible again at once: whoever looks next finds them.
async fn put_back(client: &Client, letters: &[Letter]) -> Result<(), Failure> {
    for letter in letters {
        let handle = letter.message.receipt_handle.clone().unwrap_or_default();
        let request = client.change_message_visibility().queue_url(&letter.dead).receipt_handle(handle).visibility_timeout(0);
        request.send().await.map_err(|error| refused("a message cannot be put back; it is there again in half a minute", &error))?;
    }
    Ok(())
}

/// Sent first, deleted then: twice does no harm, never would.
async fn send_back(client: &Client, letter: &Letter) -> Result<(), Failure> {
    let mut request = client.send_message().queue_url(&letter.origin).message_body(letter.message.body.clone().unwrap_or_default());
    for (name, value) in letter.message.message_attributes.iter().flatten() {
        request = request.message_attributes(name, value.clone());
    }
    request.send().await.map_err(|error| refused(&format!("the message {} cannot be sent back", id(letter)), &error))?;
    delete(client, letter).await
}

async fn delete(client: &Client, letter: &Letter) -> Result<(), Failure> {
    let handle = letter.message.receipt_handle.clone().unwrap_or_default();
    let request = client.delete_message().queue_url(&letter.dead).receipt_handle(handle);
    request.send().await.map(|_| ()).map_err(|error| refused(&format!("the message {} cannot be deleted", id(letter)), &error))
}

fn id(letter: &Letter) -> &str {
    letter.message.message_id.as_deref().unwrap_or_default()
}

fn system(letter: &Letter, name: &MessageSystemAttributeName) -> Option<String> {
    letter.message.attributes.as_ref()?.get(name).cloned()
}

fn sent(letter: &Letter) -> Option<jiff::Timestamp> {
    let millis = system(letter, &MessageSystemAttributeName::SentTimestamp)?.parse().ok()?;
    jiff::Timestamp::from_millisecond(millis).ok()
}

fn attributes(letter: &Letter) -> Vec<(&String, &str)> {
    let told = letter.message.message_attributes.iter().flatten();
    told.filter_map(|(name, value)| Some((name, value.string_value.as_deref()?))).collect()
}

/// What it is, as far as it tells.
fn what(letter: &Letter) -> String {
    let attribute = |wanted: &str| attributes(letter).into_iter().find(|(name, _)| *name == wanted).map(|(_, value)| value.to_owned());
    if let Some(event) = attribute("event") {
        return format!("{event} {}", attribute("delivery").unwrap_or_default());
    }
    let body = letter.message.body.as_deref().unwrap_or_default();
    match serde_json::from_str::<engine::Job>(body) {
        Ok(job) => format!("{} of repository {}", engine::spoken(&job.sweep), job.scope),
        Err(_) => format!("no job: {}", body.chars().take(60).collect::<String>().replace(['\n', '\r', '\t'], " ")),
    }
}

fn describe(letter: &Letter) -> Value {
    let told: serde_json::Map<String, Value> = attributes(letter).into_iter().map(|(name, value)| (name.clone(), value.into())).collect();
    json!({ "id": id(letter), "queue": letter.queue, "sent_at": sent(letter), "what": what(letter), "attributes": told, "body": letter.message.body })
}

fn print(letters: &[Letter], asked: &Letters, whole: bool) -> Result<(), Failure> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    if asked.json {
        let all: Vec<Value> = letters.iter().map(describe).collect();
        serde_json::to_writer_pretty(&mut out, &all).map_err(std::io::Error::from)?;
        writeln!(out)?;
    } else {
        for letter in letters {
            let at = sent(letter).map(|at| format!("{at:.0}")).unwrap_or_default();
            writeln!(out, "{at}  {:<36}  {:<6}  {}", id(letter), letter.queue, what(letter))?;
            if whole {
                for (name, value) in attributes(letter) {
                    writeln!(out, "    {name}: {value}")?;
                }
                writeln!(out, "{}", letter.message.body.as_deref().unwrap_or_default())?;
            }
        }
    }
    out.flush()?;
    if letters.is_empty() {
        eprintln!("no message is dead");
    }
    Ok(())
}
