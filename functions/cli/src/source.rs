//! Which GitHub, which organizations and which of their repositories: the same flags for every command that asks GitHub.
//! The tokens come from the environment, never by flag.

use crate::failure::Failure;
use crate::sync::date;
use clap::Args;
use engine::{Selection, Tokens, Visibility};
use github::{ApiUrl, Token};
use std::path::PathBuf;

#[derive(Debug, Clone, Args)]
pub(crate) struct Source {
    /// Organizations to copy. The token's owner must be a member.
    #[arg(long, required = true, value_name = "ORG", num_args = 1..)]
    pub(crate) org: Vec<String>,
    /// Only repositories that match, as owner/name or name.
    #[arg(long, value_name = "GLOB", num_args = 1..)]
    repo: Vec<String>,
    /// Not repositories that match.
    #[arg(long, value_name = "GLOB", num_args = 1..)]
    exclude: Vec<String>,
    /// Only these: public, private, internal.
    #[arg(long, value_name = "VISIBILITY", value_delimiter = ',')]
    visibility: Vec<String>,
    /// Archived repositories, too (they are, unless told).
    #[arg(long, overrides_with = "no_archived")]
    archived: bool,
    /// Not archived repositories.
    #[arg(long, overrides_with = "archived")]
    no_archived: bool,
    /// Forks, too (they are, unless told).
    #[arg(long, overrides_with = "no_forks")]
    forks: bool,
    /// Not forks.
    #[arg(long, overrides_with = "forks")]
    no_forks: bool,
    /// Only repositories with one of these topics.
    #[arg(long, value_name = "TOPIC", num_args = 1..)]
    topic: Vec<String>,
    /// Only repositories that were pushed to since this day or time, such as 2025-01-31.
    #[arg(long, value_name = "DATE")]
    pushed_since: Option<String>,
    /// The API of your GitHub.
    #[arg(long, value_name = "URL", default_value = "https://api.github.com", env = "GITHUB_API_URL")]
    api_url: String,
    /// Certificates in PEM of authorities to trust besides this machine's.
    #[arg(long, value_name = "FILE", env = "SEI_CA_CERT")]
    ca_cert: Option<PathBuf>,
}

impl Source {
    pub(crate) fn selection(&self) -> Result<Selection, Failure> {
        let visibility = |name: &String| {
            let unknown = || Failure::Usage(format!("`{name}` is not a visibility. There are: public, private, internal"));
            Visibility::parse(name.trim()).ok_or_else(unknown)
        };
        Ok(Selection {
            include: self.repo.clone(),
            exclude: self.exclude.clone(),
            visibility: self.visibility.iter().map(visibility).collect::<Result<_, _>>()?,
            no_archived: self.no_archived,
            no_forks: self.no_forks,
            topics: self.topic.clone(),
            pushed_since: self.pushed_since.as_deref().map(date).transpose()?,
        })
    }

    pub(crate) fn url(&self) -> Result<ApiUrl, Failure> {
        Ok(ApiUrl::parse(&self.api_url)?)
    }

    pub(crate) fn certificates(&self) -> Result<Option<Vec<u8>>, Failure> {
        let read =
            |file: &PathBuf| std::fs::read(file).map_err(|error| Failure::Usage(format!("the certificates in {} cannot be read: {error}", file.display())));
        self.ca_cert.as_ref().map(read).transpose()
    }

    /// Every token of the environment, for this GitHub.
    pub(crate) fn tokens(&self) -> Result<Tokens, Failure> {
        let (url, ca) = (self.url()?, self.certificates()?);
        Ok(Tokens::trusting(url, tokens()?, ca.as_deref())?)
    }
}

/// The environment is read here and by clap, nowhere else.
fn tokens() -> Result<Vec<Token>, Failure> {
    let read = |name: &str| std::env::var(name).unwrap_or_default();
    let all = format!("{},{}", read("GITHUB_TOKEN"), read("GITHUB_TOKENS"));
    let mut tokens: Vec<&str> = Vec::new();
    for token in all.split(',').map(str::trim).filter(|token| !token.is_empty()) {
        if !tokens.contains(&token) {
            tokens.push(token);
        }
    }
    if tokens.is_empty() {
        let missing = "there is no token. Set GITHUB_TOKEN to a personal access token with the scopes repo and read:org \
            (https://github.com/settings/tokens), or try `sei-github demo`";
        return Err(Failure::Authentication(missing.to_owned()));
    }
    Ok(tokens.into_iter().map(Token::new).collect::<Result<_, _>>()?)
}
