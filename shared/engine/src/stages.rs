//! The way of items over a project's board: what was seen of it by three sources, and the one history that follows.
//! Pure: reads no store and no clock.
//!
//! A webhook tells a move exactly, from its installation on; the timeline of an issue tells it exactly, where GitHub wrote
//! it down; two readings of the board tell that it happened between them. Any of them may be missing, late or told twice.

mod history;
mod names;
mod order;
mod same;
mod sighting;
mod subjects;
mod walk;
mod words;

pub use history::{History, Known, Stay, stays};
pub use sighting::{Board, OptionName, STATUS, Sighting, Stage, What};
pub use subjects::Link;
pub use words::{Text, Words};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Who told it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// `projects_v2_item`.
    Webhook,
    /// The events of an issue or pull request.
    Timeline,
    /// Two readings of the board.
    Snapshot,
}

/// One change of an item's stage, or of whether it is on the board, as all sources together have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    pub item: Option<Text>,
    pub what: What,
    /// The stage that was left, by its present name; none for no stage.
    pub from: Option<Text>,
    pub to: Option<Text>,
    /// The best guess, between `earliest` and `latest`.
    pub at: Timestamp,
    pub earliest: Timestamp,
    pub latest: Timestamp,
    pub actor: Option<Text>,
    /// By a workflow of the project; none if nobody told.
    pub automated: Option<bool>,
    pub source: Source,
}

impl Transition {
    /// Whether GitHub told the moment.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.earliest == self.latest
    }
}
