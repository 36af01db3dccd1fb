//! A deployed stack: its outputs say where the copy, the secrets and the queues are. Region and credentials come from the
//! usual AWS configuration. Changes nothing of the stack.

#[cfg(feature = "stack")]
mod cloudformation;

use crate::failure::Failure;
use crate::place::Copy;
use aws::{DeadLetters, DynamoStore, SecretsVault};
use aws_config::SdkConfig;
use aws_sdk_secretsmanager::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use engine::{Group, Selection, Settings};
use std::collections::BTreeMap;

#[derive(Debug, Clone)]
pub(crate) struct Stack {
    pub(crate) name: String,
    /// As CloudFormation calls it, such as `UPDATE_COMPLETE`.
    pub(crate) state: String,
    pub(crate) aws: SdkConfig,
    outputs: BTreeMap<String, String>,
    parameters: BTreeMap<String, String>,
}

impl Stack {
    /// What `infra/template.yaml` names so.
    pub(crate) fn output(&self, name: &str) -> Result<&str, Failure> {
        self.outputs.get(name).map(String::as_str).ok_or_else(|| {
            Failure::Failed(format!(
                "the stack {} has no output {name} (it is in the state {}). It was not made by this version's template: deploy it again",
                self.name, self.state
            ))
        })
    }

    pub(crate) fn has(&self, output: &str) -> bool {
        self.outputs.contains_key(output)
    }

    pub(crate) fn copy(&self) -> Result<Copy, Failure> {
        Ok(Copy::Deployed { client: aws_sdk_dynamodb::Client::new(&self.aws), table: self.output("TableName")?.to_owned() })
    }

    pub(crate) fn store(&self) -> Result<DynamoStore, Failure> {
        Ok(self.copy()?.store())
    }

    pub(crate) fn vault(&self) -> SecretsVault {
        SecretsVault::new(aws_sdk_secretsmanager::Client::new(&self.aws))
    }

    /// What its functions gave up.
    pub(crate) fn dead_letters(&self) -> Result<DeadLetters, Failure> {
        let output = |name: &str| self.output(name).map(str::to_owned);
        let (jobs, events) = ((output("DeadLetterQueueUrl")?, output("QueueUrl")?), (output("DeadEventsQueueUrl")?, output("EventsQueueUrl")?));
        Ok(DeadLetters::new(aws_sdk_sqs::Client::new(&self.aws), jobs, events))
    }

    /// The API of its GitHub.
    pub(crate) fn api_url(&self) -> &str {
        self.parameters.get("ApiUrl").map_or("https://api.github.com", String::as_str)
    }

    /// What it copies where no integration is installed: what its parameters say.
    pub(crate) fn settings(&self) -> Settings {
        let list = |name: &str| -> Vec<String> {
            let text = self.parameters.get(name).map(String::as_str).unwrap_or_default();
            text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
        };
        let mut settings = Settings { orgs: list("Organizations"), ..Settings::default() };
        settings.selection = Selection { include: list("Repositories"), ..Selection::default() };
        let groups: Vec<Group> = list("Fetch").iter().filter_map(|name| Group::parse(name)).collect();
        if !groups.is_empty() {
            settings.groups = groups.into_iter().collect();
        }
        settings
    }
}

#[cfg(not(feature = "stack"))]
impl Stack {
    pub(crate) async fn find(_: &str) -> Result<Self, Failure> {
        Err(left_out())
    }
}

#[cfg(not(feature = "stack"))]
pub(crate) fn left_out() -> Failure {
    Failure::Usage(
        "this build works on directories only, so as to be ready soon. `cargo install --locked --path functions/cli` makes the whole command, which works on \
         stacks, too"
            .to_owned(),
    )
}

/// What AWS says to a request that it does not carry out: 4 where it knows nobody, 1 otherwise.
pub(crate) fn refused<E>(what: &str, error: &SdkError<E>) -> Failure
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let unknown = ["ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch"];
    match error {
        SdkError::ServiceError(told) if told.err().code().is_some_and(|code| unknown.contains(&code)) => {
            Failure::Authentication(format!("{what}: AWS does not accept these credentials ({}). Sign in again", DisplayErrorContext(error)))
        }
        SdkError::ServiceError(told) => {
            let code = told.err().code().unwrap_or("unknown");
            let remedy = if code.contains("AccessDenied") { ". Give yourself this permission, or use another AWS_PROFILE" } else { "" };
            Failure::Failed(format!("{what}: {code}: {}{remedy}", told.err().message().unwrap_or("AWS says no more")))
        }
        error => {
            let told = DisplayErrorContext(error).to_string();
            if told.contains("no providers in chain provided credentials") || told.contains("CredentialsNotLoaded") {
                return Failure::Authentication(format!("{what}: there are no AWS credentials. Sign in (`aws sso login`), or set AWS_PROFILE"));
            }
            Failure::Failed(format!("{what}: {told}"))
        }
    }
}
