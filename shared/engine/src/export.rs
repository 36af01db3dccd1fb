//! Reads an entity's rows back, in key order, as the objects that `export` prints.

use crate::entities::{COMMIT_FILES, Entity, Group, Kind, PULL_REQUESTS, REPOSITORIES, REVIEW_COMMENTS, TEAMS, USERS};
use crate::model::{ScopeId, Stored};
use crate::ports::{Listing, Rows, StoreError};
use crate::touches::{Touches, merges};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What to leave out.
#[derive(Debug, Default, Clone)]
pub struct Filter {
    /// Only what changed (or, where GitHub keeps no such date, was made) since then.
    pub since: Option<Timestamp>,
    pub deleted: bool,
}

/// The present name of every repository, by id; of those that are gone only if `deleted`, for what was in them is gone
/// with them. Rows do not carry it: names change.
pub async fn names(store: &dyn Rows, deleted: bool) -> Result<BTreeMap<ScopeId, String>, StoreError> {
    let mut names = BTreeMap::new();
    for org in store.scopes(&REPOSITORIES).await? {
        let mut pages = Pages::new(store, &REPOSITORIES, org);
        while let Some(rows) = pages.next().await? {
            for row in rows {
                let name = row.fields.get("full_name").and_then(Value::as_str);
                if let (Ok(id), Some(name)) = (row.key.parse(), name) {
                    // A transferred repository is gone here and alive there.
                    if !row.gone || deleted && !names.contains_key(&id) {
                        names.insert(id, name.to_owned());
                    }
                }
            }
        }
    }
    Ok(names)
}

/// Pages through the rows of one scope.
pub struct Pages<'a> {
    store: &'a dyn Rows,
    entity: &'static Entity,
    scope: ScopeId,
    only: &'a [&'a str],
    after: Option<String>,
    through: bool,
}

impl<'a> Pages<'a> {
    #[must_use]
    pub fn new(store: &'a dyn Rows, entity: &'static Entity, scope: ScopeId) -> Self {
        Self::only(store, entity, scope, &[])
    }

    /// With these fields alone, if any are named.
    #[must_use]
    pub fn only(store: &'a dyn Rows, entity: &'static Entity, scope: ScopeId, only: &'a [&'a str]) -> Self {
        Self { store, entity, scope, only, after: None, through: false }
    }

    pub async fn next(&mut self) -> Result<Option<Vec<Stored>>, StoreError> {
        if self.through {
            return Ok(None);
        }
        let listing = Listing { after: self.after.as_deref(), only: self.only, ..Listing::all(self.entity, self.scope) };
        let page = self.store.list(&listing).await?;
        self.after = page.rows.last().map(|row| row.key.clone());
        self.through = !page.more || self.after.is_none();
        Ok(Some(page.rows))
    }
}

/// Reads one entity of one scope; `each` gets every row that passes the filter, complete and in the order of the fields.
pub async fn export(
    store: &dyn Rows,
    entity: &'static Entity,
    scope: ScopeId,
    repo: Option<&str>,
    filter: &Filter,
    each: &mut (dyn FnMut(Map<String, Value>) -> std::io::Result<()> + Send),
) -> Result<std::io::Result<()>, StoreError> {
    let review_comments = if entity == &PULL_REQUESTS { count_comments(store, scope).await? } else { BTreeMap::new() };
    let touches = if entity == &COMMIT_FILES { Touches::load(store, scope, &merges(store, scope).await?).await? } else { Touches::default() };
    let mut pages = Pages::new(store, entity, scope);
    while let Some(rows) = pages.next().await? {
        for row in rows.into_iter().filter(|row| filter.takes(row)) {
            let number = row.fields.get("number").and_then(Value::as_u64);
            let comments = number.and_then(|number| review_comments.get(&number)).copied().unwrap_or(0);
            let mut object = object(entity, row, repo, filter.deleted);
            if entity == &PULL_REQUESTS {
                object.insert("review_comments".to_owned(), comments.into());
            }
            if entity == &COMMIT_FILES {
                let text = |name: &str| object.get(name).and_then(Value::as_str);
                let path = text("previous_path").or_else(|| text("path")).unwrap_or_default();
                let before = text("committed_at").and_then(|at| touches.before(path, at.parse().ok()?));
                object.insert("previous_committed_at".to_owned(), before.map_or(Value::Null, |before| before.to_string().into()));
            }
            if let Err(error) = each(object) {
                return Ok(Err(error));
            }
        }
    }
    Ok(Ok(()))
}

