//! Reads a project's board back from the copy: its items, its fields' options, and the histories that follow from what
//! was seen. Asks GitHub nothing.

use crate::entities::{PROJECT_FIELDS, PROJECT_ITEMS, PROJECTS, STAGE_SIGHTINGS};
use crate::export::Pages;
use crate::mark;
use crate::model::{Job, ScopeId, Stored, is_project, project_scope};
use crate::ports::{Listing, Store, StoreError};
use crate::report::{all, whole};
use crate::stages::{History, Known, Link, OptionName, STATUS, Sighting, Words};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// One board as it is in the copy.
#[derive(Debug, Clone)]
pub struct Board {
    pub scope: ScopeId,
    pub number: u64,
    pub node_id: String,
    /// None where only timelines and webhooks tell of the project.
    pub title: Option<String>,
    /// `organization/projects/number`, if the project is in the copy.
    pub name: Option<String>,
    pub gone: bool,
    pub items: Vec<Item>,
    pub sightings: Vec<Sighting>,
    /// What each option of its single-select fields is and was called.
    pub options: Vec<OptionName>,
    /// When the last reading of all its items began.
    pub read_at: Option<Timestamp>,
    /// Names of its single-select fields.
    pub fields: BTreeSet<String>,
}

/// An item, as far as histories and reports need it.
#[derive(Debug, Clone)]
pub struct Item {
    pub link: Link,
    /// `issue`, `pull_request` or `draft_issue`.
    pub kind: Option<String>,
    pub about: About,
}

/// What an issue, pull request or item is grouped by.
#[derive(Debug, Clone, Default)]
pub struct About {
    pub creator: Option<String>,
    pub labels: Vec<String>,
    pub assignees: Vec<String>,
    pub milestone: Option<String>,
    pub created_at: Option<Timestamp>,
    pub closed_at: Option<Timestamp>,
}

impl About {
    /// What it is read from.
    pub(crate) const FIELDS: [&str; 7] = ["author", "creator", "labels", "assignees", "milestone", "created_at", "closed_at"];

    pub(crate) fn of(row: &Stored) -> Self {
        let text = |name: &str| row.fields.get(name).and_then(Value::as_str).map(str::to_owned);
        let texts = |name: &str| row.fields.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
        let time = |name: &str| text(name)?.parse::<Timestamp>().ok();
        Self {
            creator: text("author").or_else(|| text("creator")),
            labels: texts("labels"),
            assignees: texts("assignees"),
            milestone: text("milestone"),
            created_at: time("created_at"),
            closed_at: time("closed_at"),
        }
    }
}

/// The scopes of boards of which anything is known, in order.
pub async fn scopes(store: &dyn Store) -> Result<Vec<ScopeId>, StoreError> {
    let mut all: BTreeSet<ScopeId> = store.scopes(&STAGE_SIGHTINGS).await?.into_iter().filter(|scope| is_project(*scope)).collect();
    all.extend(store.scopes(&PROJECT_ITEMS).await?);
    Ok(all.into_iter().collect())
}

/// The projects of the copy, by the scope of their boards.
pub async fn projects(store: &dyn Store) -> Result<BTreeMap<ScopeId, Stored>, StoreError> {
    let mut all = BTreeMap::new();
    for org in store.scopes(&PROJECTS).await? {
        for row in rows(store, &PROJECTS, org).await? {
            all.insert(project_scope(&row.key), row);
        }
    }
    Ok(all)
}

/// The board of one scope; none if nothing is known of it.
pub async fn read(store: &dyn Store, scope: ScopeId, project: Option<&Stored>) -> Result<Option<Board>, StoreError> {
    let items = items(store, scope).await?;
    complete(store, scope, project, items).await
}

/// The items of one board, in the order of their ids.
pub(crate) async fn items(store: &dyn Store, scope: ScopeId) -> Result<Vec<Item>, StoreError> {
    all(store, &PROJECT_ITEMS, scope, &[], |row| Some(item(&row))).await
}

/// The board with these items.
pub(crate) async fn complete(store: &dyn Store, scope: ScopeId, project: Option<&Stored>, items: Vec<Item>) -> Result<Option<Board>, StoreError> {
    let mut board = Board {
        scope,
        number: 0,
        node_id: String::new(),
        title: None,
        name: None,
        gone: false,
        sightings: sightings(store, scope, &items).await?,
        items,
        options: Vec::new(),
        read_at: mark::read(store, &Job { scope, sweep: PROJECT_ITEMS.name.to_owned(), integration: None }).await?.began_at,
        fields: BTreeSet::new(),
    };
    let mut told: Option<Map<String, Value>> = project.map(|row| row.fields.clone());
    if told.is_none() {
        let first = store.list(&Listing { limit: 1, ..Listing::all(&STAGE_SIGHTINGS, scope) }).await?;
        let named = |row: &Stored| json!({ "number": row.fields.get("project"), "node_id": row.fields.get("project_node_id") });
        told = first.rows.first().and_then(|row| named(row).as_object().cloned());
    }
    for field in rows(store, &PROJECT_FIELDS, scope).await? {
        let options: Vec<Value> = field.fields.get("options").and_then(Value::as_array).cloned().unwrap_or_default();
        if let Some(name) = field.fields.get("name").and_then(Value::as_str).filter(|_| !options.is_empty() && !field.gone) {
            board.fields.insert(name.to_owned());
            let former = field.fields.get("former_options").and_then(Value::as_array).into_iter().flatten();
            let text = |option: &Value, name: &str| option.get(name).and_then(Value::as_str).map(str::to_owned);
            let name = |option: &Value| {
                let until = text(option, "until").and_then(|until| until.parse().ok());
                Some(OptionName { id: text(option, "id")?.into(), name: text(option, "name")?.into(), until })
            };
            board.options.extend(options.iter().chain(former).filter_map(name));
        }
    }
    let Some(told) = told else { return Ok((!board.items.is_empty()).then_some(board)) };
    let text = |name: &str| told.get(name).and_then(Value::as_str).map(str::to_owned);
    board.number = told.get("number").and_then(Value::as_u64).unwrap_or(0);
    board.node_id = text("node_id").unwrap_or_default();
    board.title = text("title");
    board.name = text("html_url").as_deref().and_then(name_of);
    board.gone = project.is_some_and(|row| row.gone);
    Ok(Some(board))
}

