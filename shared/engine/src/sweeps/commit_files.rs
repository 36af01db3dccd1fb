//! The files of each commit, over REST: one request for a commit, more if it has over 300 files.
//! <https://docs.github.com/en/rest/commits/commits#get-a-commit>
//!
//! Which commits are still to be asked for is kept as a list beside the records, so that a visit costs what is new.

use super::{Page, Sweep, Visit};
use crate::entities::{COMMIT_FILES, COMMITS, Entity, Group};
use crate::mark;
use crate::model::{Job, StateKey};
use crate::node::{Node, Out};
use crate::plan::{Bill, Shape, Weight, further};
use crate::ports::StoreError;
use crate::{Error, Listing};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub(crate) struct CommitFiles;

/// GitHub's own, whatever is asked for.
const FILES_A_PAGE: u32 = 300;

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Position {
    /// While looking through the commits that were there before this option was switched on.
    seeding_after: Option<String>,
    seeded: bool,
    /// The commit whose files go on at this page.
    page: Option<String>,
    sha: Option<String>,
    /// The commit that is written by now, to be taken off the list.
    done: Option<String>,
}

/// The list: `files#<repository>`, one name a commit.
pub(crate) fn list_of(scope: u64) -> String {
    format!("files#{scope}")
}

pub(crate) async fn remember(visit: &Visit<'_>, shas: &[&String]) -> Result<(), Error> {
    for sha in shas {
        let key = StateKey { of: list_of(visit.scope()), name: (*sha).clone() };
        match visit.env.store.save(&key, 0, &json!({})).await {
            Ok(_) | Err(StoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
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
    /// A request a commit, and one for each further page of its files.
    fn first_read(&self, shape: &Shape) -> Bill {
        Bill::requests(shape.rows(COMMITS.name) + shape.further(self.name()))
    }

    async fn page(&self, visit: &Visit<'_>) -> Result<Page, Error> {
        let mut position: Position = serde_json::from_value(visit.position().clone()).unwrap_or_default();
        let seeded = position.seeded || visit.mark.memo.get("seeded").is_some();
        if !seeded {
            return seed(visit, position).await;
        }
        position.seeded = true;
        if let Some(sha) = position.done.take() {
            forget(visit, &sha).await?;
        }
        let (sha, url) = match (position.sha.take(), position.page.take()) {
            (Some(sha), Some(url)) => (sha, url),
            _ => {
                // The list is read one name at a time: it shrinks as we go, and survives us.
                let Some(sha) = next(visit).await? else {
                    return Ok(Page { local: true, memo: Some(json!({ "seeded": true })), ..Page::default() });
                };
                let url = format!("/repos/{}/commits/{sha}?per_page=100", visit.repo.full_name());
                (sha, url)
            }
        };
        let mut page = read(visit, &sha, &url).await?;
        match page.next.take() {
            Some(Value::String(url)) => (position.sha, position.page) = (Some(sha), Some(url)),
            _ => position.done = Some(sha),
        }
        page.next = Some(to_value(&position)?);
        page.memo = Some(json!({ "seeded": true }));
        Ok(page)
    }
}

async fn read(visit: &Visit<'_>, sha: &str, url: &str) -> Result<Page, Error> {
    let reply = match visit.env.rest(url).await {
        // The commit is no longer there (a push by force, a purge), or its diff cannot be made: say so and go on.
        Err(Error::GitHub(error @ (github::Error::Absent { .. } | github::Error::Rejected { .. } | github::Error::Empty)))
            if visit.mark.pages > 0 || matches!(error, github::Error::Rejected { .. }) =>
        {
            return Ok(Page { missing: vec![format!("{sha}: {error}")], ..Page::default() });
        }
        other => other?,
    };
    let commit = Node(&reply.body);
    if commit.str("sha") != Some(sha) {
        return Err(Error::Unreadable(format!("it is not commit {sha}")));
    }
    let committed_at = commit.utc("commit.committer.date");
    let mut out = Out::new(visit.scope(), visit.now);
    for file in commit.items("files") {
        let Some(path) = file.str("filename") else { continue };
        let fields = json!({
            "sha": sha,
            "path": path,
            "previous_path": file.value("previous_filename"),
            "status": file.value("status"),
            "additions": file.u64("additions"),
            "deletions": file.u64("deletions"),
            "changes": file.u64("changes"),
            "committed_at": committed_at,
        });
        out.push(&COMMIT_FILES, format!("{sha}#{path}"), None, fields);
    }
    Ok(Page { records: out.records, next: reply.next.map(Value::from), ..Page::default() })
}

/// Puts the commits that are stored without files on the list, a thousand at a time.
async fn seed(visit: &Visit<'_>, position: Position) -> Result<Page, Error> {
    let store = visit.env.store.as_ref();
    let after = position.seeding_after.as_deref();
    let commits = store.list(&Listing { entity: &COMMITS, scope: visit.scope(), prefix: "", after, limit: 1000 }).await?;
    for row in commits.rows.iter().filter(|row| !row.gone) {
        let prefix = format!("{}#", row.key);
        let files = Listing { entity: &COMMIT_FILES, scope: visit.scope(), prefix: &prefix, after: None, limit: 1 };
        if store.list(&files).await?.rows.is_empty() {
            remember(visit, &[&row.key]).await?;
        }
    }
    let last = commits.rows.last().map(|row| row.key.clone());
    let next = Position { seeded: !commits.more || last.is_none(), seeding_after: last, ..Position::default() };
    Ok(Page { local: true, next: Some(to_value(&next)?), ..Page::default() })
}

async fn next(visit: &Visit<'_>) -> Result<Option<String>, Error> {
    let first = visit.env.store.first_state_of(&list_of(visit.scope())).await?;
    Ok(first.map(|(name, _)| name))
}

async fn forget(visit: &Visit<'_>, sha: &str) -> Result<(), Error> {
    let key = StateKey { of: list_of(visit.scope()), name: sha.to_owned() };
    let states = visit.env.store.states(std::slice::from_ref(&key)).await?;
    let revision = states.first().map_or(0, |state| state.revision);
    if revision > 0 {
        match visit.env.store.save(&key, revision, &Value::Null).await {
            Ok(_) | Err(StoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn to_value(position: &Position) -> Result<Value, Error> {
    serde_json::to_value(position).map_err(|error| Error::Unreadable(error.to_string()))
}
