//! The commits of the default branch, from its head down to what we know: not by date, since dates can be set back
//! and branches pushed by force. <https://docs.github.com/en/graphql/reference/objects#commit>

use super::connections::check;
use super::{Page, Sweep, Visit, commit_files};
use crate::entities::{COMMITS, Entity, Group};
use crate::model::{Presence, Record, Version};
use crate::node::{Node, Out, short_hash};
use crate::{Error, Listing};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashSet};

pub(crate) struct Commits;

pub(super) const NAME: &str = "commits";

#[derive(Debug, Default, Clone, Serialize, Deserialize)]
#[serde(default)]
struct Position {
    /// The walk stays on the head it began with, whatever is pushed meanwhile.
    head: Option<String>,
    after: Option<String>,
    /// Parents that were named but not met: the walk is through when we know them all.
    frontier: BTreeSet<String>,
    /// Commits met that were not known before.
    fresh: u64,
    walked: bool,
}

pub(super) const QUERY: &str = "query($owner: String!, $name: String!, $head: GitObjectID!, $first: Int!, $after: String, $since: GitTimestamp) { \
    rateLimit { cost remaining resetAt } repository(owner: $owner, name: $name) { databaseId object(oid: $head) { ... on Commit { \
    history(first: $first, after: $after, since: $since) { totalCount pageInfo { hasNextPage endCursor } nodes { \
    id oid url message authoredDate committedDate additions deletions changedFilesIfAvailable \
    author { name email user { __typename login id databaseId name } } committer { name email user { __typename login id databaseId name } } \
    parents(first: 100) { nodes { oid } } associatedPullRequests(first: 100) { nodes { number repository { nameWithOwner } } } \
    } } } } } }";

#[async_trait]
impl Sweep for Commits {
    fn name(&self) -> &'static str {
        NAME
    }
    fn group(&self) -> Group {
        Group::Commits
    }
    fn entities(&self) -> &'static [&'static Entity] {
        static OF: &[&Entity] = &[&COMMITS];
        OF
    }
    async fn page(&self, visit: &Visit<'_>) -> Result<Page, Error> {
        let mut position: Position = serde_json::from_value(visit.position().clone()).unwrap_or_default();
        if position.head.is_none() {
            position.head = visit.repo.moved.get("commits").cloned();
        }
        match position.head.clone() {
            None => Ok(Page { local: true, ..Page::default() }),
            Some(_) if position.walked => finish(visit, &position).await,
            Some(head) => walk(visit, position, &head).await,
        }
    }
    fn queries(&self) -> Vec<(String, String)> {
        vec![("commits".to_owned(), QUERY.to_owned())]
    }
}

