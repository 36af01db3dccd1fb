//! What the functions for events need of their environment, as `worker` is for the others: the webhook takes events in,
//! the receiver applies them. Neither has a GitHub token.

use crate::variables::Variables;
use crate::worker::WorkerError;
use crate::{DynamoStore, SqsInbox, SqsQueue, Writes};
use async_trait::async_trait;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::{DisplayErrorContext, ProvideErrorMetadata};
use engine::signature::{Keyring, Secrets};
use engine::{Env, Fleet, Settings, Store, StoreError, SystemClock, Tokens, integration};
use github::{ApiUrl, Secret};
use serde_json::Value;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// The variables that `infra/template.yaml` sets.
#[derive(Debug)]
pub struct ReceptionConfig {
    table: String,
    events_url: String,
    secret: String,
}

/// What lives as long as the webhook function's process.
pub struct Reception {
    pub store: DynamoStore,
    pub inbox: SqsInbox,
    pub keys: SecretsKeyring,
}

/// The same for the receiver.
#[derive(Debug)]
pub struct ReceiverConfig {
    table: String,
    queue_url: String,
    urgent_queue_url: Option<String>,
    events_url: String,
    most_receives: u32,
    settings: Settings,
    api_url: ApiUrl,
}

/// What lives as long as the receiver function's process.
pub struct Receiver {
    pub inbox: SqsInbox,
    /// After so many receipts, SQS gives a message up.
    pub most_receives: u32,
    store: Arc<DynamoStore>,
    env: Env,
}

/// A replaced secret is noticed after so long, and at once when a signature does not fit.
const LASTS: Duration = Duration::from_secs(240);
/// Anybody may send what does not fit: that costs no more than this. Whoever replaces the secret waits so long before he
/// signs with it.
pub const AT_MOST_EVERY: Duration = Duration::from_secs(10);

/// The webhook's secret, as it is and as it was before it was last replaced.
pub struct SecretsKeyring {
    client: Client,
    id: String,
    last: Mutex<Option<(Instant, Arc<Secrets>)>>,
}

impl ReceptionConfig {
    /// `read` looks a variable up.
    pub fn parse(read: impl Fn(&str) -> Option<String>) -> Result<Self, WorkerError> {
        let mut variables = Variables::new(read);
        let (table, events_url) = (variables.required("SEI_TABLE"), variables.required("SEI_EVENTS_URL"));
        let secret = variables.required("SEI_WEBHOOK_SECRET");
        if variables.wrong.is_empty() { Ok(Self { table, events_url, secret }) } else { Err(WorkerError::Configuration(variables.wrong)) }
    }

    pub async fn connect(self) -> Reception {
        let aws = crate::lambda::config();
        let table = aws_sdk_dynamodb::Client::new(&aws);
        Reception {
            store: DynamoStore::new(table.clone(), &self.table, Writes::Single),
            inbox: SqsInbox::new(aws_sdk_sqs::Client::new(&aws), self.events_url, table, &self.table),
            keys: SecretsKeyring { client: Client::new(&aws), id: self.secret, last: Mutex::default() },
        }
    }
}

impl Reception {
    /// Makes ready what the first event waits for otherwise, as [`crate::Worker::warm`].
    pub async fn warm(&self) {
        let (secrets, table) = tokio::join!(self.keys.secrets(false), self.store.warm("deliveries#0"));
        tracing::debug!(secrets = secrets.is_ok(), table, "warm");
    }
}

