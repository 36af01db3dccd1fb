//! What can go wrong, by what the caller should do. No message ever holds a token.

use crate::answer::Resource;
use jiff::SignedDuration;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Wait. <https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api>
    #[error("GitHub's {} limit is reached for {} s", if *secondary { "secondary" } else { "hourly" }, wait.as_secs())]
    Limited { wait: SignedDuration, resource: Resource, secondary: bool },
    #[error("GitHub does not accept the token (401): it is wrong, expired or revoked. Set GITHUB_TOKEN to a valid one.")]
    Unauthenticated,
    #[error("GitHub refuses it (403): {message} {reason}")]
    Forbidden { reason: Forbidden, message: String },
    /// It does not exist, or the token may not know that it does.
    #[error("GitHub does not find {url} (404): it is gone, or the token may not see it")]
    Absent { url: String },
    #[error("it is switched off or deleted (410): {message}")]
    Gone { message: String },
    #[error("the repository is empty (409)")]
    Empty,
    #[error("access to the repository is blocked (451): {message}")]
    Blocked { message: String },
    #[error("GitHub rejects the request ({status}): {message}")]
    Rejected { status: u16, message: String },
    /// Ask for less.
    #[error("the page is too heavy for GitHub: {message}")]
    TooHeavy { message: String },
    /// The same request may work later.
    #[error("{message}")]
    Passing { status: Option<u16>, message: String },
    #[error("GitHub points to another host, {host}: the token is not sent there")]
    OtherHost { host: String },
    /// A query that this server does not understand.
    #[error("this GitHub does not understand the query: {message}")]
    Mistake { message: String },
}

/// The meanings of a 403.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Forbidden {
    Scope {
        accepted: Vec<String>,
        has: Vec<String>,
    },
    /// `url` authorises the token, for an hour.
    Sso {
        url: Option<String>,
    },
    IpAllowList,
    /// The organization has not approved the OAuth app.
    AppRestrictions,
    /// Of a token that has permissions instead of scopes; one of these would have let the request through.
    Permission {
        accepted: String,
    },
    /// The organization does not let in this kind of token, or not for so long.
    TokenPolicy,
    Other,
}

impl std::fmt::Display for Forbidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Scope { accepted, has } => {
                write!(f, "The token has the scopes [{}] and needs one of [{}].", has.join(", "), accepted.join(", "))
            }
            Self::Permission { accepted } => write!(f, "The token needs the permission {accepted}."),
            Self::Sso { url: Some(url) } => write!(f, "Authorise the token for single sign-on at {url}"),
            Self::Sso { url: None } => f.write_str("Authorise the token for the organization's single sign-on."),
            Self::IpAllowList => f.write_str("Add this machine's address to the organization's IP allow list."),
            Self::AppRestrictions => f.write_str("Ask an owner of the organization to approve the OAuth app, or use a personal access token."),
            Self::TokenPolicy => f.write_str("Use a token of a kind that the organization lets in."),
            Self::Other => Ok(()),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("`{url}` is not a URL of a GitHub API: {why}. Use for example https://api.github.com or https://HOST/api/v3")]
    Url { url: String, why: String },
    #[error("the token is not usable: {0}")]
    Token(&'static str),
    /// Of a GitHub App.
    #[error("the GitHub App's private key is not usable: {0}. Make one on the App's page under \"Private keys\" and give the whole file")]
    Key(&'static str),
    #[error("the certificates are not usable: {0}. They must be in PEM, each between -----BEGIN CERTIFICATE----- and -----END CERTIFICATE-----")]
    Certificates(String),
    #[error("the HTTP client cannot be made")]
    Http(#[source] reqwest::Error),
}
