//! The files of each commit: from git itself, which costs nothing of a token's budget, or over REST, at a request a
//! commit, where git cannot be had. Either way the rows are the same.
//!
//! Which commits are still to be asked for is kept as a list beside the records, so that a visit costs what is new.

mod from_git;
mod pending;
mod rest;

pub(crate) use pending::{list_of, remember};

use super::{Page, Sweep, Visit};
use crate::entities::{COMMIT_FILES, COMMITS, Entity, Group};
use crate::mark;
use crate::model::Job;
use crate::node::{Node, Out};
use crate::plan::{Bill, Shape, Weight, further};
use crate::ports::StoreError;
use crate::{Error, FilesFrom, Listing, Settings};
use async_trait::async_trait;
use from_git::{Barred, Told};
use jiff::Timestamp;
use pending::Pending;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub(crate) struct CommitFiles;

/// GitHub's own, whatever is asked for.
const FILES_A_PAGE: u32 = 300;

/// So few commits are cheaper asked for one by one than with their history.
const FEW: usize = 2;

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Position {
    /// While looking through the commits that were there before this option was switched on.
    seeding_after: Option<String>,
    seeded: bool,
    /// The commit whose files go on at this page.
    page: Option<String>,
    commit: Option<String>,
    /// What is written by now, to be taken off the list.
    finished: Vec<String>,
    /// What git does not reach: for REST.
    left: Vec<String>,
}

/// Kept between walks.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Memo {
    seeded: bool,
    /// Until then git is not tried again, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    without_git_until: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

