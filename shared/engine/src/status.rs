//! What is there, what waits until when, what is missing and why: per repository and entity, from the marks.

use crate::entities::{REPOSITORIES, USERS};
use crate::mark;
use crate::model::ScopeId;
use crate::node::EVERYWHERE;
use crate::ports::{Listing, Store, StoreError};
use crate::repository::Repository;
use crate::sweeps;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Debug, Clone, Serialize)]
pub struct Status {
    pub repositories: Vec<RepositoryStatus>,
    pub users: u64,
}

#[derive(Debug, Clone, Serialize)]
pub struct RepositoryStatus {
    pub repo: String,
    pub id: ScopeId,
    pub gone: bool,
    pub entities: Vec<EntityStatus>,
}

#[derive(Debug, Clone, Serialize)]
pub struct EntityStatus {
    pub entity: &'static str,
    pub state: Standing,
    pub rows: u64,
    /// GitHub's own total, where GitHub tells one.
    pub total: Option<u64>,
    pub waiting_until: Option<Timestamp>,
    /// What is missing, and why.
    pub missing: Vec<String>,
    pub last_success: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// As GitHub was at the last success.
    Complete,
    /// Under way, or to be gone on with.
    Partial,
    /// Nothing was read yet.
    NotYet,
    /// GitHub has nothing of it.
    Empty,
    /// Held up by a limit or by trouble that passes.
    Waiting,
    /// GitHub will not show it.
    Refused,
}

/// Reads the state of everything. Counts rows, so its cost grows with the table.
pub async fn status(store: &dyn Store, now: Timestamp) -> Result<Status, StoreError> {
    let mut repositories = Vec::new();
    for org in store.scopes(&REPOSITORIES).await? {
        let mut after: Option<String> = None;
        loop {
            let listing = Listing { entity: &REPOSITORIES, scope: org, prefix: "", after: after.as_deref(), limit: 500 };
            let page = store.list(&listing).await?;
            after = page.rows.last().map(|row| row.key.clone());
            for row in &page.rows {
                let Ok(id) = row.key.parse() else { continue };
                let name = row.fields.get("full_name").and_then(|name| name.as_str()).unwrap_or_default();
                repositories.push(repository(store, id, name, row.gone, now).await?);
            }
            if !page.more || after.is_none() {
                break;
            }
        }
    }
    repositories.sort_by(|a, b| a.repo.cmp(&b.repo));
    Ok(Status { repositories, users: store.count(&USERS, EVERYWHERE).await? })
}

async fn repository(store: &dyn Store, id: ScopeId, name: &str, gone: bool, now: Timestamp) -> Result<RepositoryStatus, StoreError> {
    let states: BTreeMap<String, crate::State> = store.states_of(&mark::partition(id)).await?.into_iter().collect();
    let hint = states.get("hint").and_then(Repository::parse).unwrap_or_default();
    let mut entities: Vec<EntityStatus> = Vec::new();
    for sweep in sweeps::ALL {
        let mark = states.get(&format!("mark#{}", sweep.name())).cloned().map(mark::parse).unwrap_or_default();
        for entity in sweep.entities() {
            let rows = store.count(entity, id).await?;
            let total = hint.totals.get(entity.name).copied().or(mark.total.filter(|_| entity.name == sweep.name()));
            let waiting_until = mark.not_before.filter(|until| *until > now);
            let nothing = total == Some(0) || !hint.moved.contains_key("commits") && sweep.always_due();
            let mut missing = mark.missing.clone();
            missing.extend(mark.walk.iter().flat_map(|walk| walk.missing.clone()));
            missing.extend(mark.problem.iter().map(|problem| format!("{}: {}", problem.code, problem.message)));
            let state = match &mark.problem {
                Some(problem) if !problem.passing => Standing::Refused,
                _ if waiting_until.is_some() => Standing::Waiting,
                _ if mark.walk.is_some() => Standing::Partial,
                _ if mark.finished_at.is_some() => Standing::Complete,
                _ if nothing => Standing::Empty,
                _ => Standing::NotYet,
            };
            let last_success = mark.finished_at;
            entities.push(EntityStatus { entity: entity.name, state, rows, total, waiting_until, missing, last_success });
        }
    }
    Ok(RepositoryStatus { repo: name.to_owned(), id, gone, entities })
}