/// No GraphQL field counts a pull request's review comments: the copy does.
async fn count_comments(store: &dyn Rows, scope: ScopeId) -> Result<BTreeMap<u64, u64>, StoreError> {
    let mut counts = BTreeMap::new();
    let mut pages = Pages::new(store, &REVIEW_COMMENTS, scope);
    while let Some(rows) = pages.next().await? {
        for row in rows.iter().filter(|row| !row.gone) {
            if let Some(number) = row.fields.get("pull_request").and_then(Value::as_u64) {
                *counts.entry(number).or_insert(0) += 1;
            }
        }
    }
    Ok(counts)
}

impl Filter {
    fn takes(&self, row: &Stored) -> bool {
        if row.gone && !self.deleted {
            return false;
        }
        let Some(since) = self.since else { return true };
        let changed = ["updated_at", "committed_at", "submitted_at", "created_at", "requested_at", "pushed_at"];
        let changed = changed.iter().find_map(|name| row.fields.get(*name)?.as_str()?.parse::<Timestamp>().ok());
        changed.is_none_or(|changed| changed >= since)
    }
}

fn object(entity: &'static Entity, mut row: Stored, repo: Option<&str>, deleted: bool) -> Map<String, Value> {
    let mut object = Map::new();
    if let Some(repo) = repo.filter(|_| has_repo(entity)) {
        object.insert("repo".to_owned(), repo.into());
    }
    for field in entity.fields {
        let absent = if matches!(field.kind, Kind::Texts | Kind::Integers) { json!([]) } else { Value::Null };
        object.insert(field.name.to_owned(), row.fields.remove(field.name).filter(|value| !value.is_null()).unwrap_or(absent));
    }
    if row.gone && object.contains_key("state") && entity == &REPOSITORIES {
        object.insert("state".to_owned(), "gone".into());
    }
    if deleted {
        object.insert("deleted".to_owned(), row.gone.into());
    }
    object
}

/// Whether rows belong to a repository, and so begin with its name.
#[must_use]
pub fn has_repo(entity: &Entity) -> bool {
    entity != &REPOSITORIES && entity != &USERS && entity != &TEAMS && entity.group != Group::Projects
}

/// JSON Schema (draft 2020-12) of one exported row.
#[must_use]
pub fn schema(entity: &Entity) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    if has_repo(entity) {
        properties.insert("repo".to_owned(), json!({ "type": "string", "description": "owner/name, as it is now" }));
        required.push("repo");
    }
    for field in entity.fields {
        let mut property = match field.kind {
            Kind::Text => json!({ "type": ["string", "null"] }),
            Kind::Integer => json!({ "type": ["integer", "null"] }),
            Kind::Boolean => json!({ "type": ["boolean", "null"] }),
            Kind::Time => json!({ "type": ["string", "null"], "format": "date-time" }),
            Kind::Texts => json!({ "type": "array", "items": { "type": "string" } }),
            Kind::Integers => json!({ "type": "array", "items": { "type": "integer" } }),
            Kind::Json => json!({ "type": ["object", "array", "null"] }),
        };
        if !field.about.is_empty() {
            property["description"] = field.about.into();
        }
        properties.insert(field.name.to_owned(), property);
        required.push(field.name);
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": entity.name,
        "description": entity.about,
        "type": "object",
        "properties": properties,
        "required": required,
    })
}
