//! Pull requests as reports need them: who made them when, what was said about them, how they ended, how large they are.
//! Reads rows and changes nothing.

use super::ask::{AskError, Asked};
use super::items::{FIELDS, Item, heard};
use super::labels::{text, time};
use super::parts::all;
use super::people::People;
use super::stages::labeled;
use crate::entities::{ISSUE_COMMENTS, PULL_REQUESTS, REVIEW_COMMENTS, REVIEWS, USERS};
use crate::export::{Pages, names};
use crate::model::{ScopeId, Stored};
use crate::ports::{Rows, StoreError};
use jiff::Timestamp;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pull {
    pub item: Item,
    /// The earliest author date of its commits.
    pub first_commit_at: Option<Timestamp>,
    pub merged_at: Option<Timestamp>,
    pub merged_by: Option<String>,
    pub merge_commit_sha: Option<String>,
    /// The branch that it was made against.
    pub base_ref: Option<String>,
    pub additions: Option<u64>,
    pub deletions: Option<u64>,
    pub changed_files: Option<u64>,
}

/// Logins of apps and bots, whose comments are no response.
pub async fn bots(store: &dyn Rows) -> Result<BTreeSet<String>, StoreError> {
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

/// The pull requests that are asked for, by repository, author and label, with what was `said` about them if that is wanted;
/// and what to say if the copy has none.
pub(super) async fn asked_for(store: &dyn Rows, asked: &Asked, people: &People, said: bool) -> Result<(Vec<Pull>, Option<String>), AskError> {
    let (repos, labels) = (asked.matcher("repo")?, asked.all("label"));
    let mut pulls = Vec::new();
    for (scope, repo) in names(store, false).await?.iter().filter(|(_, repo)| repos.takes(repo)) {
        pulls.append(&mut read(store, *scope, repo, people, said).await?);
    }
    let hint = pulls.is_empty().then(nothing);
    pulls.retain(|pull| wanted(pull, people, &labels));
    Ok((pulls, hint))
}

pub(super) fn nothing() -> String {
    "no pull request is in this copy, or in these repositories: it needs the group pull-requests".to_owned()
}

/// Whether its author and its labels are asked for.
pub(super) fn wanted(pull: &Pull, people: &People, labels: &[String]) -> bool {
    people.counts(pull.item.author.as_deref()) && labeled(&pull.item.labels, labels)
}

/// The pull requests of one repository, with what was said about them.
pub async fn from_pull_requests(store: &dyn Rows, scope: ScopeId, repo: &str, people: &People) -> Result<Vec<Pull>, StoreError> {
    read(store, scope, repo, people, true).await
}

pub(super) async fn read(store: &dyn Rows, scope: ScopeId, repo: &str, people: &People, said: bool) -> Result<Vec<Pull>, StoreError> {
    let own = ["first_commit_at", "merged_at", "merged_by", "merge_commit_sha", "base_ref", "additions", "deletions", "changed_files"];
    let only: Vec<&str> = FIELDS.into_iter().chain(own).collect();
    let of_row = |row: Stored| Some((pull(&row.fields, repo).filter(|_| !row.gone)?, row.key));
    let (mut pulls, mut keys) = (BTreeMap::new(), Vec::new());
    for (mut pull, key) in all(store, &PULL_REQUESTS, scope, &only, of_row).await? {
        pull.item.author = people.named(pull.item.author);
        pull.merged_by = people.named(pull.merged_by);
        pulls.insert(pull.item.number, pull);
        keys.push(key);
    }
    if said {
        for entity in [&REVIEWS, &REVIEW_COMMENTS, &ISSUE_COMMENTS] {
            for (number, said) in heard(store, scope, &keys, entity).await? {
                if let Some(pull) = pulls.get_mut(&number) {
                    pull.item.hear(said, people);
                }
            }
        }
    }
    Ok(pulls.into_values().collect())
}

fn pull(row: &Map<String, Value>, repo: &str) -> Option<Pull> {
    let text = |name: &str| text(row, name).map(str::to_owned);
    let count = |name: &str| row.get(name).and_then(Value::as_u64);
    Some(Pull {
        item: Item::read(row, repo)?,
        first_commit_at: time(row, "first_commit_at"),
        merged_at: time(row, "merged_at"),
        merged_by: text("merged_by"),
        merge_commit_sha: text("merge_commit_sha"),
        base_ref: text("base_ref"),
        additions: count("additions"),
        deletions: count("deletions"),
        changed_files: count("changed_files"),
    })
}
