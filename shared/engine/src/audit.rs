//! Who changed what and when: one small item a change, by month. Knows no secret, and never changes what is there.

use crate::model::StateKey;
use crate::node::short_hash;
use crate::ports::{Store, StoreError};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A change, as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    pub at: Timestamp,
    /// As whoever let them in calls them.
    pub who: String,
    /// Such as `connector.pause`.
    pub what: String,
    /// The integration or message that it is about.
    pub of: String,
    /// What came of it; empty where it was done.
    #[serde(default)]
    pub why_not: String,
}

fn partition(at: Timestamp) -> String {
    format!("changes#{}", at.strftime("%Y-%m"))
}

/// Notes a change. Two of one instant are two.
pub async fn note(store: &dyn Store, change: &Change) -> Result<(), StoreError> {
    tracing::info!(who = change.who, what = change.what, of = change.of, why_not = change.why_not, "changed");
    let value = serde_json::to_value(change).map_err(|source| StoreError::Broken { what: "a change cannot be noted".to_owned(), source: source.into() })?;
    let mut number = 0;
    loop {
        let hash = short_hash(&format!("{number} {} {} {}", change.who, change.what, change.of));
        let key = StateKey { of: partition(change.at), name: format!("{} {hash:016x}", change.at.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")) };
        match store.save(&key, 0, &value).await {
            Err(StoreError::Conflict) => number += 1,
            other => return other.map(|_| ()),
        }
    }
}

/// The changes of this month and the one before, newest first.
pub async fn latest(store: &dyn Store, now: Timestamp) -> Result<Vec<Change>, StoreError> {
    let before =
        now.strftime("%Y-%m-01T00:00:00Z").to_string().parse::<Timestamp>().ok().and_then(|first| first.checked_sub(jiff::SignedDuration::from_secs(1)).ok());
    let mut all = Vec::new();
    for at in [Some(now), before].into_iter().flatten() {
        let mut of_month = store.states_of(&partition(at)).await?;
        of_month.reverse();
        all.extend(of_month.into_iter().filter_map(|(_, state)| serde_json::from_value(state.value).ok()));
    }
    Ok(all)
}
