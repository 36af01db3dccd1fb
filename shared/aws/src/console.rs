//! What the function for the console needs of its environment, as `worker` is for the others.

use crate::variables::Variables;
use crate::{DeadLetters, DynamoStore, SecretsVault, WorkerError, Writes};
use std::sync::Arc;

/// The variables that `infra/template.yaml` sets.
#[derive(Debug)]
pub struct ConsoleConfig {
    stack: String,
    table: String,
    token_secret: String,
    api_url: String,
    webhook_url: Option<String>,
    connect_url: Option<String>,
    jobs: (String, String),
    events: (String, String),
    issuer: String,
    client_id: String,
    client_secret: Option<String>,
    groups_claim: String,
    admins: String,
    viewers: String,
}

/// What lives as long as the function's process.
pub struct Hosted {
    pub stack: String,
    pub store: Arc<DynamoStore>,
    pub vault: Arc<SecretsVault>,
    pub dead: Arc<DeadLetters>,
    /// What the tokens of all integrations are kept under.
    pub token_secret: String,
    pub api_url: String,
    pub webhook_url: Option<String>,
    pub connect_url: Option<String>,
    /// The OIDC issuer, and what we are to it.
    pub issuer: String,
    pub client_id: String,
    /// The name of the secret that holds the client's secret; none for a public client.
    pub client_secret: Option<String>,
    /// The claim that lists somebody's groups, and the groups that count; empty where none does.
    pub groups_claim: String,
    pub admins: String,
    pub viewers: String,
}

impl ConsoleConfig {
    /// `read` looks a variable up.
    pub fn parse(read: impl Fn(&str) -> Option<String>) -> Result<Self, WorkerError> {
        let mut variables = Variables::new(read);
        let api_url = variables.api_url().map(|url| url.rest().as_str().trim_end_matches('/').to_owned()).unwrap_or_default();
        let config = Self {
            stack: variables.required("SEI_STACK"),
            table: variables.required("SEI_TABLE"),
            token_secret: variables.required("SEI_TOKEN_SECRET"),
            api_url,
            webhook_url: variables.optional("SEI_WEBHOOK_URL"),
            connect_url: variables.optional("SEI_CONNECT_URL"),
            jobs: (variables.required("SEI_DEAD_JOBS_URL"), variables.required("SEI_QUEUE_URL")),
            events: (variables.required("SEI_DEAD_EVENTS_URL"), variables.required("SEI_EVENTS_URL")),
            issuer: variables.required("SEI_ISSUER"),
            client_id: variables.required("SEI_CLIENT_ID"),
            client_secret: variables.optional("SEI_CLIENT_SECRET"),
            groups_claim: variables.optional("SEI_GROUPS_CLAIM").unwrap_or_else(|| "groups".to_owned()),
            admins: variables.optional("SEI_ADMINS").unwrap_or_default(),
            viewers: variables.optional("SEI_VIEWERS").unwrap_or_default(),
        };
        if variables.wrong.is_empty() { Ok(config) } else { Err(WorkerError::Configuration(variables.wrong)) }
    }

    pub async fn connect(self) -> Hosted {
        let aws = crate::lambda::config();
        Hosted {
            stack: self.stack,
            store: Arc::new(DynamoStore::new(aws_sdk_dynamodb::Client::new(&aws), &self.table, Writes::Single)),
            vault: Arc::new(SecretsVault::new(aws_sdk_secretsmanager::Client::new(&aws))),
            dead: Arc::new(DeadLetters::new(aws_sdk_sqs::Client::new(&aws), self.jobs, self.events)),
            token_secret: self.token_secret,
            api_url: self.api_url,
            webhook_url: self.webhook_url,
            connect_url: self.connect_url,
            issuer: self.issuer,
            client_id: self.client_id,
            client_secret: self.client_secret,
            groups_claim: self.groups_claim,
            admins: self.admins,
            viewers: self.viewers,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_mistakes_are_told_at_once() {
        let told = ConsoleConfig::parse(|_| None).err().map(|error| error.to_string()).unwrap_or_default();
        for name in ["SEI_TABLE", "SEI_TOKEN_SECRET", "SEI_DEAD_JOBS_URL", "SEI_EVENTS_URL", "SEI_ISSUER", "SEI_CLIENT_ID"] {
            assert!(told.contains(name), "{name}: {told}");
        }
    }
}
