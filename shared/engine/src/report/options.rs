//! What a report can be told beside how it is drawn: each option's name, what it takes and what it is for. Parses nothing.

/// What an option takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// Nothing: it is told or not.
    Flag,
    /// One text, written as this says, and what it is unless told.
    Text(&'static str, Option<&'static str>),
    /// One of these; the first, unless told.
    Choice(&'static [&'static str]),
    /// Any number of texts.
    Many(&'static str),
    /// Any number of words, also several in one text with commas between them, and what they are unless told.
    Words(&'static str, Option<&'static str>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opt {
    pub name: &'static str,
    pub takes: Takes,
    pub about: &'static str,
}

impl Opt {
    const fn new(name: &'static str, takes: Takes, about: &'static str) -> Self {
        Self { name, takes, about }
    }
}

const RANGE: Takes = Takes::Text("RANGE", None);

/// Every report has these.
pub(super) const COMMON: &[Opt] = &[
    Opt::new("repo", Takes::Many("GLOB"), "Only repositories that match, as owner/name or name"),
    Opt::new("team", Takes::Many("SLUG"), "Only what members of this team made"),
    Opt::new("person", Takes::Many("GLOB"), "Only what people made whose login (or, without an account, address) matches"),
    Opt::new("alias", Takes::Many("LINE"), "Takes several accounts and addresses for one person: ada <ada@old.example> <ada-laptop>"),
    Opt::new("bots", Takes::Flag, "What apps and bots did, too"),
    Opt::new("as-of", Takes::Text("DATE", None), "As it was at this day or time; now, unless told"),
];

pub(super) const CREATED: Opt = Opt::new("created", RANGE, "Only items made in this range: 2026-01-01..2026-03-31, 2026-01-01.., 2026-01, 90d");
pub(super) const CLOSED: Opt = Opt::new("closed", RANGE, "Only items closed in this range, written as for created");
pub(super) const MERGED: Opt = Opt::new("merged", RANGE, "Only pull requests merged in this range, written as for created");
pub(super) const COMMITTED: Opt = Opt::new("committed", RANGE, "Only commits of this range: 2026-01-01..2026-03-31, 2026-01-01.., 2026-01, 90d");
pub(super) const LABEL: Opt = Opt::new("label", Takes::Many("NAME"), "Only items that have this label, in any case");
pub(super) const PROJECT: Opt = Opt::new("project", Takes::Many("GLOB"), "Only projects whose title matches");
pub(super) const STAGES: Opt = Opt::new(
    "stages",
    Takes::Text("board|state|label:PREFIX", Some("board")),
    "What stages are: board (of each project), state (open and closed), or label:PREFIX (labels that begin so)",
);
pub(super) const FIELD: Opt = Opt::new("field", Takes::Text("NAME", Some("Status")), "The single-select field of a project that names the stage");
pub(super) const EXCLUDE_STAGE: Opt = Opt::new("exclude-stage", Takes::Words("STAGE", None), "Leaves a stage out, such as Done");
pub(super) const KIND: Opt = Opt::new("kind", Takes::Words("KIND", Some("issue")), "Which items: issue, pull-request, draft");
pub(super) const KINDS: Opt = Opt::new("kind", Takes::Words("KIND", Some("issue")), "Which items: issue, pull-request");
pub(super) const SIZES: Opt =
    Opt::new("sizes", Takes::Text("MEDIUM/LARGE", Some("100/1000")), "From how many changed lines on a pull request is medium, and large");
pub(super) const SHIPPED_BY: Opt = Opt::new("by", Takes::Choice(&["deployment", "workflow"]), "What brings it to production");
pub(super) const ENVIRONMENT: Opt = Opt::new("environment", Takes::Words("GLOB", Some("production")), "Deployments to environments that match");
pub(super) const WORKFLOW: Opt =
    Opt::new("workflow", Takes::Words("GLOB", Some("*deploy*")), "Runs of workflows whose name or file matches, with --by workflow");
pub(super) const PER: Opt = Opt::new("per", Takes::Choice(&super::days::Per::NAMES), "What the days are told a");
pub(super) const BOUNDS: Opt =
    Opt::new("bounds", Takes::Words("STEP=GOOD/ACCEPTABLE", None), "What is good and what acceptable, such as review=1d/3d or total=48h/10d");
pub(super) const LIMIT: Opt =
    Opt::new("limit", Takes::Text("DAYS", Some("30")), "A file that was changed again within so many days is refactored; later, it is legacy");
pub(super) const BY: Opt = Opt::new("by", Takes::Choice(&super::hotspots::By::NAMES), "What is counted");
pub(super) const TOP_PEOPLE: Opt = Opt::new("top", Takes::Text("COUNT", Some("50")), "So many, those with the most first");
pub(super) const TOP: Opt = Opt::new("top", Takes::Text("COUNT", Some("50")), "So many, the most often changed first");

/// Business hours, which are told all together.
pub(super) const ZONE: Opt = Opt::new("zone", Takes::Text("ZONE", None), "Time zone of the business hours, such as Europe/Berlin");
pub(super) const DAYS: Opt = Opt::new("days", Takes::Words("DAY", None), "Days of business: mon, tue, wed, thu, fri, unless told");
pub(super) const HOURS: Opt = Opt::new("hours", Takes::Words("FROM-UNTIL", None), "Counts only these hours, such as 09:00-12:00,13:00-17:00");
pub(super) const HOLIDAYS: Opt = Opt::new("holidays", Takes::Words("DATE", None), "Days on which nobody works, such as 2026-12-25");
