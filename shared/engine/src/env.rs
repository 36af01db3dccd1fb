//! Everything a visit touches, and the one way it asks GitHub: through the gate, counting what is spent.

use crate::Error;
use crate::entities::Group;
use crate::gate::{Gate, Urgency};
use crate::integration::Webhook;
use crate::ledger::Ledgers;
use crate::mark::Validator;
use crate::ports::{Clock, Queue, Store};
use crate::renew::{self, Unusable};
use crate::scratch::Scratch;
use crate::selection::Selection;
use crate::tokens::Tokens;
use github::{Answer, Budget, Client, GitRemote, Reply, Resource, Verb};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
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
    /// What GitHub tells by itself.
    pub webhook: Webhook,
    /// Organizations that another integration copies, too: what is not listed here may be listed there.
    pub shared: BTreeSet<String>,
    pub files_from: FilesFrom,
    pub branches: Branches,
}

/// Whose commits are copied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Branches {
    /// The default branch's.
    #[default]
    Default,
    /// Those of all others, too.
    All,
}

impl Branches {
    pub const ALL: [Self; 2] = [Self::Default, Self::All];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::All => "all",
        }
    }
}

impl std::str::FromStr for Branches {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|one| one.name() == name).ok_or_else(|| "write default or all".to_owned())
    }
}

/// Where the files of commits are read from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FilesFrom {
    /// Git, and REST for what git does not reach.
    #[default]
    Auto,
    Git,
    /// A request a commit.
    Rest,
}

impl FilesFrom {
    pub const ALL: [Self; 3] = [Self::Auto, Self::Git, Self::Rest];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Git => "git",
            Self::Rest => "rest",
        }
    }
}

impl std::str::FromStr for FilesFrom {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|one| one.name() == name).ok_or_else(|| "write auto, git or rest".to_owned())
    }
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
            webhook: Webhook::None,
            shared: BTreeSet::new(),
            files_from: FilesFrom::Auto,
            branches: Branches::Default,
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
    ledgers: Arc<Ledgers>,
    /// Where git's packs go; none where there is no disk for them.
    pub(crate) scratch: Option<Arc<Scratch>>,
    /// How often discoveries come by themselves, if they do.
    pub(crate) scheduled: Option<SignedDuration>,
    urgency: Urgency,
    /// Short waits are waited out.
    patient: bool,
}

impl Env {
    #[must_use]
    pub fn new(github: Tokens, store: Arc<dyn Store>, queue: Arc<dyn Queue>, clock: Arc<dyn Clock>, settings: Settings) -> Self {
        // GitHub allows 100; ten are enough to hide its latency and leave room for others who use the token.
        let in_flight = Arc::new(Semaphore::new(10));
        Self {
            github,
            store,
            queue,
            clock,
            settings: Arc::new(settings),
            in_flight,
            ledgers: Arc::new(Ledgers::new(false)),
            scratch: None,
            scheduled: None,
            urgency: Urgency::None,
            patient: false,
        }
    }

    /// The same tokens, table and budget for other choices.
    #[must_use]
    pub fn with(&self, settings: Settings) -> Self {
        Self { settings: Arc::new(settings), ..self.clone() }
    }

    /// The same with disk for git's packs.
    #[must_use]
    pub fn on(self, scratch: Arc<Scratch>) -> Self {
        Self { scratch: Some(scratch), ..self }
    }

    /// The same with a meter of its own, which tells what a visit spends.
    pub(crate) fn metered(&self) -> Self {
        Self { github: self.github.metered(), ..self.clone() }
    }

    /// For what events left open.
    pub(crate) fn urgently(&self) -> Self {
        Self { urgency: Urgency::Events, ..self.clone() }
    }

    /// For discoveries: one that comes by itself has no mark to come back to, and comes again after an hour only, perhaps
    /// when the hour's budget is always used up. Whoever typed a command is told of the wait instead.
    pub(crate) fn discovering(&self) -> Self {
        let scheduled = self.scheduled.is_some();
        let urgency = self.urgency.max(if scheduled { Urgency::Discovery } else { Urgency::None });
        Self { patient: scheduled, urgency, ..self.clone() }
    }

