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
    urgency: Urgency,
}

/// How far into the owner's reserve somebody may go who asks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Urgency {
    /// What is only being caught up with leaves it alone.
    #[default]
    None,
    /// Discoveries that come by themselves leave three quarters of it.
    Discovery,
    /// What events left open leaves half of it: it goes before discoveries, too.
    Events,
}

/// A secondary limit closes both doors, since both share it.
const BOTH: &str = "both";

impl Urgency {
    const ALL: [Self; 3] = [Self::None, Self::Discovery, Self::Events];

    /// What is left of a budget when its door closes.
    fn leaves(self, reserve: u64) -> u64 {
        match self {
            Self::None => reserve,
            Self::Discovery => reserve * 3 / 4,
            Self::Events => reserve / 2,
        }
    }

    /// After a resource's name. The last door closes when GitHub says so, too.
    const fn suffix(self) -> &'static str {
        match self {
            Self::None => ", not urgent",
            Self::Discovery => ", discovery",
            Self::Events => "",
        }
    }

    const fn why(self) -> &'static str {
        match self {
            Self::None => "only the reserve is left",
            Self::Discovery => "three quarters of the reserve are left",
            Self::Events => "half of the reserve is left",
        }
    }

    fn door(self, resource: &Resource) -> String {
        format!("{}{}", name(resource), self.suffix())
    }
}

/// The resource that a door is of.
pub(crate) fn resource(door: &str) -> &str {
    Urgency::ALL.iter().map(|urgency| urgency.suffix()).filter(|suffix| !suffix.is_empty()).find_map(|suffix| door.strip_suffix(suffix)).unwrap_or(door)
}

/// All gates, by `<token's fingerprint>#<resource>`.
pub(crate) const PARTITION: &str = "gates";

impl<'a> Gate<'a> {
    pub(crate) fn new(store: &'a dyn Store, token: String, reserve_percent: u32, urgency: Urgency) -> Self {
        Self { store, token, reserve_percent, urgency }
    }

    fn key(&self, name: &str) -> StateKey {
        StateKey { of: PARTITION.to_owned(), name: format!("{}#{name}", self.token) }
    }

    pub(crate) async fn closed_until(&self, resource: &Resource, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let mut keys = vec![self.key(name(resource)), self.key(BOTH)];
        if self.urgency != Urgency::Events {
            keys.push(self.key(&self.urgency.door(resource)));
        }
        let states = self.store.states(&keys).await?;
        Ok(states.iter().filter_map(|state| until(&state.value)).filter(|until| *until > now).max())
    }

    /// Learns from an answer: closes the gate when GitHub said so, or when only the owner's reserve is left, or what of it
    /// each urgency leaves. Returns until when, if GitHub said so.
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
            for urgency in Urgency::ALL.into_iter().filter(|urgency| left <= urgency.leaves(reserve) && budget.reset_in.is_positive()) {
                self.close(&urgency.door(&budget.resource), until, urgency.why()).await?;
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