#[async_trait]
impl Keyring for SecretsKeyring {
    async fn secrets(&self, again: bool) -> Result<Arc<Secrets>, StoreError> {
        let mut last = self.last.lock().await;
        let lasts = if again { AT_MOST_EVERY } else { LASTS };
        if let Some((_, known)) = last.as_ref().filter(|(read_at, _)| read_at.elapsed() < lasts) {
            return Ok(known.clone());
        }
        let mut all = Vec::new();
        for stage in ["AWSCURRENT", "AWSPREVIOUS"] {
            match self.client.get_secret_value().secret_id(&self.id).version_stage(stage).send().await {
                Ok(found) => all.push(webhook_secret(found.secret_string().unwrap_or_default())),
                Err(error) if error.code() == Some("ResourceNotFoundException") => {}
                Err(error) => {
                    let what = format!("the webhook's secret {} cannot be read: {}", self.id, DisplayErrorContext(&error));
                    return Err(StoreError::Unavailable { what, source: error.into() });
                }
            }
        }
        let secrets = Arc::new(Secrets::new(&all));
        *last = Some((Instant::now(), secrets.clone()));
        Ok(secrets)
    }
}

/// The secret itself, or JSON with `secret`.
#[must_use]
pub fn webhook_secret(text: &str) -> Secret {
    let json = serde_json::from_str::<Value>(text.trim()).ok();
    json.as_ref().and_then(|json| json.get("secret")?.as_str()).map_or_else(|| Secret::new(text), Secret::new)
}

impl ReceiverConfig {
    /// `read` looks a variable up.
    pub fn parse(read: impl Fn(&str) -> Option<String>) -> Result<Self, WorkerError> {
        let most_receives = read("SEI_MAX_RECEIVES").and_then(|most| most.parse().ok()).unwrap_or(5);
        let mut variables = Variables::new(read);
        let (table, queue_url, events_url) = (variables.required("SEI_TABLE"), variables.required("SEI_QUEUE_URL"), variables.required("SEI_EVENTS_URL"));
        let urgent_queue_url = variables.optional("SEI_URGENT_QUEUE_URL");
        let (settings, api_url) = variables.choices();
        let Some(api_url) = api_url.filter(|_| variables.wrong.is_empty()) else { return Err(WorkerError::Configuration(variables.wrong)) };
        Ok(Self { table, queue_url, urgent_queue_url, events_url, most_receives, settings, api_url })
    }

    pub async fn connect(self) -> Result<Receiver, WorkerError> {
        let aws = crate::lambda::config();
        let client = aws_sdk_dynamodb::Client::new(&aws);
        let store = Arc::new(DynamoStore::new(client.clone(), &self.table, Writes::Single));
        let queue = Arc::new(SqsQueue::new(aws_sdk_sqs::Client::new(&aws), self.queue_url, self.urgent_queue_url));
        let env = Env::new(Tokens::none(self.api_url)?, store.clone(), queue, Arc::new(SystemClock), self.settings);
        let inbox = SqsInbox::new(aws_sdk_sqs::Client::new(&aws), self.events_url, client, &self.table);
        Ok(Receiver { inbox, most_receives: self.most_receives, store, env })
    }
}

impl Receiver {
    /// Makes ready what the first batch waits for otherwise, as [`crate::Worker::warm`].
    pub async fn warm(&self) {
        let table = self.fleet().await.is_ok();
        tracing::debug!(table, "warm");
    }

    #[must_use]
    pub fn store(&self) -> &dyn Store {
        self.store.as_ref()
    }

    /// Everything that is at work, as for the other functions.
    pub async fn fleet(&self) -> Result<Fleet, WorkerError> {
        let installed = integration::integrations(self.store.as_ref()).await?;
        if installed.is_empty() {
            return Ok(self.env.clone().into());
        }
        let active = installed.iter().filter(|one| !one.paused);
        Ok(Fleet::new(active.map(|one| self.env.with(one.settings())).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_may_be_bare_or_json() {
        assert_eq!(webhook_secret(" abc\n").reveal(), "abc");
        assert_eq!(webhook_secret(r#"{"secret": "abc"}"#).reveal(), "abc");
        assert_eq!(webhook_secret("").reveal(), "");
    }

    #[test]
    fn all_mistakes_are_told_at_once() {
        let told = ReceptionConfig::parse(|_| None).err().map(|error| error.to_string()).unwrap_or_default();
        for name in ["SEI_TABLE", "SEI_EVENTS_URL", "SEI_WEBHOOK_SECRET"] {
            assert!(told.contains(name), "{name}: {told}");
        }
    }
}
