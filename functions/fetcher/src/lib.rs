//! Translates a batch of SQS messages into visits, and names those that SQS should deliver again.

use engine::{Fleet, Job, Outcome};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tracing::field::Empty;
use tracing::{Instrument, info_span};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Batch {
    pub records: Vec<Message>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    pub message_id: String,
    /// Parsed one by one, so that one bad message cannot fail the batch.
    #[serde(default)]
    pub body: String,
    #[serde(default)]
    pub attributes: BTreeMap<String, String>,
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

/// Runs every job of the batch until `deadline`.
pub async fn handle(batch: Batch, fleet: &Fleet, deadline: Timestamp) -> Failures {
    let mut failures = Failures::default();
    for message in batch.records {
        // Goes with every line about this job, whichever module writes it.
        let span = info_span!(
            "job",
            message = message.message_id,
            trace = message.attributes.get(aws::TRACE_HEADER),
            repository = Empty,
            sweep = Empty,
            integration = Empty
        );
        if let Err(error) = run(&message.body, fleet, deadline).instrument(span.clone()).await {
            span.in_scope(|| tracing::error!(error, "job failed"));
            failures.batch_item_failures.push(Failure { item_identifier: message.message_id });
        }
    }
    failures
}

async fn run(body: &str, fleet: &Fleet, deadline: Timestamp) -> Result<(), String> {
    let job: Job = serde_json::from_str(body).map_err(|error| format!("the message is not a job: {error}"))?;
    let span = tracing::Span::current();
    span.record("repository", job.scope).record("sweep", &job.sweep).record("integration", &job.integration);
    // Its integration is paused: discovery asks again when it no longer is.
    let Some(env) = fleet.of(&job) else { return Ok(()) };
    let mut outcome = engine::advance(&job, env, deadline).await;
    // Parking it, and then all others, one after another, would leave nothing to those fetchers that may ask.
    while let Ok(Outcome::Parked { until, limit: true, .. }) = &outcome
        && *until < deadline
        && env.clock.pause(*until).await
    {
        outcome = engine::advance(&job, env, deadline).await;
    }
    match outcome {
        Ok(Outcome::Refused { code, message }) => {
            // In the mark, and shown by `status`: delivering it again would not help.
            tracing::warn!(repository = job.scope, sweep = job.sweep, code, message, "GitHub refuses");
            Ok(())
        }
        Ok(Outcome::Parked { until, why, .. }) => {
            tracing::info!(repository = job.scope, sweep = job.sweep, %until, why, "parked");
            // Nobody else would ask for it before the next discovery.
            let wait = until.duration_since(env.now());
            env.queue.send_later(&[job], wait).await.map_err(|error| error.to_string())
        }
        Ok(outcome) => {
            tracing::info!(repository = job.scope, sweep = job.sweep, ?outcome, "visited");
            Ok(())
        }
        // Discovery forgot it, or never knew it: nothing to do.
        Err(engine::Error::UnknownRepository(id)) => {
            tracing::warn!(repository = id, "not known");
            Ok(())
        }
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_parses_as_sqs_sends_it() {
        let event = r#"{"Records": [{"messageId": "m1", "receiptHandle": "r", "body": "{\"scope\": 1, \"sweep\": \"issues\"}", "attributes": {}, "eventSource": "aws:sqs"}]}"#;
        let batch: Result<Batch, _> = serde_json::from_str(event);
        assert_eq!(batch.map(|batch| batch.records.len()).ok(), Some(1));
    }

    #[test]
    fn failures_are_named_as_lambda_expects() {
        let failures = Failures { batch_item_failures: vec![Failure { item_identifier: "m1".to_owned() }] };
        let text = serde_json::to_string(&failures).ok();
        assert_eq!(text.as_deref(), Some(r#"{"batchItemFailures":[{"itemIdentifier":"m1"}]}"#));
    }
}
