//! Deletes from the copy what no integration chooses any more: whole repositories, and groups that were switched off.
//! Asks nobody, and leaves alone what is merely gone from GitHub.

use crate::boards;
use crate::entities::{
    COMMIT_FILES, Entity, Group, ISSUE_COMMENTS, ISSUE_EVENTS, PROJECT_FIELDS, PROJECT_ITEMS, PROJECTS, RELEASES, REPOSITORIES, STAGE_SIGHTINGS, TEAMS,
};
use crate::integration::Integration;
use crate::mark;
use crate::model::{Job, ScopeId, StateKey, Stored};
use crate::node::Node;
use crate::ports::{Listing, Store, StoreError};
use crate::repository::Repository;
use crate::summary;
use crate::sweeps::{self, commit_files};
use crate::{Error, IntegrationError};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What was deleted, or would be.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Purged {
    /// Repositories that no integration chooses.
    pub repositories: BTreeSet<String>,
    /// Rows of each entity.
    pub rows: BTreeMap<&'static str, u64>,
}

/// With `delete` it is done; without, only counted (what hangs on items that both issues and pull requests have is
/// then not among the counts).
pub async fn purge(store: &dyn Store, integrations: &[Integration], delete: bool) -> Result<Purged, Error> {
    let mut purged = Purged::default();
    for org in store.scopes(&REPOSITORIES).await? {
        let (mut after, mut teams) = (None::<String>, false);
        loop {
            let page = store.list(&Listing { after: after.as_deref(), ..Listing::all(&REPOSITORIES, org) }).await?;
            after = page.rows.last().map(|row| row.key.clone());
            for row in &page.rows {
                let (name, chosen) = groups(integrations, &row.fields)?;
                teams |= chosen.as_ref().is_some_and(|chosen| chosen.contains(&Group::Teams));
                let Ok(id) = row.key.parse::<ScopeId>() else { continue };
                repository(store, id, chosen.as_ref(), delete, &mut purged).await?;
                if chosen.is_none() {
                    purged.repositories.insert(name);
                    let rows = if delete { store.erase(&REPOSITORIES, org, &row.key).await? } else { 1 };
                    *purged.rows.entry(REPOSITORIES.name).or_default() += rows;
                }
            }
            if !page.more || after.is_none() {
                break;
            }
        }
        if !teams {
            erase(store, &TEAMS, org, "", delete, &mut purged).await?;
        }
        let left = store.list(&Listing { limit: 1, ..Listing::all(&REPOSITORIES, org) }).await?;
        if delete && left.rows.is_empty() {
            store.erase(&REPOSITORIES, org, "").await?;
        }
    }
    let orgs: BTreeSet<String> =
        integrations.iter().filter(|one| one.fetch.contains(&Group::Projects)).flat_map(|one| &one.organizations).map(|org| org.to_lowercase()).collect();
    for (scope, project) in boards::projects(store).await? {
        let owner = project.fields.get("html_url").and_then(Value::as_str).and_then(boards::name_of).unwrap_or_default();
        if !orgs.contains(owner.split('/').next().unwrap_or_default().to_lowercase().as_str()) {
            board(store, scope, &project, delete, &mut purged).await?;
        }
    }
    purged.rows.retain(|_, rows| *rows > 0);
    Ok(purged)
}

/// The groups that are chosen of a repository by all integrations that take it; none if none does.
fn groups(integrations: &[Integration], row: &Map<String, Value>) -> Result<(String, Option<BTreeSet<Group>>), Error> {
    let row = Value::Object(row.clone());
    let row = Node(&row);
    let name = row.str("full_name").unwrap_or_default().to_owned();
    // As discovery's query tells it, which the selection is made for.
    let told = json!({
        "nameWithOwner": name,
        "visibility": row.value("visibility"),
        "isArchived": row.value("archived"),
        "isFork": row.value("fork"),
        "pushedAt": row.value("pushed_at"),
        "repositoryTopics": { "nodes": row.list("topics").unwrap_or_default().iter().map(|topic| json!({ "topic": { "name": topic.0 } })).collect::<Vec<_>>() },
    });
    let owner = name.split('/').next().unwrap_or_default();
    let mut chosen: Option<BTreeSet<Group>> = None;
    for one in integrations.iter().filter(|one| one.organizations.iter().any(|org| org.eq_ignore_ascii_case(owner))) {
        if one.repositories.compile()?.against(Node(&told), owner).is_empty() {
            chosen.get_or_insert_default().extend(one.fetch.iter().copied());
        }
    }
    Ok((name, chosen))
}

