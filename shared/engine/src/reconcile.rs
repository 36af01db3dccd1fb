//! What webhooks did not bring: GitHub never tries a delivery twice by itself, so its list of deliveries is read from
//! where the last run ended, and what did not arrive is asked to be sent again, at most once a run. What is too large to
//! be sent, or never arrives, is read from GitHub instead. May be cut short at any call: the next run goes on.

mod missed;
mod progress;

use crate::hooks::{self, Kept, hooks};
use crate::model::Job;
use crate::ports::StoreError;
use crate::{Env, Error, Fleet, asked};
use github::{HookDelivery, Verb};
use jiff::{SignedDuration, Timestamp};
use missed::{List, Missed};
use progress::{Progress, Stage};
use serde_json::Value;

/// What one run did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// Attempts that were looked at.
    pub looked_at: u64,
    /// Asked to be sent again.
    pub redelivered: u64,
    /// Read from GitHub instead.
    pub read: u64,
    /// Those of them that no job reads: a discovery is due.
    pub discover: bool,
    /// Known not to have arrived yet.
    pub open: u64,
    /// Out of time, or overtaken: the next run goes on where this one was.
    pub unfinished: bool,
}

/// How long GitHub can send an event again.
/// <https://docs.github.com/en/webhooks/testing-and-troubleshooting-webhooks/redelivering-webhooks>
const CLOUD: SignedDuration = SignedDuration::from_hours(3 * 24);
const SERVER: SignedDuration = SignedDuration::from_hours(7 * 24);
/// The list is read again so far back: attempts may appear late in it.
const OVERLAP: SignedDuration = SignedDuration::from_mins(10);
/// After so many attempts it is read instead.
const ATTEMPTS: u32 = 8;

/// Every hook of this integration, until `deadline`. One that fails does not stop the others.
pub async fn reconcile(env: &Env, deadline: Timestamp) -> Result<Vec<(Kept, Result<Reconciled, Error>)>, StoreError> {
    let mut all = Vec::new();
    for hook in hooks(env.store.as_ref(), env.settings.integration.as_deref()).await? {
        let done = one(env, &hook, deadline).await;
        all.push((hook, done));
    }
    Ok(all)
}

/// What a run about everything did.
#[derive(Debug, Clone, Default)]
pub struct All {
    pub sum: Reconciled,
    /// What could not be done, and why.
    pub failures: Vec<String>,
}

/// Every hook of every integration; then what is known to be open is asked for, and whatever only a discovery finds is
/// looked for. A limit is no failure: the next run finds it past.
pub async fn all(fleet: &Fleet, deadline: Timestamp) -> Result<All, StoreError> {
    let mut all = All::default();
    for env in fleet.envs() {
        for (hook, done) in reconcile(env, deadline).await? {
            match done {
                Ok(done) => all.sum += &done,
                Err(Error::Waiting { .. }) => all.sum.unfinished = true,
                Err(error) => {
                    // Nobody tells of anything any more: it is asked for until somebody mends the hook.
                    all.sum.discover |= hooks::refused(&error).is_some();
                    all.failures.push(format!("the webhook {} of {}: {error}. `sei-github webhook verify` tells more", hook.id, hook.owner()));
                }
            }
        }
        // Whose jobs were lost, or are still under way: asking twice is harmless.
        let integration = &env.settings.integration;
        let jobs: Vec<Job> = asked::open(env.store.as_ref())
            .await?
            .into_iter()
            .map(|scope| Job { scope, sweep: asked::SWEEP.to_owned(), integration: integration.clone() })
            .collect();
        env.queue.send(&jobs).await?;
    }
    if all.sum.discover {
        for looked in fleet.discover(deadline).await {
            if let Err(error) = looked.found
                && !matches!(error, Error::Waiting { .. })
            {
                all.failures.push(format!("{}: {error}", looked.org));
            }
        }
    }
    Ok(all)
}

impl std::ops::AddAssign<&Self> for Reconciled {
    fn add_assign(&mut self, other: &Self) {
        self.looked_at += other.looked_at;
        self.redelivered += other.redelivered;
        self.read += other.read;
        self.open += other.open;
        self.discover |= other.discover;
        self.unfinished |= other.unfinished;
    }
}

/// One run about one hook.
pub async fn one(env: &Env, hook: &Kept, deadline: Timestamp) -> Result<Reconciled, Error> {
    let mut run = Run {
        env: env.about(hook.org()),
        hook,
        deadline,
        window: if env.github.is_enterprise_server() { SERVER } else { CLOUD },
        progress: Progress::read(env.store.as_ref(), hook.id).await?,
        missed: List::read(env.store.as_ref(), hook.id).await?,
        did: Reconciled::default(),
    };
    match run.go().await {
        // Another run is under way, and goes on.
        Err(Error::Store(StoreError::Conflict)) => run.did.unfinished = true,
        other => other?,
    }
    run.did.open = run.missed.open();
    Ok(run.did)
}

struct Run<'a> {
    env: Env,
    hook: &'a Kept,
    deadline: Timestamp,
    window: SignedDuration,
    progress: Progress,
    missed: List,
    did: Reconciled,
}

