//! Who is signed in to a stack's console, and until when: one small item a browser, under the digest of its cookie, so that
//! whoever reads the table gets in nowhere. How they proved who they are, whoever begins a session knows.

use crate::Error;
use crate::authorization::{digest, random};
use crate::model::StateKey;
use crate::ports::{Store, StoreError};
use github::Secret;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

const PARTITION: &str = "sessions";
/// A working day.
pub const LASTS: SignedDuration = SignedDuration::from_hours(8);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// As the audit calls them.
    pub name: String,
    /// Whether they may change things.
    pub admin: bool,
    pub ends_at: Timestamp,
}

fn key(cookie: &Secret) -> StateKey {
    StateKey { of: PARTITION.to_owned(), name: digest(cookie.reveal()) }
}

/// What a form of this session must bring back: follows from the cookie, which leads nowhere from it.
#[must_use]
pub fn csrf(cookie: &Secret) -> String {
    digest(&format!("form {}", cookie.reveal()))
}

/// Lets somebody in, and returns their browser's cookie. Those whose time is over are forgotten.
pub async fn begin(store: &dyn Store, name: &str, admin: bool, now: Timestamp) -> Result<Secret, Error> {
    for (name, state) in store.states_of(PARTITION).await? {
        if read(&state.value).is_none_or(|session| session.ends_at <= now) {
            remove(store, &StateKey { of: PARTITION.to_owned(), name }, state.revision).await?;
        }
    }
    let cookie = random()?;
    let session = Session { name: name.to_owned(), admin, ends_at: now.checked_add(LASTS).unwrap_or(now) };
    let value = serde_json::to_value(&session).map_err(|error| Error::Unreadable(error.to_string()))?;
    store.save(&key(&cookie), 0, &value).await?;
    Ok(cookie)
}

/// Whose cookie it is; none if it is nobody's, or no longer.
pub async fn find(store: &dyn Store, cookie: &Secret, now: Timestamp) -> Result<Option<Session>, StoreError> {
    let state = store.states(&[key(cookie)]).await?.into_iter().next().unwrap_or_default();
    Ok(read(&state.value).filter(|session| now < session.ends_at))
}

/// Signs out.
pub async fn end(store: &dyn Store, cookie: &Secret) -> Result<(), StoreError> {
    let key = key(cookie);
    match store.states(std::slice::from_ref(&key)).await?.into_iter().next() {
        Some(state) if state.revision > 0 => remove(store, &key, state.revision).await,
        _ => Ok(()),
    }
}

fn read(value: &Value) -> Option<Session> {
    serde_json::from_value(value.clone()).ok()
}

/// Whoever was faster has done the same.
async fn remove(store: &dyn Store, key: &StateKey, revision: u64) -> Result<(), StoreError> {
    match store.save(key, revision, &Value::Null).await {
        Ok(_) | Err(StoreError::Conflict) => Ok(()),
        Err(error) => Err(error),
    }
}
