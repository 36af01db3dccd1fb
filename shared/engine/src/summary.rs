//! What `status` needs of a repository, in one small item beside its marks: so that 14,000 repositories are read with a
//! few queries. Written after each mark that is saved, from that mark alone, and mended by discovery, which reads every
//! mark: it can be one page behind after a kill, and never drifts. Decides nothing.

use crate::mark::{Cost, Mark, Problem, Tally};
use crate::model::{Job, ScopeId, State, StateKey};
use crate::node::short_hash;
use crate::ports::{Store, StoreError};
use crate::repository::Repository;
use crate::sweeps;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// The names in it are short, and what is nothing is left out: a status reads 14,000 of them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Summary {
    #[serde(rename = "n")]
    pub(crate) repo: String,
    #[serde(rename = "o")]
    pub(crate) org: ScopeId,
    #[serde(rename = "g", skip_serializing_if = "is_default")]
    pub(crate) gone: bool,
    /// What GitHub has switched off in it: `issues`, or `repository` for all.
    #[serde(rename = "x", skip_serializing_if = "is_default")]
    pub(crate) disabled: Vec<String>,
    /// GitHub's totals at the last discovery.
    #[serde(rename = "t", skip_serializing_if = "is_default")]
    pub(crate) totals: BTreeMap<String, u64>,
    /// By sweep, a hash of what discovery last said of it; negative where there is nothing to read.
    #[serde(rename = "m", skip_serializing_if = "is_default")]
    pub(crate) moved: BTreeMap<String, i64>,
    #[serde(rename = "s", skip_serializing_if = "is_default")]
    pub(crate) sweeps: BTreeMap<String, Swept>,
}

/// What a status needs of a mark. Times are seconds since 1970.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Swept {
    #[serde(rename = "r")]
    pub(crate) revision: u64,
    #[serde(rename = "d", skip_serializing_if = "is_default")]
    pub(crate) done_for: Option<u32>,
    #[serde(rename = "f", skip_serializing_if = "is_default")]
    pub(crate) finished_at: Option<i64>,
    #[serde(rename = "w", skip_serializing_if = "is_default")]
    pub(crate) walk: Option<Walked>,
    #[serde(rename = "u", skip_serializing_if = "is_default")]
    pub(crate) not_before: Option<i64>,
    #[serde(rename = "p", skip_serializing_if = "is_default")]
    pub(crate) problem: Option<Problem>,
    #[serde(rename = "k", skip_serializing_if = "is_default")]
    pub(crate) rows: BTreeMap<String, u64>,
    /// In milliseconds.
    #[serde(rename = "l", skip_serializing_if = "is_default")]
    pub(crate) counted_at: i64,
    #[serde(rename = "t", skip_serializing_if = "is_default")]
    pub(crate) total: Option<u64>,
    #[serde(rename = "m", skip_serializing_if = "is_default")]
    pub(crate) missing: Vec<String>,
    /// Too much is missing for this place: the mark has it all.
    #[serde(rename = "c", skip_serializing_if = "is_default")]
    pub(crate) cut: bool,
    #[serde(rename = "n", skip_serializing_if = "is_default")]
    pub(crate) pages: u64,
    /// Requests and points.
    #[serde(rename = "e", skip_serializing_if = "is_default")]
    spent: (u64, u64),
    /// Created, updated, removed.
    #[serde(rename = "z", skip_serializing_if = "is_default")]
    written: (u64, u64, u64),
}

/// A walk under way.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Walked {
    #[serde(rename = "b")]
    pub(crate) began: i64,
    #[serde(rename = "a")]
    pub(crate) at: i64,
    #[serde(rename = "n")]
    pub(crate) pages: u64,
    #[serde(rename = "f", skip_serializing_if = "is_default")]
    pub(crate) full: bool,
    #[serde(rename = "s", skip_serializing_if = "is_default")]
    pub(crate) seen: BTreeMap<String, u64>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// DynamoDB writes a thousand small items a second into one partition; more are read at once than from one, too.
const PARTITIONS: u64 = 16;
/// Of what is missing, so many bytes are kept here.
const MISSING: usize = 600;

fn partition(number: u64) -> String {
    format!("summaries#{number:x}")
}

pub(crate) fn key(scope: ScopeId) -> StateKey {
    StateKey { of: partition(scope % PARTITIONS), name: scope.to_string() }
}

fn short(text: &str) -> u32 {
    let hash = short_hash(text);
    // Zero has no sign.
    u32::try_from((hash ^ (hash >> 32)) & 0xffff_ffff).unwrap_or(1).max(1)
}

impl Swept {
    pub(crate) fn of(mark: &Mark) -> Self {
        let seconds = |at: Option<Timestamp>| at.map(Timestamp::as_second);
        let walked = |walk: &crate::mark::Walk| Walked {
            began: seconds(walk.began).unwrap_or_default(),
            at: seconds(walk.at).unwrap_or_default(),
            pages: walk.pages,
            full: walk.full,
            seen: walk.seen.clone(),
        };
        let mut missing: Vec<String> = mark.missing.clone();
        missing.extend(mark.walk.iter().flat_map(|walk| walk.missing.clone()));
        let cut = missing.iter().map(String::len).sum::<usize>() > MISSING;
        Self {
            revision: mark.revision,
            // Without what was chosen then, which discovery's word does not have either.
            done_for: mark.done_for.as_deref().and_then(|done_for| done_for.split('|').next()).map(short),
            finished_at: seconds(mark.finished_at),
            walk: mark.walk.as_ref().map(walked),
            not_before: seconds(mark.not_before),
            problem: mark.problem.clone(),
            rows: mark.rows.clone(),
            counted_at: mark.counted_at.map(Timestamp::as_millisecond).unwrap_or_default(),
            total: mark.total,
            missing: if cut { Vec::new() } else { missing },
            cut,
            pages: mark.pages,
            spent: (mark.spent.requests, mark.spent.points),
            written: (mark.written.created, mark.written.updated, mark.written.removed),
        }
    }

