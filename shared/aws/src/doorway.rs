//! What the function for OAuth's web flow needs of its environment, as `worker` is for the others.

use crate::variables::Variables;
use crate::{DynamoStore, SecretsVault, WorkerError, Writes};
use engine::authorization::{Door, SCOPES, ticket};
use engine::{Credential, Vault};
use github::{ApiUrl, Client, OAuthApp, Secret, Token};
use jiff::Timestamp;

/// The variables that `infra/template.yaml` sets.
#[derive(Debug)]
pub struct DoorwayConfig {
    table: String,
    token_secret: String,
    client_secret: String,
    client_id: String,
    api_url: ApiUrl,
}

/// What lives as long as the function's process.
pub struct Doorway {
    store: DynamoStore,
    vault: SecretsVault,
    client: Client,
    config: DoorwayConfig,
}

impl DoorwayConfig {
    /// `read` looks a variable up.
    pub fn parse(read: impl Fn(&str) -> Option<String>) -> Result<Self, WorkerError> {
        let mut variables = Variables::new(read);
        let (table, token_secret) = (variables.required("SEI_TABLE"), variables.required("SEI_TOKEN_SECRET"));
        let (client_id, client_secret) = (variables.required("SEI_OAUTH_CLIENT_ID"), variables.required("SEI_OAUTH_CLIENT_SECRET"));
        match variables.api_url() {
            Some(api_url) if variables.wrong.is_empty() => Ok(Self { table, token_secret, client_secret, client_id, api_url }),
            _ => Err(WorkerError::Configuration(variables.wrong)),
        }
    }

    pub async fn connect(self) -> Result<Doorway, WorkerError> {
        let aws = crate::lambda::config();
        Ok(Doorway {
            store: DynamoStore::new(aws_sdk_dynamodb::Client::new(&aws), &self.table, Writes::Single),
            vault: SecretsVault::new(aws_sdk_secretsmanager::Client::new(&aws)),
            // Its requests carry no token: there is none yet.
            client: Client::new(self.api_url.clone(), Token::new("none")?)?,
            config: self,
        })
    }
}

impl Doorway {
    /// Makes ready what the first browser waits for otherwise, as [`crate::Worker::warm`].
    pub async fn warm(&self) {
        let (app, table) = tokio::join!(self.app(), self.store.warm("place"));
        tracing::debug!(app = app.is_ok(), table, "warm");
    }

    /// The app, with its secret as it is now: asked so seldom that nothing need be remembered.
    pub async fn app(&self) -> Result<OAuthApp, WorkerError> {
        let kept = self.vault.read(&self.config.client_secret).await?.credentials;
        let Some(Credential::Token { token, .. }) = kept.into_iter().next() else { return Err(WorkerError::Empty(self.config.client_secret.clone())) };
        Ok(OAuthApp { client_id: self.config.client_id.clone(), client_secret: Some(Secret::new(token.reveal())) })
    }

    /// Where a browser begins, below the stack's address; good once and for ten minutes.
    pub async fn link(&self, integration: &str, now: Timestamp) -> Result<String, engine::Error> {
        let ticket = ticket(&self.store, integration, now).await?;
        Ok(format!("/oauth/authorize?ticket={}", ticket.reveal()))
    }

    /// All integrations of a stack share its secret.
    #[must_use]
    pub fn door<'a>(&'a self, app: &'a OAuthApp, redirect_uri: &'a str) -> Door<'a> {
        Door { store: &self.store, vault: &self.vault, client: &self.client, app, redirect_uri, scopes: SCOPES, name: &self.config.token_secret }
    }
}
