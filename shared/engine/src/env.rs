//! Everything a visit touches, and the one way it asks GitHub: through the gate, counting what is spent.

use crate::Error;
use crate::entities::Group;
use crate::gate::Gate;
use crate::ports::{Clock, Queue, Store};
use crate::selection::Selection;
use crate::tokens::Tokens;
use github::{Answer, Budget, Client, Reply, Resource};
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// What the owner chose.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Logins of the organizations to copy.
    pub orgs: Vec<String>,
    /// Which of their repositories.
    pub selection: Selection,
    pub groups: BTreeSet<Group>,
    /// Nothing that last changed before this is read.
    pub since: Option<Timestamp>,
    /// Reads everything again, and so notices every deletion.
    pub full: bool,
    /// Share of each token's budget that is left to its owner.
    pub reserve_percent: u32,
    /// Whose settings these are.
    pub integration: Option<String>,
    /// Organizations that another integration copies, too: what is not listed here may be listed there.
    pub shared: BTreeSet<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            orgs: Vec::new(),
            selection: Selection::default(),
            groups: Group::ALL.into_iter().collect(),
            since: None,
            full: false,
            reserve_percent: 10,
            integration: None,
            shared: BTreeSet::new(),
        }
    }
}

impl Settings {
    #[must_use]
    pub fn wants(&self, group: Group) -> bool {
        group == Group::Always || self.groups.contains(&group)
    }
}

#[derive(Clone)]
pub struct Env {
    pub github: Tokens,
    pub store: Arc<dyn Store>,
    pub queue: Arc<dyn Queue>,
    pub clock: Arc<dyn Clock>,
    pub settings: Arc<Settings>,
    /// Requests in flight at once in this process.
    pub in_flight: Arc<Semaphore>,
}

impl Env {
    #[must_use]
    pub fn new(github: Tokens, store: Arc<dyn Store>, queue: Arc<dyn Queue>, clock: Arc<dyn Clock>, settings: Settings) -> Self {
        // GitHub allows 100; ten are enough to hide its latency and leave room for others who use the token.
        let in_flight = Arc::new(Semaphore::new(10));
        Self { github, store, queue, clock, settings: Arc::new(settings), in_flight }
    }

    /// The same with a meter of its own, which tells what a visit spends.
    pub(crate) fn metered(&self) -> Self {
        Self { github: self.github.metered(), ..self.clone() }
    }

    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Reads one page of GraphQL, if a token may.
    pub(crate) async fn graphql(&self, query: &str, variables: &Value) -> Result<Answer, Error> {
        let send = |client: Client| async move { client.graphql(query, variables).await };
        self.ask(&Resource::Graphql, send, |answer| answer.budget.as_ref()).await
    }

    /// Reads one page of REST, if a token may.
    pub(crate) async fn rest(&self, path: &str, etag: Option<&str>) -> Result<Reply, Error> {
        let send = |client: Client| async move { client.get(path, etag).await };
        self.ask(&Resource::Core, send, |reply| reply.budget.as_ref()).await
    }

    /// Waits for a place among the requests in flight, then asks with the first token whose gate is open: in this
    /// order, because the gate may have closed while we waited.
    async fn ask<T, F>(&self, resource: &Resource, send: impl Fn(Client) -> F, budget: impl Fn(&T) -> Option<&Budget>) -> Result<T, Error>
    where
        F: Future<Output = Result<T, github::Error>>,
    {
        let _turn = self.in_flight.acquire().await.map_err(|_| Error::Stopped)?;
        let mut waiting: Option<Timestamp> = None;
        let earlier = |waiting: Option<Timestamp>, until: Timestamp| Some(waiting.map_or(until, |other| other.min(until)));
        for (index, client) in self.github.usable() {
            let gate = Gate::new(self.store.as_ref(), client.token().fingerprint(), self.settings.reserve_percent);
            if let Some(until) = gate.closed_until(resource, self.now()).await? {
                waiting = earlier(waiting, until);
                continue;
            }
            let answer = send(client.clone()).await;
            let limited = gate.note(answer.as_ref().ok().and_then(&budget), answer.as_ref().err(), self.now()).await?;
            if let Some(until) = limited {
                waiting = earlier(waiting, until);
                continue;
            }
            match answer {
                // GitHub bars those who go on asking with a bad token: one question tells whether it is that.
                Err(github::Error::Unauthenticated) if client.is_accepted().await => {
                    let message = "GitHub answers 401 for it, though it accepts the token".to_owned();
                    return Err(Error::Denied { code: "unauthenticated", message });
                }
                Err(github::Error::Unauthenticated) => {
                    tracing::error!(token = client.token().fingerprint(), "GitHub does not accept this token: it is wrong, expired or revoked");
                    self.github.refuse(index);
                }
                other => return Ok(other?),
            }
        }
        Err(waiting.map_or(Error::GitHub(github::Error::Unauthenticated), |until| Error::Waiting { until }))
    }
}
