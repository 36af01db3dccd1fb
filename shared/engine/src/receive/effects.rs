//! What an event says, collected by its reader before anything is written. Decides nothing about what is newer.

use super::projects::Selected;
use crate::asked::Asked;
use crate::entities::{Entity, REPOSITORIES};
use crate::model::{Presence, Record, ScopeId, Version};
use crate::node::{Node, Out, padded};
use crate::repository::Repository;
use crate::{Error, Settings};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

/// An event whose repository or organization is copied.
pub(super) struct Event<'a> {
    pub(super) name: &'a str,
    pub(super) action: &'a str,
    pub(super) payload: Node<'a>,
    pub(super) received_at: Timestamp,
    pub(super) org_id: ScopeId,
    /// Its login.
    pub(super) org: &'a str,
    pub(super) repo: Option<&'a Repository>,
    pub(super) settings: &'a Settings,
}

/// Why a reader stopped.
pub(super) enum Wrong {
    /// What every such event has.
    Lacks(&'static str),
    Ignored(String),
}

impl Event<'_> {
    pub(super) fn repo(&self) -> Result<&Repository, Wrong> {
        self.repo.ok_or(Wrong::Lacks("repository"))
    }

    pub(super) fn deleted(&self) -> bool {
        self.action == "deleted"
    }
}

#[derive(Debug)]
pub(super) struct Effects {
    received_at: Timestamp,
    pub(super) told: Vec<Record>,
    pub(super) gone: Vec<Record>,
    /// Whatever is stored under a prefix goes.
    pub(super) emptied: Vec<(&'static Entity, ScopeId, String)>,
    pub(super) asked: Vec<(ScopeId, Asked)>,
    /// The node id and, if it was told, the number of a board that this is about.
    pub(super) board: Option<(String, u64)>,
    /// Single selects of items, by scope and key.
    pub(super) selected: Vec<(ScopeId, String, Selected)>,
    /// A repository or board that left the organization.
    pub(super) left: Option<ScopeId>,
    ahead: Option<Timestamp>,
    odd: Option<String>,
}

/// A clock that is ahead by more is not believed: what it dates would be newer than all that follows.
const AHEAD: SignedDuration = SignedDuration::from_mins(5);

impl Effects {
    pub(super) fn new(received_at: Timestamp) -> Self {
        Self {
            received_at,
            told: Vec::new(),
            gone: Vec::new(),
            emptied: Vec::new(),
            asked: Vec::new(),
            board: None,
            selected: Vec::new(),
            left: None,
            ahead: None,
            odd: None,
        }
    }

    /// What to tell whoever looks.
    pub(super) fn note(&self) -> Option<String> {
        let ahead = self.ahead.map(|at| format!("it is dated {at:.0}, which is ahead of our clock: taken as of when it was received"));
        ahead.or_else(|| self.odd.clone())
    }

    pub(super) fn odd(&mut self, what: String) {
        self.odd = Some(what);
    }

    /// When an object changed, in text or in seconds since 1970.
    pub(super) fn time(&mut self, object: Node<'_>, path: &str) -> Option<Timestamp> {
        let at = object.time(path).or_else(|| Timestamp::from_second(object.at(path).0.as_i64()?).ok())?;
        if at.duration_since(self.received_at) > AHEAD {
            self.ahead = Some(at);
            return Some(self.received_at);
        }
        Some(at)
    }

    fn push(&mut self, entity: &'static Entity, scope: ScopeId, key: String, at: Timestamp, fields: Map<String, Value>, presence: Presence) {
        self.told.push(Record { entity, scope, key, version: Version::new(Some(at), at), fields, presence });
    }

    /// Every field but those that no payload has.
    pub(super) fn part(&mut self, entity: &'static Entity, scope: ScopeId, key: String, at: Timestamp, fields: Map<String, Value>) {
        self.push(entity, scope, key, at, fields, Presence::Part);
    }

    pub(super) fn whole(&mut self, entity: &'static Entity, scope: ScopeId, key: String, at: Timestamp, fields: Value) {
        let fields = if let Value::Object(fields) = fields { fields } else { Map::new() };
        self.push(entity, scope, key, at, fields, Presence::Whole);
    }

    /// Something whose age the payload does not tell: only where nothing is known of it.
    pub(super) fn glimpse(&mut self, entity: &'static Entity, scope: ScopeId, key: String, fields: Value) {
        let fields = if let Value::Object(fields) = fields { fields } else { Map::new() };
        self.push(entity, scope, key, Timestamp::UNIX_EPOCH, fields, Presence::Glimpse);
    }

