//! Everything a visit touches, and the one way it asks GitHub: through the gate, counting what is spent.

use crate::Error;
use crate::entities::Group;
use crate::gate::Gate;
use crate::ports::{Clock, Queue, Store};
use github::{Answer, Reply, Resource};
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
    /// Globs on `owner/name` (or on the name alone); empty takes all.
    pub include: Vec<String>,
    pub exclude: Vec<String>,
    pub groups: BTreeSet<Group>,
    /// Nothing that last changed before this is read.
    pub since: Option<Timestamp>,
    /// Reads everything again, and so notices every deletion.
    pub full: bool,
    /// Share of each token's budget that is left to its owner.
    pub reserve_percent: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            orgs: Vec::new(),
            include: Vec::new(),
            exclude: Vec::new(),
            groups: Group::ALL.into_iter().collect(),
            since: None,
            full: false,
            reserve_percent: 10,
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
    pub github: github::Client,
    pub store: Arc<dyn Store>,
    pub queue: Arc<dyn Queue>,
    pub clock: Arc<dyn Clock>,
    pub settings: Arc<Settings>,
    /// Requests in flight at once in this process.
    pub in_flight: Arc<Semaphore>,
}

impl Env {
    #[must_use]
    pub fn new(github: github::Client, store: Arc<dyn Store>, queue: Arc<dyn Queue>, clock: Arc<dyn Clock>, settings: Settings) -> Self {
        // GitHub allows 100; ten are enough to hide its latency and leave room for others who use the token.
        let in_flight = Arc::new(Semaphore::new(10));
        Self { github, store, queue, clock, settings: Arc::new(settings), in_flight }
    }

    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn gate(&self) -> Gate<'_> {
        Gate::new(self.store.as_ref(), self.github.token().fingerprint(), self.settings.reserve_percent)
    }

    /// Reads one page of GraphQL, if the token may.
    pub(crate) async fn graphql(&self, query: &str, variables: &Value) -> Result<Answer, Error> {
        let _turn = self.turn(&Resource::Graphql).await?;
        let answer = self.github.graphql(query, variables).await;
        let budget = answer.as_ref().ok().and_then(|answer| answer.budget.as_ref());
        self.gate().note(budget, answer.as_ref().err(), self.now()).await?;
        Ok(answer?)
    }

    /// Reads one page of REST, if the token may.
    pub(crate) async fn rest(&self, path: &str, etag: Option<&str>) -> Result<Reply, Error> {
        let _turn = self.turn(&Resource::Core).await?;
        let reply = self.github.get(path, etag).await;
        let budget = reply.as_ref().ok().and_then(|reply| reply.budget.as_ref());
        self.gate().note(budget, reply.as_ref().err(), self.now()).await?;
        Ok(reply?)
    }

    /// Waits for a place among the requests in flight, then looks at the gate: in this order, because
    /// the gate may have closed while we waited.
    async fn turn(&self, resource: &Resource) -> Result<tokio::sync::SemaphorePermit<'_>, Error> {
        let turn = self.in_flight.acquire().await.map_err(|_| Error::Stopped)?;
        match self.gate().closed_until(resource, self.now()).await? {
            Some(until) => Err(Error::Waiting { until }),
            None => Ok(turn),
        }
    }
}
