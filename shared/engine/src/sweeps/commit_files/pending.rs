//! The list of commits whose files are still to be read, beside the records, newest first. Reads nothing of GitHub.

use super::super::Visit;
use crate::Error;
use crate::model::StateKey;
use crate::ports::StoreError;
use futures::stream::{StreamExt, TryStreamExt};
use jiff::Timestamp;
use serde_json::{Value, json};

/// Writes at once.
const TOGETHER: usize = 16;
/// The year 2286: dates count down from there, so that the newest is first.
const LAST_SECOND: i64 = 9_999_999_999;

/// A commit on the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pending {
    /// As the list names it.
    pub(super) name: String,
    pub(super) sha: String,
    /// Seconds since 1970; names of former versions do not tell it.
    pub(super) committed_at: Option<i64>,
}

impl Pending {
    pub(super) fn new(sha: &str, committed_at: Option<i64>) -> Self {
        let left = LAST_SECOND - committed_at.unwrap_or_default().clamp(0, LAST_SECOND);
        Self { name: format!("{left:010}#{sha}"), sha: sha.to_owned(), committed_at }
    }

    pub(super) fn parse(name: String) -> Self {
        match name.split_once('#') {
            Some((left, sha)) => {
                let committed_at = left.parse::<i64>().ok().map(|left| LAST_SECOND - left).filter(|at| *at > 0);
                Self { sha: sha.to_owned(), committed_at, name }
            }
            None => Self { sha: name.clone(), committed_at: None, name },
        }
    }
}

/// The list: `files#<repository>`.
pub(crate) fn list_of(scope: u64) -> String {
    format!("files#{scope}")
}

/// Puts commits on the list, each with its time.
pub(crate) async fn remember(visit: &Visit<'_>, commits: &[(&str, Option<Timestamp>)]) -> Result<(), Error> {
    let names: Vec<String> = commits.iter().map(|(sha, at)| Pending::new(sha, at.map(Timestamp::as_second)).name).collect();
    let note = async |name: String| {
        let key = StateKey { of: list_of(visit.scope()), name };
        match visit.env.store.save(&key, 0, &json!({})).await {
            Ok(_) | Err(StoreError::Conflict) => Ok(()),
            Err(error) => Err(error),
        }
    };
    Ok(futures::stream::iter(names.into_iter().map(note)).buffer_unordered(TOGETHER).try_collect().await?)
}

/// The first so many.
pub(super) async fn first(visit: &Visit<'_>, most: usize) -> Result<Vec<Pending>, Error> {
    let states = visit.env.store.first_states_of(&list_of(visit.scope()), most).await?;
    Ok(states.into_iter().map(|(name, _)| Pending::parse(name)).collect())
}

/// Takes them off the list; those that somebody else has taken off are none of our business.
pub(super) async fn strike(visit: &Visit<'_>, names: Vec<String>) -> Result<(), Error> {
    let keys: Vec<StateKey> = names.into_iter().map(|name| StateKey { of: list_of(visit.scope()), name }).collect();
    let revisions: Vec<u64> = visit.env.store.states(&keys).await?.into_iter().map(|state| state.revision).collect();
    let strike = async |(key, revision): (StateKey, u64)| match visit.env.store.save(&key, revision, &Value::Null).await {
        Ok(_) | Err(StoreError::Conflict) => Ok(()),
        Err(error) => Err(error),
    };
    let listed = keys.into_iter().zip(revisions).filter(|(_, revision)| *revision > 0);
    Ok(futures::stream::iter(listed.map(strike)).buffer_unordered(TOGETHER).try_collect().await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_is_first_and_former_names_are_understood() {
        let (old, new) = (Pending::new("aa", Some(1_600_000_000)), Pending::new("bb", Some(1_700_000_000)));
        assert!(new.name < old.name);
        assert_eq!(Pending::parse(new.name.clone()), new);
        assert_eq!(Pending::parse(Pending::new("cc", None).name).committed_at, None);
        assert_eq!(Pending::parse("dd".to_owned()), Pending { name: "dd".to_owned(), sha: "dd".to_owned(), committed_at: None });
    }
}