/// `acme/projects/7` of `https://github.com/orgs/acme/projects/7`.
pub(crate) fn name_of(url: &str) -> Option<String> {
    let (before, number) = url.rsplit_once("/projects/")?;
    let owner = before.rsplit('/').next()?;
    Some(format!("{owner}/projects/{number}"))
}

/// All that was seen on the board, in no order, read in several parts at once: keys begin with the source, and those of
/// two sources go on with the item.
async fn sightings(store: &dyn Store, scope: ScopeId, items: &[Item]) -> Result<Vec<Sighting>, StoreError> {
    let item = |part: usize| items.get(items.len() * part / 4).map_or("", |item| &item.link.item);
    let mut bounds = vec![format!("snapshot#{}", item(2)), "timeline#".to_owned(), "webhook#".to_owned()];
    bounds.extend((1..4).map(|part| format!("webhook#{}", item(part))));
    bounds.dedup();
    let bounds: Vec<&str> = bounds.iter().map(String::as_str).collect();
    let reader = || {
        let mut words = Words::default();
        move |row: Stored| Sighting::read(&row, &mut words)
    };
    whole(store, &STAGE_SIGHTINGS, scope, &bounds, reader).await
}

async fn rows(store: &dyn Store, entity: &'static crate::entities::Entity, scope: ScopeId) -> Result<Vec<Stored>, StoreError> {
    let mut all = Vec::new();
    let mut pages = Pages::new(store, entity, scope);
    while let Some(page) = pages.next().await? {
        all.extend(page);
    }
    Ok(all)
}

impl Board {
    /// What happened on it, by the field that is its stage.
    #[must_use]
    pub fn histories(&self, field: &str) -> Vec<History> {
        let known = Known { links: self.items.iter().map(|item| item.link.clone()).collect(), options: self.options.clone(), read_at: self.read_at };
        History::all(&self.sightings, &known, field)
    }

    /// As `export` prints them, in the order of time within each item.
    pub fn transitions<'a>(&'a self, field: &'a str, names: &'a BTreeMap<ScopeId, String>) -> impl Iterator<Item = Map<String, Value>> + 'a {
        let kinds: HashMap<&str, &str> = self.items.iter().filter_map(|item| Some((&*item.link.item, item.kind.as_deref()?))).collect();
        let histories = self.histories(field).into_iter();
        histories.flat_map(move |history| {
            let kind = history.item.as_deref().and_then(|item| kinds.get(item).copied());
            let repo = history.issue.and_then(|(repo, _)| names.get(&repo).cloned());
            let number = history.issue.map(|(_, number)| number);
            history.transitions.into_iter().enumerate().map(move |(place, transition)| {
                let row = json!({
                    "project": self.number,
                    "project_node_id": self.node_id,
                    "item": transition.item.as_deref(),
                    "repo": repo,
                    "number": number,
                    "type": kind,
                    "place": place,
                    "field": field,
                    "what": transition.what.name(),
                    "from": transition.from.as_deref(),
                    "to": transition.to.as_deref(),
                    "at": transition.at.to_string(),
                    "earliest": transition.earliest.to_string(),
                    "latest": transition.latest.to_string(),
                    "certainty": if transition.is_exact() { "exact" } else { "between" },
                    "actor": transition.actor.as_deref(),
                    "automated": transition.automated,
                    "source": transition.source,
                });
                if let Value::Object(row) = row { row } else { Map::new() }
            })
        })
    }

    /// The field asked for, as it is spelled here; [`STATUS`] if none is.
    #[must_use]
    pub fn field<'a>(&'a self, wanted: Option<&'a str>) -> &'a str {
        let wanted = wanted.unwrap_or(STATUS);
        self.fields.iter().find(|field| field.eq_ignore_ascii_case(wanted)).map_or(wanted, String::as_str)
    }
}

fn item(row: &Stored) -> Item {
    let number = |name: &str| row.fields.get(name).and_then(Value::as_u64);
    let text = |name: &str| row.fields.get(name).and_then(Value::as_str).map(str::to_owned);
    let link = Link {
        item: row.key.as_str().into(),
        gone: row.gone,
        content: text("content_node_id").map(Into::into),
        issue: number("repo_id").zip(number("number")),
    };
    Item { link, kind: text("type"), about: About::of(row) }
}
