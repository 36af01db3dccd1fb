//! Dead-letter queues in SQS: looks at what is there, sends it to where it came from, or throws it away. Understands no
//! message.
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html>

use async_trait::async_trait;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use engine::StoreError;
use engine::dead::{DeadError, Letter, Letters};
use futures::future::try_join_all;
use jiff::Timestamp;

/// Seconds in which nobody else sees what we look at.
const LOOK: i32 = 30;

/// The queues of a stack.
pub struct DeadLetters {
    client: Client,
    queues: Vec<Queue>,
}

struct Queue {
    name: &'static str,
    dead: String,
    origin: String,
}

/// A message in our hands.
#[derive(Clone)]
struct Held<'a> {
    queue: &'a Queue,
    message: Message,
}

impl DeadLetters {
    /// Of jobs and of events: the URL of each dead-letter queue, and of the queue that its messages were in.
    #[must_use]
    pub fn new(client: Client, (dead_jobs, jobs): (String, String), (dead_events, events): (String, String)) -> Self {
        let queues = vec![Queue { name: "jobs", dead: dead_jobs, origin: jobs }, Queue { name: "events", dead: dead_events, origin: events }];
        Self { client, queues }
    }

    /// Everything that is there and nobody else looks at, the oldest first.
    async fn hold(&self) -> Result<Vec<Held<'_>>, StoreError> {
        let mut all = try_join_all(self.queues.iter().map(|queue| self.hold_of(queue))).await?.concat();
        all.sort_by_key(Held::sent_at);
        Ok(all)
    }

    async fn hold_of<'a>(&'a self, queue: &'a Queue) -> Result<Vec<Held<'a>>, StoreError> {
        let mut all = Vec::new();
        loop {
            let request = self.client.receive_message().queue_url(&queue.dead).max_number_of_messages(10).visibility_timeout(LOOK);
            let request = request.message_attribute_names("All").message_system_attribute_names(MessageSystemAttributeName::All).wait_time_seconds(1);
            let answer = request.send().await.map_err(|error| refused("the dead-letter queue cannot be read", error))?;
            let messages = answer.messages.unwrap_or_default();
            if messages.is_empty() {
                return Ok(all);
            }
            all.extend(messages.into_iter().map(|message| Held { queue, message }));
        }
    }

    /// Those that are named, or all, in our hands; the others are put back.
    async fn take(&self, ids: &[String]) -> Result<Vec<Held<'_>>, DeadError> {
        let all = self.hold().await?;
        if let Some(unknown) = ids.iter().find(|id| !all.iter().any(|held| held.id() == id.as_str())) {
            self.put_back(&all).await?;
            return Err(DeadError::Unknown(unknown.clone()));
        }
        let (chosen, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|held| ids.is_empty() || ids.iter().any(|id| id == held.id()));
        self.put_back(&others).await?;
        Ok(chosen)
    }

    /// Visible again at once: whoever looks next finds them.
    async fn put_back(&self, all: &[Held<'_>]) -> Result<(), StoreError> {
        for held in all {
            let request = self.client.change_message_visibility().queue_url(&held.queue.dead).receipt_handle(held.handle()).visibility_timeout(0);
            request.send().await.map_err(|error| refused("a message cannot be put back; it is there again in half a minute", error))?;
        }
        Ok(())
    }

    async fn delete(&self, held: &Held<'_>) -> Result<(), StoreError> {
        let request = self.client.delete_message().queue_url(&held.queue.dead).receipt_handle(held.handle());
        request.send().await.map(|_| ()).map_err(|error| refused(&format!("the message {} cannot be deleted", held.id()), error))
    }
}

#[async_trait]
impl Letters for DeadLetters {
    async fn list(&self) -> Result<Vec<Letter>, StoreError> {
        let all = self.hold().await?;
        self.put_back(&all).await?;
        Ok(all.iter().map(Held::letter).collect())
    }

    async fn redrive(&self, ids: &[String]) -> Result<usize, DeadError> {
        let chosen = self.take(ids).await?;
        for held in &chosen {
            let mut request = self.client.send_message().queue_url(&held.queue.origin).message_body(held.message.body.clone().unwrap_or_default());
            for (name, value) in held.message.message_attributes.iter().flatten() {
                request = request.message_attributes(name, value.clone());
            }
            // Sent first, deleted then: twice does no harm, never would.
            request.send().await.map_err(|error| refused(&format!("the message {} cannot be sent back", held.id()), error))?;
            self.delete(held).await?;
        }
        Ok(chosen.len())
    }

    async fn purge(&self, ids: &[String]) -> Result<usize, DeadError> {
        let chosen = self.take(ids).await?;
        for held in &chosen {
            self.delete(held).await?;
        }
        Ok(chosen.len())
    }
}

impl Held<'_> {
    fn id(&self) -> &str {
        self.message.message_id.as_deref().unwrap_or_default()
    }

    fn handle(&self) -> String {
        self.message.receipt_handle.clone().unwrap_or_default()
    }

    fn system(&self, name: &MessageSystemAttributeName) -> Option<&String> {
        self.message.attributes.as_ref()?.get(name)
    }

    fn sent_at(&self) -> Option<Timestamp> {
        Timestamp::from_millisecond(self.system(&MessageSystemAttributeName::SentTimestamp)?.parse().ok()?).ok()
    }

    fn letter(&self) -> Letter {
        let told = self.message.message_attributes.iter().flatten();
        Letter {
            id: self.id().to_owned(),
            queue: self.queue.name,
            sent_at: self.sent_at(),
            received: self.system(&MessageSystemAttributeName::ApproximateReceiveCount).and_then(|count| count.parse().ok()),
            attributes: told.filter_map(|(name, value)| Some((name.clone(), value.string_value.clone()?))).collect(),
            body: self.message.body.clone().unwrap_or_default(),
        }
    }
}

fn refused<E, R>(what: &str, error: SdkError<E, R>) -> StoreError
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    match error.code() {
        Some(code) if code.contains("AccessDenied") => {
            let what = format!("{what}: {code}: {}. Whoever asks lacks a permission", error.message().unwrap_or("AWS says no more"));
            StoreError::Broken { what, source: error.into() }
        }
        _ => StoreError::Unavailable { what: format!("{what} ({})", DisplayErrorContext(&error)), source: error.into() },
    }
}