impl Run<'_> {
    async fn go(&mut self) -> Result<(), Error> {
        if self.progress.stage == Stage::Looking && !self.look().await? {
            self.did.unfinished = true;
            return Ok(());
        }
        self.did.unfinished = !self.send_again().await?;
        Ok(())
    }

    fn is_late(&self) -> bool {
        self.env.now() >= self.deadline
    }

    /// Reads the list, newest first, down to where the last run began. False if time ran out.
    async fn look(&mut self) -> Result<bool, Error> {
        let (owner, by) = (self.hook.owner(), self.hook.account.as_deref());
        let mut begun_anew = false;
        loop {
            if self.is_late() {
                return Ok(false);
            }
            let first = format!("{}?per_page=100", owner.deliveries(self.hook.id));
            let cursor = self.progress.cursor.clone();
            let reply = match self.env.rest_by(cursor.as_deref().unwrap_or(&first), by).await {
                Ok(reply) => reply,
                // A cursor is good for a while only.
                Err(Error::GitHub(github::Error::Rejected { .. } | github::Error::OtherHost { .. })) if cursor.is_some() && !begun_anew => {
                    begun_anew = true;
                    self.progress.cursor = None;
                    continue;
                }
                Err(error) => return Err(error),
            };
            let page: Vec<HookDelivery> = reply.body.as_array().into_iter().flatten().filter_map(HookDelivery::read).collect();
            self.did.looked_at += u64::try_from(page.len()).unwrap_or(0);
            if cursor.is_none() {
                self.progress.newest = page.first().map(|newest| newest.delivered_at).or(self.progress.through);
            }
            let oldest_of_use = self.env.now() - self.window;
            let floor = self.progress.through.map_or(oldest_of_use, |through| (through - OVERLAP).max(oldest_of_use));
            for delivery in page.iter().filter(|delivery| delivery.delivered_at >= floor && delivery.event != "ping") {
                self.missed.note(self.env.store.as_ref(), delivery).await?;
            }
            let ended = reply.next.is_none() || page.last().is_none_or(|last| last.delivered_at < floor);
            self.progress.cursor = reply.next.filter(|_| !ended);
            if ended {
                (self.progress.stage, self.progress.through) = (Stage::Sending, self.progress.newest.max(self.progress.through));
            }
            // What the page told is kept before the place in the list.
            self.progress.save(self.env.store.as_ref(), self.hook.id).await?;
            if ended {
                return Ok(true);
            }
        }
    }

    /// Asks for each that did not arrive, once a run. False if time ran out.
    async fn send_again(&mut self) -> Result<bool, Error> {
        let run = self.progress.run;
        for guid in self.missed.guids() {
            let Some(missed) = self.missed.get(&guid) else { continue };
            if missed.settled {
                // The next look does not come so far back.
                if self.progress.through.is_some_and(|through| missed.at < through - OVERLAP) {
                    self.missed.strike(self.env.store.as_ref(), &guid).await?;
                }
                continue;
            }
            if missed.asked_in == Some(run) {
                continue;
            }
            if self.is_late() {
                return Ok(false);
            }
            let too_old = self.env.now().duration_since(missed.first) > self.window;
            if missed.too_large || too_old || missed.times >= ATTEMPTS {
                self.read_instead(&guid, &missed).await?;
                continue;
            }
            // Noted before it is asked: should this run die in between, the next one asks. Nobody asks twice in one.
            let before = (missed.asked_in, missed.times);
            self.missed.asked(self.env.store.as_ref(), &guid, Some(run), missed.times + 1).await?;
            let path = self.hook.owner().attempts(self.hook.id, missed.id);
            match self.env.change(Verb::Post, &path, &Value::Null, self.hook.account.as_deref()).await {
                Ok(_) => self.did.redelivered += 1,
                // GitHub no longer has it.
                Err(Error::GitHub(github::Error::Absent { .. } | github::Error::Gone { .. } | github::Error::Rejected { .. })) => {
                    self.read_instead(&guid, &missed).await?;
                }
                Err(error) => {
                    // It was not sent, as far as we know: this run may try again.
                    self.missed.asked(self.env.store.as_ref(), &guid, before.0, before.1).await?;
                    return Err(error);
                }
            }
        }
        self.progress.next_run();
        self.progress.save(self.env.store.as_ref(), self.hook.id).await?;
        Ok(true)
    }

    /// Has the lists read that the event was about. The jobs are sent before it is noted as settled.
    async fn read_instead(&mut self, guid: &str, missed: &Missed) -> Result<(), Error> {
        let sweeps = sweeps_of(&missed.event);
        match missed.repository {
            Some(scope) if !sweeps.is_empty() => {
                let job = |sweep: &&str| Job { scope, sweep: (*sweep).to_owned(), integration: self.env.settings.integration.clone() };
                self.env.queue.send(&sweeps.iter().map(job).collect::<Vec<_>>()).await?;
            }
            _ => self.did.discover = true,
        }
        // Where main has moved to, discovery alone tells.
        self.did.discover |= missed.event == "push";
        self.did.read += 1;
        tracing::warn!(hook = self.hook.id, guid, event = missed.event, "an event that cannot be delivered is read from GitHub instead");
        Ok(self.missed.settle(self.env.store.as_ref(), guid).await?)
    }
}

/// What reads the objects that an event is about; nothing for what discovery sees by itself.
fn sweeps_of(event: &str) -> &'static [&'static str] {
    match event {
        "pull_request" | "pull_request_review" | "pull_request_review_thread" => &["pull_requests"],
        "pull_request_review_comment" => &["pull_requests", "review_comments"],
        "issues" | "sub_issues" => &["issues"],
        // Of pull requests, too.
        "issue_comment" => &["issues", "pull_requests"],
        "label" | "milestone" | "create" | "delete" | "release" => &["catalogue"],
        "deployment" | "deployment_status" => &["deployments"],
        "workflow_run" => &["workflow_runs"],
        _ => &[],
    }
}
