//! What `connect` and `integrations` take.

use super::{Fetch, Files, Told, Where};
use crate::source::Rules;
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct Connect {
    /// Its name; letters, digits, hyphens, dots and underscores.
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Everything in a file, as `integrations show --toml` prints it.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["name", "org", "repo", "exclude", "visibility", "topic", "pushed_since", "fetch", "files_from", "since"])]
    pub(crate) config: Option<PathBuf>,
    /// Asks nothing: what is not told has its default.
    #[arg(long)]
    pub(crate) no_input: bool,
    /// Keeps the environment's tokens beside the copy, for this user only, so that no later run needs them.
    #[arg(long)]
    pub(crate) keep_token: bool,
    /// Saves without asking GitHub whether it can work.
    #[arg(long)]
    pub(crate) no_check: bool,
    /// Organizations to copy. The token's owner must be a member.
    #[arg(long, value_name = "ORG", num_args = 1..)]
    pub(crate) org: Vec<String>,
    #[command(flatten)]
    pub(crate) rules: Rules,
    #[command(flatten)]
    pub(crate) groups: Fetch,
    #[command(flatten)]
    pub(crate) told: Told,
    /// Only what changed since this day or time, such as 2025-01-31.
    #[arg(long, value_name = "DATE")]
    pub(crate) since: Option<String>,
    /// The API of your GitHub.
    #[arg(long, value_name = "URL", env = "GITHUB_API_URL")]
    pub(crate) api_url: Option<String>,
    /// Certificates in PEM of authorities to trust besides this machine's.
    #[arg(long, value_name = "FILE", env = "SEI_CA_CERT")]
    pub(crate) ca_cert: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) place: Where,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Integrations {
    /// Names them, one a line.
    List(Listed),
    /// Shows one.
    Show(Shown),
    /// Changes one; what is not told stays as it is.
    Edit(Box<Edit>),
    /// Fetches nothing for it until it is resumed.
    Pause(Named),
    /// Goes on with it.
    Resume(Named),
    /// Forgets it. What it copied stays.
    Remove(Named),
    /// Deletes from the copy what no integration chooses any more: repositories and groups.
    Purge(Purge),
}

#[derive(Debug, Args)]
pub(crate) struct Listed {
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) place: Where,
}

#[derive(Debug, Args)]
pub(crate) struct Named {
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) place: Where,
}

#[derive(Debug, Args)]
pub(crate) struct Shown {
    pub(crate) name: String,
    #[arg(long, conflicts_with = "toml")]
    pub(crate) json: bool,
    /// As a file for `connect --config`.
    #[arg(long)]
    pub(crate) toml: bool,
    #[command(flatten)]
    pub(crate) place: Where,
}

#[derive(Debug, Args)]
pub(crate) struct Edit {
    pub(crate) name: String,
    /// All of it anew, from a file.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["all_repositories", "repo", "exclude", "visibility", "topic", "pushed_since", "fetch", "files_from", "org"])]
    pub(crate) config: Option<PathBuf>,
    /// All present and future repositories: drops every rule before the others here are applied.
    #[arg(long)]
    pub(crate) all_repositories: bool,
    #[arg(long, value_name = "ORG", num_args = 1..)]
    pub(crate) org: Vec<String>,
    #[command(flatten)]
    pub(crate) rules: Rules,
    /// Only these groups; `all` for all.
    #[arg(long, value_name = "GROUP", value_delimiter = ',')]
    pub(crate) fetch: Vec<String>,
    #[command(flatten)]
    pub(crate) files: Files,
    #[command(flatten)]
    pub(crate) told: Told,
    #[command(flatten)]
    pub(crate) place: Where,
}

#[derive(Debug, Args)]
pub(crate) struct Purge {
    /// Deletes without asking.
    #[arg(long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) place: Where,
}
