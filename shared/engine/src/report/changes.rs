//! What commits changed in files, with who did it and when the file was changed before. Merges are left out: they change
//! nothing that their branches did not. Reads rows, tells each change once, and keeps none.

use super::ask::{AskError, Asked};
use super::committed::{Names, PARTS, Wanted};
use super::items::Texts;
use super::parts::fold;
use crate::entities::{COMMIT_FILES, COMMITS};
use crate::model::ScopeId;
use crate::node::short_hash;
use crate::ports::{Rows, StoreError};
use crate::row::Row;
use crate::touches::{Touches, merges};
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::Arc;

/// A file changed by a commit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Change<'a> {
    pub(super) repo: &'a Arc<str>,
    pub(super) path: &'a Arc<str>,
    /// A login or, of who has no account, an address.
    pub(super) author: Option<&'a Arc<str>>,
    pub(super) at: Timestamp,
    /// When the file was last changed before; none if it is new.
    pub(super) before: Option<Timestamp>,
    pub(super) additions: u64,
    pub(super) deletions: u64,
}

/// What a row tells.
struct Touched {
    /// A hash of the commit's.
    commit: u64,
    path: Arc<str>,
    former: Option<Arc<str>>,
    at: Timestamp,
    /// If the row knows.
    before: Option<Timestamp>,
    additions: u64,
    deletions: u64,
}

/// Tells the changes that are asked for, by repository, author and time, in no order; and what to say if the copy has none.
pub(super) async fn each(store: &dyn Rows, asked: &Asked, tell: &mut (dyn FnMut(&Change<'_>) + Send)) -> Result<Option<String>, AskError> {
    let wanted = Wanted::of(store, asked).await?;
    let mut any = false;
    for (scope, repo) in wanted.repos(store).await? {
        of_repository(store, scope, &repo.into(), &wanted, &mut |change| {
            any = true;
            tell(change);
        })
        .await?;
    }
    let hint = || "no file of a commit is in this copy, or in what was asked for: it needs the groups commits and commit-files".to_owned();
    Ok((!any).then(hint))
}

async fn of_repository(
    store: &dyn Rows,
    scope: ScopeId,
    repo: &Arc<str>,
    wanted: &Wanted,
    tell: &mut (dyn FnMut(&Change<'_>) + Send),
) -> Result<(), StoreError> {
    let authors = Authors::load(store, scope, wanted).await?;
    let touches = if store.computed() { None } else { Some(Touches::load(store, scope, &merges(store, scope).await?).await?) };
    let only = ["sha", "path", "previous_path", "committed_at", "previous_committed_at", "additions", "deletions"];
    let reader = || {
        let mut texts = Texts::default();
        move |row: &dyn Row| {
            Some(Touched {
                commit: of_commit(row.text("sha")?),
                path: texts.keep(row.text("path")?),
                former: row.text("previous_path").map(|path| texts.keep(path)),
                at: row.time("committed_at")?,
                before: row.time("previous_committed_at"),
                additions: row.number("additions").unwrap_or(0),
                deletions: row.number("deletions").unwrap_or(0),
            })
        }
    };
    let told = |picked: Vec<Touched>| {
        for one in picked.into_iter().filter(|one| wanted.takes(one.at)) {
            let Some(author) = authors.of(one.commit) else { continue };
            let former = one.former.as_ref().unwrap_or(&one.path);
            let before = touches.as_ref().map_or(one.before, |touches| touches.before(former, one.at));
            tell(&Change { repo, path: &one.path, author, at: one.at, before, additions: one.additions, deletions: one.deletions });
        }
    };
    fold(store, &COMMIT_FILES, scope, &PARTS, &only, reader, told).await
}

/// The first half of the hash's digits is as good as all; what is no hash is hashed.
fn of_commit(sha: &str) -> u64 {
    sha.get(..16).and_then(|digits| u64::from_str_radix(digits, 16).ok()).unwrap_or_else(|| short_hash(sha))
}

/// Who made each commit that counts, by a hash of its hash: there may be millions.
struct Authors {
    names: Vec<Arc<str>>,
    /// Places among the names; past their end: nobody known.
    of: HashMap<u64, u32>,
}

impl Authors {
    async fn load(store: &dyn Rows, scope: ScopeId, wanted: &Wanted) -> Result<Self, StoreError> {
        let reader = || {
            let mut names = Names::new(&wanted.people);
            // What merges two branches changes nothing of its own.
            move |row: &dyn Row| Some((of_commit(row.text("sha")?), names.author(row)?)).filter(|_| row.count("parents") < 2)
        };
        let (mut names, mut places, mut of) = (Vec::new(), HashMap::new(), HashMap::new());
        let keep = |picked: Vec<(u64, Option<Arc<str>>)>| {
            for (commit, author) in picked {
                let place = author.map_or(u32::MAX, |name| {
                    *places.entry(name.clone()).or_insert_with(|| {
                        names.push(name);
                        u32::try_from(names.len() - 1).unwrap_or(u32::MAX)
                    })
                });
                of.insert(commit, place);
            }
        };
        fold(store, &COMMITS, scope, &PARTS, &["sha", "author_login", "author_email", "parents"], reader, keep).await?;
        Ok(Self { names, of })
    }

    /// None: the commit does not count. Within: nobody known made it.
    fn of(&self, commit: u64) -> Option<Option<&Arc<str>>> {
        let place = *self.of.get(&commit)?;
        Some(usize::try_from(place).ok().and_then(|place| self.names.get(place)))
    }
}
