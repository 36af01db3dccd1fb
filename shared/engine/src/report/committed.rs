//! Commits as reports need them: who made them when, and how much they changed. Merges are left out: they change nothing that
//! their branches did not; so is what a push by force left behind. Reads rows and changes nothing.

use super::ask::{AskError, Asked, Matcher};
use super::parts::between;
use super::people::People;
use super::range::Range;
use crate::entities::COMMITS;
use crate::export::names;
use crate::model::ScopeId;
use crate::ports::{Rows, StoreError};
use crate::row::Row;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::collections::HashMap;
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
    pub(super) people: Arc<People>,
    pub(super) range: Range,
    pub(super) now: Timestamp,
}

impl Wanted {
    pub(super) async fn of(store: &dyn Rows, asked: &Asked) -> Result<Self, AskError> {
        let people = Arc::new(People::load(store, asked).await?);
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

/// Who they are whose names rows have: asked once of each name.
pub(super) struct Names {
    people: Arc<People>,
    known: HashMap<Box<str>, Option<Arc<str>>>,
}

impl Names {
    pub(super) fn new(people: &Arc<People>) -> Self {
        Self { people: people.clone(), known: HashMap::new() }
    }

    /// The author of a commit: a login or, of who has no account, an address. None: what they made does not count. Within:
    /// nobody known made it.
    #[allow(clippy::option_option, reason = "two different nobodies")]
    pub(super) fn author(&mut self, row: &dyn Row) -> Option<Option<Arc<str>>> {
        let Some(name) = row.text("author_login").or_else(|| row.text("author_email")) else {
            return self.people.counts(None).then_some(None);
        };
        if let Some(known) = self.known.get(name) {
            return known.clone().map(Some);
        }
        let one = self.people.counts(Some(name)).then(|| Arc::from(self.people.name(name)));
        self.known.insert(name.into(), one.clone());
        one.map(Some)
    }
}

/// Those of one repository by people who count, in no order.
pub(super) async fn from_commits(store: &dyn Rows, scope: ScopeId, people: &Arc<People>) -> Result<Vec<Commit>, StoreError> {
    let only = ["author_login", "author_email", "authored_at", "committed_at", "parents", "additions", "deletions", "changed_files", "on_default_branch"];
    let reader = || {
        let mut names = Names::new(people);
        move |row: &dyn Row| {
            if row.count("parents") > 1 || row.flag("on_default_branch") == Some(false) {
                return None;
            }
            let (author, committed_at) = (names.author(row)?, row.time("committed_at")?);
            let count = |name: &str| row.number(name).unwrap_or(0);
            Some(Commit {
                author,
                authored_at: row.time("authored_at").unwrap_or(committed_at),
                committed_at,
                additions: count("additions"),
                deletions: count("deletions"),
                changed_files: count("changed_files"),
            })
        }
    };
    between(store, &COMMITS, scope, &PARTS, &only, reader).await
}
