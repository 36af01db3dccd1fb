//! What is there, what waits until when, what is missing and why: per repository and entity, from the summaries, so that
//! its cost does not grow with the rows; or exactly, from the marks and by counting.

use crate::discover::{Discovered, discoveries};
use crate::entities::{self, Entity, PROJECTS, REPOSITORIES, USERS};
use crate::gate;
use crate::mark::{self, Cost, Mark, Tally};
use crate::model::{ScopeId, State, is_project, project_scope};
use crate::node::EVERYWHERE;
use crate::ports::{Listing, Store, StoreError};
use crate::repository::Repository;
use crate::silence::{self, Silent};
use crate::standing::{self, EntityStatus, Standing};
use crate::summary::{self, Summary};
use crate::sweeps;
use github::Expiring;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Clone, Serialize)]
pub struct Status {
    pub organizations: Vec<DiscoveryStatus>,
    pub repositories: Vec<RepositoryStatus>,
    /// Boards of projects, under the name `organization/projects/number`.
    pub projects: Vec<RepositoryStatus>,
    /// Whether every row was counted now; if not, each number is as of its `counted_at`.
    pub exact: bool,
    pub users: u64,
    /// What all that is here has cost.
    pub spent: Cost,
    /// Rows written in all, by sweeps and discoveries.
    pub written: Tally,
    /// Entities of which nothing new comes any more, while their siblings go on coming.
    pub silent: Vec<Silent>,
    /// Tokens that must not be used at present.
    pub limits: Vec<ClosedGate>,
    /// Credentials that are kept beside the copy and end within 14 days, by integration; filled by whoever can see them.
    pub expiring: BTreeMap<String, Vec<Expiring>>,
}

/// The last discovery of an organization.
#[derive(Debug, Clone, Serialize)]
pub struct DiscoveryStatus {
    pub organization: String,
    pub integration: Option<String>,
    pub repositories: u64,
    /// Listed, but not selected.
    pub left_out: u64,
    /// The groups that were chosen.
    pub groups: BTreeSet<String>,
    /// Nothing that last changed before this was read.
    pub since: Option<Timestamp>,
    /// What its server does not know, and is not asked for.
    pub lacks: BTreeSet<String>,
    /// What could not be seen, and why.
    pub missing: Vec<String>,
    /// When the token ends, if GitHub tells and nothing replaces it by itself.
    pub token_expires: Option<Timestamp>,
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

impl RepositoryStatus {
    /// Whether nothing is missing of it that was chosen and that GitHub has.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.gone || self.entities.iter().all(|entity| entity.state.is_whole() && entity.missing.is_empty())
    }
}

/// Of one entity in all repositories.
#[derive(Debug, Default, Clone)]
pub struct Sum {
    pub rows: u64,
    pub total: u64,
    /// Whether GitHub tells a total for every repository that has any.
    pub told: bool,
    pub standings: BTreeMap<Standing, u64>,
}

