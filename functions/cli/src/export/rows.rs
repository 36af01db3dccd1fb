//! The rows that `export` writes, whatever the format: those of an entity, from some of its scopes, with present names.

use crate::failure::Failure;
use engine::entities::{Entity, STAGE_TRANSITIONS};
use engine::export::{Filter, export, has_repo, names};
use engine::{ScopeId, Store, StoreError, Stored, boards};
use jiff::Timestamp;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What is exported, and of which repositories.
pub(super) struct Rows<'a> {
    store: &'a dyn Store,
    filter: &'a Filter,
    takes: &'a (dyn Fn(&str) -> bool + Send + Sync),
    names: BTreeMap<ScopeId, String>,
    projects: BTreeMap<ScopeId, Stored>,
}

pub(super) type Each<'a> = &'a mut (dyn FnMut(Map<String, Value>) -> std::io::Result<()> + Send);

impl<'a> Rows<'a> {
    pub(super) async fn new(store: &'a dyn Store, filter: &'a Filter, takes: &'a (dyn Fn(&str) -> bool + Send + Sync)) -> Result<Self, Failure> {
        let names = names(store, filter.deleted).await?;
        if !names.is_empty() && !names.values().any(|name| takes(name)) {
            return Err(Failure::Usage("no repository of this copy matches --repo. `sei-github status` lists them".to_owned()));
        }
        Ok(Self { store, filter, takes, names, projects: boards::projects(store).await? })
    }

    /// Where rows of the entity may be.
    pub(super) async fn scopes(&self, entity: &'static Entity) -> Result<Vec<ScopeId>, StoreError> {
        if entity == &STAGE_TRANSITIONS {
            return boards::scopes(self.store).await;
        }
        let mut scopes = self.store.scopes(entity).await?;
        scopes.retain(|scope| !has_repo(entity) || self.names.get(scope).is_some_and(|name| (self.takes)(name)));
        Ok(scopes)
    }

    pub(super) async fn of(&self, entity: &'static Entity, scope: ScopeId, each: Each<'_>) -> Result<(), Failure> {
        if entity == &STAGE_TRANSITIONS {
            return self.transitions(scope, each).await;
        }
        let repo = self.names.get(&scope).map(String::as_str);
        let mut each = |mut row: Map<String, Value>| {
            // An item of a board names its repository as it was called when the board was read.
            if let Some(name) = row.get("repo_id").and_then(Value::as_u64).and_then(|id| self.names.get(&id)).filter(|_| row.contains_key("repo_name")) {
                row.insert("repo_name".to_owned(), name.as_str().into());
            }
            let own = row.get("full_name").or_else(|| row.get("repo_name")).and_then(Value::as_str);
            if own.is_none_or(self.takes) { each(row) } else { Ok(()) }
        };
        Ok(export(self.store, entity, scope, repo, self.filter, &mut each).await??)
    }

    /// Moves over boards are kept as they were seen, and follow from that board by board.
    async fn transitions(&self, scope: ScopeId, each: Each<'_>) -> Result<(), Failure> {
        let Some(board) = boards::read(self.store, scope, self.projects.get(&scope)).await? else { return Ok(()) };
        if board.gone && !self.filter.deleted {
            return Ok(());
        }
        for mut row in board.transitions(board.field(None), &self.names) {
            let text = |name: &str| row.get(name).and_then(Value::as_str);
            let late = self.filter.since.is_none_or(|since| text("at").and_then(|at| at.parse::<Timestamp>().ok()).is_none_or(|at| at >= since));
            if late && text("repo").is_none_or(self.takes) {
                if self.filter.deleted {
                    row.insert("deleted".to_owned(), board.gone.into());
                }
                each(row)?;
            }
        }
        Ok(())
    }
}