    /// Whatever a sweep's own reader makes of an object that REST and webhooks tell alike.
    pub(super) fn read(&mut self, scope: ScopeId, at: Timestamp, read: impl FnOnce(&mut Out)) {
        let mut out = Out::new(scope, at);
        read(&mut out);
        self.told.extend(out.records);
    }

    pub(super) fn who(&mut self, object: Node<'_>, path: &str) {
        let mut out = Out::new(0, self.received_at);
        out.who(object, path);
        self.told.extend(out.records);
    }

    /// Deleted on GitHub: no event that is dated earlier brings it back.
    pub(super) fn gone(&mut self, entity: &'static Entity, scope: ScopeId, key: String) {
        let version = Version::deleted(self.received_at);
        self.gone.push(Record { entity, scope, key, version, fields: Map::new(), presence: Presence::Gone });
    }

    /// To be read from GitHub, by node id.
    pub(super) fn ask(&mut self, scope: ScopeId, entity: &'static Entity, node_id: &str, key: &str) {
        let question = Asked { entity: entity.name, id: node_id.to_owned(), key: key.to_owned(), org: None };
        if !self.asked.iter().any(|(other, asked)| (*other, asked) == (scope, &question)) {
            self.asked.push((scope, question));
        }
    }

    pub(super) fn ask_repository(&mut self, event: &Event<'_>) {
        let Some(repo) = event.repo else { return };
        if let Some(node_id) = event.payload.str("repository.node_id") {
            self.ask(repo.id, &REPOSITORIES, node_id, &padded(repo.id));
        }
    }
}

/// Fields under REST's names, those that the payload has and no others.
pub(super) struct Fields<'a> {
    node: Node<'a>,
    pub(super) map: Map<String, Value>,
}

impl<'a> Fields<'a> {
    pub(super) fn of(node: Node<'a>) -> Self {
        Self { node, map: Map::new() }
    }

    /// Null is something that a payload tells; absent is not.
    pub(super) fn has(&self, name: &str) -> bool {
        self.node.0.get(name).is_some()
    }

    pub(super) fn copy(&mut self, names: &[&str]) {
        for name in names.iter().filter(|name| self.has(name)).copied().collect::<Vec<_>>() {
            self.map.insert(name.to_owned(), self.node.value(name));
        }
    }

    pub(super) fn times(&mut self, names: &[&str]) {
        for name in names.iter().filter(|name| self.has(name)).copied().collect::<Vec<_>>() {
            self.map.insert(name.to_owned(), self.node.utc(name));
        }
    }

    /// GraphQL has an empty text where REST has null.
    pub(super) fn text(&mut self, name: &str) {
        if self.has(name) {
            self.map.insert(name.to_owned(), self.node.str(name).unwrap_or_default().into());
        }
    }

    /// `field`, made from the payload's `name`, if that is there.
    pub(super) fn set(&mut self, field: &str, name: &str, read: impl FnOnce(Node<'a>) -> Value) {
        if self.has(name) {
            self.map.insert(field.to_owned(), read(self.node));
        }
    }

    pub(super) fn labels_and_people(&mut self) {
        self.set("author", "user", |node| node.login("user"));
        self.set("labels", "labels", |node| node.texts("labels", "name"));
        self.set("assignees", "assignees", |node| node.items("assignees").map(|one| one.login("")).collect());
        self.set("milestone", "milestone", |node| node.value("milestone.title"));
        self.set("milestone_number", "milestone", |node| node.value("milestone.number"));
    }
}

/// The same as what GraphQL tells of them.
pub(super) fn repository_as_graphql(repo: Node<'_>, pushed_at: Option<Timestamp>) -> Value {
    let topics: Vec<Value> = repo.items("topics").filter_map(|topic| topic.0.as_str()).map(|name| json!({ "topic": { "name": name } })).collect();
    let visibility = repo.str("visibility").unwrap_or(if repo.flag("private") { "private" } else { "public" });
    json!({
        "nameWithOwner": repo.value("full_name"), "visibility": visibility, "isArchived": repo.flag("archived"), "isFork": repo.flag("fork"),
        "repositoryTopics": { "nodes": topics }, "pushedAt": pushed_at,
    })
}

impl From<Wrong> for Error {
    fn from(wrong: Wrong) -> Self {
        match wrong {
            Wrong::Lacks(what) => Self::Unreadable(format!("it has no {what}")),
            Wrong::Ignored(why) => Self::Unreadable(why),
        }
    }
}