async fn repository(store: &dyn Store, id: ScopeId, chosen: Option<&BTreeSet<Group>>, delete: bool, purged: &mut Purged) -> Result<(), Error> {
    let wanted = |group: Group| chosen.is_some_and(|chosen| group == Group::Always || chosen.contains(&group));
    for sweep in sweeps::ALL.iter().filter(|sweep| !wanted(sweep.group())) {
        for entity in sweep.entities().iter().filter(|entity| ![ISSUE_COMMENTS.name, ISSUE_EVENTS.name].contains(&entity.name)) {
            if wanted(Group::Issues) != wanted(Group::PullRequests) && delete && sweep.entities().first() == Some(entity) {
                hangers_on(store, entity, id, purged).await?;
            }
            erase(store, entity, id, "", delete, purged).await?;
        }
        if delete {
            forget(store, &mark::key(&Job { scope: id, sweep: sweep.name().to_owned(), integration: None })).await?;
        }
        if delete && sweep.entities().first() == Some(&&COMMIT_FILES) {
            for (name, _) in store.states_of(&commit_files::list_of(id)).await? {
                forget(store, &StateKey { of: commit_files::list_of(id), name }).await?;
            }
        }
    }
    // Both issues and pull requests have them.
    if !wanted(Group::Issues) && !wanted(Group::PullRequests) {
        for entity in [&ISSUE_COMMENTS, &ISSUE_EVENTS] {
            erase(store, entity, id, "", delete, purged).await?;
        }
    }
    if !wanted(Group::Releases) {
        erase(store, &RELEASES, id, "", delete, purged).await?;
    }
    if delete {
        if chosen.is_none() {
            forget(store, &Repository::key(id)).await?;
        }
        summary::renew(store, id).await?;
    }
    Ok(())
}

/// A project with its board and the history of it.
async fn board(store: &dyn Store, scope: ScopeId, project: &Stored, delete: bool, purged: &mut Purged) -> Result<(), StoreError> {
    for entity in [&PROJECT_ITEMS, &PROJECT_FIELDS, &STAGE_SIGHTINGS] {
        erase(store, entity, scope, "", delete, purged).await?;
    }
    let rows = if delete { store.erase(&PROJECTS, project.scope, &project.key).await? } else { 1 };
    *purged.rows.entry(PROJECTS.name).or_default() += rows;
    if delete {
        forget(store, &mark::key(&Job { scope, sweep: PROJECT_ITEMS.name.to_owned(), integration: None })).await?;
        forget(store, &Repository::key(scope)).await?;
        summary::renew(store, scope).await?;
    }
    Ok(())
}

/// Comments and events of the items of one kind, while those of the other stay.
async fn hangers_on(store: &dyn Store, items: &'static Entity, id: ScopeId, purged: &mut Purged) -> Result<(), StoreError> {
    if ![Group::Issues, Group::PullRequests].contains(&items.group) {
        return Ok(());
    }
    let mut after: Option<String> = None;
    loop {
        let page = store.list(&Listing { after: after.as_deref(), ..Listing::all(items, id) }).await?;
        after = page.rows.last().map(|row| row.key.clone());
        for row in &page.rows {
            for entity in [&ISSUE_COMMENTS, &ISSUE_EVENTS] {
                *purged.rows.entry(entity.name).or_default() += store.erase(entity, id, &format!("{}#", row.key)).await?;
            }
        }
        if !page.more || after.is_none() {
            return Ok(());
        }
    }
}

async fn erase(store: &dyn Store, entity: &'static Entity, scope: ScopeId, prefix: &str, delete: bool, purged: &mut Purged) -> Result<(), StoreError> {
    let rows = if delete { store.erase(entity, scope, prefix).await? } else { store.count(entity, scope).await? };
    *purged.rows.entry(entity.name).or_default() += rows;
    Ok(())
}

async fn forget(store: &dyn Store, key: &StateKey) -> Result<(), StoreError> {
    loop {
        let revision = store.states(std::slice::from_ref(key)).await?.first().map_or(0, |state| state.revision);
        if revision == 0 {
            return Ok(());
        }
        match store.save(key, revision, &Value::Null).await {
            Err(StoreError::Conflict) => {}
            other => return other.map(|_| ()),
        }
    }
}

impl From<IntegrationError> for Error {
    fn from(error: IntegrationError) -> Self {
        Self::Unreadable(error.to_string())
    }
}
