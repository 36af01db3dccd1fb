//! A deployed stack: its outputs say where the copy, the secrets and the queues are. Region and credentials come from the
//! usual AWS configuration. Changes nothing of the stack.

#[cfg(feature = "stack")]
mod cloudformation;

use crate::failure::Failure;
use crate::place::Copy;
use crate::source::CLOUD;
use aws::{DeadLetters, DynamoStore, SecretsVault};
use aws_config::SdkConfig;
use aws_sdk_secretsmanager::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use engine::{Group, Selection, Settings};
use github::ApiUrl;
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
        self.parameters.get("ApiUrl").map_or(CLOUD, String::as_str)
    }

    /// The same, parsed; refuses any other that is named, since the stack's token is for this one alone.
    pub(crate) fn github(&self, named: Option<&str>) -> Result<ApiUrl, Failure> {
        let own = ApiUrl::parse(self.api_url())?;
        match named.map(ApiUrl::parse).transpose()? {
            Some(other) if other != own => Err(Failure::Usage(format!(
                "the stack {} is of {}, as its parameter ApiUrl says, and its token is not sent to {}. Leave --api-url, GITHUB_API_URL and `github` out, or \
                 give another GitHub a stack of its own",
                self.name,
                told(&own),
                told(&other)
            ))),
            _ => Ok(own),
        }
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

fn told(url: &ApiUrl) -> &str {
    url.rest().as_str().trim_end_matches('/')
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

#[cfg(test)]
mod tests {
    use super::Stack;
    use crate::failure::Failure;

    /// Its token is for its own GitHub.
    #[test]
    fn a_stack_is_asked_about_its_own_github_alone() {
        let own = "https://ghe.example.com/api/v3";
        let (name, state, aws) = ("sei".to_owned(), "CREATE_COMPLETE".to_owned(), aws_config::SdkConfig::builder().build());
        let stack = Stack { name, state, aws, outputs: [].into(), parameters: [("ApiUrl".to_owned(), own.to_owned())].into() };
        for named in [None, Some(own), Some("https://ghe.example.com/api/v3/")] {
            assert!(stack.github(named).is_ok_and(|url| url.rest().as_str().starts_with(own)), "{named:?}");
        }
        for other in
            ["https://api.github.com", "https://evil.example.com/api/v3", "http://ghe.example.com/api/v3", "https://ghe.example.com.evil.example/api/v3"]
        {
            assert!(matches!(stack.github(Some(other)), Err(Failure::Usage(told)) if told.contains("ApiUrl") && told.contains(own)), "{other}");
        }
    }
}
