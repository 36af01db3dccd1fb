//! What can be typed.

mod installing;
mod operating;

pub(crate) use installing::{Connect, Edit, Integrations, Listed, Purge, Shown};
pub(crate) use operating::{Dlq, Doctor, Hooked, Letters, Logs, Paused, Redeliver, Removed, Told, Uninstall, Webhooks};

use crate::failure::Failure;
use crate::place::Place;
use crate::source::{KEPT_AS, Server, Source};
use crate::stack::Stack;
use clap::{Args, Parser, Subcommand, ValueEnum};
use engine::{Branches, FilesFrom};
use std::path::PathBuf;

/// Copies an organization's GitHub activity: complete, incremental, resumable.
#[derive(Debug, Parser)]
#[command(version, disable_help_subcommand = true)]
pub(crate) struct Arguments {
    /// The deployed stack to work on, instead of a directory; region and credentials as AWS's own tools find them.
    #[arg(long, value_name = "NAME", global = true)]
    pub(crate) stack: Option<String>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Installs an integration: which GitHub, which token, which repositories, what of them. Asks, checks, and saves.
    Connect(Connect),
    /// Lists, shows and changes what was installed.
    #[command(subcommand)]
    Integrations(Integrations),
    /// Copies what is new on GitHub; the first time, everything. The token comes from GITHUB_TOKEN.
    Sync(Sync),
    /// Authorizes an OAuth app by the device flow, and keeps its token in the data directory for `sync`.
    Authorize(Authorize),
    /// Says before a sync whether it can work, and what to do if not. Reads little and stores nothing.
    Check(Check),
    /// Lists the repositories: which are taken and, for each that is not, why. Writes nothing.
    Repos(Repos),
    /// Estimates what a first sync takes: rows, requests, points, hours, write units, money. Writes nothing.
    Plan(Plan),
    /// Says per repository and entity what is there, what waits until when, what is missing and why.
    Status(Status),
    /// Compares the copy with GitHub's totals, and lists what differs and why. Changes nothing.
    Verify(Verify),
    /// Prints the rows of an entity.
    Export(Export),
    /// Makes a copy in a directory of what DynamoDB exported to S3.
    Import(Import),
    /// Receives GitHub's webhooks on this machine, at /webhook. The secret comes from GITHUB_WEBHOOK_SECRET.
    Serve(Serve),
    /// Lists the events that were received, or traces one.
    Events(Events),
    /// Computes from the copy how long issues stay in stages, or how long pull requests take.
    #[command(subcommand)]
    Report(crate::report::Report),
    /// Makes, looks at and removes the webhooks by which GitHub tells what happens.
    #[command(subcommand)]
    Webhook(Webhooks),
    /// Fetches nothing until it is resumed: every integration.
    Pause(Paused),
    /// Goes on with what `pause` stopped.
    Resume(Paused),
    /// What a deployed stack could not do after several tries.
    #[command(subcommand)]
    Dlq(Dlq),
    /// Prints what a deployed stack's functions say.
    Logs(Logs),
    /// Says whether a deployed stack is well and, of what is not, what to do.
    Doctor(Doctor),
    /// Takes a deployed stack away, its webhooks first. The copy stays.
    Uninstall(Uninstall),
    /// Opens the console for a browser of this machine: connectors, what is going on, what is missing and why.
    Console(Console),
    /// Starts a simulated GitHub, copies it, and shows what came.
    Demo(Demo),
    /// Prints SCHEMA.md: every entity and field.
    #[command(hide = true)]
    Schema,
    /// Prints every GraphQL query that is sent, as JSON.
    #[command(hide = true)]
    Queries,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct Where {
    /// Where the copy is kept.
    #[arg(long, value_name = "DIR", default_value = ".sei-github", env = "SEI_DATA_DIR")]
    pub(crate) data_dir: PathBuf,
    /// The deployed stack whose copy it is, instead of a directory; region and credentials as AWS's own tools find them.
    #[arg(long, value_name = "NAME", global = true)]
    stack: Option<String>,
}

impl Where {
    pub(crate) async fn find(&self) -> Result<Place, Failure> {
        match &self.stack {
            Some(name) => Ok(Place::Stack(Box::new(Stack::find(name).await?))),
            None => Ok(Place::Directory(self.data_dir.clone())),
        }
    }
}

/// A deployed stack, by its name.
#[derive(Debug, Clone, Args)]
pub(crate) struct Deployed {
    /// The deployed stack; region and credentials as AWS's own tools find them.
    #[arg(long, value_name = "NAME", global = true)]
    stack: Option<String>,
}

impl Deployed {
    pub(crate) async fn find(&self) -> Result<Stack, Failure> {
        match &self.stack {
            Some(name) => Stack::find(name).await,
            None => Err(Failure::Usage("this command works on a deployed stack: name it with --stack".to_owned())),
        }
    }
}

/// What of the repositories; everything, unless told.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Fetch {
    /// Only these groups: pull-requests, issues, commits, commit-files, releases, teams, deployments, workflow-runs.
    #[arg(long, value_name = "GROUP", value_delimiter = ',')]
    pub(crate) fetch: Vec<String>,
    #[command(flatten)]
    pub(crate) files: Files,
}

