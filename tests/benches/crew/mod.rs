//! Ten fetchers and the schedule's discoveries on a clock that moves only when a request is answered, and jumps when everybody
//! waits, so that hours of limits pass in seconds. Knows the engine's public interface alone, and counts nothing of GitHub's.

use engine::{Clock, Env, Error, Job, Outcome, Queue, SHORT_WAIT, StoreError, advance, discover_until};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Fetchers at once, each with an environment of its own, as in AWS.
pub(crate) const WORKERS: i64 = 10;
/// What an answer of GitHub's takes, so that ten in flight are answered ten times as often.
pub(crate) const LATENCY_MS: i64 = 1000;
/// Of a fetcher's fifteen minutes, as the function has it.
const DEADLINE: SignedDuration = SignedDuration::from_secs(860);
/// Of a discovery's fifteen minutes, as the function has it.
const DISCOVERY: SignedDuration = SignedDuration::from_secs(860);
/// Between two discoveries.
const EVERY: SignedDuration = SignedDuration::from_hours(1);
/// Of which there is always something to ask.
const ALWAYS: &str = "workflow_runs";

#[derive(Clone, Default)]
pub(crate) struct Virtual {
    /// Since 1970.
    pub(crate) millis: Arc<AtomicI64>,
    /// How many there are whose requests move it.
    at_work: Arc<AtomicI64>,
}

#[async_trait::async_trait]
impl Clock for Virtual {
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.millis.load(Ordering::SeqCst)).unwrap()
    }

    async fn pause(&self, until: Timestamp) -> bool {
        let short = until.duration_since(self.now()) <= SHORT_WAIT;
        if short {
            self.pass(until).await;
        }
        short
    }
}

impl Virtual {
    fn jump_if_idle(&self, until: Timestamp) {
        if self.at_work.load(Ordering::SeqCst) == 0 {
            self.millis.fetch_max(until.as_millisecond(), Ordering::SeqCst);
        }
    }

    /// Somebody who was at work waits.
    async fn pass(&self, until: Timestamp) {
        self.at_work.fetch_sub(1, Ordering::SeqCst);
        while self.now() < until {
            self.jump_if_idle(until);
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        self.at_work.fetch_add(1, Ordering::SeqCst);
    }
}

/// What waits, and what is under way.
#[derive(Default)]
pub(crate) struct Board {
    pub(crate) ready: VecDeque<Job>,
    pub(crate) parked: Vec<(Timestamp, Job)>,
    /// When the next discovery comes, unless one is under way.
    tick: Option<Timestamp>,
    /// Nothing is to be done any more.
    finished: bool,
    /// When each sweep of each repository had caught up first.
    pub(crate) done: BTreeMap<(u64, String), Timestamp>,
    /// Messages of the queue.
    pub(crate) sent: u64,
    pub(crate) visits: u64,
    pub(crate) parks: u64,
    /// Discoveries that met a limit.
    pub(crate) late: u64,
    /// The longest that the function was at one.
    pub(crate) longest: SignedDuration,
}

/// The queues in one: what is urgent goes to the front.
#[derive(Default)]
pub(crate) struct Waiting(pub(crate) Mutex<Board>);

#[async_trait::async_trait]
impl Queue for Waiting {
    async fn send(&self, jobs: &[Job]) -> Result<(), StoreError> {
        let mut board = self.0.lock().unwrap();
        board.sent += u64::try_from(jobs.len()).unwrap();
        for job in jobs.iter().cloned() {
            if job.is_urgent() { board.ready.push_front(job) } else { board.ready.push_back(job) }
        }
        Ok(())
    }

