//! How GitHub is read: one way of reading a file, listed here once. What a thing is, `entities` knows.

pub(crate) mod board;
mod branch_commits;
mod catalogue;
mod census;
pub(crate) mod commit_files;
mod commits;
mod connections;
mod deployments;
mod issues;
mod items;
mod pull_requests;
mod review_comments;
mod timeline;
mod workflow_runs;

pub(crate) use catalogue::{list as catalogue_list, mark_default};
pub(crate) use connections::{Connection, Overflow, Parent, check};
pub(crate) use deployments::{SELECT as DEPLOYMENT, complete_statuses, read as deployment};
pub(crate) use items::Kind;
pub(crate) use review_comments::read as review_comment;
pub(crate) use workflow_runs::read as workflow_run;

use crate::Error;
use crate::entities::{Entity, Group};
use crate::env::Env;
use crate::mark::{Mark, Validator};
use crate::model::{Job, Record, ScopeId, Stored, is_project};
use crate::node::Node;
use crate::plan::{Bill, Counted, Shape, Weight};
use crate::repository::Repository;
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// One way of reading, a page at a time.
#[async_trait]
pub(crate) trait Sweep: Send + Sync {
    fn name(&self) -> &'static str;
    fn group(&self) -> Group;
    /// What it yields.
    fn entities(&self) -> &'static [&'static Entity];
    /// How many items a page asks for when nothing says otherwise.
    fn page_size(&self) -> u32 {
        100
    }
    /// Reads the page at the mark's position: at most one request to GitHub.
    async fn page(&self, visit: &Visit<'_>) -> Result<Page, Error>;
    /// Steps over the one item that GitHub can never answer, with what of it can be had; none where it cannot be told
    /// from the rest of the list.
    async fn step_over(&self, visit: &Visit<'_>) -> Result<Option<Page>, Error> {
        let _ = visit;
        Ok(None)
    }
    /// The sweep that leaves it what to read: it is due when that one has caught up, or got further than it did.
    fn follows(&self) -> Option<&'static str> {
        None
    }
    /// The sweep that goes before it where both are due: it builds on what that one has read.
    fn after(&self) -> Option<&'static str> {
        None
    }
    fn is_wanted(&self, settings: &crate::Settings) -> bool {
        settings.wants(self.group())
    }
    /// For how long what discovery says of it is believed, if it says that nothing moved; none for ever.
    fn trusts_for(&self) -> Option<SignedDuration> {
        None
    }
    /// Asked even if discovery cannot tell that anything moved.
    fn always_due(&self) -> bool {
        false
    }
    /// Which of its entities are chosen, where it reads some of them by choice: having read more will do as well.
    fn chosen(&self, settings: &crate::Settings) -> &'static str {
        let _ = settings;
        ""
    }
    /// What to ask of a repository (in GraphQL, of its `$items` newest) to estimate what GitHub tells no totals of.
    fn sample(&self) -> Option<String> {
        None
    }
    /// Reads the sample.
    fn weigh(&self, _repository: Node<'_>) -> Weight {
        Weight::default()
    }
    /// Where REST tells how many items there are, if nothing else does.
    fn counted_at(&self, _repo: &Repository) -> Option<Counted> {
        None
    }
    /// What a first read of a repository of this shape costs: as many pages as its items fill, unless there is more to it.
    fn first_read(&self, shape: &Shape, _settings: &crate::Settings) -> Bill {
        let pages = shape.pages(self.name(), self.page_size());
        match self.queries().first() {
            Some((_, query)) => Bill::queries(pages, query, self.page_size()),
            None => Bill::requests(pages),
        }
    }
    /// The queries it sends, by name, the one of a page first: for checking against GitHub's schema, and for pricing.
    fn queries(&self) -> Vec<(String, String)> {
        Vec::new()
    }
}

/// How pull requests and issues are read.
pub(crate) static ITEMS: [&Kind; 2] = [&pull_requests::KIND, &issues::KIND];

pub(crate) static ALL: &[&dyn Sweep] = &[
    &catalogue::Catalogue,
    &pull_requests::PullRequests,
    &issues::Issues,
    &commits::Commits,
    &branch_commits::BranchCommits,
    &review_comments::ReviewComments,
    &deployments::Deployments,
    &workflow_runs::WorkflowRuns,
    &commit_files::CommitFiles,
    &board::Board,
];

/// Those that a repository has or, if that is what `scope` is, a project.
pub(crate) fn of(scope: ScopeId) -> impl Iterator<Item = &'static dyn Sweep> {
    ALL.iter().copied().filter(move |sweep| (sweep.group() == Group::Projects) == is_project(scope))
}

/// Those that are due once this one has caught up.
pub(crate) fn followers(name: &str) -> impl Iterator<Item = &'static dyn Sweep> {
    // Files are read of the commits of other branches, too.
    let name_or = if name == branch_commits::NAME { commits::NAME } else { name };
    ALL.iter().copied().filter(move |sweep| sweep.follows() == Some(name_or) || sweep.after() == Some(name))
}

/// Whether discovery cannot tell that anything of this entity moved.
pub(crate) fn is_always_due(entity: &str) -> bool {
    ALL.iter().any(|sweep| sweep.always_due() && sweep.entities().iter().any(|one| one.name == entity))
}

