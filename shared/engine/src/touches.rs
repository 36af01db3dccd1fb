//! When each path of a repository was changed, so that a change can tell the one before it. Merges change nothing that
//! their branches did not. Reads rows; keeps nothing.

use crate::entities::{COMMIT_FILES, COMMITS};
use crate::export::Pages;
use crate::model::{ScopeId, Stored};
use crate::node::short_hash;
use crate::ports::{Rows, StoreError};
use jiff::Timestamp;
use std::collections::HashSet;

/// Sixteen bytes a change.
#[derive(Debug, Default)]
pub(crate) struct Touches {
    /// Hash of the path, and seconds since 1970; in order.
    all: Vec<(u64, i64)>,
}

/// Commits with several parents.
pub(crate) async fn merges(store: &dyn Rows, scope: ScopeId) -> Result<HashSet<String>, StoreError> {
    let mut merges = HashSet::new();
    let mut pages = Pages::new(store, &COMMITS, scope);
    while let Some(rows) = pages.next().await? {
        let is_merge = |row: &Stored| row.fields.get("parents").and_then(|parents| parents.as_array()).is_some_and(|parents| parents.len() > 1);
        merges.extend(rows.into_iter().filter(is_merge).map(|row| row.key));
    }
    Ok(merges)
}

impl Touches {
    /// Of one repository, without those by `merges`.
    pub(crate) async fn load(store: &dyn Rows, scope: ScopeId, merges: &HashSet<String>) -> Result<Self, StoreError> {
        let mut all = Vec::new();
        let mut pages = Pages::new(store, &COMMIT_FILES, scope);
        while let Some(rows) = pages.next().await? {
            for row in rows.iter().filter(|row| !row.gone) {
                let text = |name: &str| row.fields.get(name).and_then(|value| value.as_str());
                if let (Some(sha), Some(path), Some(at)) = (text("sha"), text("path"), time(text("committed_at")))
                    && !merges.contains(sha)
                {
                    all.push((short_hash(path), at.as_second()));
                }
            }
        }
        all.sort_unstable();
        Ok(Self { all })
    }

    /// When a commit last changed the path before then; of a renamed file, ask with its former path.
    #[must_use]
    pub(crate) fn before(&self, path: &str, at: Timestamp) -> Option<Timestamp> {
        let path = short_hash(path);
        let later = self.all.partition_point(|known| *known < (path, at.as_second()));
        let (of, before) = self.all.get(later.checked_sub(1)?)?;
        (*of == path).then(|| Timestamp::from_second(*before).ok()).flatten()
    }
}

pub(crate) fn time(text: Option<&str>) -> Option<Timestamp> {
    text?.parse().ok()
}
