//! What commits changed in files, with who did it and when the file was changed before. Merges are left out: they change
//! nothing that their branches did not. Reads rows and changes nothing.

use super::ask::{AskError, Asked};
use super::items::Texts;
use super::labels::text;
use super::people::People;
use crate::entities::{COMMIT_FILES, COMMITS};
use crate::export::{Pages, names};
use crate::model::{ScopeId, Stored};
use crate::ports::{Store, StoreError};
use crate::touches::{Touches, time};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// A file changed by a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub repo: Arc<str>,
    pub path: Arc<str>,
    /// A login or, of who has no account, an address.
    pub author: Option<Arc<str>>,
    pub at: Timestamp,
    /// When the file was last changed before; none if it is new.
    pub before: Option<Timestamp>,
    pub additions: u64,
    pub deletions: u64,
}

/// The changes that are asked for, by repository, author and time; and what to say if the copy has none.
pub(super) async fn asked_for(store: &dyn Store, asked: &Asked) -> Result<(Vec<Change>, Option<String>), AskError> {
    let range = asked.range("committed", &TimeZone::UTC)?;
    let (repos, people) = (asked.matcher("repo")?, People::load(store, asked).await?);
    let takes = |at: Timestamp| at <= asked.now && range.takes(Some(at));
    let mut all = Vec::new();
    for (scope, repo) in names(store, false).await?.iter().filter(|(_, repo)| repos.takes(repo)) {
        all.append(&mut from_commit_files(store, *scope, repo, &people, &takes).await?);
    }
    let hint = || "no file of a commit is in this copy, or in what was asked for: it needs the groups commits and commit-files".to_owned();
    let hint = all.is_empty().then(hint);
    Ok((all, hint))
}

/// The changes of one repository that `takes` wants, by their time, by those people who count.
pub async fn from_commit_files(
    store: &dyn Store,
    scope: ScopeId,
    repo: &str,
    people: &People,
    takes: &(dyn Fn(Timestamp) -> bool + Sync),
) -> Result<Vec<Change>, StoreError> {
    let mut texts = Texts::default();
    let repo = texts.keep(repo);
    let mut authors: HashMap<String, Option<Arc<str>>> = HashMap::new();
    let mut merges = HashSet::new();
    let mut pages = Pages::new(store, &COMMITS, scope);
    while let Some(rows) = pages.next().await? {
        for row in rows.into_iter().filter(|row| !row.gone) {
            if row.fields.get("parents").and_then(Value::as_array).is_some_and(|parents| parents.len() > 1) {
                merges.insert(row.key);
                continue;
            }
            let author = text(&row.fields, "author_login").or_else(|| text(&row.fields, "author_email"));
            if people.counts(author) {
                authors.insert(row.key.clone(), author.map(|author| texts.keep(people.name(author))));
            }
        }
    }
    let touches = Touches::load(store, scope, &merges).await?;
    let mut changes = Vec::new();
    let mut pages = Pages::new(store, &COMMIT_FILES, scope);
    while let Some(rows) = pages.next().await? {
        for row in rows.iter().filter(|row| !row.gone) {
            let Stored { fields, .. } = row;
            let Some(author) = text(fields, "sha").and_then(|sha| authors.get(sha)) else { continue };
            let (Some(path), Some(at)) = (text(fields, "path"), time(text(fields, "committed_at"))) else { continue };
            if !takes(at) {
                continue;
            }
            let count = |name: &str| fields.get(name).and_then(Value::as_u64).unwrap_or(0);
            changes.push(Change {
                repo: repo.clone(),
                path: texts.keep(path),
                author: author.clone(),
                at,
                before: touches.before(text(fields, "previous_path").unwrap_or(path), at),
                additions: count("additions"),
                deletions: count("deletions"),
            });
        }
    }
    changes.sort_by(|one, other| (one.at, &one.path).cmp(&(other.at, &other.path)));
    Ok(changes)
}