pub(crate) fn find(name: &str) -> Result<&'static dyn Sweep, Error> {
    ALL.iter().copied().find(|sweep| sweep.name() == name).ok_or_else(|| Error::UnknownSweep(name.to_owned()))
}

/// One page's worth of circumstances.
pub(crate) struct Visit<'a> {
    pub(crate) env: &'a Env,
    pub(crate) job: &'a Job,
    pub(crate) repo: &'a Repository,
    pub(crate) mark: &'a Mark,
    pub(crate) page_size: u32,
    pub(crate) now: Timestamp,
    /// When the visit must have ended.
    pub(crate) deadline: Timestamp,
}

impl Visit<'_> {
    pub(crate) fn scope(&self) -> ScopeId {
        self.job.scope
    }

    pub(crate) fn position(&self) -> &Value {
        self.mark.walk.as_ref().map_or(&Value::Null, |walk| &walk.position)
    }

    pub(crate) fn full(&self) -> bool {
        self.mark.walk.as_ref().is_some_and(|walk| walk.full)
    }

    /// Nothing of this sweep was ever finished: no row can be stale yet.
    pub(crate) fn first(&self) -> bool {
        self.mark.watermark.is_none() && self.mark.finished_at.is_none()
    }

    /// How many records of `entity` among these are not stored, and whether all are stored just so: in a list that is
    /// newest first, what follows is stored then, too.
    pub(crate) async fn fresh(&self, entity: &'static Entity, records: &[Record]) -> Result<(u64, bool), Error> {
        let ours: Vec<&Record> = records.iter().filter(|record| record.entity == entity).collect();
        let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        if self.first() {
            return Ok((count(ours.len()), false));
        }
        let keys: Vec<String> = ours.iter().map(|record| record.key.clone()).collect();
        let stored = if keys.is_empty() { Vec::new() } else { self.env.store.get(entity, self.scope(), &keys).await? };
        let living: BTreeMap<&str, &Stored> = stored.iter().filter(|row| !row.gone).map(|row| (row.key.as_str(), row)).collect();
        let fresh = ours.iter().filter(|record| !living.contains_key(record.key.as_str())).count();
        let known = ours.iter().all(|record| living.get(record.key.as_str()).is_some_and(|row| row.says(&record.fields)));
        Ok((count(fresh), known && !self.full()))
    }

    /// Items that last changed before this were read by an earlier sweep; an overlap allows for clocks in seconds.
    pub(crate) fn floor(&self) -> Option<Timestamp> {
        let overlap = jiff::SignedDuration::from_secs(60);
        let known = if self.full() { None } else { self.mark.watermark.and_then(|mark| mark.checked_sub(overlap).ok()) };
        known.max(self.env.settings.since)
    }
}

/// What one page brought.
#[derive(Default)]
pub(crate) struct Page {
    pub(crate) records: Vec<Record>,
    /// Written before the others: what follows from the rows as they are, and could not be told once they are overwritten.
    pub(crate) ahead: Vec<Record>,
    /// Complete lists: whatever else is stored under the prefix is no longer there.
    pub(crate) sets: Vec<Complete>,
    /// Where to read on; none when the sweep is through.
    pub(crate) next: Option<Value>,
    /// The newest change on this page, by GitHub's clock.
    pub(crate) newest: Option<Timestamp>,
    pub(crate) total: Option<u64>,
    pub(crate) etag: Option<Validator>,
    pub(crate) memo: Option<Value>,
    pub(crate) missing: Vec<String>,
    /// From here on the walk reads everything, whatever the watermark says.
    pub(crate) whole: bool,
    /// Whether the page was read from our own rows alone.
    pub(crate) local: bool,
}

/// "These are all": the keys under `prefix`, or their hashes if the list took several pages.
pub(crate) struct Complete {
    pub(crate) entity: &'static Entity,
    pub(crate) prefix: String,
    pub(crate) keys: BTreeSet<u64>,
    /// Only keys up to here were covered; none for all.
    pub(crate) upto: Option<String>,
    pub(crate) after: Option<String>,
}

/// What a sweep reads, for people: its name where that is an entity's, else its entities.
#[must_use]
pub fn spoken(sweep: &str) -> String {
    let entities = find(sweep).map(Sweep::entities).unwrap_or_default();
    let names: Vec<String> = entities.iter().map(|entity| entity.name.replace('_', " ")).collect();
    let own = sweep.replace('_', " ");
    match names.split_last() {
        Some((last, others)) if !others.is_empty() && !names.contains(&own) => format!("{} and {last}", others.join(", ")),
        _ => own,
    }
}

/// The queries that a sync reads with.
pub(crate) fn reading() -> Vec<(String, String)> {
    let mut all = crate::discover::queries();
    all.push(("census".to_owned(), census::QUERY.to_owned()));
    all.extend(crate::asked::queries());
    all.extend(ALL.iter().flat_map(|sweep| sweep.queries()));
    all
}

/// Every query there is: of a sync, of the check, of verifying and of the plan.
#[must_use]
pub fn queries() -> Vec<(String, String)> {
    let mut all = reading();
    all.push(crate::check::query());
    all.push(crate::verify::query());
    all.extend(crate::plan::queries());
    all
}