/// Rows of each entity, and in how many repositories it stands how; in the order of the sweeps.
#[must_use]
pub fn sums(repositories: &[RepositoryStatus]) -> Vec<(&'static str, Sum)> {
    let mut all: Vec<(&'static str, Sum)> = Vec::new();
    let mut places: BTreeMap<&'static str, usize> = BTreeMap::new();
    for entity in repositories.iter().flat_map(|repo| &repo.entities) {
        let place = *places.entry(entity.entity).or_insert_with(|| {
            all.push((entity.entity, Sum { told: true, ..Sum::default() }));
            all.len() - 1
        });
        let Some((_, sum)) = all.get_mut(place) else { continue };
        sum.rows += entity.rows;
        sum.total += entity.total.unwrap_or(0);
        sum.told &= entity.total.is_some() || entity.rows == 0 && entity.state.is_whole();
        *sum.standings.entry(entity.state).or_default() += 1;
    }
    all
}

/// How these repositories or projects stand, in the order asked; those that nobody has seen are absent.
pub async fn some(store: &dyn Store, ids: &[ScopeId], now: Timestamp) -> Result<Vec<RepositoryStatus>, StoreError> {
    let discoveries = discoveries(store).await?;
    let mut all = Vec::new();
    for (id, mut summary) in ids.iter().copied().zip(summary::some(store, ids).await?) {
        if summary.repo.is_empty() {
            continue;
        }
        if summary.sweeps.values().any(|swept| swept.cut) {
            let states = store.states_of(&mark::partition(id)).await?.into_iter().collect();
            tell_all(&mut summary, &states);
        }
        let entities = standing::judge(id, &summary, standing::chosen(&discoveries, summary.org).as_ref(), now);
        all.push(RepositoryStatus { repo: summary.repo, id, gone: summary.gone, entities });
    }
    Ok(all)
}

/// Reads the state of everything from the summaries.
pub async fn status(store: &dyn Store, now: Timestamp) -> Result<Status, StoreError> {
    let discoveries = discoveries(store).await?;
    // What an older version left has no summaries before its next discovery.
    if discoveries.iter().any(|(_, discovered)| discovered.finished_at.is_some() && !discovered.summarized) {
        return exactly(store, now).await;
    }
    let mut repositories = summary::all(store).await?;
    for (id, summary) in repositories.iter_mut().filter(|(_, summary)| summary.sweeps.values().any(|swept| swept.cut)) {
        let states = store.states_of(&mark::partition(*id)).await?.into_iter().collect();
        tell_all(summary, &states);
    }
    // Seen by a worker, and by no discovery.
    repositories.retain(|(_, summary)| !summary.repo.is_empty());
    told(store, repositories, discoveries, now, false).await
}

/// How old the oldest of what is known of each entity is. What is whole is as old as the last look at its organization or,
/// where no list tells of it, as its last success;
/// what is not, as old as its last success or, never read yet, as that look.
#[must_use]
pub fn lags(status: &Status, now: Timestamp) -> BTreeMap<&'static str, SignedDuration> {
    let looked = |repo: &str| {
        let owner = repo.split('/').next().unwrap_or_default();
        status.organizations.iter().filter(|one| one.organization.eq_ignore_ascii_case(owner)).filter_map(|one| one.last_success).max()
    };
    let mut all: BTreeMap<&'static str, SignedDuration> = BTreeMap::new();
    for repo in status.repositories.iter().chain(&status.projects).filter(|repo| !repo.gone) {
        let looked = looked(&repo.repo);
        for entity in &repo.entities {
            let known = match entity.state {
                Standing::Complete if sweeps::is_always_due(entity.entity) => entity.last_success.or(looked),
                Standing::Complete | Standing::Empty => looked,
                Standing::CatchingUp | Standing::Waiting | Standing::Failed => entity.last_success.or(looked),
                // Of what nobody may read or nobody chose, nothing can be late.
                _ => continue,
            };
            let age = known.map_or(SignedDuration::ZERO, |known| now.duration_since(known).max(SignedDuration::ZERO));
            let oldest = all.entry(entity.entity).or_default();
            *oldest = age.max(*oldest);
        }
    }
    all
}

/// The same from the rows and marks themselves, counting every row: its cost grows with the table.
pub async fn exactly(store: &dyn Store, now: Timestamp) -> Result<Status, StoreError> {
    let mut repositories = Vec::new();
    for (entity, org) in scopes_of(store).await? {
        let mut after: Option<String> = None;
        loop {
            let listing = Listing { after: after.as_deref(), ..Listing::all(entity, org) };
            let page = store.list(&listing).await?;
            after = page.rows.last().map(|row| row.key.clone());
            for id in page.rows.iter().filter_map(|row| if entity == &PROJECTS { Some(project_scope(&row.key)) } else { row.key.parse().ok() }) {
                let states: BTreeMap<String, State> = store.states_of(&mark::partition(id)).await?.into_iter().collect();
                let Some(hint) = states.get("hint").and_then(Repository::parse).filter(|hint| hint.org_id == org) else { continue };
                let mut summary = Summary::of(&hint, &states);
                tell_all(&mut summary, &states);
                repositories.push((id, summary));
            }
            if !page.more || after.is_none() {
                break;
            }
        }
    }
    told(store, repositories, discoveries(store).await?, now, true).await
}

/// Where repositories and projects are listed.
async fn scopes_of(store: &dyn Store) -> Result<Vec<(&'static Entity, ScopeId)>, StoreError> {
    let mut all = Vec::new();
    for entity in [&REPOSITORIES, &PROJECTS] {
        all.extend(store.scopes(entity).await?.into_iter().map(|org| (entity, org)));
    }
    Ok(all)
}

