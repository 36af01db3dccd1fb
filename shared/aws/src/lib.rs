//! The engine's ports on AWS: DynamoDB for records and state, SQS for jobs, Secrets Manager for tokens; and a DynamoDB
//! embedded in the process for local use. Decides nothing.

mod amend;
mod claim;
mod console;
mod dead;
mod doorway;
mod dynamo;
#[cfg(feature = "embedded")]
mod embedded;
mod erase;
#[cfg(feature = "embedded")]
mod exported;
#[cfg(feature = "embedded")]
mod file_vault;
mod inbox;
#[cfg(feature = "embedded")]
mod inside;
mod item;
mod line;
pub mod metrics;
mod pace;
mod queue;
mod reading;
mod secrets;
mod soon;
mod state;
#[cfg(feature = "embedded")]
mod table_inbox;
mod trace;
mod variables;
mod webhook;
mod wire;
mod worker;
mod writing;

pub use console::{ConsoleConfig, Hosted};
pub use dead::DeadLetters;
pub use doorway::{Doorway, DoorwayConfig};
pub use dynamo::{DynamoStore, Writes, create_table_if_missing};
#[cfg(feature = "embedded")]
pub use embedded::{Embedded, EmbeddedError};
#[cfg(feature = "embedded")]
pub use exported::{Exported, ExportedError};
#[cfg(feature = "embedded")]
pub use file_vault::FileVault;
pub use inbox::{SqsInbox, SqsMessage};
pub use queue::SqsQueue;
pub use secrets::SecretsVault;
pub use soon::Soon;
#[cfg(feature = "embedded")]
pub use table_inbox::{TableInbox, Waiting};
pub use trace::TRACE_HEADER;
pub use webhook::{AT_MOST_EVERY, Receiver, ReceiverConfig, Reception, ReceptionConfig, SecretsKeyring, webhook_secret};
pub use worker::{Worker, WorkerConfig, WorkerError};

/// The SDK's usual configuration: region, credentials and `AWS_ENDPOINT_URL` from the environment.
pub async fn config() -> aws_config::SdkConfig {
    aws_config::load_defaults(aws_config::BehaviorVersion::latest()).await
}

/// The same of a function: Lambda gives it credentials by variables, so that no other place is looked through, nor made ready
/// for being looked through: clients of other services, with their certificates.
/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime>
pub(crate) async fn config_of_function() -> aws_config::SdkConfig {
    let credentials = aws_config::environment::EnvironmentVariableCredentialsProvider::new();
    aws_config::defaults(aws_config::BehaviorVersion::latest()).credentials_provider(credentials).load().await
}

/// A function's log: one JSON object a line. `SEI_LOG` says which levels: error is what somebody must see to, warn what
/// somebody may have to, info what happened.
pub fn logs() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("SEI_LOG").unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt().json().with_env_filter(filter).with_current_span(false).init();
}
