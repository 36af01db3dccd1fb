//! What can go wrong on a visit, by what the caller should do.

use crate::ports::StoreError;
use jiff::Timestamp;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The token's gate is closed: come back then. Not a failure.
    #[error("GitHub's limit for the token is reached until {until:.0}")]
    Waiting { until: Timestamp },
    #[error("no sweep is called `{0}`")]
    UnknownSweep(String),
    /// Discovery has not seen this repository, or no longer does.
    #[error("repository {0} is not known: the next discovery decides")]
    UnknownRepository(u64),
    #[error("organization `{login}` cannot be read: {why}")]
    Organization { login: String, why: String },
    /// Somebody must join, or use another token.
    #[error("`{login}` is not copied: {why}")]
    Membership { login: String, why: String },
    #[error("the pattern `{pattern}` is not a glob")]
    Pattern {
        pattern: String,
        #[source]
        source: globset::Error,
    },
    /// Nobody lets these credentials in, or not any more: somebody must mend them.
    #[error("{why}")]
    Access { why: String },
    /// The GitHub App is none of this organization's.
    #[error("`{login}` cannot be read: {why}")]
    NotInstalled { login: String, why: String },
    #[error(transparent)]
    Config(#[from] github::ConfigError),
    /// Some items of the page came back null: ask for fewer.
    #[error("some items of the page could not be read")]
    Heavy,
    /// GitHub answers, but will not show this repository.
    #[error("{message}")]
    Denied { code: &'static str, message: String },
    /// GitHub's answer lacks something it always has.
    #[error("GitHub's answer makes no sense: {0}")]
    Unreadable(String),
    #[error("the process is stopping")]
    Stopped,
    #[error(transparent)]
    GitHub(#[from] github::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
}