async fn walk(visit: &Visit<'_>, mut position: Position, head: &str) -> Result<Page, Error> {
    let variables = json!({
        "owner": visit.repo.owner, "name": visit.repo.name, "head": head, "first": visit.page_size,
        "after": position.after, "since": visit.env.settings.since,
    });
    let answer = visit.env.graphql(QUERY, &variables).await?;
    let missing = check(visit, &answer)?;
    let object = Node(&answer.data).at("repository.object");
    if !object.exists() {
        // Pushed away by force since discovery looked: the next one tells the new head.
        return Err(Error::Denied { code: "moved", message: format!("commit {head} is no longer there") });
    }
    let list = object.at("history");
    let mut out = Out::new(visit.scope(), visit.now);
    let mut met = BTreeSet::new();
    for node in list.items("nodes") {
        read(node, visit, true, &mut out);
        if let Some(sha) = node.str("oid") {
            met.insert(sha.to_owned());
            position.frontier.extend(node.items("parents.nodes").filter_map(|parent| parent.str("oid")).map(str::to_owned));
        }
    }
    let mut asked: Vec<String> = met.union(&position.frontier).cloned().collect();
    // On the first walk nothing is known, and the walk ends at the root.
    if visit.first() && visit.mark.pages == 0 && position.after.is_none() {
        asked.clear();
    }
    // A commit of another branch that is merged by now is as good as new here, but its files are known.
    let stored = visit.env.store.get_only(&COMMITS, visit.scope(), &asked, &["on_default_branch"]).await?;
    let here = |row: &crate::Stored| row.fields.get("on_default_branch") != Some(&Value::Bool(false));
    let known: HashSet<String> = stored.iter().filter(|row| here(row)).map(|row| row.key.clone()).collect();
    let fresh: Vec<&String> = met.iter().filter(|sha| !known.contains(*sha)).collect();
    position.fresh += u64::try_from(fresh.len()).unwrap_or(0);
    let elsewhere: HashSet<&String> = stored.iter().filter(|row| !here(row)).map(|row| &row.key).collect();
    remember(visit, fresh.into_iter().filter(|sha| !elsewhere.contains(sha)), &out.records).await?;
    position.frontier.retain(|sha| !met.contains(sha) && (visit.first() || !known.contains(sha)));
    let all_known = !visit.first() && !visit.full() && position.frontier.is_empty();
    position.after = list.str("pageInfo.endCursor").map(str::to_owned);
    position.walked = all_known || !list.flag("pageInfo.hasNextPage");
    if position.walked || visit.first() {
        position.frontier.clear();
    }
    Ok(Page {
        newest: out.records.iter().filter_map(|record| record.fields.get("committed_at")?.as_str()?.parse().ok()).max(),
        records: out.records,
        total: list.u64("totalCount"),
        next: Some(to_value(&position)?),
        missing,
        ..Page::default()
    })
}

/// Has the files of new commits read: noted before the commits themselves, so that none is known whose files nobody will
/// ask for.
pub(super) async fn remember(visit: &Visit<'_>, fresh: impl Iterator<Item = &String>, records: &[Record]) -> Result<(), Error> {
    let at = |sha: &String| records.iter().find(|record| record.entity == &COMMITS && record.key == *sha)?.fields.get("committed_at")?.as_str()?.parse().ok();
    let fresh: Vec<(&str, Option<jiff::Timestamp>)> = fresh.map(|sha| (sha.as_str(), at(sha))).collect();
    if visit.env.settings.wants(Group::CommitFiles) {
        commit_files::remember(visit, &fresh).await
    } else if fresh.is_empty() {
        Ok(())
    } else {
        commit_files::look_again_later(visit).await
    }
}

/// A push by force leaves commits behind. Their number betrays it: what was there and what is fresh do not add up
/// to what GitHub counts. Which they are, our own rows tell.
async fn finish(visit: &Visit<'_>, position: &Position) -> Result<Page, Error> {
    let before = visit.mark.memo.get("reachable").and_then(Value::as_u64).unwrap_or(0);
    let total = visit.mark.total.unwrap_or(0);
    let mut page = Page { local: true, memo: Some(json!({ "reachable": total })), ..Page::default() };
    if !visit.first() && visit.env.settings.since.is_none() && before + position.fresh != total {
        page.records = left_behind(visit, position.head.as_deref().unwrap_or_default()).await?;
    }
    Ok(page)
}

/// Rows whose `on_default_branch` is no longer true, or is again.
async fn left_behind(visit: &Visit<'_>, head: &str) -> Result<Vec<Record>, Error> {
    let mut graph = Graph::default();
    let mut after: Option<String> = None;
    loop {
        let page = commits_after(visit, after.as_deref()).await?;
        for row in &page.rows {
            let parents = row.fields.get("parents").and_then(Value::as_array);
            graph.add(&row.key, parents.into_iter().flatten().filter_map(Value::as_str));
        }
        after = page.rows.last().map(|row| row.key.clone());
        if !page.more || after.is_none() {
            break;
        }
    }
    let reachable = graph.reachable(head);
    let mut changed = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = commits_after(visit, after.as_deref()).await?;
        after = page.rows.last().map(|row| row.key.clone());
        for row in page.rows.into_iter().filter(|row| !row.gone) {
            let is = reachable.binary_search(&short_hash(&row.key)).is_ok();
            if row.fields.get("on_default_branch") != Some(&Value::Bool(is)) {
                let mut fields = row.fields;
                fields.insert("on_default_branch".to_owned(), Value::Bool(is));
                let version = Version::new(None, visit.now);
                changed.push(Record { entity: &COMMITS, scope: row.scope, key: row.key, version, fields, presence: Presence::Whole });
            }
        }
        if !page.more || after.is_none() {
            return Ok(changed);
        }
    }
}

