//! The commits of all other branches, where they are asked for: from each head that is not known down to what is known.
//! They are written where nothing is known yet, so that whatever the default branch's own history says stands.

use super::connections::check;
use super::{Page, Sweep, Visit, commit_files, commits};
use crate::entities::{COMMITS, Entity, Group};
use crate::env::Branches;
use crate::model::Presence;
use crate::node::{Node, Out};
use crate::plan::{Bill, Shape};
use crate::{Error, Settings};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashSet};

pub(crate) struct BranchCommits;

pub(super) const NAME: &str = "branch_commits";

const HEADS_A_PAGE: u32 = 100;

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Position {
    /// Where the list of branches goes on.
    listed: Option<String>,
    all_listed: bool,
    /// Heads whose histories are still to be read.
    heads: BTreeSet<String>,
    /// The one that is being read.
    head: Option<String>,
    after: Option<String>,
    /// Parents that were named but not met.
    frontier: BTreeSet<String>,
}

const HEADS: &str = "query($owner: String!, $name: String!, $first: Int!, $after: String) { rateLimit { cost remaining resetAt } \
    repository(owner: $owner, name: $name) { databaseId refs(refPrefix: \"refs/heads/\", first: $first, after: $after) { \
    pageInfo { hasNextPage endCursor } nodes { target { oid } } } } }";

#[async_trait]
impl Sweep for BranchCommits {
    fn name(&self) -> &'static str {
        NAME
    }
    fn group(&self) -> Group {
        Group::Commits
    }
    /// Rows of the commits' own sweep, which tells how it stands with them.
    fn entities(&self) -> &'static [&'static Entity] {
        &[]
    }
    /// So that a page is a point: of what costs more, most is known already.
    fn page_size(&self) -> u32 {
        50
    }
    fn after(&self) -> Option<&'static str> {
        Some(commits::NAME)
    }
    fn is_wanted(&self, settings: &Settings) -> bool {
        settings.wants(self.group()) && settings.branches == Branches::All
    }

    async fn page(&self, visit: &Visit<'_>) -> Result<Page, Error> {
        let mut position: Position = serde_json::from_value(visit.position().clone()).unwrap_or_default();
        if position.head.is_none() {
            position.head = position.heads.pop_first();
        }
        match position.head.clone() {
            Some(head) => walk(visit, position, head).await,
            None if position.all_listed => {
                commit_files::is_behind(visit).await?;
                Ok(Page { local: true, ..Page::default() })
            }
            None => heads(visit, position).await,
        }
    }

    /// At most: the list of branches, and a page for each that is not merged.
    fn first_read(&self, shape: &Shape, settings: &Settings) -> Bill {
        let others = (shape.rows("branches") - 1.0).max(0.0);
        if !self.is_wanted(settings) {
            return Bill::default();
        }
        Bill::queries(shape.pages("branches", HEADS_A_PAGE), HEADS, HEADS_A_PAGE) + Bill::queries(others, commits::QUERY, self.page_size())
    }

    fn queries(&self) -> Vec<(String, String)> {
        vec![(NAME.to_owned(), commits::QUERY.to_owned()), ("branch_heads".to_owned(), HEADS.to_owned())]
    }
}

/// A page of the list of branches: which heads are not known.
async fn heads(visit: &Visit<'_>, mut position: Position) -> Result<Page, Error> {
    let variables = json!({ "owner": visit.repo.owner, "name": visit.repo.name, "first": HEADS_A_PAGE, "after": position.listed });
    let answer = visit.env.graphql(HEADS, &variables).await?;
    let missing = check(visit, &answer)?;
    let list = Node(&answer.data).at("repository.refs");
    let told: Vec<String> = list.items("nodes").filter_map(|branch| branch.str("target.oid")).map(str::to_owned).collect();
    let known = known(visit, &told).await?;
    position.heads = told.into_iter().filter(|head| !known.contains(head)).collect();
    position.listed = list.str("pageInfo.endCursor").map(str::to_owned);
    position.all_listed = !list.flag("pageInfo.hasNextPage");
    Ok(Page { next: Some(to_value(&position)?), missing, ..Page::default() })
}

async fn walk(visit: &Visit<'_>, mut position: Position, head: String) -> Result<Page, Error> {
    let variables = json!({
        "owner": visit.repo.owner, "name": visit.repo.name, "head": head, "first": visit.page_size,
        "after": position.after, "since": visit.env.settings.since,
    });
    let answer = visit.env.graphql(commits::QUERY, &variables).await?;
    let missing = check(visit, &answer)?;
    let list = Node(&answer.data).at("repository.object.history");
    let mut out = Out::new(visit.scope(), visit.now);
    let mut met = BTreeSet::new();
    for node in list.items("nodes") {
        commits::read(node, visit, false, &mut out);
        if let Some(sha) = node.str("oid") {
            met.insert(sha.to_owned());
            position.frontier.extend(node.items("parents.nodes").filter_map(|parent| parent.str("oid")).map(str::to_owned));
        }
    }
    let asked: Vec<String> = met.union(&position.frontier).cloned().collect();
    let known = known(visit, &asked).await?;
    out.records.retain(|record| record.entity != &COMMITS || !known.contains(&record.key));
    out.records.iter_mut().filter(|record| record.entity == &COMMITS).for_each(|record| record.presence = Presence::Glimpse);
    commits::remember(visit, met.iter().filter(|sha| !known.contains(*sha)), &out.records).await?;
    position.frontier.retain(|sha| !met.contains(sha) && !known.contains(sha));
    position.after = list.str("pageInfo.endCursor").map(str::to_owned);
    // Also where a push by force took it away since: the next list tells the new head.
    if position.frontier.is_empty() || !list.flag("pageInfo.hasNextPage") {
        position.frontier.clear();
        (position.head, position.after) = (None, None);
    } else {
        position.head = Some(head);
    }
    Ok(Page { records: out.records, next: Some(to_value(&position)?), missing, ..Page::default() })
}

async fn known(visit: &Visit<'_>, shas: &[String]) -> Result<HashSet<String>, Error> {
    let rows = visit.env.store.get_only(&COMMITS, visit.scope(), shas, &["sha"]).await?;
    Ok(rows.into_iter().filter(|row| !row.gone).map(|row| row.key).collect())
}

fn to_value(position: &Position) -> Result<Value, Error> {
    serde_json::to_value(position).map_err(|error| Error::Unreadable(error.to_string()))
}
