//! What is there, what waits until when, what is missing and why: per repository and entity, from the marks.

use crate::discover;
use crate::entities::{REPOSITORIES, USERS};
use crate::gate;
use crate::mark::{self, Cost, Tally};
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
    pub organizations: Vec<DiscoveryStatus>,
    pub repositories: Vec<RepositoryStatus>,
    pub users: u64,
    /// What all that is here has cost.
    pub spent: Cost,
    /// Rows written in all, by sweeps and discoveries.
    pub written: Tally,
    /// Tokens that must not be used at present.
    pub limits: Vec<ClosedGate>,
}

/// The last discovery of an organization.
#[derive(Debug, Clone, Serialize)]
pub struct DiscoveryStatus {
    pub organization: String,
    pub repositories: u64,
    /// Listed, but not selected.
    pub left_out: u64,
    /// What could not be seen, and why.
    pub missing: Vec<String>,
    pub last_success: Option<Timestamp>,
    /// By all discoveries of it.
    pub spent: Cost,
}

#[derive(Debug, Clone, Serialize)]
pub struct ClosedGate {
    /// The token's fingerprint, from which nothing leads back to it.
    pub token: String,
    /// `core` (REST), `graphql` or `both`.
    pub resource: String,
    pub until: Timestamp,
    pub why: String,
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
    /// What reading it has cost; null for entities that come with another one, which carries the cost of both.
    pub spent: Option<Cost>,
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

impl Standing {
    /// For people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Partial => "partial",
            Self::NotYet => "not yet read",
            Self::Empty => "empty",
            Self::Waiting => "waiting",
            Self::Refused => "refused",
        }
    }
}

/// Reads the state of everything. Counts rows, so its cost grows with the table.
pub async fn status(store: &dyn Store, now: Timestamp) -> Result<Status, StoreError> {
    let mut repositories = Vec::new();
    let mut written = Tally::default();
    for org in store.scopes(&REPOSITORIES).await? {
        let mut after: Option<String> = None;
        loop {
            let listing = Listing { entity: &REPOSITORIES, scope: org, prefix: "", after: after.as_deref(), limit: 500 };
            let page = store.list(&listing).await?;
            after = page.rows.last().map(|row| row.key.clone());
            for row in &page.rows {
                let Ok(id) = row.key.parse() else { continue };
                let name = row.fields.get("full_name").and_then(|name| name.as_str()).unwrap_or_default();
                repositories.push(repository(store, id, name, row.gone, now, &mut written).await?);
            }
            if !page.more || after.is_none() {
                break;
            }
        }
    }
    repositories.sort_by(|a, b| a.repo.cmp(&b.repo));
    let mut organizations = Vec::new();
    for (organization, state) in store.states_of(discover::PARTITION).await? {
        let last: discover::Discovered = serde_json::from_value(state.value).unwrap_or_default();
        let discover::Discovered { repositories, left_out, finished_at: last_success, missing, spent, written: by_it } = last;
        written += &by_it;
        organizations.push(DiscoveryStatus { organization, repositories, left_out, missing, last_success, spent });
    }
    let mut spent = Cost::default();
    organizations.iter().for_each(|organization| spent += organization.spent);
    repositories.iter().flat_map(|repo| &repo.entities).filter_map(|entity| entity.spent).for_each(|cost| spent += cost);
    let users = store.count(&USERS, EVERYWHERE).await?;
    Ok(Status { organizations, repositories, users, spent, written, limits: closed_gates(store, now).await? })
}

async fn closed_gates(store: &dyn Store, now: Timestamp) -> Result<Vec<ClosedGate>, StoreError> {
    let gates = store.states_of(gate::PARTITION).await?;
    let closed = gates.into_iter().filter_map(|(name, state)| {
        let (token, resource) = name.split_once('#')?;
        let until = gate::until(&state.value).filter(|until| *until > now)?;
        let why = state.value.get("why").and_then(|why| why.as_str()).unwrap_or_default().to_owned();
        Some(ClosedGate { token: token.to_owned(), resource: resource.to_owned(), until, why })
    });
    Ok(closed.collect())
}

async fn repository(store: &dyn Store, id: ScopeId, name: &str, gone: bool, now: Timestamp, written: &mut Tally) -> Result<RepositoryStatus, StoreError> {
    let states: BTreeMap<String, crate::State> = store.states_of(&mark::partition(id)).await?.into_iter().collect();
    let hint = states.get("hint").and_then(Repository::parse).unwrap_or_default();
    let mut entities: Vec<EntityStatus> = Vec::new();
    for sweep in sweeps::ALL {
        let mark = states.get(&format!("mark#{}", sweep.name())).cloned().map(mark::parse).unwrap_or_default();
        *written += &mark.written;
        for (index, entity) in sweep.entities().iter().enumerate() {
            let rows = store.count(entity, id).await?;
            let total = hint.totals.get(entity.name).copied().or(mark.total.filter(|_| entity.name == sweep.name()));
            let waiting_until = mark.not_before.filter(|until| *until > now);
            // What hangs on an empty list is empty as well.
            let of_first = sweep.entities().first().and_then(|first| hint.totals.get(first.name));
            let nothing = total == Some(0) || of_first == Some(&0) || !hint.moved.contains_key("commits") && sweep.always_due();
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
            let spent = (index == 0).then_some(mark.spent);
            entities.push(EntityStatus { entity: entity.name, state, rows, total, waiting_until, missing, last_success, spent });
        }
    }
    Ok(RepositoryStatus { repo: name.to_owned(), id, gone, entities })
}