/// A history, in three words for each commit: a million must fit into a small function.
#[derive(Default)]
struct Graph {
    commits: Vec<u64>,
    /// Commit and parent.
    edges: Vec<(u64, u64)>,
}

impl Graph {
    fn add<'a>(&mut self, sha: &str, parents: impl Iterator<Item = &'a str>) {
        let sha = short_hash(sha);
        self.commits.push(sha);
        self.edges.extend(parents.map(|parent| (sha, short_hash(parent))));
    }

    /// Hashes of the commits that `head` leads to, in order.
    fn reachable(mut self, head: &str) -> Vec<u64> {
        self.commits.sort_unstable();
        self.edges.sort_unstable();
        let mut met = vec![false; self.commits.len()];
        let mut open = vec![short_hash(head)];
        while let Some(sha) = open.pop() {
            let Ok(index) = self.commits.binary_search(&sha) else { continue };
            if met.get_mut(index).is_some_and(|met| !std::mem::replace(met, true)) {
                let first = self.edges.partition_point(|(commit, _)| *commit < sha);
                open.extend(self.edges.iter().skip(first).take_while(|(commit, _)| *commit == sha).map(|(_, parent)| parent));
            }
        }
        let mut met = met.into_iter();
        self.commits.retain(|_| met.next().unwrap_or(false));
        self.commits
    }
}

async fn commits_after(visit: &Visit<'_>, after: Option<&str>) -> Result<crate::Listed, Error> {
    let listing = Listing { after, limit: 1000, ..Listing::all(&COMMITS, visit.scope()) };
    Ok(visit.env.store.list(&listing).await?)
}

pub(super) fn read(node: Node<'_>, visit: &Visit<'_>, on_default_branch: bool, out: &mut Out) {
    let Some(sha) = node.str("oid") else { return };
    out.who(node, "author.user");
    out.who(node, "committer.user");
    let here = visit.repo.full_name();
    let here = node.str("url").and_then(super::issues::repository_of).unwrap_or(&here);
    let (pull_requests, _) = super::issues::here_and_elsewhere(node, "associatedPullRequests.nodes", Some(here));
    let fields = json!({
        "sha": sha,
        "node_id": node.value("id"),
        "author_name": node.value("author.name"),
        "author_email": node.value("author.email"),
        "author_login": node.login("author.user"),
        "authored_at": node.utc("authoredDate"),
        "committer_name": node.value("committer.name"),
        "committer_email": node.value("committer.email"),
        "committer_login": node.login("committer.user"),
        "committed_at": node.utc("committedDate"),
        "message": node.value("message"),
        "parents": node.texts("parents.nodes", "oid"),
        "additions": node.u64("additions"),
        "deletions": node.u64("deletions"),
        "changed_files": node.u64("changedFilesIfAvailable"),
        "on_default_branch": on_default_branch,
        "co_authors": co_authors(node.str("message").unwrap_or_default()),
        "pull_requests": pull_requests,
        "html_url": node.value("url"),
    });
    // A commit never changes; where it stands does, and that has no date but ours.
    out.push(&COMMITS, sha.to_owned(), None, fields);
}

/// `Co-authored-by: Name <address>` lines, in their order.
fn co_authors(message: &str) -> Vec<&str> {
    let key = "co-authored-by:";
    let lines = message.lines().map(str::trim);
    let tail = |line: &'_ str| line.get(..key.len()).is_some_and(|start| start.eq_ignore_ascii_case(key));
    lines.filter(|line| tail(line)).filter_map(|line| line.get(key.len()..)).map(str::trim).collect()
}

fn to_value(position: &Position) -> Result<Value, Error> {
    serde_json::to_value(position).map_err(|error| Error::Unreadable(error.to_string()))
}
