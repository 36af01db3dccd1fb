//! Commits as reports need them: who made them when, and how much they changed. Merges are left out: they change nothing that
//! their branches did not; so is what a push by force left behind. Reads rows and changes nothing.

use super::ask::{AskError, Asked, Matcher};
use super::items::Texts;
use super::labels::{text, time};
use super::parts::between;
use super::people::People;
use super::range::Range;
use crate::entities::COMMITS;
use crate::export::names;
use crate::model::{ScopeId, Stored};
use crate::ports::{Rows, StoreError};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;
use std::sync::Arc;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// A login or, of who has no account, an address.
    pub author: Option<Arc<str>>,
    pub authored_at: Timestamp,
    pub committed_at: Timestamp,
    pub additions: u64,
    pub deletions: u64,
    pub changed_files: u64,
}

/// Of one repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commits {
    pub repo: Arc<str>,
    pub scope: ScopeId,
    pub commits: Vec<Commit>,
}

/// What is asked of commits.
pub(super) struct Wanted {
    repos: Matcher,
    pub(super) people: People,
    pub(super) range: Range,
    pub(super) now: Timestamp,
}

impl Wanted {
    pub(super) async fn of(store: &dyn Rows, asked: &Asked) -> Result<Self, AskError> {
        let people = People::load(store, asked).await?;
        Ok(Self { repos: asked.matcher("repo")?, people, range: asked.range("committed", &TimeZone::UTC)?, now: asked.now })
    }

    /// The repositories that are asked for, and their names.
    pub(super) async fn repos(&self, store: &dyn Rows) -> Result<Vec<(ScopeId, String)>, StoreError> {
        Ok(names(store, false).await?.into_iter().filter(|(_, repo)| self.repos.takes(repo)).collect())
    }

    pub(super) fn takes(&self, at: Timestamp) -> bool {
        at <= self.now && self.range.takes(Some(at))
    }

    /// The commits that are asked for, by their date, of each repository; and what to say if the copy has none.
    pub(super) async fn commits(&self, store: &dyn Rows) -> Result<(Vec<Commits>, Option<String>), StoreError> {
        let (mut all, mut there) = (Vec::new(), false);
        for (scope, repo) in self.repos(store).await? {
            let mut commits = from_commits(store, scope, &self.people).await?;
            there |= !commits.is_empty();
            commits.retain(|commit| self.takes(commit.committed_at));
            all.push(Commits { repo: repo.into(), scope, commits });
        }
        Ok((all, (!there).then(|| "no commit is in this copy, or in these repositories: it needs the group commits".to_owned())))
    }
}

/// Keys are hashes, which spread evenly.
pub(super) const PARTS: [&str; 3] = ["4", "8", "c"];

/// Those of one repository by people who count, in no order.
pub async fn from_commits(store: &dyn Rows, scope: ScopeId, people: &People) -> Result<Vec<Commit>, StoreError> {
    let only = ["author_login", "author_email", "authored_at", "committed_at", "parents", "additions", "deletions", "changed_files", "on_default_branch"];
    let reader = || {
        let mut texts = Texts::default();
        move |row: Stored| {
            let row = row.fields;
            let merge = row.get("parents").and_then(Value::as_array).is_some_and(|parents| parents.len() > 1);
            let left_behind = row.get("on_default_branch").and_then(Value::as_bool) == Some(false);
            if merge || left_behind {
                return None;
            }
            let committed_at = time(&row, "committed_at")?;
            let count = |name: &str| row.get(name).and_then(Value::as_u64).unwrap_or(0);
            Some(Commit {
                author: author(&row).map(|author| texts.keep(author)),
                authored_at: time(&row, "authored_at").unwrap_or(committed_at),
                committed_at,
                additions: count("additions"),
                deletions: count("deletions"),
                changed_files: count("changed_files"),
            })
        }
    };
    let mut commits = between(store, &COMMITS, scope, &PARTS, &only, reader).await?;
    commits.retain(|commit| people.counts(commit.author.as_deref()));
    for commit in &mut commits {
        commit.author = commit.author.take().map(|author| people.shared(author));
    }
    Ok(commits)
}

/// A login or, of who has no account, an address.
fn author(row: &serde_json::Map<String, Value>) -> Option<&str> {
    text(row, "author_login").or_else(|| text(row, "author_email"))
}
