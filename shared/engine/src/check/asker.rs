//! Asks GitHub within a number of requests and a time. Judges nothing.

use crate::ports::Clock;
use github::{Answer, Client, Error, Probe, Reply, Unreached};
use jiff::Timestamp;
use serde_json::Value;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

/// For all that is asked: half a minute, less what starting and printing take.
pub(crate) const IN_ALL: Duration = Duration::from_secs(27);
/// A GitHub that takes longer for one of these answers is in trouble.
const FOR_ONE: Duration = Duration::from_secs(8);
/// One token and one organization; each further organization brings its own part of it.
const REQUESTS: u32 = 15;
const OF_ORGANIZATION: u32 = 10;

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Silence {
    #[error(transparent)]
    Unreached(#[from] Unreached),
    #[error("the time or the number of requests that a check may take was over")]
    Over,
}

/// What a question brought.
pub(crate) type Heard<T> = Result<Probe<T>, Silence>;

pub(crate) struct Asker<'a> {
    pub(crate) client: &'a Client,
    /// The one organization that the token is good for, if it is for one only.
    pub(crate) owner: Option<&'a str>,
    clock: &'a dyn Clock,
    until: Timestamp,
    left: AtomicU32,
    silent: AtomicBool,
}

impl<'a> Asker<'a> {
    pub(crate) fn new(client: &'a Client, owner: Option<&'a str>, clock: &'a dyn Clock, until: Timestamp, organizations: usize) -> Self {
        let more = u32::try_from(organizations.saturating_sub(1)).unwrap_or(0).saturating_mul(OF_ORGANIZATION);
        Self { client, owner, clock, until, left: AtomicU32::new(REQUESTS.saturating_add(more)), silent: AtomicBool::new(false) }
    }

    pub(crate) async fn get(&self, path: &str) -> Heard<Reply> {
        self.ask(|within| self.client.probe(path, within)).await
    }

    pub(crate) async fn graphql(&self, query: &str, variables: &Value) -> Heard<Answer> {
        self.ask(|within| self.client.probe_graphql(query, variables, within)).await
    }

    /// Passing trouble is met with one more try: it says nothing of what was asked.
    async fn ask<T, F: Future<Output = Result<Probe<T>, Unreached>>>(&self, send: impl Fn(Duration) -> F) -> Heard<T> {
        let first = self.once(&send).await;
        let note = |heard: Heard<T>| {
            self.silent.fetch_or(heard.is_err(), Ordering::Relaxed);
            heard
        };
        let passing = match &first {
            Ok(probe) => matches!(&probe.answer, Err(Error::Passing { .. } | Error::TooHeavy { .. })),
            Err(silence) => *silence == Silence::Unreached(Unreached::Broken),
        };
        if !passing {
            return note(first);
        }
        match self.once(&send).await {
            Err(Silence::Over) => note(first),
            second => note(second),
        }
    }

    /// Whether a question stayed without an answer.
    pub(crate) fn met_silence(&self) -> bool {
        self.silent.load(Ordering::Relaxed)
    }

    async fn once<T, F: Future<Output = Result<Probe<T>, Unreached>>>(&self, send: impl Fn(Duration) -> F) -> Heard<T> {
        let within = Duration::try_from(self.until.duration_since(self.clock.now())).unwrap_or_default().min(FOR_ONE);
        let one = |left: u32| left.checked_sub(1);
        if within.is_zero() || self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one).is_err() {
            return Err(Silence::Over);
        }
        Ok(send(within).await?)
    }
}
