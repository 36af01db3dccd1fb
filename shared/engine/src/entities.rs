//! What is copied: each entity's name, group and fields. To add one, write one file and list it here.

/// Declares each module, re-exports its entity and lists it: one line an entity.
macro_rules! entities {
    ($($module:ident::$entity:ident),+ $(,)?) => {
        $(mod $module; pub use $module::$entity;)+
        pub static ALL: &[&Entity] = &[$(&$entity),+];
    };
}

entities! {
    repositories::REPOSITORIES,
    branches::BRANCHES,
    tags::TAGS,
    labels::LABELS,
    milestones::MILESTONES,
    releases::RELEASES,
    users::USERS,
    teams::TEAMS,
    pull_requests::PULL_REQUESTS,
    reviews::REVIEWS,
    review_comments::REVIEW_COMMENTS,
    pull_request_commits::PULL_REQUEST_COMMITS,
    pull_request_files::PULL_REQUEST_FILES,
    review_requests::REVIEW_REQUESTS,
    issues::ISSUES,
    issue_comments::ISSUE_COMMENTS,
    issue_events::ISSUE_EVENTS,
    commits::COMMITS,
    commit_files::COMMIT_FILES,
    deployments::DEPLOYMENTS,
    workflow_runs::WORKFLOW_RUNS,
    projects::PROJECTS,
    project_fields::PROJECT_FIELDS,
    project_items::PROJECT_ITEMS,
    stage_sightings::STAGE_SIGHTINGS,
    stage_transitions::STAGE_TRANSITIONS,
}

use serde::{Deserialize, Serialize};

/// One kind of GitHub object.
pub struct Entity {
    /// As `export` takes it.
    pub name: &'static str,
    pub about: &'static str,
    /// The GitHub page that defines the object.
    pub source: &'static str,
    pub group: Group,
    /// In the order of export. Every export row begins with `repo` (or `org`), which is not listed here.
    pub fields: &'static [Field],
}

#[derive(Debug)]
pub struct Field {
    pub name: &'static str,
    pub kind: Kind,
    pub about: &'static str,
}

/// The JSON type of a field. All but `Id` and `Key` kinds may be null.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    Integer,
    Boolean,
    /// RFC 3339, UTC.
    Time,
    /// A list of strings, never null.
    Texts,
    /// A list of integers, never null.
    Integers,
    /// A JSON object or list of objects, as described.
    Json,
}

/// What `--fetch` chooses from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Group {
    /// Comes with every sync: repositories, branches, tags, labels, milestones, users.
    Always,
    PullRequests,
    Issues,
    Commits,
    CommitFiles,
    Releases,
    Teams,
    Deployments,
    WorkflowRuns,
    Projects,
}

impl Field {
    const fn new(name: &'static str, kind: Kind, about: &'static str) -> Self {
        Self { name, kind, about }
    }
}

impl Entity {
    /// Builds an entity outside the registry, for tests of stores.
    #[must_use]
    pub const fn bare(name: &'static str) -> Self {
        Self { name, about: "", source: "", group: Group::Always, fields: &[] }
    }
}

/// The entity that `export` calls by this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Entity> {
    ALL.iter().copied().find(|entity| entity.name == name)
}

impl Group {
    pub const ALL: [Self; 10] = [
        Self::Always,
        Self::PullRequests,
        Self::Issues,
        Self::Commits,
        Self::CommitFiles,
        Self::Releases,
        Self::Teams,
        Self::Deployments,
        Self::WorkflowRuns,
        Self::Projects,
    ];

    /// As `--fetch` takes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::PullRequests => "pull-requests",
            Self::Issues => "issues",
            Self::Commits => "commits",
            Self::CommitFiles => "commit-files",
            Self::Releases => "releases",
            Self::Teams => "teams",
            Self::Deployments => "deployments",
            Self::WorkflowRuns => "workflow-runs",
            Self::Projects => "projects",
        }
    }

    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|group| group.name() == name)
    }
}

impl PartialEq for Entity {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl std::fmt::Debug for Entity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}
