//! What a token may still spend. A limit belongs to the token, not to the worker: every worker reads the same gate
//! before each request. Never waits: it only says until when.
//! <https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api>

use crate::model::StateKey;
use crate::ports::{Store, StoreError};
use github::{Budget, Resource};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

pub(crate) struct Gate<'a> {
    store: &'a dyn Store,
    token: String,
    reserve_percent: u32,
    /// For what events left open and for discoveries, which go before what is only being caught up with.
    urgent: bool,
}

/// A secondary limit closes both doors, since both share it.
const BOTH: &str = "both";

/// The door of what is not urgent closes when the reserve is reached; the other one when half of the reserve is left.
fn patient(resource: &Resource) -> String {
    format!("{}{NOT_URGENT}", name(resource))
}

const NOT_URGENT: &str = ", not urgent";

/// The resource that a door is of.
pub(crate) fn resource(door: &str) -> &str {
    door.strip_suffix(NOT_URGENT).unwrap_or(door)
}

/// All gates, by `<token's fingerprint>#<resource>`.
pub(crate) const PARTITION: &str = "gates";

impl<'a> Gate<'a> {
    pub(crate) fn new(store: &'a dyn Store, token: String, reserve_percent: u32, urgent: bool) -> Self {
        Self { store, token, reserve_percent, urgent }
    }

    fn key(&self, name: &str) -> StateKey {
        StateKey { of: PARTITION.to_owned(), name: format!("{}#{name}", self.token) }
    }

    pub(crate) async fn closed_until(&self, resource: &Resource, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let keys = [self.key(name(resource)), self.key(BOTH), self.key(&patient(resource))];
        let states = self.store.states(if self.urgent { &keys[..2] } else { &keys }).await?;
        Ok(states.iter().filter_map(|state| until(&state.value)).filter(|until| *until > now).max())
    }

    /// Learns from an answer: closes the gate when GitHub said so, or when only the owner's reserve is left (half of it,
    /// for what is urgent).
    /// Returns until when, if GitHub said so.
    pub(crate) async fn note(&self, budget: Option<&Budget>, error: Option<&github::Error>, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let after = |wait: SignedDuration| now.checked_add(wait).unwrap_or(now);
        if let Some(github::Error::Limited { wait, resource, secondary }) = error {
            let (door, until) = (if *secondary { BOTH } else { name(resource) }, after(*wait));
            self.close(door, until, "limited by GitHub").await?;
            return Ok(Some(until));
        }
        if let Some(budget) = budget {
            let reserve = u64::from(budget.limit) * u64::from(self.reserve_percent) / 100;
            let (left, until) = (u64::from(budget.remaining), after(budget.reset_in.saturating_add(SignedDuration::from_secs(1))));
            if left <= reserve && budget.reset_in.is_positive() {
                self.close(&patient(&budget.resource), until, "only the reserve is left").await?;
            }
            if left <= reserve / 2 && budget.reset_in.is_positive() {
                self.close(name(&budget.resource), until, "half of the reserve is left").await?;
            }
        }
        Ok(None)
    }

    async fn close(&self, door: &str, at_least: Timestamp, why: &str) -> Result<(), StoreError> {
        let key = self.key(door);
        loop {
            let states = self.store.states(std::slice::from_ref(&key)).await?;
            let Some(state) = states.into_iter().next() else { return Ok(()) };
            if until(&state.value).is_some_and(|until| until >= at_least) {
                return Ok(());
            }
            let value = json!({ "until": at_least.to_string(), "why": why });
            match self.store.save(&key, state.revision, &value).await {
                Err(StoreError::Conflict) => {}
                other => return other.map(|_| ()),
            }
        }
    }
}

pub(crate) fn name(resource: &Resource) -> &'static str {
    match resource {
        Resource::Core => "core",
        Resource::Graphql => "graphql",
        Resource::Other(_) => "other",
    }
}

pub(crate) fn until(value: &Value) -> Option<Timestamp> {
    value.get("until")?.as_str()?.parse().ok()
}