/// What is missing at length, where the summary has no place for it.
fn tell_all(summary: &mut Summary, states: &BTreeMap<String, State>) {
    for (name, swept) in summary.sweeps.iter_mut().filter(|(_, swept)| swept.cut) {
        let mark: Mark = states.get(&format!("mark#{name}")).cloned().map(mark::parse).unwrap_or_default();
        swept.missing = mark.missing.iter().chain(mark.walk.iter().flat_map(|walk| &walk.missing)).cloned().collect();
    }
}

/// The organizations that were ever looked at.
pub async fn organizations(store: &dyn Store) -> Result<Vec<String>, StoreError> {
    let all: BTreeSet<String> = discoveries(store).await?.into_iter().map(|(organization, _)| organization).collect();
    Ok(all.into_iter().collect())
}

async fn told(
    store: &dyn Store,
    summaries: Vec<(ScopeId, Summary)>,
    discoveries: Vec<(String, Discovered)>,
    now: Timestamp,
    exact: bool,
) -> Result<Status, StoreError> {
    let (mut written, mut spent) = (Tally::default(), Cost::default());
    let (mut repositories, mut projects) = (Vec::with_capacity(summaries.len()), Vec::new());
    let mut by_org: BTreeMap<ScopeId, Option<Discovered>> = BTreeMap::new();
    for (id, summary) in summaries {
        for swept in summary.sweeps.values() {
            written += &swept.written();
            spent += swept.spent();
        }
        let mut entities =
            standing::judge(id, &summary, by_org.entry(summary.org).or_insert_with(|| standing::chosen(&discoveries, summary.org)).as_ref(), now);
        for entity in entities.iter_mut().filter(|_| exact) {
            if let Some(of) = entities::find(entity.entity) {
                (entity.rows, entity.counted_at) = (store.count(of, id).await?, Some(now));
            }
        }
        let into = if is_project(id) { &mut projects } else { &mut repositories };
        into.push(RepositoryStatus { repo: summary.repo, id, gone: summary.gone, entities });
    }
    projects.sort_by(|a, b| a.repo.cmp(&b.repo));
    repositories.sort_by(|a, b| a.repo.cmp(&b.repo));
    let mut organizations = Vec::new();
    for (organization, last) in discoveries {
        let Discovered {
            integration,
            repositories,
            left_out,
            groups,
            since,
            lacks,
            token_expires,
            finished_at: last_success,
            missing,
            spent: by_it,
            written: rows,
            ..
        } = last;
        written += &rows;
        spent += by_it;
        organizations.push(DiscoveryStatus {
            organization,
            integration,
            repositories,
            left_out,
            groups,
            since,
            lacks,
            token_expires,
            missing,
            last_success,
            spent: by_it,
        });
    }
    let users = store.count(&USERS, EVERYWHERE).await?;
    let (silent, limits) = (silence::known(store).await?, closed_gates(store, now).await?);
    Ok(Status { organizations, repositories, projects, exact, users, spent, written, silent, limits, expiring: BTreeMap::new() })
}

async fn closed_gates(store: &dyn Store, now: Timestamp) -> Result<Vec<ClosedGate>, StoreError> {
    let gates = store.states_of(gate::PARTITION).await?;
    let closed = gates.into_iter().filter_map(|(name, state)| {
        let (token, door) = name.split_once('#')?;
        let until = gate::until(&state.value).filter(|until| *until > now)?;
        let why = state.value.get("why").and_then(|why| why.as_str()).unwrap_or_default().to_owned();
        Some(ClosedGate { token: token.to_owned(), resource: gate::resource(door).to_owned(), until, why })
    });
    // Of a resource's two doors, the one that is closed longest: it tells when everything goes on.
    let mut told: BTreeMap<(String, String), ClosedGate> = BTreeMap::new();
    for gate in closed {
        let longest = told.entry((gate.token.clone(), gate.resource.clone())).or_insert_with(|| gate.clone());
        if gate.until > longest.until {
            *longest = gate;
        }
    }
    Ok(told.into_values().collect())
}
