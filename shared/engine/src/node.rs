//! Reads GitHub's JSON, GraphQL's or REST's, into our fields. Absent and null are the same; nothing here fails.

use crate::Error;
use crate::entities::{Entity, USERS};
use crate::model::{Presence, Record, ScopeId, Version};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// Users belong to GitHub, not to a repository or organization.
pub(crate) const EVERYWHERE: ScopeId = 0;

/// Who did something. Deleted accounts are null.
pub(crate) const WHO: &str = "fragment Who on Actor { __typename login ... on User { id databaseId name } ... on Bot { id databaseId } \
     ... on Mannequin { id databaseId } ... on Organization { id databaseId name } }";

#[derive(Clone, Copy)]
pub(crate) struct Node<'a>(pub(crate) &'a Value);

impl<'a> Node<'a> {
    pub(crate) fn at(self, path: &str) -> Self {
        if path.is_empty() {
            return self;
        }
        Self(path.split('.').fold(self.0, |value, name| value.get(name).unwrap_or(&Value::Null)))
    }

    pub(crate) fn exists(self) -> bool {
        !self.0.is_null()
    }

    pub(crate) fn str(self, path: &str) -> Option<&'a str> {
        self.at(path).0.as_str()
    }

    pub(crate) fn u64(self, path: &str) -> Option<u64> {
        let value = self.at(path).0;
        // `fullDatabaseId` is a BigInt, which GraphQL writes as text.
        value.as_u64().or_else(|| value.as_str()?.parse().ok())
    }

    pub(crate) fn flag(self, path: &str) -> bool {
        self.at(path).0.as_bool().unwrap_or(false)
    }

    pub(crate) fn time(self, path: &str) -> Option<Timestamp> {
        self.str(path)?.parse().ok()
    }

    /// The list that an answer always has: without it, it is no answer of GitHub's.
    pub(crate) fn list(self, path: &str) -> Result<Vec<Node<'a>>, Error> {
        let list =
            self.at(path).0.as_array().ok_or_else(|| Error::Unreadable(format!("it has no list of {}", if path.is_empty() { "objects" } else { path })))?;
        Ok(list.iter().map(Node).collect())
    }

    pub(crate) fn items(self, path: &str) -> impl Iterator<Item = Node<'a>> + use<'a> {
        let list: &'a [Value] = self.at(path).0.as_array().map_or(&[], Vec::as_slice);
        list.iter().map(Node).filter(|node| node.exists())
    }

    /// As a value, for a field that is carried along as it is.
    pub(crate) fn value(self, path: &str) -> Value {
        self.at(path).0.clone()
    }

    pub(crate) fn lower(self, path: &str) -> Value {
        self.str(path).map_or(Value::Null, |text| text.to_lowercase().into())
    }

    /// A time in UTC, however GitHub wrote it (commits carry their author's offset).
    pub(crate) fn utc(self, path: &str) -> Value {
        self.time(path).map_or(Value::Null, |time| time.to_string().into())
    }

    pub(crate) fn texts(self, list: &str, field: &str) -> Value {
        self.items(list).filter_map(|node| node.str(field)).collect()
    }

    /// The login as REST spells it: GraphQL leaves the suffix of bots away.
    pub(crate) fn login(self, path: &str) -> Value {
        let actor = self.at(path);
        actor.str("login").map_or(Value::Null, |login| login_of(actor, login).into())
    }
}

fn login_of(actor: Node<'_>, login: &str) -> String {
    let bot = actor.str("__typename") == Some("Bot") || actor.str("type") == Some("Bot");
    if bot && !login.ends_with("[bot]") { format!("{login}[bot]") } else { login.to_owned() }
}

/// Collects the records of one page.
pub(crate) struct Out {
    pub(crate) scope: ScopeId,
    pub(crate) now: Timestamp,
    pub(crate) records: Vec<Record>,
    seen_users: std::collections::BTreeSet<u64>,
}

impl Out {
    pub(crate) fn new(scope: ScopeId, now: Timestamp) -> Self {
        Self { scope, now, records: Vec::new(), seen_users: std::collections::BTreeSet::new() }
    }

    pub(crate) fn push(&mut self, entity: &'static Entity, key: String, changed: Option<Timestamp>, fields: Value) {
        let version = Version::new(changed, self.now);
        self.push_as(entity, self.scope, key, version, fields, Presence::Whole);
    }

    fn push_as(&mut self, entity: &'static Entity, scope: ScopeId, key: String, version: Version, fields: Value, presence: Presence) {
        let fields = match fields {
            Value::Object(fields) => fields,
            _ => Map::new(),
        };
        self.records.push(Record { entity, scope, key, version, fields, presence });
    }

    /// Notes whoever is at `path`; `nameless` when this kind of answer does not tell names, so that it must not
    /// overwrite one that did.
    pub(crate) fn who(&mut self, node: Node<'_>, path: &str) {
        let actor = node.at(path);
        let (Some(login), Some(id)) = (actor.str("login"), actor.u64("databaseId").or_else(|| actor.u64("id"))) else {
            return;
        };
        if !self.seen_users.insert(id) {
            return;
        }
        let kind = actor.str("__typename").or_else(|| actor.str("type")).unwrap_or("User");
        let login = login_of(actor, login);
        let rest = actor.at("node_id").exists();
        let fields = json!({
            "id": id,
            "node_id": if rest { actor.value("node_id") } else { actor.value("id") },
            "login": login,
            "name": actor.value("name"),
            "type": kind,
            "is_bot": kind == "Bot" || login.ends_with("[bot]"),
        });
        // REST leaves the name out: what GraphQL told must stay.
        let presence = if rest { Presence::Glimpse } else { Presence::Whole };
        self.push_as(&USERS, EVERYWHERE, padded(id), Version::new(None, self.now), fields, presence);
    }
}

/// A number whose text order is its own order.
pub(crate) fn padded(number: u64) -> String {
    format!("{number:012}")
}

/// A short stable hash: enough to recognise what was seen in a listing.
pub(crate) fn short_hash(text: &str) -> u64 {
    // FNV-1a, since the standard hasher may change between builds that share a mark.
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