    pub(crate) fn spent(&self) -> Cost {
        Cost { requests: self.spent.0, points: self.spent.1 }
    }

    pub(crate) fn written(&self) -> Tally {
        Tally { created: self.written.0, updated: self.written.1, removed: self.written.2 }
    }
}

impl Summary {
    /// From what discovery keeps of a repository and the marks of its sweeps.
    pub(crate) fn of(hint: &Repository, states: &BTreeMap<String, State>) -> Self {
        let mut summary = Self::default();
        summary.know(hint);
        for sweep in sweeps::ALL {
            if let Some(state) = states.get(&format!("mark#{}", sweep.name())) {
                summary.sweeps.insert(sweep.name().to_owned(), Swept::of(&crate::mark::parse(state.clone())));
            }
        }
        summary
    }

    fn know(&mut self, hint: &Repository) {
        let said = |moved: &str| i64::from(short(moved)) * if moved.starts_with("0 ") { -1 } else { 1 };
        (self.repo, self.org, self.gone) = (hint.full_name(), hint.org_id, hint.gone);
        (self.disabled, self.totals) = (hint.disabled.clone(), hint.totals.clone());
        self.moved = hint.moved.iter().map(|(sweep, moved)| (sweep.clone(), said(moved))).collect();
    }

    /// Takes over what is newer of `other`.
    fn learn(&mut self, hint: Option<&Repository>, sweeps: &BTreeMap<String, Swept>) {
        if let Some(hint) = hint {
            self.know(hint);
        }
        for (name, swept) in sweeps {
            let slot = self.sweeps.entry(name.clone()).or_default();
            if slot.revision < swept.revision {
                *slot = swept.clone();
            }
        }
    }

    fn parse(state: &State) -> Self {
        state.value.as_str().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }
}

/// Notes a mark that was just saved.
pub(crate) async fn note(store: &dyn Store, job: &Job, mark: &mut Mark) -> Result<(), StoreError> {
    let sweeps = BTreeMap::from([(job.sweep.clone(), Swept::of(mark))]);
    mark.noted = change(store, job.scope, mark.noted.take(), None, &sweeps).await?;
    Ok(())
}

/// What is noted of these repositories.
pub(crate) async fn read(store: &dyn Store, hints: &[Repository]) -> Result<Vec<Summary>, StoreError> {
    some(store, &hints.iter().map(|hint| hint.id).collect::<Vec<_>>()).await
}

/// The same by number; empty where nothing is.
pub(crate) async fn some(store: &dyn Store, ids: &[ScopeId]) -> Result<Vec<Summary>, StoreError> {
    let keys: Vec<StateKey> = ids.iter().copied().map(key).collect();
    Ok(store.states(&keys).await?.iter().map(Summary::parse).collect())
}

/// Notes what discovery found, and whatever a worker that was killed did not; nothing is done if all is `noted`.
pub(crate) async fn mend(store: &dyn Store, hint: &Repository, states: &BTreeMap<String, State>, noted: &Summary) -> Result<(), StoreError> {
    let now = Summary::of(hint, states);
    if now != *noted {
        change(store, hint.id, None, Some(hint), &now.sweeps).await?;
    }
    Ok(())
}

/// `known` saves reading it, unless somebody else wrote meanwhile. Returns what is there afterwards.
async fn change(
    store: &dyn Store,
    scope: ScopeId,
    mut known: Option<State>,
    hint: Option<&Repository>,
    sweeps: &BTreeMap<String, Swept>,
) -> Result<Option<State>, StoreError> {
    let key = key(scope);
    loop {
        let state = match known.take() {
            Some(known) => known,
            None => store.states(std::slice::from_ref(&key)).await?.into_iter().next().unwrap_or_default(),
        };
        let before = Summary::parse(&state);
        let mut summary = before.clone();
        summary.learn(hint, sweeps);
        if summary == before {
            return Ok(Some(state));
        }
        let value = Value::String(serde_json::to_string(&summary).unwrap_or_default());
        match store.save(&key, state.revision, &value).await {
            Ok(revision) => return Ok(Some(State { revision, value })),
            // Another sweep of the same repository: both are to be noted.
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error),
        }
    }
}

/// Makes it anew from what is there now; nothing of what was noted stays.
pub(crate) async fn renew(store: &dyn Store, scope: ScopeId) -> Result<(), StoreError> {
    let key = key(scope);
    loop {
        let Some(noted) = store.states(std::slice::from_ref(&key)).await?.into_iter().next() else { return Ok(()) };
        let states: BTreeMap<String, State> = store.states_of(&crate::mark::partition(scope)).await?.into_iter().collect();
        let now = states.get("hint").and_then(Repository::parse).map(|hint| Summary::of(&hint, &states));
        let value = now.and_then(|now| serde_json::to_string(&now).ok()).map_or(Value::Null, Value::String);
        match store.save(&key, noted.revision, &value).await {
            Err(StoreError::Conflict) => {}
            other => return other.map(|_| ()),
        }
    }
}

/// Every repository that a discovery has seen.
pub(crate) async fn all(store: &dyn Store) -> Result<Vec<(ScopeId, Summary)>, StoreError> {
    let read = |number: u64| async move {
        let states = store.states_of(&partition(number)).await?;
        Ok::<_, StoreError>(states.iter().filter_map(|(id, state)| Some((id.parse().ok()?, Summary::parse(state)))).collect::<Vec<_>>())
    };
    Ok(futures::future::try_join_all((0..PARTITIONS).map(read)).await?.into_iter().flatten().collect())
}
