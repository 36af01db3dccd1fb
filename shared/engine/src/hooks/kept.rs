//! Word of the hooks that were made: in the table, by GitHub's id of the hook. Holds no secret.

use crate::Error;
use crate::integration::Webhook;
use crate::model::StateKey;
use crate::ports::{Store, StoreError};
use github::HookOwner;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

const PARTITION: &str = "hooks";

/// A hook that was made, or found and made ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    pub id: u64,
    pub(crate) owner: Owner,
    pub url: String,
    pub events: Vec<String>,
    pub mode: Webhook,
    pub integration: Option<String>,
    /// Whose token manages it, as the gate names it: GitHub shows some hooks only to who made them.
    pub account: Option<String>,
    /// Fingerprint of its secret.
    pub secret: String,
    pub made_at: Timestamp,
}

/// As [`HookOwner`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Owner {
    Organization(String),
    Repository(String),
}

impl Owner {
    pub(crate) fn of(owner: &HookOwner) -> Self {
        match owner {
            HookOwner::Organization(name) => Self::Organization(name.clone()),
            HookOwner::Repository(name) => Self::Repository(name.clone()),
        }
    }
}

impl Kept {
    #[must_use]
    pub fn owner(&self) -> HookOwner {
        match &self.owner {
            Owner::Organization(name) => HookOwner::Organization(name.clone()),
            Owner::Repository(name) => HookOwner::Repository(name.clone()),
        }
    }

    /// The organization that it is about.
    #[must_use]
    pub fn org(&self) -> &str {
        let (Owner::Organization(name) | Owner::Repository(name)) = &self.owner;
        name.split('/').next().unwrap_or(name)
    }
}

fn key(id: u64) -> StateKey {
    StateKey { of: PARTITION.to_owned(), name: id.to_string() }
}

/// Those of one integration, by id.
pub async fn hooks(store: &dyn Store, integration: Option<&str>) -> Result<Vec<Kept>, StoreError> {
    let all = store.states_of(PARTITION).await?.into_iter();
    let mut all: Vec<Kept> = all.filter_map(|(_, state)| serde_json::from_value(state.value).ok()).collect();
    let same = |one: &Kept| one.integration.as_deref().map(str::to_lowercase) == integration.map(str::to_lowercase);
    all.retain(same);
    all.sort_by_key(|hook| hook.id);
    Ok(all)
}

/// The last word stands: whoever makes a hook twice makes the same one.
pub(super) async fn save(store: &dyn Store, kept: &Kept) -> Result<(), Error> {
    let value = serde_json::to_value(kept).map_err(|error| Error::Unreadable(error.to_string()))?;
    Ok(write(store, &key(kept.id), &value).await?)
}

pub(super) async fn forget(store: &dyn Store, id: u64) -> Result<(), StoreError> {
    write(store, &key(id), &Value::Null).await
}

async fn write(store: &dyn Store, key: &StateKey, value: &Value) -> Result<(), StoreError> {
    loop {
        let seen = store.states(std::slice::from_ref(key)).await?.first().map_or(0, |state| state.revision);
        if seen == 0 && value.is_null() {
            return Ok(());
        }
        match store.save(key, seen, value).await {
            Err(StoreError::Conflict) => {}
            other => return other.map(|_| ()),
        }
    }
}