/// New commits are not put on the list while the option is off. Once it is on again they are looked for among all.
pub(crate) async fn look_again_later(visit: &Visit<'_>) -> Result<(), Error> {
    let job = Job { sweep: CommitFiles.name().to_owned(), ..visit.job.clone() };
    let mut mark = mark::read(visit.env.store.as_ref(), &job).await?;
    if mark.revision == 0 || mark.memo.is_null() && mark.finished_at.is_none() && mark.walk.is_none() {
        return Ok(());
    }
    (mark.memo, mark.walk, mark.finished_at) = (Value::Null, None, None);
    match mark::save(visit.env.store.as_ref(), &job, &mut mark).await {
        // Somebody else is at it, for whom the option is on.
        Ok(()) | Err(StoreError::Conflict) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Commits that the default branch's history does not tell of were put on the list: it is due, even if its job is lost.
pub(crate) async fn is_behind(visit: &Visit<'_>) -> Result<(), Error> {
    let job = Job { sweep: CommitFiles.name().to_owned(), ..visit.job.clone() };
    let mut mark = mark::read(visit.env.store.as_ref(), &job).await?;
    if mark.done_for.is_none() || pending::first(visit, 1).await?.is_empty() {
        return Ok(());
    }
    mark.done_for = None;
    match mark::save(visit.env.store.as_ref(), &job, &mut mark).await {
        // Somebody is at it, who finds them on the list.
        Ok(()) | Err(StoreError::Conflict) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

#[async_trait]
impl Sweep for CommitFiles {
    fn name(&self) -> &'static str {
        "commit_files"
    }
    fn group(&self) -> Group {
        Group::CommitFiles
    }
    fn follows(&self) -> Option<&'static str> {
        Some("commits")
    }
    fn entities(&self) -> &'static [&'static Entity] {
        static OF: &[&Entity] = &[&COMMIT_FILES];
        OF
    }

    fn sample(&self) -> Option<String> {
        Some("defaultBranchRef { target { ... on Commit { history(first: $items) { nodes { changedFilesIfAvailable } } } } }".to_owned())
    }
    fn weigh(&self, repository: Node<'_>) -> Weight {
        let mut weight = Weight { of: COMMITS.name, ..Weight::default() };
        for commit in repository.items("defaultBranchRef.target.history.nodes") {
            let files = commit.u64("changedFilesIfAvailable").unwrap_or(1);
            weight.items += 1.0;
            *weight.rows.entry(COMMIT_FILES.name).or_default() += files as f64;
            weight.further += further(files, FILES_A_PAGE) as f64;
        }
        weight
    }
    /// Nothing from git; over REST a request a commit, and one for each further page of its files.
    fn first_read(&self, shape: &Shape, settings: &Settings) -> Bill {
        let commits = shape.rows(COMMITS.name);
        match settings.files_from {
            FilesFrom::Auto if commits > FEW as f64 => Bill::default(),
            FilesFrom::Git => Bill::default(),
            FilesFrom::Auto | FilesFrom::Rest => Bill::requests(commits + shape.further(self.name())),
        }
    }

    async fn page(&self, visit: &Visit<'_>) -> Result<Page, Error> {
        let mut position: Position = serde_json::from_value(visit.position().clone()).unwrap_or_default();
        let mut memo: Memo = serde_json::from_value(visit.mark.memo.clone()).unwrap_or_default();
        if !position.seeded && !memo.seeded {
            return seed(visit, position).await;
        }
        (position.seeded, memo.seeded) = (true, true);
        pending::strike(visit, &std::mem::take(&mut position.finished)).await?;
        let mut page = match (position.commit.take(), position.page.take()) {
            (Some(name), Some(url)) => over_rest(visit, &mut position, name, Some(url)).await?,
            _ => newest(visit, &mut position, &mut memo).await?,
        };
        if page.next.is_some() {
            page.next = Some(to_value(&position)?);
        } else if let Some(scratch) = &visit.env.scratch {
            scratch.forget(visit.scope());
        }
        page.memo = Some(serde_json::to_value(&memo).map_err(|error| Error::Unreadable(error.to_string()))?);
        Ok(page)
    }
}

/// The files of the newest commits on the list; no `next` where it is empty. The list shrinks as we go, and survives us.
async fn newest(visit: &Visit<'_>, position: &mut Position, memo: &mut Memo) -> Result<Page, Error> {
    if let Some(name) = position.left.pop() {
        return over_rest(visit, position, name, None).await;
    }
    let list = pending::first(visit, from_git::COMMITS_A_PAGE).await?;
    let Some(first) = list.first() else { return Ok(Page { local: true, ..Page::default() }) };
    if let Some(told) = by_git(visit, &list, memo).await? {
        (position.finished, position.left) = (told.done, told.left);
        return Ok(Page { records: told.records, next: Some(Value::Null), ..Page::default() });
    }
    over_rest(visit, position, first.name.clone(), None).await
}

/// None where REST is to be asked.
async fn by_git(visit: &Visit<'_>, list: &[Pending], memo: &mut Memo) -> Result<Option<Told>, Error> {
    let choice = visit.env.settings.files_from;
    let Some(scratch) = visit.env.scratch.as_ref().filter(|_| choice != FilesFrom::Rest) else { return Ok(None) };
    let barred = memo.without_git_until.is_some_and(|until| until > visit.now);
    let few = list.len() <= FEW && scratch.get(visit.scope()).is_none();
    if choice == FilesFrom::Auto && (barred || few) {
        return Ok(None);
    }
    match from_git::read(visit, scratch, list).await? {
        Ok(told) => {
            (memo.without_git_until, memo.why) = (None, None);
            Ok(Some(told))
        }
        Err(Barred { why, .. }) if choice == FilesFrom::Git => Err(Error::Denied { code: "git", message: format!("git cannot be had: {why}") }),
        Err(Barred { why, until }) => {
            tracing::warn!(repository = visit.scope(), why, %until, "files of commits come over REST, at a request each");
            (memo.without_git_until, memo.why) = (Some(until), Some(why));
            Ok(None)
        }
    }
}

async fn over_rest(visit: &Visit<'_>, position: &mut Position, name: String, url: Option<String>) -> Result<Page, Error> {
    let sha = Pending::parse(name.clone()).sha;
    let url = url.unwrap_or_else(|| format!("/repos/{}/commits/{sha}?per_page=100", visit.repo.full_name()));
    let mut page = rest::read(visit, &sha, &url).await?;
    match page.next.take() {
        Some(Value::String(url)) => (position.commit, position.page) = (Some(name), Some(url)),
        _ => position.finished.push(name),
    }
    page.next = Some(Value::Null);
    Ok(page)
}

fn record(
    out: &mut Out,
    sha: &str,
    path: &str,
    (previous_path, status): (Value, Value),
    (additions, deletions, changes): (Option<u64>, Option<u64>, Option<u64>),
    committed_at: &Value,
) {
    let fields = json!({ "sha": sha, "path": path, "previous_path": previous_path, "status": status, "additions": additions, "deletions": deletions,
        "changes": changes, "committed_at": committed_at });
    out.push(&COMMIT_FILES, format!("{sha}#{path}"), None, fields);
}

/// Puts the commits that are stored without files on the list, a thousand at a time.
async fn seed(visit: &Visit<'_>, position: Position) -> Result<Page, Error> {
    let store = visit.env.store.as_ref();
    let after = position.seeding_after.as_deref();
    let commits = store.list(&Listing { after, limit: 1000, ..Listing::all(&COMMITS, visit.scope()) }).await?;
    for row in commits.rows.iter().filter(|row| !row.gone) {
        let prefix = format!("{}#", row.key);
        let files = Listing { prefix: &prefix, limit: 1, ..Listing::all(&COMMIT_FILES, visit.scope()) };
        if store.list(&files).await?.rows.is_empty() {
            let at = row.fields.get("committed_at").and_then(|at| at.as_str()?.parse().ok());
            remember(visit, &[(&row.key, at)]).await?;
        }
    }
    let last = commits.rows.last().map(|row| row.key.clone());
    let next = Position { seeded: !commits.more || last.is_none(), seeding_after: last, ..Position::default() };
    Ok(Page { local: true, next: Some(to_value(&next)?), ..Page::default() })
}

fn to_value(position: &Position) -> Result<Value, Error> {
    serde_json::to_value(position).map_err(|error| Error::Unreadable(error.to_string()))
}
