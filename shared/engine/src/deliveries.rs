//! What became of each event, by its delivery id: received, durable, applied or not, and why. Also the mark by which an
//! event that comes twice is known. Written with or after durability, never before. Keeps no body.

use crate::model::{Received, StateKey};
use crate::ports::{Store, StoreError};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How far an event has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Durable, and not looked at yet.
    #[default]
    Durable,
    /// The copy has what it carries.
    Applied,
    /// The copy had something newer.
    Superseded,
    /// It concerns nothing that is copied.
    Ignored,
    /// It is no event of GitHub's, or lacks what every such event has.
    Malformed,
    /// It could not be applied, time after time.
    DeadLettered,
}

impl Stage {
    pub const ALL: [Self; 6] = [Self::Durable, Self::Applied, Self::Superseded, Self::Ignored, Self::Malformed, Self::DeadLettered];

    /// For people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Durable => "waiting",
            Self::Applied => "applied",
            Self::Superseded => "superseded",
            Self::Ignored => "ignored",
            Self::Malformed => "malformed",
            Self::DeadLettered => "dead-lettered",
        }
    }
}

/// One event's trace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Trace {
    pub event: String,
    pub action: Option<String>,
    pub org: Option<String>,
    pub repo: Option<String>,
    pub hook: Option<String>,
    pub bytes: u64,
    pub received_at: Option<Timestamp>,
    /// None of what was never taken in.
    pub durable_at: Option<Timestamp>,
    pub outcome: Stage,
    pub why: Option<String>,
    pub applied_at: Option<Timestamp>,
    /// Rows written.
    pub rows: u64,
    /// The table may forget it then: seconds since 1970.
    #[serde(rename = "_expires")]
    pub expires: i64,
}

/// What the beginning of a payload tells without looking at its object.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct About {
    #[serde(default)]
    pub action: Option<String>,
    #[serde(default)]
    organization: Option<Organization>,
    #[serde(default)]
    repository: Option<Repo>,
}

#[derive(Debug, Clone, Deserialize)]
struct Organization {
    login: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct Repo {
    full_name: Option<String>,
}

/// GitHub sends an event again for three days (an Enterprise Server for seven).
const KEPT: SignedDuration = SignedDuration::from_hours(8 * 24);

impl About {
    /// None if it is no JSON. What is JSON of another shape tells nothing.
    #[must_use]
    pub fn read(body: &[u8]) -> Option<Self> {
        if let Ok(about) = serde_json::from_slice(body) {
            return Some(about);
        }
        serde_json::from_slice::<serde::de::IgnoredAny>(body).ok().map(|_| Self::default())
    }
}

impl Trace {
    /// The beginning of a trace.
    #[must_use]
    pub fn of(event: &Received, about: &About) -> Self {
        let repo = about.repository.as_ref().and_then(|repo| repo.full_name.clone());
        let owner = || repo.as_deref().and_then(|name| name.split('/').next()).map(str::to_owned);
        Self {
            event: event.event.clone(),
            action: about.action.clone(),
            org: about.organization.as_ref().and_then(|org| org.login.clone()).or_else(owner),
            repo,
            hook: event.hook.clone(),
            bytes: u64::try_from(event.body.len()).unwrap_or(u64::MAX),
            received_at: Some(event.received_at),
            expires: event.received_at.checked_add(KEPT).unwrap_or(event.received_at).as_second(),
            ..Self::default()
        }
    }

    /// Such as `issues.edited`.
    #[must_use]
    pub fn what(&self) -> String {
        self.action.as_ref().map_or_else(|| self.event.clone(), |action| format!("{}.{action}", self.event))
    }

    /// Its repository or, without one, its organization.
    #[must_use]
    pub fn whose(&self) -> Option<&str> {
        self.repo.as_deref().or(self.org.as_deref())
    }

    /// Nothing more will happen to it.
    #[must_use]
    pub fn settled(&self) -> bool {
        self.outcome != Stage::Durable
    }
}

/// By the first digit of the id, so that no partition has all of them.
fn key(delivery: &str) -> StateKey {
    let first = delivery.chars().next().filter(char::is_ascii_hexdigit).unwrap_or('0').to_ascii_lowercase();
    StateKey { of: format!("deliveries#{first}"), name: delivery.to_owned() }
}

/// The trace of an event, if it was seen.
pub async fn find(store: &dyn Store, delivery: &str) -> Result<Option<Trace>, StoreError> {
    let states = store.states(&[key(delivery)]).await?;
    Ok(states.into_iter().next().filter(|state| state.revision > 0).map(|state| serde_json::from_value(state.value).unwrap_or_default()))
}

/// Every trace that is not too old, by delivery id, oldest first.
pub async fn all(store: &dyn Store, now: Timestamp) -> Result<Vec<(String, Trace)>, StoreError> {
    let mut all = Vec::new();
    for digit in "0123456789abcdef".chars() {
        for (name, state) in store.states_of(&format!("deliveries#{digit}")).await? {
            let trace: Trace = serde_json::from_value(state.value).unwrap_or_default();
            // The table forgets what has expired in its own time.
            if trace.expires > now.as_second() {
                all.push((name, trace));
            }
        }
    }
    all.sort_by(|one, other| (one.1.received_at, &one.0).cmp(&(other.1.received_at, &other.0)));
    Ok(all)
}

/// Deletes the traces that have expired, where the table does not do so by itself. Returns how many.
pub async fn forget(store: &dyn Store, now: Timestamp) -> Result<u64, StoreError> {
    let mut forgotten = 0;
    for digit in "0123456789abcdef".chars() {
        for (name, state) in store.states_of(&format!("deliveries#{digit}")).await? {
            let trace: Trace = serde_json::from_value(state.value).unwrap_or_default();
            if trace.expires <= now.as_second() {
                match store.save(&key(&name), state.revision, &Value::Null).await {
                    Ok(_) => forgotten += 1,
                    Err(StoreError::Conflict) => {}
                    Err(error) => return Err(error),
                }
            }
        }
    }
    Ok(forgotten)
}

/// Writes a trace over what is there, unless more is known there already: the receiver may be faster than the function
/// that took the event in.
pub async fn note(store: &dyn Store, delivery: &str, trace: &Trace) -> Result<(), StoreError> {
    let value = serde_json::to_value(trace).map_err(|source| StoreError::Broken { what: "a trace cannot be written".to_owned(), source: source.into() })?;
    // A trace that is to be begun is mostly not there: no need to look first.
    let mut seen = 0;
    if trace.settled() {
        seen = store.states(&[key(delivery)]).await?.first().map_or(0, |state| state.revision);
    }
    for _ in 0..5 {
        match store.save(&key(delivery), seen, &value).await {
            Err(StoreError::Conflict) => {}
            other => return other.map(|_| ()),
        }
        let states = store.states(&[key(delivery)]).await?;
        let Some(state) = states.first() else { return Ok(()) };
        let there: Trace = serde_json::from_value(state.value.clone()).unwrap_or_default();
        if state.revision > 0 && (there.settled() || !trace.settled()) && !(there.outcome == Stage::DeadLettered && trace.settled()) {
            return Ok(());
        }
        seen = state.revision;
    }
    Err(StoreError::Conflict)
}
