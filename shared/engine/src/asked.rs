//! What events left open: objects of which a payload told not everything, to be read from GitHub. A list beside the
//! records, one name an object; whoever works it off strikes a name only if nobody noted it again meanwhile. It needs no
//! mark: the list is how far it has got.

mod batch;
mod one;

use crate::advance::{BACK, bury, code, is_passing};
use crate::circle::Circle;
use crate::entities::Entity;
use crate::model::{Job, ScopeId, StateKey};
use crate::ports::{Store, StoreError};
use crate::repository::Repository;
use crate::sweeps::{self, Overflow, Page};
use crate::{Env, Error, Outcome, discover};
use batch::{Batch, Found};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// As jobs name it.
pub(crate) const SWEEP: &str = "asked";

impl Job {
    /// Whether it is about what an event left open, or a discovery's: these go before what is only being caught up with.
    #[must_use]
    pub fn is_urgent(&self) -> bool {
        self.sweep == SWEEP || self.sweep == discover::SWEEP
    }
}

/// An object to be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// The entity's name.
    pub entity: &'static str,
    /// Node id; of branches and tags the whole name of the ref.
    pub id: String,
    /// Of its row.
    pub key: String,
    /// The organization's login, where the object belongs to no repository.
    pub org: Option<String>,
}

/// As it is kept: the id is its name in the list.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct Kept {
    entity: String,
    key: String,
    org: Option<String>,
    /// It was read, but for what is left of these lists.
    overflows: Vec<Overflow>,
    circle: Circle,
    /// How often it was noted: a list without revisions of its own.
    times: u64,
}

/// One name of the list.
#[derive(Debug, Clone)]
pub(crate) struct Open {
    id: String,
    revision: u64,
    kept: Kept,
}

fn list(scope: ScopeId) -> String {
    format!("asked#{scope}")
}

/// Which scopes have such a list.
const LISTS: &str = "asked";

/// Notes objects to be read. Send a job for `asked` afterwards.
pub async fn ask(store: &dyn Store, scope: ScopeId, questions: &[Asked]) -> Result<(), StoreError> {
    for question in questions {
        let key = StateKey { of: list(scope), name: question.id.clone() };
        loop {
            let state = store.states(std::slice::from_ref(&key)).await?.into_iter().next().unwrap_or_default();
            let before: Kept = serde_json::from_value(state.value).unwrap_or_default();
            let (entity, org) = (question.entity.to_owned(), question.org.clone());
            // What was left of its lists is read anew, with the rest.
            let kept = Kept { entity, key: question.key.clone(), org, times: before.times + 1, ..Kept::default() };
            match store.save(&key, state.revision, &json!(kept)).await {
                // Noted by somebody else, or struck off before this was known: both are no good.
                Err(StoreError::Conflict) => {}
                other => {
                    other?;
                    break;
                }
            }
        }
    }
    if questions.is_empty() {
        return Ok(());
    }
    let key = StateKey { of: LISTS.to_owned(), name: scope.to_string() };
    match store.save(&key, 0, &json!({})).await {
        Ok(_) | Err(StoreError::Conflict) => Ok(()),
        Err(error) => Err(error),
    }
}

/// The scopes where something is still to be asked: their jobs may have been lost.
pub async fn open(store: &dyn Store) -> Result<Vec<ScopeId>, StoreError> {
    Ok(store.states_of(LISTS).await?.iter().filter_map(|(scope, _)| scope.parse().ok()).collect())
}

/// Whether an object of this kind can be read by itself.
pub(crate) fn is_askable(entity: &Entity) -> bool {
    batch::is_askable(entity)
}

pub(crate) fn queries() -> Vec<(String, String)> {
    batch::queries()
}