/// Which commits are read, and how their files are.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct Files {
    /// From git itself, at no cost, and over REST what git does not reach (auto); or only one way: rest takes a request a commit.
    #[arg(long, value_name = "auto|git|rest")]
    pub(crate) files_from: Option<FilesFrom>,
    /// Commits of the default branch, or those of all others, too.
    #[arg(long, value_name = "default|all")]
    pub(crate) branches: Option<Branches>,
}

#[derive(Debug, Args)]
pub(crate) struct Sync {
    #[command(flatten)]
    pub(crate) source: Source,
    #[command(flatten)]
    pub(crate) groups: Fetch,
    /// Only what changed since this day or time, such as 2025-01-31.
    #[arg(long, value_name = "DATE")]
    pub(crate) since: Option<String>,
    #[command(flatten)]
    pub(crate) place: Where,
    /// Reads everything again, and so notices every deletion.
    #[arg(long)]
    pub(crate) full: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Authorize {
    /// Of an OAuth app or GitHub App whose device flow is enabled. Its secret, if it needs one, comes from GITHUB_OAUTH_CLIENT_SECRET.
    /// Without it, of a stack that has an OAuth app, a link to the stack's own sign-in page.
    #[arg(long, value_name = "ID")]
    pub(crate) client_id: Option<String>,
    /// What the token may; repo, read:org, read:project and admin:org_hook, unless told.
    #[arg(long, value_name = "SCOPE", value_delimiter = ',')]
    pub(crate) scopes: Vec<String>,
    /// The integration that the token is for.
    #[arg(long, value_name = "NAME", default_value = KEPT_AS)]
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) server: Server,
    #[command(flatten)]
    pub(crate) place: Where,
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    #[command(flatten)]
    pub(crate) source: Source,
    #[command(flatten)]
    pub(crate) place: Where,
    #[command(flatten)]
    pub(crate) groups: Fetch,
    #[arg(long)]
    pub(crate) json: bool,
    /// Names everything that is looked at, as CHECKS.md does.
    #[arg(long)]
    pub(crate) list: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Repos {
    #[command(flatten)]
    pub(crate) source: Source,
    #[command(flatten)]
    pub(crate) place: Where,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Plan {
    #[command(flatten)]
    pub(crate) source: Source,
    #[command(flatten)]
    pub(crate) place: Where,
    #[command(flatten)]
    pub(crate) groups: Fetch,
    #[arg(long)]
    pub(crate) json: bool,
    /// Also for each repository.
    #[arg(long = "per-repo")]
    pub(crate) per_repository: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Status {
    #[command(flatten)]
    pub(crate) place: Where,
    #[arg(long)]
    pub(crate) json: bool,
    /// Every repository; without it, of many only those of which something is missing.
    #[arg(long)]
    pub(crate) all: bool,
    /// Only repositories that match, as owner/name or name.
    #[arg(long, value_name = "GLOB", num_args = 1..)]
    pub(crate) repo: Vec<String>,
    /// Counts every row now; without it, numbers are as of each list's last success.
    #[arg(long)]
    pub(crate) exact: bool,
}

#[derive(Debug, Args)]
#[command(mut_arg("org", |org| org.required(false).help("Only these organizations; without it, all that were copied")))]
pub(crate) struct Verify {
    #[command(flatten)]
    pub(crate) source: Source,
    #[command(flatten)]
    pub(crate) place: Where,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Format {
    Ndjson,
    Csv,
    /// Files for SQL engines, into --out.
    Parquet,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Dialect {
    Duckdb,
    Athena,
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// See --list.
    #[arg(required_unless_present_any = ["list", "all", "views"])]
    pub(crate) entity: Option<String>,
    /// Every entity, as Parquet.
    #[arg(long, conflicts_with = "entity")]
    pub(crate) all: bool,
    #[arg(long, value_enum, default_value = "ndjson")]
    pub(crate) format: Format,
    /// Where Parquet files go. Those of an earlier export are replaced where their rows have changed.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Prints the views over such a directory, one a report: for DuckDB with --out, for Athena with --location.
    #[arg(long, value_enum, value_name = "duckdb|athena", conflicts_with_all = ["entity", "all", "list", "schema"])]
    pub(crate) views: Option<Dialect>,
    /// Where Athena finds the files, such as s3://BUCKET/PREFIX.
    #[arg(long, value_name = "URL", requires = "views")]
    pub(crate) location: Option<String>,
    /// Only repositories that match, as owner/name or name.
    #[arg(long, value_name = "GLOB")]
    pub(crate) repo: Vec<String>,
    /// Only what changed since this day or time. With Parquet, what changed is found by comparing: --out must hold all that was there then.
    #[arg(long, value_name = "DATE")]
    pub(crate) since: Option<String>,
    /// Names the entities and their fields.
    #[arg(long)]
    pub(crate) list: bool,
    /// Prints the JSON Schema of the entity's rows.
    #[arg(long)]
    pub(crate) schema: bool,
    /// Also what was deleted on GitHub, marked as such.
    #[arg(long)]
    pub(crate) deleted: bool,
    #[command(flatten)]
    pub(crate) place: Where,
}

#[derive(Debug, Args)]
pub(crate) struct Import {
    /// Where `aws s3 sync` has put the export.
    #[arg(value_name = "DIR")]
    pub(crate) export: PathBuf,
    #[command(flatten)]
    pub(crate) place: Where,
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    pub(crate) source: Source,
    #[command(flatten)]
    pub(crate) groups: Fetch,
    /// The address to listen at. Others than this machine reach it only by what you put before it.
    #[arg(long, default_value = "127.0.0.1")]
    pub(crate) host: String,
    /// 0 takes one that is free.
    #[arg(long, default_value_t = 8787)]
    pub(crate) port: u16,
    #[command(flatten)]
    pub(crate) place: Where,
}

#[derive(Debug, Args)]
pub(crate) struct Console {
    /// 0 takes one that is free. Other machines do not reach it.
    #[arg(long, default_value_t = 8788)]
    pub(crate) port: u16,
    /// Whoever opens it may look, and change nothing.
    #[arg(long)]
    pub(crate) read_only: bool,
    #[command(flatten)]
    pub(crate) place: Where,
}

#[derive(Debug, Args)]
pub(crate) struct Events {
    /// As GitHub's list of deliveries names it.
    pub(crate) delivery_id: Option<String>,
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) place: Where,
}

#[derive(Debug, Args)]
pub(crate) struct Demo {
    #[arg(long, value_name = "DIR", default_value = "demo-data")]
    pub(crate) data_dir: PathBuf,
    /// small, organization (19 repositories) or one-repo (2,000 pull requests, 10,000 commits).
    #[arg(long, default_value = "small", value_parser = ["small", "organization", "one-repo"])]
    pub(crate) size: String,
    /// Milliseconds that the simulated GitHub takes for each answer.
    #[arg(long, default_value_t = 0)]
    pub(crate) latency_ms: u64,
    /// Only these groups.
    #[arg(long, value_name = "GROUP", value_delimiter = ',')]
    pub(crate) fetch: Vec<String>,
    /// Opens the console at the end, and keeps the simulated GitHub until Ctrl-C: for installing a connector in the browser.
    #[arg(long)]
    pub(crate) console: bool,
    /// Of the console; 0 takes one that is free.
    #[arg(long, default_value_t = 8788)]
    pub(crate) port: u16,
}
