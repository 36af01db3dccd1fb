//! What a Lambda function needs of its environment: read in one place, all mistakes told at once.

use crate::variables::Variables;
use crate::{DynamoStore, SecretsVault, SqsQueue, Writes};
use engine::{Clock, Credential, Env, Fleet, Scratch, Settings, StoreError, SystemClock, Tokens, Vault, integration};
use github::ApiUrl;
use jiff::SignedDuration;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// The variables that `infra/template.yaml` sets.
#[derive(Debug)]
pub struct WorkerConfig {
    pub table: String,
    pub queue_url: String,
    /// Where what events left open is sent.
    pub urgent_queue_url: Option<String>,
    pub token_secret: String,
    pub api_url: ApiUrl,
    pub settings: Settings,
    /// Bytes of this function's disk for git's packs; none where it reads none.
    pub scratch: Option<u64>,
    /// How often discoveries come.
    pub every: SignedDuration,
}

#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    #[error("the function is not configured: {}", .0.join("; "))]
    Configuration(Vec<String>),
    #[error(transparent)]
    Secret(#[from] StoreError),
    #[error("the secret {0} holds no token: put the token itself into it, or JSON like {{\"token\": \"…\"}}")]
    Empty(String),
    #[error(transparent)]
    Integration(#[from] engine::IntegrationError),
    #[error(transparent)]
    GitHub(#[from] github::ConfigError),
    #[error(transparent)]
    Credentials(#[from] engine::Error),
}

impl WorkerConfig {
    /// `read` looks a variable up.
    pub fn parse(read: impl Fn(&str) -> Option<String>) -> Result<Self, WorkerError> {
        let mut variables = Variables::new(read);
        let (table, queue_url, token_secret) = (variables.required("SEI_TABLE"), variables.required("SEI_QUEUE_URL"), variables.required("SEI_TOKEN_SECRET"));
        let urgent_queue_url = variables.optional("SEI_URGENT_QUEUE_URL");
        let scratch = variables.megabytes("SEI_SCRATCH_MB");
        let every = engine::every(&variables.optional("SEI_SCHEDULE").unwrap_or_default());
        let (settings, api_url) = variables.choices();
        let Some(api_url) = api_url.filter(|_| variables.wrong.is_empty()) else { return Err(WorkerError::Configuration(variables.wrong)) };
        Ok(Self { table, queue_url, urgent_queue_url, token_secret, api_url, settings, scratch, every })
    }

    /// Connects everything but GitHub: the token may not be there yet.
    pub async fn connect(self) -> Worker {
        let aws = crate::lambda::config();
        let store = DynamoStore::new(aws_sdk_dynamodb::Client::new(&aws), self.table, Writes::Single);
        let queue = SqsQueue::new(aws_sdk_sqs::Client::new(&aws), self.queue_url, self.urgent_queue_url);
        Worker {
            vault: Arc::new(SecretsVault::new(aws_sdk_secretsmanager::Client::new(&aws))),
            token_secret: self.token_secret,
            api_url: self.api_url,
            stack: crate::metrics::stack(),
            store: Arc::new(store),
            queue: Arc::new(queue),
            settings: self.settings,
            scratch: self.scratch.and_then(scratch),
            every: self.every,
            last: Mutex::new(None),
        }
    }
}

/// A changed secret is noticed after so long, or at once when GitHub refuses every token that we know.
const SECRET_LASTS: Duration = Duration::from_secs(300);

/// What lives as long as the function's process.
pub struct Worker {
    vault: Arc<SecretsVault>,
    token_secret: String,
    api_url: ApiUrl,
    store: Arc<DynamoStore>,
    queue: Arc<SqsQueue>,
    /// Whose metrics are told.
    pub stack: Option<crate::metrics::Stack>,
    settings: Settings,
    scratch: Option<Arc<Scratch>>,
    every: SignedDuration,
    last: Mutex<Option<Last>>,
}

struct Last {
    read_at: Instant,
    /// Compared only.
    credentials: Vec<Credential>,
    env: Env,
}

impl Worker {
    /// What this process has written so far.
    #[must_use]
    pub fn written(&self) -> engine::Written {
        self.store.written()
    }

    /// Everything that is at work, for an invocation: the integrations of the table or, where there are none, what the
    /// variables say. All share the stack's GitHub and its secret.
    pub async fn fleet(&self) -> Result<Fleet, WorkerError> {
        let installed = integration::integrations(self.store.as_ref()).await?;
        if installed.is_empty() && self.settings.orgs.is_empty() {
            // Just deployed: no token is there, either.
            tracing::warn!("nothing is installed yet: `sei-github connect --stack` does it");
            return Ok(Fleet::new(Vec::new()));
        }
        let env = self.env().await?;
        if installed.is_empty() {
            return Ok(env.into());
        }
        let active = installed.iter().filter(|one| !one.paused);
        Ok(Fleet::new(active.map(|one| env.with(one.settings())).collect()))
    }

    /// Makes ready what the first invocation waits for otherwise: connections to the table and the vault, and the
    /// credentials. Runs beside Lambda's first question; what fails is told by the invocation that needs it.
    pub async fn warm(&self) {
        let (installed, env) = tokio::join!(integration::integrations(self.store.as_ref()), self.env());
        tracing::debug!(table = installed.is_ok(), credentials = env.is_ok(), "warm");
    }

    /// The environment of an invocation; reads the secret when it is time to.
    async fn env(&self) -> Result<Env, WorkerError> {
        let mut last = self.last.lock().await;
        if let Some(last) = &*last {
            let (refused, all) = last.env.github.refused();
            if refused < all && last.read_at.elapsed() < SECRET_LASTS {
                return Ok(last.env.clone());
            }
        }
        let credentials = self.vault.read(&self.token_secret).await?.credentials;
        if credentials.is_empty() {
            return Err(WorkerError::Empty(self.token_secret.clone()));
        }
        let read_at = Instant::now();
        let known = last.take().filter(|last| last.credentials == credentials);
        let env = match known {
            Some(known) => known.env,
            None => self.connect(&credentials).await?,
        };
        *last = Some(Last { read_at, credentials, env: env.clone() });
        Ok(env)
    }

    async fn connect(&self, credentials: &[Credential]) -> Result<Env, WorkerError> {
        let github = Tokens::connect(self.api_url.clone(), credentials, None, SystemClock.now()).await?;
        let github = github.kept_in(self.vault.clone(), &self.token_secret);
        let env = Env::new(github, self.store.clone(), self.queue.clone(), Arc::new(SystemClock), self.settings.clone()).scheduled(self.every);
        Ok(match &self.scratch {
            Some(scratch) => env.on(scratch.clone()),
            None => env,
        })
    }
}

/// A function's own disk, the only one that it may write to. Without it, files of commits come over REST.
fn scratch(room: u64) -> Option<Arc<Scratch>> {
    let directory = std::env::temp_dir().join("sei-github");
    match Scratch::new(&directory, room) {
        Ok(scratch) => Some(Arc::new(scratch)),
        Err(error) => {
            tracing::error!(directory = %directory.display(), %error, "there is no disk for git's packs");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_mistakes_are_told_at_once() {
        let read = |name: &str| match name {
            "SEI_TABLE" => Some("t".to_owned()),
            "SEI_API_URL" => Some("ghe.example.com".to_owned()),
            "SEI_FETCH" => Some("issues,wiki".to_owned()),
            "SEI_SCRATCH_MB" => Some("much".to_owned()),
            _ => None,
        };
        let told = WorkerConfig::parse(read).err().map(|error| error.to_string()).unwrap_or_default();
        for name in ["SEI_QUEUE_URL", "SEI_TOKEN_SECRET", "SEI_API_URL", "`wiki`", "SEI_SCRATCH_MB"] {
            assert!(told.contains(name), "{name}: {told}");
        }
        assert!(!told.contains("SEI_TABLE"), "{told}");
    }
}
