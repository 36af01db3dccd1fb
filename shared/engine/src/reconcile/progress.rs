//! How far the deliveries of one hook were looked through: kept in the table, replaced by compare-and-swap.

use crate::Error;
use crate::model::StateKey;
use crate::ports::{Store, StoreError};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Stage {
    /// Reading the list.
    #[default]
    Looking,
    /// Asking for what did not arrive.
    Sending,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Progress {
    /// Counts the runs; one that is cut short goes on under its number.
    pub(super) run: u64,
    pub(super) stage: Stage,
    /// GitHub's address of the next page; none to begin at the newest.
    pub(super) cursor: Option<String>,
    /// The newest attempt when this run began to look.
    pub(super) newest: Option<Timestamp>,
    /// All attempts up to here were looked at.
    pub(super) through: Option<Timestamp>,
    #[serde(skip)]
    revision: u64,
}

pub(super) fn key(hook: u64) -> StateKey {
    StateKey { of: "reconciled".to_owned(), name: hook.to_string() }
}

impl Progress {
    pub(super) async fn read(store: &dyn Store, hook: u64) -> Result<Self, StoreError> {
        let state = store.states(&[key(hook)]).await?.into_iter().next().unwrap_or_default();
        let progress: Self = serde_json::from_value(state.value).unwrap_or_default();
        Ok(Self { revision: state.revision, ..progress })
    }

    pub(super) async fn save(&mut self, store: &dyn Store, hook: u64) -> Result<(), Error> {
        let value = serde_json::to_value(&self).map_err(|error| Error::Unreadable(error.to_string()))?;
        self.revision = store.save(&key(hook), self.revision, &value).await?;
        Ok(())
    }

    pub(super) fn next_run(&mut self) {
        self.run += 1;
        (self.stage, self.cursor) = (Stage::Looking, None);
    }
}