    /// For discoveries that come by themselves, again and again: where nothing happens, they look less often for what no
    /// list tells, and they leave to the next one what no token can pay before that.
    #[must_use]
    pub fn scheduled(self, every: SignedDuration) -> Self {
        Self { scheduled: Some(every), ..self }
    }

    /// For the only process that can use this table: what others leased from the ledger of a token, they left behind.
    #[must_use]
    pub fn alone(self) -> Self {
        Self { ledgers: Arc::new(Ledgers::new(true)), ..self }
    }

    /// The same for an organization, which an App has a token of its own for.
    pub(crate) fn about(&self, org: &str) -> Self {
        Self { github: self.github.about(org), ..self.clone() }
    }

    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Reads one page of GraphQL, if a token may.
    pub(crate) async fn graphql(&self, query: &str, variables: &Value) -> Result<Answer, Error> {
        let send = |client: Client, _| async move { client.graphql(query, variables).await };
        let cost = github::points(query, variables);
        Ok(self.ask((&Resource::Graphql, cost), None, send, |answer| answer.budget.as_ref()).await?.0)
    }

    /// Reads one page of REST, if a token may.
    pub(crate) async fn rest(&self, path: &str) -> Result<Reply, Error> {
        Ok(self.rest_unless(path, None).await?.0)
    }

    /// The same unless it is as the validator knows it; and the validator of what came. Validators vary with the token,
    /// so that the one that brought it is asked with.
    pub(crate) async fn rest_unless(&self, path: &str, known: Option<&Validator>) -> Result<(Reply, Option<Validator>), Error> {
        let send = |client: Client, same: bool| async move { client.get(path, known.filter(|_| same).map(|known| known.etag.as_str())).await };
        let (reply, by) = self.ask((&Resource::Core, 1), known.map(|known| known.by.as_str()), send, |reply| reply.budget.as_ref()).await?;
        let validator = reply.etag.clone().map(|etag| Validator { etag, by });
        Ok((reply, validator))
    }

    /// Asks for a repository over git's protocol, which has no budget, with the first token that can be had.
    pub(crate) async fn git(&self, repository: &str) -> Result<GitRemote, Error> {
        let mut last = Error::GitHub(github::Error::Unauthenticated);
        for member in self.github.by_budget(&Resource::Core, self.now()) {
            match renew::client(self, member).await {
                Ok(client) => return Ok(client.git(repository).await?),
                Err(Unusable::Error(error)) => last = error,
                Err(Unusable::Refused(why)) => last = Error::Access { why },
            }
        }
        Err(last)
    }

    /// Changes something over REST, with the token of `by` if it is there; tells whose it was. GitHub counts it as five of reading.
    pub(crate) async fn change(&self, verb: Verb, path: &str, body: &Value, by: Option<&str>) -> Result<(Reply, String), Error> {
        let send = |client: Client, _| async move { client.change(verb, path, body).await };
        self.ask((&Resource::Core, 5), by, send, |reply| reply.budget.as_ref()).await
    }

    /// Reads one page of REST, with the token of `by` if it is there: some things GitHub shows only to who made them.
    pub(crate) async fn rest_by(&self, path: &str, by: Option<&str>) -> Result<Reply, Error> {
        let send = |client: Client, _| async move { client.get(path, None).await };
        Ok(self.ask((&Resource::Core, 1), by, send, |reply| reply.budget.as_ref()).await?.0)
    }

    /// Asks, after the wait if it is short and somebody patient asks. Tells whose budget paid.
    async fn ask<T, F>(
        &self,
        price: (&Resource, u64),
        prefer: Option<&str>,
        send: impl Fn(Client, bool) -> F,
        budget: impl Fn(&T) -> Option<&Budget>,
    ) -> Result<(T, String), Error>
    where
        F: Future<Output = Result<T, github::Error>>,
    {
        loop {
            match self.ask_now(price, prefer, &send, &budget).await {
                Err(Error::Waiting { until }) if self.patient && self.clock.pause(until).await => {}
                answered => return answered,
            }
        }
    }

