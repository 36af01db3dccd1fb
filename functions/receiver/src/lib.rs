//! Applies events that were taken in: a batch of SQS messages, of which those that failed are named. What becomes of
//! each is in its trace. Asks GitHub nothing.

use aws::{Receiver, SqsMessage};
use engine::deliveries::{self, About, Stage, Trace};
use engine::{Error, Fleet, Received, Store, StoreError, receive};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tracing::{Instrument, info_span};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Batch {
    pub records: Vec<Message>,
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html>
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    pub message_id: String,
    #[serde(default)]
    pub body: String,
    #[serde(default)]
    pub attributes: BTreeMap<String, String>,
    #[serde(default)]
    pub message_attributes: BTreeMap<String, Attribute>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attribute {
    #[serde(default)]
    pub string_value: String,
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting>
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Failures {
    pub batch_item_failures: Vec<Failure>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    pub item_identifier: String,
}

/// Applies every event of the batch.
pub async fn handle(batch: Batch, fleet: &Fleet, receiver: &Receiver) -> Failures {
    let mut failures = Failures::default();
    for message in batch.records {
        let (id, receives) = (message.message_id.clone(), message.attributes.get("ApproximateReceiveCount").and_then(|count| count.parse().ok()).unwrap_or(1));
        let span = info_span!("event", message = id, trace = message.attributes.get(aws::TRACE_HEADER));
        if let Err(error) = run(message, receives, fleet, receiver).instrument(span.clone()).await {
            span.in_scope(|| tracing::error!(receives, error, "an event is not applied"));
            failures.batch_item_failures.push(Failure { item_identifier: id });
        }
    }
    failures
}

async fn run(message: Message, receives: u32, fleet: &Fleet, receiver: &Receiver) -> Result<(), String> {
    let attributes: BTreeMap<String, String> = message.message_attributes.into_iter().map(|(name, value)| (name, value.string_value)).collect();
    let opened = receiver.inbox.open(message.body, &attributes).await;
    let opened: SqsMessage = match opened {
        Ok(Some(opened)) => opened,
        // Failed, so that it ends where somebody sees it.
        Ok(None) => return Err("the message is not an event".to_owned()),
        Err(error) => return Err(error.to_string()),
    };
    match apply(&opened.event, fleet, receiver.store()).await {
        Ok(()) => receiver.inbox.close(&opened).await.map_err(|error| error.to_string()),
        Err(error) => {
            if receives >= receiver.most_receives {
                give_up(&opened.event, &error, receiver.store()).await.map_err(|error| error.to_string())?;
            }
            Err(error.to_string())
        }
    }
}

/// Applies one event, unless that was done before, and leaves word of it.
pub async fn apply(event: &Received, fleet: &Fleet, store: &dyn Store) -> Result<(), Error> {
    let known = deliveries::find(store, &event.delivery).await?;
    if known.as_ref().is_some_and(|known| known.settled() && known.durable_at.is_some() && known.outcome != Stage::DeadLettered) {
        return Ok(());
    }
    let outcome = receive::receive_all(event, fleet).await?;
    let (stage, why, rows) = match outcome {
        receive::Outcome::Applied { rows, note } => (Stage::Applied, note, rows),
        receive::Outcome::Superseded => (Stage::Superseded, Some("the copy has something newer".to_owned()), 0),
        receive::Outcome::Ignored { why } => (Stage::Ignored, Some(why), 0),
        receive::Outcome::Malformed { why } => {
            tracing::error!(
                delivery = event.delivery,
                event = event.event,
                why,
                "an event is not what it should be: its payload is in GitHub's list of deliveries"
            );
            (Stage::Malformed, Some(why), 0)
        }
    };
    tracing::info!(delivery = event.delivery, event = event.event, ?stage, rows, why, "applied");
    let trace = trace(event, known, stage, why);
    deliveries::note(store, &event.delivery, &Trace { applied_at: Some(Timestamp::now()), rows, ..trace }).await?;
    Ok(())
}

/// It failed time after time.
pub async fn give_up(event: &Received, error: &Error, store: &dyn Store) -> Result<(), StoreError> {
    let known = deliveries::find(store, &event.delivery).await?;
    deliveries::note(store, &event.delivery, &trace(event, known, Stage::DeadLettered, Some(error.to_string()))).await
}

fn trace(event: &Received, known: Option<Trace>, outcome: Stage, why: Option<String>) -> Trace {
    let trace = known.unwrap_or_else(|| Trace::of(event, &About::read(&event.body).unwrap_or_default()));
    // Whatever waits somewhere is durable.
    let durable_at = trace.durable_at.or(Some(event.received_at));
    Trace { outcome, why, durable_at, ..trace }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_parses_as_sqs_sends_it() {
        let event = r#"{"Records": [{"messageId": "m1", "receiptHandle": "r", "body": "{}", "attributes": {"ApproximateReceiveCount": "2"},
            "messageAttributes": {"event": {"stringValue": "issues", "stringListValues": [], "binaryListValues": [], "dataType": "String"}}, "eventSource": "aws:sqs"}]}"#;
        let batch: Result<Batch, _> = serde_json::from_str(event);
        let message = batch.ok().and_then(|mut batch| batch.records.pop());
        let told = message.map(|message| (message.attributes["ApproximateReceiveCount"].clone(), message.message_attributes["event"].string_value.clone()));
        assert_eq!(told, Some(("2".to_owned(), "issues".to_owned())));
    }
}
