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
mod lambda;
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

/// What is logged: as `SEI_LOG` says, such as `info` or `warn,engine=debug`, and otherwise `usual`. Of whatever is not named,
/// errors; of text that is not understood, nothing is taken.
pub fn levels(usual: &str) -> tracing_subscriber::filter::Targets {
    use tracing_subscriber::filter::{LevelFilter, Targets};
    let said = std::env::var("SEI_LOG").ok().and_then(|text| text.parse::<Targets>().ok());
    let levels = said.or_else(|| usual.parse().ok()).unwrap_or_default();
    let default = levels.default_level().unwrap_or(LevelFilter::ERROR);
    levels.with_default(default)
}

/// A function's log: one JSON object a line. `SEI_LOG` says which levels: error is what somebody must see to, warn what
/// somebody may have to, info what happened.
pub fn logs() {
    use tracing_subscriber::layer::SubscriberExt;
    use tracing_subscriber::util::SubscriberInitExt;
    let lines = tracing_subscriber::fmt::layer().json().with_current_span(false);
    tracing_subscriber::registry().with(levels("info")).with(lines).init();
}