    /// Waits for a place among the requests in flight, then asks with the token that has the most left, of those whose
    /// gate is open: in this order, because the gate may have closed while we waited.
    async fn ask_now<T, F>(
        &self,
        (resource, cost): (&Resource, u64),
        prefer: Option<&str>,
        send: &impl Fn(Client, bool) -> F,
        budget: &impl Fn(&T) -> Option<&Budget>,
    ) -> Result<(T, String), Error>
    where
        F: Future<Output = Result<T, github::Error>>,
    {
        let _turn = self.in_flight.acquire().await.map_err(|_| Error::Stopped)?;
        let mut waiting: Option<Timestamp> = None;
        let mut refusal: Option<String> = None;
        let earlier = |waiting: Option<Timestamp>, until: Timestamp| Some(waiting.map_or(until, |other| other.min(until)));
        let mut members = self.github.by_budget(resource, self.now());
        if let Some(prefer) = prefer {
            members.sort_by_key(|member| member.account() != prefer);
        }
        for member in members {
            // Once more, should a token be refused that somebody has replaced meanwhile.
            for again in [true, false] {
                let client = match renew::client(self, member).await {
                    Ok(client) => client,
                    Err(Unusable::Error(Error::Waiting { until })) => {
                        waiting = earlier(waiting, until);
                        break;
                    }
                    Err(Unusable::Error(error)) => return Err(error),
                    Err(Unusable::Refused(why)) => {
                        tracing::error!(account = member.account(), why, "a credential is set aside");
                        member.refuse();
                        refusal = Some(why);
                        break;
                    }
                };
                let account = member.account();
                let gate = Gate::new(self.store.as_ref(), account.clone(), self.settings.reserve_percent, self.urgency);
                let mut closed = member.closed_until(resource, self.urgency, self.now());
                if closed.is_none() {
                    closed = gate.closed_until(resource, self.now()).await?;
                    closed.into_iter().for_each(|until| member.saw_closed(resource, self.urgency, until));
                }
                let pass = if closed.is_some() {
                    None
                } else {
                    match self.ledgers.enter(self.store.as_ref(), self.clock.as_ref(), member, resource, cost).await {
                        Err(Error::Waiting { until }) => {
                            closed = Some(until);
                            None
                        }
                        pass => Some(pass?),
                    }
                };
                // It may have closed while we waited for a place.
                if pass.as_ref().is_some_and(|pass| pass.waited) {
                    closed = gate.closed_until(resource, self.now()).await?;
                }
                if let Some(until) = closed {
                    waiting = earlier(waiting, until);
                    break;
                }
                let answer = send(client.clone(), prefer == Some(account.as_str())).await;
                let told = answer.as_ref().ok().and_then(budget);
                if let Some(pass) = pass.as_ref().filter(|_| answer.is_ok()) {
                    pass.told(told.is_some());
                }
                if let Some(told) = told {
                    member.note(told, self.now());
                }
                if let Some(until) = gate.note(told, answer.as_ref().err(), self.now()).await? {
                    waiting = earlier(waiting, until);
                    break;
                }
                match answer {
                    // GitHub bars those who go on asking with a bad token: one question tells whether it is that.
                    Err(github::Error::Unauthenticated) if client.is_accepted().await => {
                        let message = "GitHub answers 401 for it, though it accepts the token".to_owned();
                        return Err(Error::Denied { code: "unauthenticated", message });
                    }
                    Err(github::Error::Unauthenticated) if again && renew::another(self, member, client.token()).await? => {}
                    Err(github::Error::Unauthenticated) => {
                        tracing::error!(token = client.token().fingerprint(), "GitHub does not accept this token: it is wrong, expired or revoked");
                        member.refuse();
                        break;
                    }
                    other => return Ok((other?, account)),
                }
            }
        }
        let nobody = || refusal.map_or(Error::GitHub(github::Error::Unauthenticated), |why| Error::Access { why });
        Err(match waiting {
            Some(until) => Error::Waiting { until },
            None => self.github.not_installed().unwrap_or_else(nobody),
        })
    }
}
