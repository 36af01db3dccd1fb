//! The list of commits whose files are still to be read, beside the records, newest first. Reads nothing of GitHub.

use super::super::Visit;
use crate::Error;
use jiff::Timestamp;

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
    Ok(visit.env.store.list_names(&list_of(visit.scope()), &names, true).await?)
}

/// The first so many.
pub(super) async fn first(visit: &Visit<'_>, most: usize) -> Result<Vec<Pending>, Error> {
    let states = visit.env.store.first_states_of(&list_of(visit.scope()), most).await?;
    Ok(states.into_iter().map(|(name, _)| Pending::parse(name)).collect())
}

/// Takes them off the list; those that somebody else has taken off are none of our business.
pub(super) async fn strike(visit: &Visit<'_>, names: &[String]) -> Result<(), Error> {
    Ok(visit.env.store.list_names(&list_of(visit.scope()), names, false).await?)
}
