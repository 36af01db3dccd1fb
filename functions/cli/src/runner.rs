//! Does in one process what AWS does with functions and a queue: discovers, then works off the jobs, ten at a time,
//! waiting where the engine says until when. The only place that sleeps.

use crate::failure::Failure;
use crate::progress::Progress;
use async_trait::async_trait;
use engine::{Env, Job, Outcome, Queue, Repository, StoreError, advance, discover};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// The queue in the process. A job that already waits is not queued twice, and one that runs is not run beside itself:
/// two workers on one job are harmless, but the slower one asks for nothing.
#[derive(Default)]
pub(crate) struct LocalQueue(Mutex<Jobs>, Notify);

#[derive(Default)]
struct Jobs {
    waiting: VecDeque<Job>,
    /// The same as `waiting`, for looking up: there may be a hundred thousand.
    queued: HashSet<Job>,
    running: HashSet<Job>,
}

#[async_trait]
impl Queue for LocalQueue {
    async fn send(&self, jobs: &[Job]) -> Result<(), StoreError> {
        let mut all = self.lock();
        for job in jobs {
            if all.queued.insert(job.clone()) {
                all.waiting.push_back(job.clone());
            }
        }
        drop(all);
        if !jobs.is_empty() {
            self.1.notify_one();
        }
        Ok(())
    }
}

impl LocalQueue {
    fn lock(&self) -> std::sync::MutexGuard<'_, Jobs> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next job that does not run yet.
    pub(crate) fn take(&self) -> Option<Job> {
        let mut all = self.lock();
        let index = all.waiting.iter().position(|job| !all.running.contains(job))?;
        let job = all.waiting.remove(index)?;
        all.queued.remove(&job);
        all.running.insert(job.clone());
        Some(job)
    }

    pub(crate) fn finished(&self, job: &Job) {
        self.lock().running.remove(job);
    }

    /// Until jobs are sent, or were sent since the last call.
    pub(crate) async fn came(&self) {
        self.1.notified().await;
    }

    fn len(&self) -> usize {
        self.lock().waiting.len()
    }
}

/// How a sync went.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    pub(crate) repositories: u64,
    pub(crate) left_out: u64,
    /// Chosen patterns that nothing fits in any organization.
    pub(crate) unmatched: BTreeSet<String>,
    /// What cannot be had for reasons that are not ours.
    pub(crate) refused: Vec<String>,
    /// What a later sync may mend.
    pub(crate) failed: Vec<String>,
    pub(crate) stopped: bool,
    /// Organizations that were seen whole.
    pub(crate) seen: BTreeMap<String, engine::Seen>,
}

pub(crate) const WORKERS: usize = 10;
/// After so many failures in a row a job is left to the next sync.
const PATIENCE: u32 = 6;

pub(crate) async fn run(env: &Env, queue: &Arc<LocalQueue>, progress: &mut Progress) -> Result<Summary, Failure> {
    let mut summary = Summary { unmatched: env.settings.selection.include.iter().cloned().collect(), ..Summary::default() };
    let several = env.settings.orgs.len() > 1;
    for org in &env.settings.orgs {
        let found = loop {
            match discover(org, env).await {
                // One organization that may not be copied does not hold up the others.
                Err(error @ (engine::Error::Organization { .. } | engine::Error::Membership { .. } | engine::Error::NotInstalled { .. })) if several => {
                    summary.failed.push(error.to_string());
                    break engine::Found { unmatched: summary.unmatched.clone(), ..engine::Found::default() };
                }
                Err(engine::Error::Waiting { until }) => {
                    if !wait(env, until, progress).await {
                        summary.stopped = true;
                        return Ok(summary);
                    }
                }
                other => break other?,
            }
        };
        summary.repositories += found.repositories;
        summary.left_out += found.left_out;
        summary.unmatched.retain(|pattern| found.unmatched.contains(pattern));
        summary.seen.extend(engine::Seen::of(&found).map(|seen| (org.to_lowercase(), seen)));
        summary.refused.extend(found.refused);
        summary.failed.extend(found.missing.iter().map(|what| format!("{org}: {what}")));
    }
    work(env, queue, progress, &mut summary).await?;
    Ok(summary)
}

