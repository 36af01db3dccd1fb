//! The projects (Projects v2) of an organization, listed with each discovery, and what moved in them. Reads no items.
//! <https://docs.github.com/en/graphql/reference/objects#projectv2>

use crate::discover::{self, Found};
use crate::entities::{Group, PROJECT_ITEMS, PROJECTS};
use crate::model::{Job, Presence, Record, ScopeId, Stored, project_scope};
use crate::node::{Node, Out};
use crate::organization::patiently;
use crate::plan::{Bill, further};
use crate::ports::{Listing, StoreError};
use crate::repository::Repository;
use crate::stages::{Board, Sighting, Source, What};
use crate::summary;
use crate::{Env, Error};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What a project is asked for.
pub(crate) const PROJECT: &str = "id fullDatabaseId number title shortDescription readme closed public template url creator { ...Who } \
    createdAt updatedAt closedAt items(first: 1) { totalCount } repositories(first: 100) { nodes { nameWithOwner } }";

/// As the query has it.
const PAGE: u32 = 50;

/// What GitHub asks of a token that may read projects.
pub(crate) const NEEDS: &str = "Give the token the scope read:project (or, fine-grained or for an app, read access to the organization's projects)";

pub(crate) fn queries() -> [(String, String); 2] {
    [("projects".to_owned(), query()), ("projects_count".to_owned(), COUNT.to_owned())]
}

fn query() -> String {
    format!(
        "query($org: String!, $after: String) {{ rateLimit {{ cost remaining resetAt }} organization(login: $org) {{ databaseId login \
         projectsV2(first: 50, after: $after, orderBy: {{field: NUMBER, direction: ASC}}) {{ totalCount pageInfo {{ hasNextPage endCursor }} \
         nodes {{ {PROJECT} }} }} }} }} {}",
        crate::node::WHO
    )
}

const COUNT: &str = "query($org: String!) { rateLimit { cost remaining resetAt } organization(login: $org) { \
    projectsV2(first: 100) { totalCount nodes { items(first: 1) { totalCount } } } } }";

/// How many items the boards of an organization have, the first hundred of them; nothing where they cannot be seen, which
/// the check tells.
pub(crate) async fn count(org: &str, env: &Env) -> Vec<u64> {
    let answer = patiently(env, COUNT, &json!({ "org": org })).await;
    let projects =
        |answer: github::Answer| Node(&answer.data).items("organization.projectsV2.nodes").map(|node| node.u64("items.totalCount").unwrap_or(0)).collect();
    answer.map(projects).unwrap_or_default()
}

/// What listing projects with so many items each costs.
pub(crate) fn cost(boards: &[u64]) -> Bill {
    Bill::queries(f64::from(1 + further(boards.len() as u64, PAGE)), &query(), 1)
}

/// Lists them, and asks for the boards on which something moved.
pub(crate) async fn read(org: &str, org_id: ScopeId, env: &Env, found: &mut Found) -> Result<(), Error> {
    if !env.settings.wants(Group::Projects) {
        return Ok(());
    }
    let mut after = Value::Null;
    let mut listed = BTreeSet::new();
    loop {
        let answer = patiently(env, &query(), &json!({ "org": org, "after": after })).await;
        let answer = match answer {
            Ok(answer) if Node(&answer.data).at("organization.projectsV2").exists() => answer,
            refused => {
                let why = crate::people::why_refused(refused)?;
                found.refused.push(format!("projects of {org}: {why} {NEEDS}."));
                return Ok(());
            }
        };
        found.missing.extend(answer.errors.iter().map(|error| format!("projects: {}", error.message)));
        let organization = Node(&answer.data).at("organization");
        let login = organization.str("login").unwrap_or(org);
        let mut out = Out::new(org_id, env.now());
        let mut hints = Vec::new();
        for node in organization.items("projectsV2.nodes") {
            if let Some(hint) = project(node, login, &mut out) {
                listed.insert(node.str("id").unwrap_or_default().to_owned());
                hints.push(hint);
            }
        }
        found.written += env.store.put(&out.records).await?;
        let summaries = summary::read(env.store.as_ref(), &hints).await?;
        for (hint, summary) in hints.iter().zip(&summaries) {
            found.jobs.extend(discover::due(env, hint, summary).await?);
        }
        after = organization.value("projectsV2.pageInfo.endCursor");
        if !organization.flag("projectsV2.pageInfo.hasNextPage") || after.is_null() {
            break;
        }
    }
    if found.missing.is_empty() {
        bury(org_id, &listed, env, found).await?;
    }
    Ok(())
}