    async fn waiting(&self) -> Result<Option<u64>, StoreError> {
        let board = self.0.lock().unwrap();
        let waiting = board.ready.iter().chain(board.parked.iter().map(|(_, job)| job)).filter(|job| !job.is_urgent());
        Ok(u64::try_from(waiting.count()).ok())
    }
}

/// Copies until nothing is to be done any more, each fetcher in an environment of its own.
pub(crate) async fn copy(org: &str, queue: &Arc<Waiting>, clock: &Virtual, env: impl Fn() -> Env) -> Board {
    let env = || env().scheduled(EVERY);
    let mut at_work = tokio::task::JoinSet::new();
    for _ in 0..WORKERS {
        let (env, queue, clock) = (env(), queue.clone(), clock.clone());
        at_work.spawn(async move { while work(&env, &queue, &clock).await {} });
    }
    look(org, env(), queue, clock).await;
    while let Some(worker) = at_work.join_next().await {
        worker.unwrap();
    }
    std::mem::take(&mut *queue.0.lock().unwrap())
}

/// Discoveries as they come, until one finds that nothing is to be done.
async fn look(org: &str, env: Env, queue: &Waiting, clock: &Virtual) {
    // The budget's hour begins with the first one; the others come when it is used up.
    let mut tick = clock.now() + EVERY / 2;
    loop {
        clock.at_work.fetch_add(1, Ordering::SeqCst);
        let began = clock.now();
        let found = discover_until(org, &env, began + DISCOVERY).await;
        clock.at_work.fetch_sub(1, Ordering::SeqCst);
        {
            let mut board = queue.0.lock().unwrap();
            board.longest = board.longest.max(clock.now().duration_since(began));
            match found {
                Ok(found) if found.unfinished => {}
                Ok(found) => {
                    let left = board.ready.iter().chain(board.parked.iter().map(|(_, job)| job)).any(|job| job.sweep != ALWAYS);
                    board.finished = found.later == 0 && !left && clock.at_work.load(Ordering::SeqCst) == 0;
                }
                Err(Error::Waiting { .. }) => board.late += 1,
                Err(error) => panic!("{error}"),
            }
            if board.finished {
                return;
            }
            board.tick = Some(tick);
        }
        // Workers move the clock.
        while clock.now() < tick {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        tick += EVERY;
        queue.0.lock().unwrap().tick = None;
    }
}

/// One visit, or a wait; false when there is nothing more to do.
async fn work(env: &Env, queue: &Waiting, clock: &Virtual) -> bool {
    let job = {
        let mut board = queue.0.lock().unwrap();
        match board.ready.pop_front() {
            Some(job) => {
                clock.at_work.fetch_add(1, Ordering::SeqCst);
                board.visits += 1;
                Some(job)
            }
            None => None,
        }
    };
    let Some(job) = job else {
        {
            let mut board = queue.0.lock().unwrap();
            if board.finished {
                return false;
            }
            let first = board.parked.iter().map(|(until, _)| *until).chain(board.tick).min();
            if let Some(first) = first.filter(|_| board.tick.is_some()) {
                clock.jump_if_idle(first);
            }
            let now = clock.now();
            let (due, parked) = std::mem::take(&mut board.parked).into_iter().partition(|(until, _)| *until <= now);
            board.parked = parked;
            let due: Vec<(Timestamp, Job)> = due;
            board.ready.extend(due.into_iter().map(|(_, job)| job));
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
        return true;
    };
    let deadline = clock.now() + DEADLINE;
    let outcome = loop {
        match advance(&job, env, deadline).await.unwrap() {
            // As a fetcher does: every other job would have to wait just as well.
            Outcome::Parked { until, limit: true, .. } if until < deadline && env.clock.pause(until).await => {}
            outcome => break outcome,
        }
    };
    clock.at_work.fetch_sub(1, Ordering::SeqCst);
    let mut board = queue.0.lock().unwrap();
    match outcome {
        Outcome::Refused { message, .. } => panic!("{}: {message}", job.sweep),
        Outcome::Parked { until, .. } => {
            // A queue delays a message for a quarter of an hour at most.
            let times = until.duration_since(clock.now()).as_secs().max(0) / 900 + 1;
            board.sent += u64::try_from(times).unwrap();
            board.parks += 1;
            board.parked.push((until, job));
        }
        Outcome::CaughtUp => {
            let now = clock.now();
            board.done.entry((job.scope, job.sweep)).or_insert(now);
        }
        Outcome::Continued | Outcome::Superseded => {}
    }
    true
}
