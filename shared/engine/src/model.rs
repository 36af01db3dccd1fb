//! The nouns: what a record, a mark and a job are. Knows no GitHub query and no table.

use crate::entities::Entity;
use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// GitHub's numeric id (`databaseId`) of a repository, of an organization for what belongs to no repository, or a number
/// that stands for a project, see [`project_scope`].
///
/// Names change and are reused; ids are neither.
pub type ScopeId = u64;

/// No repository's id has this bit, and whoever reads the sum as a JSON number reads it exactly.
const PROJECT: ScopeId = 1 << 52;

/// The scope of what is on a project's board, by the project's node id: the only name of it that webhooks and timelines
/// tell, too. GitHub numbers projects apart from repositories, and both have marks, so that a hash serves better.
#[must_use]
pub fn project_scope(node_id: &str) -> ScopeId {
    crate::node::short_hash(node_id) % PROJECT + PROJECT
}

/// Whether this is a project's scope.
#[must_use]
pub const fn is_project(scope: ScopeId) -> bool {
    scope & PROJECT != 0
}

/// "Look at this sweep of this repository." It carries no state: late, lost or doubled, it cannot matter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Job {
    pub scope: ScopeId,
    /// Name of the sweep, see [`crate::sweeps::ALL`].
    pub sweep: String,
    /// Whose token and choices; none without integrations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integration: Option<String>,
}

/// An event that GitHub sent and signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// `X-GitHub-Delivery`: the same when GitHub sends it again.
    pub delivery: String,
    /// `X-GitHub-Event`, such as `issues`.
    pub event: String,
    /// `X-GitHub-Hook-ID`, where it was told.
    pub hook: Option<String>,
    pub received_at: Timestamp,
    /// Byte for byte.
    pub body: Bytes,
}

/// One object of GitHub's, normalised.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    pub entity: &'static Entity,
    pub scope: ScopeId,
    /// Identity within entity and scope, and the order of listing: numbers are zero-padded.
    /// Children begin with their parent's key and `#`.
    pub key: String,
    pub version: Version,
    /// The fields that the entity declares, and no others.
    pub fields: Map<String, Value>,
    pub presence: Presence,
}

/// Whether the object is there, gone, or only known in part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Presence {
    /// The whole object.
    Whole,
    /// Some fields only: written where nothing is known yet, never over something.
    Glimpse,
    /// Some fields only: written over those that are stored, of which the others stay. Where nothing is stored, the
    /// row is made of what is there.
    Part,
    /// A tombstone: GitHub no longer has it. The last known fields are kept by the store.
    Gone,
}

/// Orders two sightings of one object: first by GitHub's own clock (`updatedAt`, where the object has one),
/// then by when we read it, since GitHub's clock counts in seconds. Compared as text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Version(pub String);

impl Version {
    /// `changed` is the object's `updated_at`; none if GitHub keeps none, and then the moment of reading stands in.
    #[must_use]
    pub fn new(changed: Option<Timestamp>, read_at: Timestamp) -> Self {
        // Fixed width, so that text order is time order.
        Self(format!("{:.3}/{read_at:.3}", changed.unwrap_or(read_at)))
    }

    /// GitHub told us that it was deleted: nothing that GitHub dates earlier can bring it back.
    #[must_use]
    pub fn deleted(at: Timestamp) -> Self {
        Self::new(Some(at), at)
    }

    /// A complete listing no longer had it. A later listing that has it again is believed.
    #[must_use]
    pub fn absent(&self, read_at: Timestamp) -> Self {
        let changed = self.0.split('/').next().unwrap_or_default();
        Self(format!("{changed}/{read_at:.3}"))
    }

    /// The second in which it changed: GitHub tells no more.
    pub(crate) fn second(&self) -> &str {
        self.0.get(.."2026-01-01T00:00:00".len()).unwrap_or_default()
    }

    /// When the object was read, as RFC 3339 text.
    #[must_use]
    pub fn read_at(&self) -> &str {
        self.0.split('/').nth(1).unwrap_or_default()
    }
}

/// A record as the store returns it.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    pub scope: ScopeId,
    pub key: String,
    pub version: Version,
    pub gone: bool,
    pub fields: Map<String, Value>,
}

impl Stored {
    /// Whether it is made of just these fields; null is what is not there.
    #[must_use]
    pub fn says(&self, fields: &Map<String, Value>) -> bool {
        let mut said = fields.iter().filter(|(_, value)| !value.is_null());
        let all = said.clone().count() == self.fields.len();
        all && said.all(|(name, value)| self.fields.get(name) == Some(value))
    }
}

/// What a write did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// Rows that were not there (or were tombstones).
    pub created: u64,
    pub updated: u64,
    /// Rows that became tombstones.
    pub removed: u64,
    /// Nothing written: the same content was there, or a newer version.
    pub unchanged: u64,
}

impl std::ops::AddAssign for Written {
    fn add_assign(&mut self, other: Self) {
        self.created += other.created;
        self.updated += other.updated;
        self.removed += other.removed;
        self.unchanged += other.unchanged;
    }
}

/// A revision-checked piece of our own state (a mark, a gate, a hint), kept beside the records.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StateKey {
    /// The partition, e.g. `mark#1296269`.
    pub of: String,
    /// Within the partition, e.g. `pull_requests`.
    pub name: String,
}

/// A piece of state as read: revision 0 means that it is not there yet.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    pub revision: u64,
    pub value: Value,
}