/// Writes a project into `out`, and tells what its board is known by.
pub(crate) fn project(node: Node<'_>, login: &str, out: &mut Out) -> Option<Repository> {
    let (id, number, node_id) = (node.u64("fullDatabaseId")?, node.u64("number")?, node.str("id")?);
    out.who(node, "creator");
    let items = node.u64("items.totalCount");
    let fields = json!({
        "number": number,
        "id": id,
        "node_id": node_id,
        "title": node.value("title"),
        "short_description": node.value("shortDescription"),
        "readme": node.value("readme"),
        "state": if node.flag("closed") { "closed" } else { "open" },
        "public": node.flag("public"),
        "template": node.flag("template"),
        "creator": node.login("creator"),
        "repositories": node.texts("repositories.nodes", "nameWithOwner"),
        "items": items,
        "created_at": node.utc("createdAt"),
        "updated_at": node.utc("updatedAt"),
        "closed_at": node.utc("closedAt"),
        "html_url": node.value("url"),
    });
    out.push(&PROJECTS, node_id.to_owned(), node.time("updatedAt"), fields);
    let moved = format!("{} {}", node.str("updatedAt").unwrap_or_default(), items.unwrap_or(0));
    Some(hint(out.scope, login, number, node_id, moved))
}

/// Makes a board known of which discovery has told nothing yet, and asks for its fields and items.
pub(crate) async fn meet(org_id: ScopeId, login: &str, number: u64, node_id: &str, env: &Env) -> Result<(), Error> {
    let scope = project_scope(node_id);
    if Repository::read(env, scope).await?.is_some() {
        return Ok(());
    }
    let hint = hint(org_id, login, number, node_id, String::new());
    let value = serde_json::to_value(&hint).map_err(|error| Error::Unreadable(error.to_string()))?;
    match env.store.save(&Repository::key(scope), 0, &value).await {
        Ok(_) => {}
        // Somebody else made it known.
        Err(StoreError::Conflict) => return Ok(()),
        Err(error) => return Err(error.into()),
    }
    let job = Job { scope, sweep: PROJECT_ITEMS.name.to_owned(), integration: env.settings.integration.clone() };
    Ok(env.queue.send(&[job]).await?)
}

/// A board in the place of a repository: both have sweeps, marks and a summary.
fn hint(org_id: ScopeId, login: &str, number: u64, node_id: &str, moved: String) -> Repository {
    Repository {
        id: project_scope(node_id),
        org_id,
        owner: login.to_owned(),
        name: format!("projects/{number}"),
        node_id: Some(node_id.to_owned()),
        moved: BTreeMap::from([("project_items".to_owned(), moved)]),
        ..Repository::default()
    }
}

/// Makes tombstones of the projects that the organization no longer has; whatever was on their boards left them.
async fn bury(org_id: ScopeId, listed: &BTreeSet<String>, env: &Env, found: &mut Found) -> Result<(), Error> {
    let mut after: Option<String> = None;
    loop {
        let listing = Listing { after: after.as_deref(), ..Listing::all(&PROJECTS, org_id) };
        let page = env.store.list(&listing).await?;
        after = page.rows.last().map(|row| row.key.clone());
        for row in page.rows.iter().filter(|row| !row.gone && !listed.contains(&row.key)) {
            found.written += gone(row, org_id, env).await?;
        }
        if !page.more || after.is_none() {
            return Ok(());
        }
    }
}

/// What a project that is gone leaves: the end of all stays on its board, no further sweeps, a tombstone.
async fn gone(row: &Stored, org_id: ScopeId, env: &Env) -> Result<crate::Written, Error> {
    let now = env.now();
    let scope = project_scope(&row.key);
    let board = Board { scope, node_id: &row.key, number: row.fields.get("number").and_then(Value::as_u64).unwrap_or(0) };
    let updated = row.fields.get("updated_at").and_then(Value::as_str).and_then(|at| at.parse().ok());
    let end = Sighting { earliest: updated.unwrap_or(now), ..Sighting::exact(Source::Snapshot, What::Removed, now) };
    let version = row.version.absent(now);
    let tombstone = Record { entity: &PROJECTS, scope: org_id, key: row.key.clone(), version, fields: serde_json::Map::new(), presence: Presence::Gone };
    let mut written = env.store.put(&[end.record(board, None, now)]).await?;
    written += env.store.put(&[tombstone]).await?;
    crate::repository::close(scope, org_id, env.store.as_ref()).await?;
    Ok(written)
}
