//! One of the pool: a credential, the token that stands for it just now, and what that may still spend. Asks nothing.

use crate::gate::{self, Urgency};
use crate::ledger::Told;
use github::{App, Budget, OAuthApp, Resource, Token, TokenKind};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// So long before its end a token is replaced.
pub(crate) const EARLY: SignedDuration = SignedDuration::from_mins(5);

#[derive(Debug)]
pub(crate) enum Source {
    /// Used as it is.
    Fixed,
    /// Renewed with a refresh token, which is in the vault.
    Oauth(OAuthApp),
    /// Made anew by the App.
    Installation { app: Arc<App>, id: u64 },
}

/// The token that stands for a credential.
#[derive(Debug, Clone, Default)]
pub(crate) struct Held {
    pub(crate) token: Option<Token>,
    pub(crate) ends: Option<Timestamp>,
}

#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) source: Source,
    /// The organization that it is good for, in lower case; none if that is for its rights to say.
    pub(crate) owner: Option<String>,
    /// Its place among the credentials that are kept.
    pub(crate) place: usize,
    /// GitHub no longer accepts it.
    refused: AtomicBool,
    held: Mutex<Held>,
    /// Whoever holds it replaces the token.
    pub(crate) renewing: tokio::sync::Mutex<()>,
    /// A new pair that could not be stored yet, and so is not used yet.
    pub(crate) unstored: Mutex<Option<github::Credential>>,
    left: Mutex<Vec<(&'static str, Told)>>,
    /// Gates that were seen closed, for whom, and until when: none opens before that.
    closed: Mutex<BTreeMap<(&'static str, Urgency), Timestamp>>,
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Member {
    pub(crate) fn new(source: Source, held: Held, place: usize) -> Self {
        Self {
            source,
            owner: None,
            place,
            refused: AtomicBool::new(false),
            held: Mutex::new(held),
            renewing: tokio::sync::Mutex::default(),
            unstored: Mutex::default(),
            left: Mutex::default(),
            closed: Mutex::default(),
        }
    }

    /// For one organization only.
    pub(crate) fn of(self, owner: &str) -> Self {
        Self { owner: Some(owner.to_lowercase()), ..self }
    }

    pub(crate) fn held(&self) -> Held {
        lock(&self.held).clone()
    }

    pub(crate) fn hold(&self, held: Held) {
        *lock(&self.held) = held;
    }

    /// Whether there is no token, or not for long.
    pub(crate) fn is_due(&self, now: Timestamp) -> bool {
        let held = self.held();
        let ending = held.ends.is_some_and(|ends| ends.duration_since(now) <= EARLY);
        held.token.is_none() || ending && !matches!(self.source, Source::Fixed)
    }

    pub(crate) fn is_usable(&self) -> bool {
        !self.refused.load(Ordering::Relaxed)
    }

    pub(crate) fn refuse(&self) {
        self.refused.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_installation(&self) -> bool {
        matches!(self.source, Source::Installation { .. }) || self.held().token.is_some_and(|token| token.kind() == TokenKind::Installation)
    }

    /// Whose the budget is, for keys: an installation's is one whatever its token.
    pub(crate) fn account(&self) -> String {
        match &self.source {
            Source::Installation { id, .. } => format!("installation-{id}"),
            _ => self.held().token.map(|token| token.fingerprint()).unwrap_or_default(),
        }
    }

    pub(crate) fn note(&self, budget: &Budget, now: Timestamp) {
        let resets = now.checked_add(budget.reset_in).unwrap_or(now);
        self.keep(gate::name(&budget.resource), Told { remaining: budget.remaining, limit: budget.limit, resets });
    }

    /// What another worker was told, unless we know better: of one window the least, of two the later.
    pub(crate) fn learn(&self, name: &str, told: Told, now: Timestamp) {
        for resource in [Resource::Core, Resource::Graphql] {
            let older = |known: Told| known.resets > told.resets || known.remaining <= told.remaining;
            if gate::name(&resource) == name && now < told.resets && !self.left(&resource, now).is_some_and(older) {
                self.keep(gate::name(&resource), told);
            }
        }
    }

    pub(crate) fn closed_until(&self, resource: &Resource, urgency: Urgency, now: Timestamp) -> Option<Timestamp> {
        lock(&self.closed).get(&(gate::name(resource), urgency)).copied().filter(|until| now < *until)
    }

    pub(crate) fn saw_closed(&self, resource: &Resource, urgency: Urgency, until: Timestamp) {
        lock(&self.closed).insert((gate::name(resource), urgency), until);
    }

    fn keep(&self, resource: &'static str, told: Told) {
        let mut left = lock(&self.left);
        left.retain(|(name, _)| *name != resource);
        left.push((resource, told));
    }

    /// What is known to be left; nothing is known at first and after a reset.
    pub(crate) fn left(&self, resource: &Resource, now: Timestamp) -> Option<Told> {
        lock(&self.left).iter().find(|(name, told)| *name == gate::name(resource) && now < told.resets).map(|(_, told)| *told)
    }
}
