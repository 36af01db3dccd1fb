//! Jobs in SQS: what events left open in a queue of its own, so that it does not wait behind a first copy. A job is small
//! and holds no state, so a lost or doubled one does not matter.

use crate::{trace, wire};
use async_trait::async_trait;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::DisplayErrorContext;
use aws_sdk_sqs::types::{QueueAttributeName, SendMessageBatchRequestEntry};
use engine::{Job, Queue, StoreError};
use jiff::SignedDuration;

pub struct SqsQueue {
    client: Client,
    url: String,
    urgent: String,
}

impl SqsQueue {
    /// Urgent jobs go to the queue `urgent`, or without one to the same.
    #[must_use]
    pub fn new(client: Client, url: impl Into<String>, urgent: Option<String>) -> Self {
        let url = url.into();
        Self { client, urgent: urgent.unwrap_or_else(|| url.clone()), url }
    }
}

/// Seconds: as long as SQS delays a message.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-delay-queues.html>
const LONGEST: i32 = 900;

/// Visible, under way, and sent for later.
const WAITING: [QueueAttributeName; 3] = [
    QueueAttributeName::ApproximateNumberOfMessages,
    QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
    QueueAttributeName::ApproximateNumberOfMessagesDelayed,
];

#[async_trait]
impl Queue for SqsQueue {
    async fn send(&self, jobs: &[Job]) -> Result<(), StoreError> {
        self.send_by_urgency(jobs, 0).await
    }

    async fn send_later(&self, jobs: &[Job], wait: SignedDuration) -> Result<(), StoreError> {
        self.send_by_urgency(jobs, i32::try_from(wait.as_secs()).unwrap_or(LONGEST).clamp(0, LONGEST)).await
    }

    /// What SQS tells is about a minute old.
    /// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html>
    async fn waiting(&self) -> Result<Option<u64>, StoreError> {
        let answer = self.client.get_queue_attributes().queue_url(&self.url).set_attribute_names(Some(WAITING.to_vec())).send().await;
        let answer = answer.map_err(|error| StoreError::Unavailable {
            what: format!("the queue does not tell how much waits: {}", DisplayErrorContext(&error)),
            source: error.into(),
        })?;
        let told = answer.attributes.unwrap_or_default();
        Ok(WAITING.iter().map(|name| told.get(name).and_then(|count| count.parse::<u64>().ok())).sum())
    }
}

impl SqsQueue {
    async fn send_by_urgency(&self, jobs: &[Job], delay_seconds: i32) -> Result<(), StoreError> {
        let (urgent, others): (Vec<&Job>, Vec<&Job>) = jobs.iter().partition(|job| job.is_urgent());
        self.put(&self.urgent, &urgent, delay_seconds).await?;
        self.put(&self.url, &others, delay_seconds).await
    }

    async fn put(&self, url: &str, jobs: &[&Job], delay_seconds: i32) -> Result<(), StoreError> {
        let broken = |error: Box<dyn std::error::Error + Send + Sync>| StoreError::Broken { what: "a job cannot be sent".to_owned(), source: error };
        let traced = trace::attributes().map_err(|error| broken(error.into()))?;
        for chunk in jobs.chunks(10) {
            let mut open = Vec::new();
            for (index, job) in chunk.iter().enumerate() {
                let body = serde_json::to_string(job).map_err(|error| broken(error.into()))?;
                let entry = SendMessageBatchRequestEntry::builder().id(index.to_string()).message_body(body).delay_seconds(delay_seconds);
                let entry = entry.set_message_system_attributes(traced.clone());
                open.push(entry.build().map_err(|error| broken(error.into()))?);
            }
            for tried in 0..wire::TRIES {
                let answer = self.client.send_message_batch().queue_url(url).set_entries(Some(open.clone())).send().await;
                let answer = answer.map_err(|error| StoreError::Unavailable {
                    what: format!("the queue does not take jobs: {}", DisplayErrorContext(&error)),
                    source: error.into(),
                })?;
                open.retain(|entry| answer.failed.iter().any(|failed| failed.id == entry.id));
                if open.is_empty() {
                    break;
                }
                wire::pause(tried).await;
            }
            if !open.is_empty() {
                return Err(wire::gave_up("sending jobs"));
            }
        }
        Ok(())
    }
}
