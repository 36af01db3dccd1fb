//! One thing that one source told of an item, as it is kept: never changed, and the same row however often it is told.

use super::{Source, Text, Words};
use crate::entities::STAGE_SIGHTINGS;
use crate::model::{Presence, Record, ScopeId, Stored, Version};
use crate::node::short_hash;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// An option of a single-select field. Timelines tell only its name at that time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stage {
    pub id: Option<Text>,
    pub name: Text,
}

/// What an option is called or, until then, was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionName {
    pub id: Text,
    pub name: Text,
    pub until: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// It came onto the board, without a stage.
    Added,
    /// It came back from the archive, in the stage that it had.
    Restored,
    /// Its stage was set or, if `to` is none, cleared.
    Moved,
    Archived,
    /// It left the board for good; without an item, the board itself is gone.
    Removed,
}

impl What {
    pub const ALL: [Self; 5] = [Self::Added, Self::Restored, Self::Moved, Self::Archived, Self::Removed];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Restored => "restored",
            Self::Moved => "moved",
            Self::Archived => "archived",
            Self::Removed => "removed",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// Node id of the item; timelines do not tell it.
    pub item: Option<Text>,
    /// Node id of the issue, pull request or draft.
    pub content: Option<Text>,
    /// Repository and number, where it is an issue or pull request.
    pub issue: Option<(ScopeId, u64)>,
    pub what: What,
    /// Name of the field at that time, and its node id; timelines tell of Status alone, and no id.
    pub field: Text,
    pub field_id: Option<Text>,
    /// None where nobody told; of what was told, none is no stage.
    pub from: Option<Option<Stage>>,
    pub to: Option<Stage>,
    /// Equal where the source tells the moment.
    pub earliest: Timestamp,
    pub latest: Timestamp,
    /// When GitHub says that the present value was set.
    pub set_at: Option<Timestamp>,
    pub actor: Option<Text>,
    pub automated: Option<bool>,
    pub source: Source,
    /// What tells it from others of its source: an event's node id.
    pub event: Option<Text>,
}

/// Which board: its node id and number.
#[derive(Debug, Clone, Copy)]
pub struct Board<'a> {
    pub scope: ScopeId,
    pub node_id: &'a str,
    pub number: u64,
}

impl Sighting {
    /// Something told with its moment, of the field called Status, by nobody in particular.
    #[must_use]
    pub fn exact(source: Source, what: What, at: Timestamp) -> Self {
        Self {
            item: None,
            content: None,
            issue: None,
            what,
            field: STATUS.into(),
            field_id: None,
            from: None,
            to: None,
            earliest: at,
            latest: at,
            set_at: None,
            actor: None,
            automated: None,
            source,
            event: None,
        }
    }

    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.earliest == self.latest
    }

    /// The same however often, and in whatever order, it is told.
    #[must_use]
    pub fn key(&self) -> String {
        let item = self.item.as_deref().unwrap_or("board");
        let field = self.field_id.as_deref().unwrap_or_default();
        let to = self.to.as_ref().and_then(|to| to.id.as_deref()).unwrap_or_default();
        match (self.source, &self.event) {
            (Source::Timeline, Some(event)) => format!("timeline#{event}"),
            // An item that left the board does not come back: another one would.
            (Source::Snapshot, _) if self.what == What::Removed => format!("snapshot#{item}#removed"),
            (Source::Snapshot, _) => format!("snapshot#{item}#{}#{field}#{to}#{}", self.what.name(), self.set_at.unwrap_or(self.earliest)),
            (source, _) => {
                let from = self.from.iter().flatten().find_map(|from| from.id.as_deref()).unwrap_or_default();
                let source = if source == Source::Webhook { "webhook" } else { "timeline" };
                let issue = self.issue.map(|(repo, number)| format!("{repo}#{number}")).unwrap_or_default();
                format!("{source}#{item}#{}#{:x}", self.what.name(), short_hash(&format!("{issue} {field} {from} {to} {}", self.latest)))
            }
        }
    }

    /// As it is kept; `kind` is `issue`, `pull_request` or `draft`, where that is known.
    #[must_use]
    pub fn record(&self, board: Board<'_>, kind: Option<&str>, now: Timestamp) -> Record {
        let (from, to) = (self.from.as_ref().and_then(Option::as_ref), self.to.as_ref());
        let fields = json!({
            "project": board.number,
            "project_node_id": board.node_id,
            "item": self.item.as_deref(),
            "content_node_id": self.content.as_deref(),
            "repo_id": self.issue.map(|(repo, _)| repo),
            "number": self.issue.map(|(_, number)| number),
            "kind": kind,
            "what": self.what.name(),
            "field": &*self.field,
            "field_id": self.field_id.as_deref(),
            "from_known": self.from.is_some(),
            "from": from.map(|from| &*from.name),
            "from_id": from.and_then(|from| from.id.as_deref()),
            "to": to.map(|to| &*to.name),
            "to_id": to.and_then(|to| to.id.as_deref()),
            "earliest": self.earliest.to_string(),
            "latest": self.latest.to_string(),
            "set_at": self.set_at.map(|at| at.to_string()),
            "actor": self.actor.as_deref(),
            "automated": self.automated,
            "source": self.source,
            "event": self.event.as_deref(),
        });
        let fields = if let Value::Object(fields) = fields { fields } else { Map::new() };
        // What was seen stays as it was seen first.
        Record {
            entity: &STAGE_SIGHTINGS,
            scope: board.scope,
            key: self.key(),
            version: Version::new(Some(self.latest), now),
            fields,
            presence: Presence::Glimpse,
        }
    }

    /// As it was kept; none for a row that is none of ours.
    #[must_use]
    pub fn read(row: &Stored, words: &mut Words) -> Option<Self> {
        let str = |name: &str| row.fields.get(name).and_then(Value::as_str);
        let mut text = |name: &str| str(name).map(|text| words.get(text));
        let number = |name: &str| row.fields.get(name).and_then(Value::as_u64);
        let time = |name: &str| str(name)?.parse::<Timestamp>().ok();
        let what = str("what")?;
        let flag = |name: &str| row.fields.get(name).and_then(Value::as_bool);
        Some(Self {
            from: if flag("from_known").unwrap_or(false) { Some(stage("from", "from_id", &mut text)) } else { None },
            to: stage("to", "to_id", &mut text),
            item: text("item"),
            content: text("content_node_id"),
            issue: number("repo_id").zip(number("number")),
            what: What::ALL.into_iter().find(|one| one.name() == what)?,
            field: text("field")?,
            field_id: text("field_id"),
            earliest: time("earliest")?,
            latest: time("latest")?,
            set_at: time("set_at"),
            actor: text("actor"),
            automated: flag("automated"),
            source: serde_json::from_value(row.fields.get("source")?.clone()).ok()?,
            // No two have the same.
            event: str("event").map(Text::from),
        })
    }
}

fn stage(name: &str, id: &str, text: &mut impl FnMut(&str) -> Option<Text>) -> Option<Stage> {
    Some(Stage { id: text(id), name: text(name)? })
}

/// The field that is a board's stage unless somebody names another.
pub const STATUS: &str = "Status";
