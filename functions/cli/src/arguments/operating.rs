//! What the commands take that look after webhooks and deployed stacks.

use super::{Deployed, Where};
use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum Webhooks {
    /// Makes the webhooks that integrations want; of those that are there, mends what is wrong.
    Create(Hooked),
    /// Says of each whether it is as it should be, and whether its deliveries arrive.
    Verify(Hooked),
    /// Names those that were made, one a line. Asks nobody.
    List(Hooked),
    /// Gives all of them another secret; the former one is accepted, too, until the next time.
    RotateSecret(Hooked),
    /// Has GitHub send one event again or, unless told which, all that did not arrive.
    Redeliver(Redeliver),
    /// Removes them at GitHub.
    Delete(Removed),
}

impl Webhooks {
    pub(crate) const fn hooked(&self) -> &Hooked {
        match self {
            Self::Create(hooked) | Self::Verify(hooked) | Self::List(hooked) | Self::RotateSecret(hooked) => hooked,
            Self::Redeliver(asked) => &asked.hooked,
            Self::Delete(removed) => &removed.hooked,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Hooked {
    /// Only of this integration.
    #[arg(long, value_name = "NAME")]
    pub(crate) integration: Option<String>,
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) place: Where,
}

#[derive(Debug, Args)]
pub(crate) struct Redeliver {
    /// As GitHub's list of deliveries and `sei-github events` name it.
    pub(crate) delivery_id: Option<String>,
    #[command(flatten)]
    pub(crate) hooked: Hooked,
}

#[derive(Debug, Args)]
pub(crate) struct Removed {
    /// Does not ask.
    #[arg(long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) hooked: Hooked,
}

/// What GitHub tells by itself.
#[derive(Debug, Clone, Args)]
pub(crate) struct Told {
    /// none (everything is asked for), stages (issues and projects, for exact times of moves) or push (everything).
    #[arg(long, value_name = "MODE")]
    pub(crate) webhook: Option<String>,
    /// Where GitHub reaches the receiver; a stack's own address, unless told.
    #[arg(long, value_name = "URL")]
    pub(crate) webhook_url: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Paused {
    #[command(flatten)]
    pub(crate) place: Where,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Dlq {
    /// Names the dead messages, one a line, the oldest first.
    List(Letters),
    /// Shows them whole.
    Show(Letters),
    /// Sends them to the queue that they were in.
    Redrive(Letters),
    /// Deletes them for good.
    Purge(Letters),
}

#[derive(Debug, Args)]
pub(crate) struct Letters {
    /// Only these messages, as `list` names them.
    pub(crate) id: Vec<String>,
    #[arg(long)]
    pub(crate) json: bool,
    /// Does not ask.
    #[arg(long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) stack: Deployed,
}

#[derive(Debug, Args)]
pub(crate) struct Logs {
    /// Only of these functions: discovery, fetcher, webhook, receiver, reconcile, connect.
    #[arg(long, value_name = "NAME", num_args = 1..)]
    pub(crate) function: Vec<String>,
    /// How far back, such as 90m, 12h or 3d.
    #[arg(long, value_name = "TIME", default_value = "1h")]
    pub(crate) since: String,
    /// Goes on until Ctrl-C.
    #[arg(long, short)]
    pub(crate) follow: bool,
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) stack: Deployed,
}

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    #[arg(long)]
    pub(crate) json: bool,
    /// Does not look for what was changed by hand, which takes CloudFormation up to a minute.
    #[arg(long)]
    pub(crate) no_drift: bool,
    #[command(flatten)]
    pub(crate) stack: Deployed,
}

#[derive(Debug, Args)]
pub(crate) struct Uninstall {
    /// Does not ask.
    #[arg(long)]
    pub(crate) yes: bool,
    /// Goes on though webhooks could not be removed.
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) stack: Deployed,
}
