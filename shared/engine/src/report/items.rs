//! Issues and pull requests as reports need them: who made them when, and who said something about them. Reads rows and
//! changes nothing.

use super::ask::{AskError, Asked, wrong};
use super::cards::ItemKind;
use super::groups::Traits;
use super::labels::{text, texts, time};
use super::parts::{all, pick};
use super::people::People;
use super::pulls;
use super::question::kind;
use super::stages::labeled;
use crate::entities::{Entity, ISSUE_COMMENTS, ISSUES, REVIEW_COMMENTS, REVIEWS};
use crate::export::names;
use crate::model::{ScopeId, Stored};
use crate::ports::{Rows, StoreError};
use crate::row::Row;
use jiff::Timestamp;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

/// An issue, or what a pull request has in common with one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Item {
    pub repo: String,
    pub number: u64,
    pub author: Option<String>,
    pub labels: Vec<String>,
    pub assignees: Vec<String>,
    pub milestone: Option<String>,
    pub created_at: Timestamp,
    /// Of one that was reopened and closed again, the last time.
    pub closed_at: Option<Timestamp>,
    /// What others than its author said, in no order; neither apps nor bots, unless they count.
    pub said: Vec<Said>,
    /// How many comments there are, whoever wrote them.
    pub comments: u64,
}

/// A word of another than the author.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    pub at: Timestamp,
    /// None: the account was deleted.
    pub by: Option<Arc<str>>,
    pub what: Word,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    Comment,
    Review,
    /// A review that approves and was not dismissed.
    Approval,
}

/// Texts that occur often are kept once.
#[derive(Debug, Default)]
pub(super) struct Texts(HashSet<Arc<str>>);

impl Texts {
    pub(super) fn keep(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.0.get(text) {
            return known.clone();
        }
        let new: Arc<str> = text.into();
        self.0.insert(new.clone());
        new
    }
}

/// The fields of a row that [`Item::read`] reads.
pub(super) const FIELDS: [&str; 7] = ["number", "author", "labels", "assignees", "milestone", "created_at", "closed_at"];

impl Item {
    pub(super) fn read(row: &Map<String, Value>, repo: &str) -> Option<Self> {
        Some(Self {
            repo: repo.to_owned(),
            number: row.get("number")?.as_u64()?,
            author: text(row, "author").map(str::to_owned),
            labels: texts(row, "labels"),
            assignees: texts(row, "assignees"),
            milestone: text(row, "milestone").map(str::to_owned),
            created_at: time(row, "created_at")?,
            closed_at: time(row, "closed_at"),
            said: Vec::new(),
            comments: 0,
        })
    }

    /// What bots say counts for nothing, and what an author says from another account neither.
    pub(super) fn hear(&mut self, said: Said, people: &People) {
        self.comments += u64::from(said.what == Word::Comment);
        let nobody = people.is_nobody(said.by.as_deref());
        let by = said.by.map(|by| people.shared(by));
        if !nobody && (by.is_none() || by.as_deref() != self.author.as_deref()) {
            self.said.push(Said { by, ..said });
        }
    }

    pub(super) fn traits(&self, ended_at: Option<Timestamp>) -> Traits<'_> {
        Traits {
            repo: Some(&self.repo),
            author: self.author.as_deref(),
            labels: &self.labels,
            assignees: &self.assignees,
            milestone: self.milestone.as_deref(),
            created_at: self.created_at,
            ended_at,
        }
    }

    /// When something was first said, until then; not before it was created.
    pub(super) fn first(&self, until: Timestamp, what: impl Fn(Word) -> bool) -> Option<Timestamp> {
        let seen = self.said.iter().filter(|said| said.at <= until && what(said.what)).map(|said| said.at).min();
        seen.map(|at| at.max(self.created_at))
    }
}

/// Issues and, where they are asked for, pull requests; and what to say if the copy has none.
pub(super) async fn asked_for(store: &dyn Rows, asked: &Asked, words: bool) -> Result<(Vec<Item>, Option<String>), AskError> {
    let kinds = asked.all("kind").iter().map(|name| kind(name)).collect::<Result<BTreeSet<ItemKind>, _>>()?;
    if kinds.contains(&ItemKind::Draft) {
        return Err(wrong("kind", "a draft is on a board only. There are: issue, pull-request".to_owned()));
    }
    let (repos, labels, people) = (asked.matcher("repo")?, asked.all("label"), People::load(store, asked).await?);
    let mut items = Vec::new();
    for (scope, repo) in names(store, false).await?.iter().filter(|(_, repo)| repos.takes(repo)) {
        if kinds.contains(&ItemKind::Issue) {
            items.append(&mut from_rows(store, *scope, repo, &people, words).await?);
        }
        if kinds.contains(&ItemKind::PullRequest) {
            let pulls = pulls::read(store, *scope, repo, &people, words).await?;
            items.extend(pulls.into_iter().map(|pull| pull.item));
        }
    }
    let hint = items.is_empty().then(|| "no issue is in this copy, or in these repositories: it needs the group issues".to_owned());
    items.retain(|item| people.counts(item.author.as_deref()) && labeled(&item.labels, &labels));
    Ok((items, hint))
}

async fn from_rows(store: &dyn Rows, scope: ScopeId, repo: &str, people: &People, words: bool) -> Result<Vec<Item>, StoreError> {
    let read = |row: Stored| Some((Item::read(&row.fields, repo).filter(|_| !row.gone)?, row.key));
    let (mut items, mut keys) = (BTreeMap::new(), Vec::new());
    for (mut item, key) in all(store, &ISSUES, scope, &FIELDS, read).await? {
        item.author = people.named(item.author);
        items.insert(item.number, item);
        keys.push(key);
    }
    if words {
        for (number, said) in heard(store, scope, &keys, &ISSUE_COMMENTS).await? {
            if let Some(item) = items.get_mut(&number) {
                item.hear(said, people);
            }
        }
    }
    Ok(items.into_values().collect())
}

/// Where a row has the number of what it says something of, and when it was said.
fn spoken(entity: &Entity) -> (&'static str, &'static str) {
    if entity == &ISSUE_COMMENTS {
        ("number", "created_at")
    } else if entity == &REVIEW_COMMENTS {
        ("pull_request", "created_at")
    } else {
        ("pull_request", "submitted_at")
    }
}

/// What the rows of the entity say, by the number of what they say it of.
pub(super) async fn heard(store: &dyn Rows, scope: ScopeId, keys: &[String], entity: &'static Entity) -> Result<Vec<(u64, Said)>, StoreError> {
    let (number, at) = spoken(entity);
    let reader = || {
        let mut texts = Texts::default();
        move |row: &dyn Row| {
            let what = match row.text("state") {
                _ if entity != &REVIEWS => Word::Comment,
                Some("APPROVED") => Word::Approval,
                _ => Word::Review,
            };
            let by = row.text("author").map(|by| texts.keep(by));
            Some((row.number(number)?, Said { at: row.time(at)?, by, what }))
        }
    };
    pick(store, entity, scope, keys, &[number, at, "author", "state"], reader).await
}
