//! What is done with hooks that are there: looked at, pinged, given another secret, removed, made to send again.

use super::kept::{self, Kept};
use super::{events, refused};
use crate::{Env, Error};
use github::{Hook, HookDelivery, Secret, Verb};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Whether GitHub still has it, as far as these credentials are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    There,
    /// Removed, or made by others who alone can see it.
    Absent,
}

/// What became of a wish to have an event sent again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Redelivered {
    /// GitHub sends it, by and by.
    Asked,
    /// No hook of ours sent it, or GitHub no longer knows.
    Unknown,
}

/// What is wrong with it; nothing if it is as it was made. Empty of an absent one, too.
pub async fn inspect(env: &Env, hook: &Kept) -> Result<(Found, Vec<String>), Error> {
    let env = &env.about(hook.org());
    let reply = match env.rest_by(&hook.owner().hook(hook.id), hook.account.as_deref()).await {
        Ok(reply) => reply,
        Err(error) if refused(&error).is_some() => return Ok((Found::Absent, Vec::new())),
        Err(error) => return Err(error),
    };
    let there = Hook::read(&reply.body).ok_or_else(|| Error::Unreadable("a webhook without id".to_owned()))?;
    let wanted = events(hook.mode, &env.settings, &hook.owner());
    let lacking: Vec<&str> = wanted.iter().copied().filter(|event| !there.events.iter().any(|one| one == event || one == "*")).collect();
    let more: Vec<&str> = there.events.iter().map(String::as_str).filter(|event| !wanted.contains(event)).collect();
    let mut wrong = Vec::new();
    let mut say = |wrong_is: bool, what: String| wrong.extend(wrong_is.then_some(what));
    say(!there.active, "it is switched off".to_owned());
    say(there.url != hook.url, format!("it delivers to {}, not to {}", there.url, hook.url));
    say(!there.json, "it sends forms, not JSON".to_owned());
    say(there.insecure, "it does not verify the receiver's certificate".to_owned());
    say(!there.has_secret, "it has no secret: every event is refused".to_owned());
    say(!lacking.is_empty(), format!("it does not send {}", lacking.join(", ")));
    say(!more.is_empty(), format!("it also sends {}, which nothing needs", more.join(", ")));
    Ok((Found::There, wrong))
}

/// How the newest deliveries of a hook went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recent {
    pub all: usize,
    /// Events of which no attempt arrived.
    pub failing: usize,
    /// The newest of them: its status, 0 without an answer, and when.
    pub last_failure: Option<(u16, Timestamp)>,
}

/// The newest hundred attempts, by event.
pub async fn recent(env: &Env, hook: &Kept) -> Result<Recent, Error> {
    let env = &env.about(hook.org());
    let reply = env.rest_by(&format!("{}?per_page=100", hook.owner().deliveries(hook.id)), hook.account.as_deref()).await?;
    let attempts: Vec<HookDelivery> = reply.body.as_array().into_iter().flatten().filter_map(HookDelivery::read).collect();
    let arrived: BTreeSet<&str> = attempts.iter().filter(|one| one.arrived()).map(|one| one.guid.as_str()).collect();
    let all: BTreeSet<&str> = attempts.iter().map(|one| one.guid.as_str()).collect();
    let last_failure = attempts.iter().find(|one| !arrived.contains(one.guid.as_str())).map(|one| (one.status_code, one.delivered_at));
    Ok(Recent { all: all.len(), failing: all.len() - arrived.len(), last_failure })
}

/// Asks GitHub for a `ping`, which its deliveries then tell of.
pub async fn ping(env: &Env, hook: &Kept) -> Result<(), Error> {
    let env = &env.about(hook.org());
    env.change(Verb::Post, &hook.owner().pings(hook.id), &Value::Null, hook.account.as_deref()).await.map(|_| ())
}

/// Gives it another secret, and leaves all else as it is.
pub async fn rotate(env: &Env, hook: &Kept, secret: &Secret) -> Result<(), Error> {
    let env = &env.about(hook.org());
    let body = json!({ "secret": secret.reveal() });
    let (_, account) = env.change(Verb::Patch, &hook.owner().config(hook.id), &body, hook.account.as_deref()).await?;
    let kept = Kept { secret: secret.fingerprint(), account: Some(account), ..hook.clone() };
    kept::save(env.store.as_ref(), &kept).await
}

/// Removes it, and word of it. What GitHub does not show us stays on our list, since it may still deliver.
pub async fn delete(env: &Env, hook: &Kept) -> Result<Found, Error> {
    let env = &env.about(hook.org());
    match env.change(Verb::Delete, &hook.owner().hook(hook.id), &Value::Null, hook.account.as_deref()).await {
        Ok(_) => {}
        Err(error) if refused(&error).is_some() => return Ok(Found::Absent),
        Err(error) => return Err(error),
    }
    kept::forget(env.store.as_ref(), hook.id).await?;
    Ok(Found::There)
}

/// Pages of deliveries that are looked through for one: GitHub keeps them for some days.
const PAGES: usize = 100;

/// Has the event of this `X-GitHub-Delivery` sent again.
pub async fn redeliver(env: &Env, hook: &Kept, guid: &str) -> Result<Redelivered, Error> {
    let env = &env.about(hook.org());
    let (owner, by) = (hook.owner(), hook.account.as_deref());
    let mut next = Some(format!("{}?per_page=100", owner.deliveries(hook.id)));
    for _ in 0..PAGES {
        let Some(path) = next else { break };
        let reply = env.rest_by(&path, by).await?;
        let found = reply.body.as_array().into_iter().flatten().filter_map(HookDelivery::read).find(|one| one.guid == guid);
        if let Some(found) = found {
            env.change(Verb::Post, &owner.attempts(hook.id, found.id), &Value::Null, by).await?;
            return Ok(Redelivered::Asked);
        }
        next = reply.next;
    }
    Ok(Redelivered::Unknown)
}
