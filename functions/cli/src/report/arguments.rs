//! What can be typed after `report`.

use crate::arguments::Where;
use clap::{Args, Subcommand, ValueEnum};
use engine::report::{Across, By, Of};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum Report {
    /// How long issues stay in the stages of a project, or in those that labels or their state make.
    IssueStages(IssueStages),
    /// How long pull requests take: coding, pickup, review, merge.
    PrCycle(PrCycle),
    /// How many of the changed lines were new, changed again soon, or old.
    Rework(Rework),
    /// Which files, folders or kinds of files are changed most.
    Hotspots(Hotspots),
}

#[derive(Debug, Args)]
pub(crate) struct Rework {
    /// What the groups are.
    #[arg(long, value_name = "WHAT", default_value = "all", value_parser = Of::NAMES)]
    pub(super) across: String,
    /// A file that was changed again within so many days is refactored; later, it is legacy.
    #[arg(long, value_name = "DAYS", default_value = "30", value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) limit: u16,
    #[command(flatten)]
    pub(super) which: Which,
}

#[derive(Debug, Args)]
pub(crate) struct Hotspots {
    #[arg(long, value_name = "WHAT", default_value = "file", value_parser = By::NAMES)]
    pub(super) by: String,
    /// So many, the most often changed first.
    #[arg(long, value_name = "COUNT", default_value = "50")]
    pub(super) top: usize,
    #[command(flatten)]
    pub(super) which: Which,
}

/// Which changes of files.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// Only repositories that match, as owner/name or name.
    #[arg(long, value_name = "GLOB")]
    pub(super) repo: Vec<String>,
    /// Only commits of this range: 2026-01-01..2026-03-31, 2026-01-01.., 2026-01, 90d.
    #[arg(long, value_name = "RANGE")]
    pub(super) committed: Option<String>,
    /// What apps and bots did, too.
    #[arg(long)]
    pub(super) bots: bool,
    #[arg(long, value_enum, default_value = "table")]
    pub(super) format: Format,
    /// As it was at this day or time; now, unless told.
    #[arg(long, value_name = "DATE")]
    pub(super) as_of: Option<String>,
    #[command(flatten)]
    pub(super) place: Where,
}

#[derive(Debug, Args)]
pub(crate) struct IssueStages {
    /// Only projects whose title matches.
    #[arg(long, value_name = "GLOB")]
    pub(super) project: Vec<String>,
    /// What stages are: board (of each project), state (open and closed), or label:PREFIX (labels that begin so).
    #[arg(long, value_name = "board|state|label:PREFIX", default_value = "board")]
    pub(super) stages: String,
    /// The single-select field of a project that names the stage.
    #[arg(long, value_name = "NAME", default_value = "Status")]
    pub(super) field: String,
    /// Only items closed in this range, written as for --created.
    #[arg(long, value_name = "RANGE")]
    pub(super) closed: Option<String>,
    /// Leaves a stage out, such as Done.
    #[arg(long, value_name = "STAGE", value_delimiter = ',')]
    pub(super) exclude_stage: Vec<String>,
    /// Which items: issue, pull-request, draft.
    #[arg(long, value_name = "KIND", value_delimiter = ',', default_value = "issue")]
    pub(super) kind: Vec<String>,
    #[command(flatten)]
    pub(super) asked: Asked,
}

#[derive(Debug, Args)]
pub(crate) struct PrCycle {
    /// Only pull requests merged in this range, written as for --created.
    #[arg(long, value_name = "RANGE")]
    pub(super) merged: Option<String>,
    /// What is good and what acceptable, such as review=1d/3d or total=48h/10d.
    #[arg(long, value_name = "STEP=GOOD/ACCEPTABLE", value_delimiter = ',')]
    pub(super) bounds: Vec<String>,
    /// Counts comments and reviews of apps and bots as responses, too.
    #[arg(long)]
    pub(super) bots: bool,
    #[command(flatten)]
    pub(super) asked: Asked,
}

/// What both take.
#[derive(Debug, Args)]
pub(crate) struct Asked {
    /// What the groups are.
    #[arg(long, value_name = "WHAT", default_value = "stage", value_parser = Across::NAMES)]
    pub(super) across: String,
    /// Only repositories that match, as owner/name or name.
    #[arg(long, value_name = "GLOB")]
    pub(super) repo: Vec<String>,
    /// Only items made in this range: 2026-01-01..2026-03-31, 2026-01-01.., 2026-01, 90d.
    #[arg(long, value_name = "RANGE")]
    pub(super) created: Option<String>,
    #[arg(long, value_enum, default_value = "table")]
    pub(super) format: Format,
    /// Counts only these hours: a file in TOML with zone, days, hours and holidays.
    #[arg(long, value_name = "FILE")]
    pub(super) business_hours: Option<PathBuf>,
    /// As it was at this day or time; now, unless told.
    #[arg(long, value_name = "DATE")]
    pub(super) as_of: Option<String>,
    #[command(flatten)]
    pub(super) place: Where,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Format {
    Table,
    Json,
    Csv,
    /// A page that needs nothing else, light or dark as its reader likes.
    Html,
    /// The chart of that page.
    Svg,
}