/// Works off the list of one scope until `deadline`.
pub(crate) async fn answer(job: &Job, env: &Env, deadline: Timestamp) -> Result<Outcome, Error> {
    let env = &env.urgently();
    let repo = Repository::read(env, job.scope).await?;
    let store = env.store.as_ref();
    // Nobody knows this repository any more, or it is gone: it is only asked for itself.
    let mut size = batch::MOST;
    let mut refused: BTreeSet<String> = BTreeSet::new();
    let mut why = None;
    loop {
        let now = env.now();
        if now >= deadline {
            env.queue.send(std::slice::from_ref(job)).await?;
            return Ok(Outcome::Continued);
        }
        let index = StateKey { of: LISTS.to_owned(), name: job.scope.to_string() };
        let listed = store.states(std::slice::from_ref(&index)).await?.first().map_or(0, |state| state.revision);
        let states = store.states_of(&list(job.scope)).await?;
        let open: Vec<Open> = states
            .into_iter()
            .map(|(id, state)| Open { id, revision: state.revision, kept: serde_json::from_value(state.value).unwrap_or_default() })
            .filter(|open| !refused.contains(&open.id))
            .collect();
        let Some(batch) = Batch::of(open, size) else {
            if let Some((code, message)) = why {
                return Ok(Outcome::Refused { code, message });
            }
            if listed > 0 {
                settled(store.save(&index, listed, &Value::Null).await)?;
            }
            return Ok(Outcome::CaughtUp);
        };
        let org = repo.as_ref().map(|repo| repo.owner.clone()).or_else(|| batch.org());
        let env = &org.map_or_else(|| env.clone(), |org| env.about(&org));
        match batch.read(job, repo.as_ref(), env, now).await {
            Ok(found) => {
                size = (size + size / 4 + 1).min(batch::MOST);
                for (id, code, message) in &found.refused {
                    tracing::warn!(scope = job.scope, id, code, message, "what was asked for is not shown");
                    refused.insert(id.clone());
                    why = Some((code.clone(), message.clone()));
                }
                for id in write(job, env, found, now).await? {
                    tracing::error!(scope = job.scope, id, "{BACK}");
                    refused.insert(id);
                    why = Some(("unreadable".to_owned(), BACK.to_owned()));
                }
            }
            Err(Error::Heavy | Error::GitHub(github::Error::TooHeavy { .. })) if batch.len() > 1 => size = (batch.len() / 2).max(1),
            Err(Error::GitHub(error @ github::Error::TooHeavy { .. })) => {
                // It will never be answered whole, and must not hold up the others.
                let found = batch.read_alone(job, env, now).await?;
                tracing::error!(scope = job.scope, ids = ?batch.ids().collect::<Vec<_>>(), %error, "an item is read without the lists inside it");
                write(job, env, found, now).await?;
            }
            Err(error @ Error::Waiting { until }) => return Ok(Outcome::Parked { until, limit: true, why: error.to_string() }),
            Err(Error::GitHub(error)) if is_passing(&error) => {
                let until = now.checked_add(SignedDuration::from_secs(10)).unwrap_or(now);
                return Ok(Outcome::Parked { until, limit: false, why: error.to_string() });
            }
            Err(Error::GitHub(github::Error::Unauthenticated)) => return Err(Error::GitHub(github::Error::Unauthenticated)),
            Err(Error::GitHub(error)) => {
                let (code, message) = (code(&error).to_owned(), error.to_string());
                refused.extend(batch.ids().map(str::to_owned));
                why = Some((code, message));
            }
            Err(Error::Denied { code, message }) => {
                refused.extend(batch.ids().map(str::to_owned));
                why = Some((code.to_owned(), message));
            }
            Err(error) => return Err(error),
        }
    }
}

/// Rows before what says that they were read, as everywhere. Tells of which objects a list has no end.
async fn write(job: &Job, env: &Env, found: Found, now: Timestamp) -> Result<Vec<String>, Error> {
    let Page { ahead, records, sets, .. } = found.page;
    env.store.put(&ahead).await?;
    env.store.put(&records).await?;
    for set in &sets {
        bury(job, env, set, now).await?;
    }
    if !found.jobs.is_empty() {
        env.queue.send(&found.jobs).await?;
    }
    let mut endless = Vec::new();
    for (open, overflows) in found.answered {
        let key = StateKey { of: list(job.scope), name: open.id.clone() };
        let mut kept = Kept { overflows, ..open.kept };
        let places: String = kept.overflows.iter().map(|list| format!("{} {} {};", list.number, list.alias, list.after)).collect();
        let value = if kept.overflows.is_empty() {
            Value::Null
        } else if kept.circle.closes_at(&places) {
            endless.push(open.id);
            json!(Kept { overflows: Vec::new(), circle: Circle::default(), ..kept })
        } else {
            json!(kept)
        };
        // Noted again since it was read: to be read again.
        settled(env.store.save(&key, open.revision, &value).await)?;
    }
    Ok(endless)
}

fn settled(saved: Result<u64, StoreError>) -> Result<(), StoreError> {
    match saved {
        Ok(_) | Err(StoreError::Conflict) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Whether an item's kind is one that is read with lists inside.
fn kind_of(entity: &str) -> Option<&'static sweeps::Kind> {
    sweeps::ITEMS.into_iter().find(|kind| kind.entity.name == entity)
}