/// Tries again when a limit is past: whoever types a command would.
pub(crate) async fn patiently<T, F>(env: &Env, mut ask: impl FnMut() -> F) -> Result<T, engine::Error>
where
    F: Future<Output = Result<T, engine::Error>>,
{
    loop {
        match ask().await {
            Err(engine::Error::Waiting { until }) => {
                eprintln!("waiting until {until:.0}: GitHub's limit is reached (Ctrl-C stops)");
                tokio::time::sleep(until.duration_since(env.now()).unsigned_abs() + Duration::from_millis(100)).await;
            }
            other => return other,
        }
    }
}

async fn wait(env: &Env, until: jiff::Timestamp, progress: &Progress) -> bool {
    let pause = until.duration_since(env.now()).unsigned_abs() + Duration::from_millis(500);
    progress.say(&format!("waiting until {until:.0}: GitHub's limit is reached (Ctrl-C stops, nothing is lost)"));
    tokio::select! {
        () = tokio::time::sleep(pause) => true,
        _ = tokio::signal::ctrl_c() => false,
    }
}

/// What a job is about, for people.
async fn about(job: &Job, env: &Env) -> String {
    let name = Repository::read(env, job.scope).await.ok().flatten().map_or_else(|| format!("repository {}", job.scope), |repo| repo.full_name());
    format!("{} of {name}", engine::spoken(&job.sweep))
}

async fn work(env: &Env, queue: &Arc<LocalQueue>, progress: &mut Progress, summary: &mut Summary) -> Result<(), Failure> {
    let forever = jiff::Timestamp::MAX;
    let mut running = FuturesUnordered::new();
    let mut parked: Vec<(jiff::Timestamp, Job)> = Vec::new();
    let mut told: HashSet<jiff::Timestamp> = HashSet::new();
    let mut tries: std::collections::HashMap<Job, u32> = std::collections::HashMap::new();
    let mut done = 0_u64;
    let stop = tokio::signal::ctrl_c();
    tokio::pin!(stop);
    loop {
        let now = env.now();
        let due: Vec<Job> = parked.iter().filter(|(until, _)| *until <= now).map(|(_, job)| job.clone()).collect();
        parked.retain(|(until, _)| *until > now);
        queue.send(&due).await?;
        while running.len() < WORKERS {
            let Some(job) = queue.take() else { break };
            running.push(async move {
                let outcome = advance(&job, env, forever).await;
                (job, outcome)
            });
        }
        let open = u64::try_from(queue.len() + running.len() + parked.len()).unwrap_or(0);
        let spent = env.github.spent();
        progress.at(done, done + open, &format!("{} requests, {} points", spent.rest + spent.graphql, spent.points));
        if open == 0 {
            return Ok(());
        }
        let next = parked.iter().map(|(until, _)| *until).min();
        let pause = next.map_or(Duration::from_secs(3600), |next| next.duration_since(now).unsigned_abs() + Duration::from_millis(50));
        let finished = tokio::select! {
            Some(finished) = running.next(), if !running.is_empty() => Some(finished),
            () = tokio::time::sleep(pause) => None,
            _ = &mut stop => {
                summary.stopped = true;
                // What is under way is dropped where it stands: every write is whole, and the next sync resumes.
                return Ok(());
            }
        };
        let Some((job, outcome)) = finished else { continue };
        queue.finished(&job);
        done += 1;
        match outcome {
            Ok(Outcome::CaughtUp | Outcome::Superseded | Outcome::Continued) => {}
            Ok(Outcome::Parked { until, limit, why }) => {
                done -= 1;
                let tried = tries.entry(job.clone()).or_insert(0);
                *tried += u32::from(!limit);
                if *tried > PATIENCE {
                    done += 1;
                    summary.failed.push(format!("{}: {why}", about(&job, env).await));
                } else {
                    if limit && told.insert(until) {
                        progress.say(&format!("waiting until {until:.0}: GitHub's limit is reached (Ctrl-C stops, nothing is lost)"));
                    }
                    parked.push((until, job));
                }
            }
            Ok(Outcome::Refused { code, message }) => {
                let what = format!("{}: {message}", about(&job, env).await);
                // A server that answers nonsense or does not understand us may be mended, or we; what GitHub will not show is not ours to mend.
                if code == "unreadable" || code == "unsupported" { summary.failed.push(what) } else { summary.refused.push(what) }
            }
            Err(error @ engine::Error::GitHub(github::Error::Unauthenticated)) => return Err(error.into()),
            Err(engine::Error::UnknownRepository(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
