//! The events of one hook that did not arrive: one piece of state each, named by `X-GitHub-Delivery`, so that any number
//! of them fits. Of several attempts the latest counts, in whichever order they are noted.

use crate::model::StateKey;
use crate::ports::{Store, StoreError};
use github::HookDelivery;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Missed {
    /// The latest attempt.
    pub(super) id: u64,
    pub(super) at: Timestamp,
    /// The earliest that is known: GitHub counts the days from it.
    pub(super) first: Timestamp,
    /// The latest attempt went well, or it was read instead. Kept while earlier attempts that did not may come up again.
    pub(super) settled: bool,
    pub(super) too_large: bool,
    pub(super) event: String,
    pub(super) repository: Option<u64>,
    /// The run in which it was asked for last, and how often it was in all.
    pub(super) asked_in: Option<u64>,
    pub(super) times: u32,
}

pub(super) struct List {
    of: String,
    all: BTreeMap<String, (u64, Missed)>,
}

impl List {
    pub(super) async fn read(store: &dyn Store, hook: u64) -> Result<Self, StoreError> {
        let of = format!("missed#{hook}");
        let all = store.states_of(&of).await?.into_iter();
        let all = all.filter_map(|(guid, state)| Some((guid, (state.revision, serde_json::from_value(state.value).ok()?)))).collect();
        Ok(Self { of, all })
    }

    pub(super) fn guids(&self) -> Vec<String> {
        self.all.keys().cloned().collect()
    }

    pub(super) fn get(&self, guid: &str) -> Option<Missed> {
        self.all.get(guid).map(|(_, missed)| missed.clone())
    }

    pub(super) fn open(&self) -> u64 {
        u64::try_from(self.all.values().filter(|(_, missed)| !missed.settled).count()).unwrap_or(0)
    }

    /// Takes one attempt in.
    pub(super) async fn note(&mut self, store: &dyn Store, seen: &HookDelivery) -> Result<(), StoreError> {
        let before = self.get(&seen.guid);
        // A first attempt that went well has none before it; another may have to be remembered.
        if before.is_none() && seen.arrived() && !seen.redelivery {
            return Ok(());
        }
        let latest = |before: &Missed| (before.at, before.id) >= (seen.delivered_at, seen.id);
        let missed = match before.clone() {
            Some(before) if latest(&before) => Missed { first: before.first.min(seen.delivered_at), ..before },
            before => Missed {
                id: seen.id,
                at: seen.delivered_at,
                first: before.as_ref().map_or(seen.delivered_at, |before| before.first.min(seen.delivered_at)),
                settled: seen.arrived(),
                too_large: seen.too_large(),
                event: seen.event.clone(),
                repository: seen.repository_id,
                asked_in: before.as_ref().and_then(|before| before.asked_in),
                times: before.as_ref().map_or(0, |before| before.times),
            },
        };
        if Some(&missed) == before.as_ref() {
            return Ok(());
        }
        self.save(store, &seen.guid, missed).await
    }

    pub(super) async fn asked(&mut self, store: &dyn Store, guid: &str, run: Option<u64>, times: u32) -> Result<(), StoreError> {
        let Some(missed) = self.get(guid) else { return Ok(()) };
        self.save(store, guid, Missed { asked_in: run, times, ..missed }).await
    }

    pub(super) async fn settle(&mut self, store: &dyn Store, guid: &str) -> Result<(), StoreError> {
        let Some(missed) = self.get(guid) else { return Ok(()) };
        self.save(store, guid, Missed { settled: true, ..missed }).await
    }

    async fn save(&mut self, store: &dyn Store, guid: &str, missed: Missed) -> Result<(), StoreError> {
        let seen = self.all.get(guid).map_or(0, |(revision, _)| *revision);
        let value =
            serde_json::to_value(&missed).map_err(|error| StoreError::Broken { what: "an attempt cannot be noted".to_owned(), source: error.into() })?;
        let revision = store.save(&self.key(guid), seen, &value).await?;
        self.all.insert(guid.to_owned(), (revision, missed));
        Ok(())
    }

    pub(super) async fn strike(&mut self, store: &dyn Store, guid: &str) -> Result<(), StoreError> {
        let Some((seen, _)) = self.all.get(guid) else { return Ok(()) };
        store.save(&self.key(guid), *seen, &Value::Null).await?;
        self.all.remove(guid);
        Ok(())
    }

    fn key(&self, guid: &str) -> StateKey {
        StateKey { of: self.of.clone(), name: guid.to_owned() }
    }
}
