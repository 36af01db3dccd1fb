//! The instants of each pull request that its cycle is made of: first commit, creation, first response, approval, merge.
//! Reads rows and changes nothing.

use super::ask::{AskError, Asked};
use super::labels::{text, texts, time};
use super::people::People;
use super::stages::labeled;
use crate::entities::{Entity, ISSUE_COMMENTS, PULL_REQUESTS, REVIEW_COMMENTS, REVIEWS, USERS};
use crate::export::{Pages, names};
use crate::model::ScopeId;
use crate::ports::{Store, StoreError};
use jiff::Timestamp;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pull {
    pub repo: String,
    pub number: u64,
    pub author: Option<String>,
    pub labels: Vec<String>,
    pub assignees: Vec<String>,
    pub milestone: Option<String>,
    /// The earliest author date of its commits.
    pub first_commit_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub merged_at: Option<Timestamp>,
    pub closed_at: Option<Timestamp>,
    /// Each comment or review of another than the author.
    pub responses: Vec<Timestamp>,
    /// Each approval of another than the author that was not dismissed.
    pub approvals: Vec<Timestamp>,
}

/// Logins of apps and bots, whose comments are no response.
pub async fn bots(store: &dyn Store) -> Result<BTreeSet<String>, StoreError> {
    let mut bots = BTreeSet::new();
    for scope in store.scopes(&USERS).await? {
        let mut pages = Pages::new(store, &USERS, scope);
        while let Some(rows) = pages.next().await? {
            let is_bot = |row: &Map<String, Value>| row.get("is_bot").and_then(Value::as_bool).unwrap_or(false);
            bots.extend(rows.iter().filter(|row| is_bot(&row.fields)).filter_map(|row| text(&row.fields, "login")).map(str::to_owned));
        }
    }
    Ok(bots)
}

/// The pull requests that are asked for, by repository, author and label; and what to say if the copy has none.
pub(super) async fn asked_for(store: &dyn Store, asked: &Asked) -> Result<(Vec<Pull>, Option<String>), AskError> {
    let (repos, labels, people) = (asked.matcher("repo")?, asked.all("label"), People::load(store, asked).await?);
    let mut pulls = Vec::new();
    for (scope, repo) in names(store, false).await?.iter().filter(|(_, repo)| repos.takes(repo)) {
        pulls.append(&mut from_pull_requests(store, *scope, repo, &people).await?);
    }
    let hint = pulls.is_empty().then(|| "no pull request is in this copy, or in these repositories: it needs the group pull-requests".to_owned());
    pulls.retain(|pull| people.takes(pull.author.as_deref()) && labeled(&pull.labels, &labels));
    Ok((pulls, hint))
}

/// The pull requests of one repository. What bots write is no response, and what an author writes from another account neither.
pub async fn from_pull_requests(store: &dyn Store, scope: ScopeId, repo: &str, people: &People) -> Result<Vec<Pull>, StoreError> {
    let mut pulls: BTreeMap<u64, Pull> = BTreeMap::new();
    let mut pages = Pages::new(store, &PULL_REQUESTS, scope);
    while let Some(rows) = pages.next().await? {
        for mut pull in rows.iter().filter(|row| !row.gone).filter_map(|row| pull(&row.fields, repo)) {
            pull.author = people.named(pull.author);
            pulls.insert(pull.number, pull);
        }
    }
    // The entity, where it has the number, and since when it is to be seen.
    let responses: [(&'static Entity, &str, &str); 3] =
        [(&REVIEWS, "pull_request", "submitted_at"), (&REVIEW_COMMENTS, "pull_request", "created_at"), (&ISSUE_COMMENTS, "number", "created_at")];
    for (entity, number, at) in responses {
        let mut pages = Pages::new(store, entity, scope);
        while let Some(rows) = pages.next().await? {
            for row in rows.iter().filter(|row| !row.gone) {
                let row = &row.fields;
                let pull = row.get(number).and_then(Value::as_u64).and_then(|number| pulls.get_mut(&number));
                let (Some(pull), Some(at)) = (pull, time(row, at)) else { continue };
                let by = text(row, "author").map(|by| people.name(by));
                if by == pull.author.as_deref() && by.is_some() || people.is_nobody(text(row, "author")) {
                    continue;
                }
                pull.responses.push(at);
                if entity == &REVIEWS && text(row, "state") == Some("APPROVED") {
                    pull.approvals.push(at);
                }
            }
        }
    }
    Ok(pulls.into_values().collect())
}

fn pull(row: &Map<String, Value>, repo: &str) -> Option<Pull> {
    Some(Pull {
        repo: repo.to_owned(),
        number: row.get("number")?.as_u64()?,
        author: text(row, "author").map(str::to_owned),
        labels: texts(row, "labels"),
        assignees: texts(row, "assignees"),
        milestone: text(row, "milestone").map(str::to_owned),
        first_commit_at: time(row, "first_commit_at"),
        created_at: time(row, "created_at")?,
        merged_at: time(row, "merged_at"),
        closed_at: time(row, "closed_at"),
        responses: Vec::new(),
        approvals: Vec::new(),
    })
}
