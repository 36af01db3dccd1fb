//! Why a command ends early, and with which exit code: 1 failed, 2 usage, 4 authentication.

use std::process::ExitCode;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("{0}")]
    Usage(String),
    #[error("{0}")]
    Authentication(String),
    /// What AWS or GitHub did not do.
    #[error("{0}")]
    Failed(String),
    #[error(transparent)]
    Data(#[from] aws::EmbeddedError),
    #[error(transparent)]
    Store(#[from] engine::StoreError),
    #[error(transparent)]
    Integration(engine::IntegrationError),
    #[error(transparent)]
    Engine(engine::Error),
    #[error("cannot write: {0}")]
    Output(#[from] std::io::Error),
}

impl From<engine::Error> for Failure {
    fn from(error: engine::Error) -> Self {
        match error {
            engine::Error::GitHub(github::Error::Unauthenticated) => Self::Authentication(error.to_string()),
            engine::Error::Access { .. } | engine::Error::NotInstalled { .. } => Self::Authentication(error.to_string()),
            engine::Error::Config(error) => error.into(),
            engine::Error::Pattern { .. } => Self::Usage(error.to_string()),
            error => Self::Engine(error),
        }
    }
}

impl From<engine::IntegrationError> for Failure {
    fn from(error: engine::IntegrationError) -> Self {
        match error {
            engine::IntegrationError::Store(error) => Self::Store(error),
            error @ engine::IntegrationError::Unreadable { .. } => Self::Integration(error),
            error => Self::Usage(error.to_string()),
        }
    }
}

impl From<github::ConfigError> for Failure {
    fn from(error: github::ConfigError) -> Self {
        match error {
            github::ConfigError::Token(_) => Self::Authentication(format!("{error}. Set GITHUB_TOKEN to a personal access token")),
            error @ github::ConfigError::Key(_) => Self::Authentication(error.to_string()),
            error => Self::Usage(error.to_string()),
        }
    }
}

impl Failure {
    pub(crate) fn code(&self) -> ExitCode {
        match self {
            Self::Usage(_) => ExitCode::from(2),
            Self::Authentication(_) => ExitCode::from(4),
            _ => ExitCode::FAILURE,
        }
    }
}
