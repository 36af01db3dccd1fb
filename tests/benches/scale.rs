//! How long the first copy of a very large organization takes, in GitHub's hours, with one token, with five and with an
//! App: the real discovery and sweeps, ten workers at once, against the simulated GitHub and a real table, on a clock that
//! moves only when a request is answered and jumps when everybody waits, so that a day of limits passes in minutes. Records
//! are written a hundred at a time, which is quicker than in AWS and not paced (`--bench cost` tells the busiest key), and
//! counted as if each were put by itself; dollars are those of the counted units and messages, and of functions as `plan`
//! reckons them. Discovery comes again every hour, when the hour's budget is long used up. At the end the copy must have as many rows of each entity as there are. Files of commits are left out: git
//! brings them without a budget. `SEI_SCALE=10` is a tenth of 14,000 repositories, 1,000,000 commits, 300,000 pull requests
//! and 100,000 issues, `SEI_SCALE=1` all of it; `SEI_SCALE_ONLY=five` is the run with five tokens alone.
//! Run with `cargo bench --profile quick -p tests --bench scale`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a benchmark that panics has failed, as it should")]

mod metered;

use aws::{Embedded, Writes};
use engine::{Clock, Env, Error, Group, Job, Outcome, Queue, SHORT_WAIT, Settings, StoreError, Tokens, advance, discover};
use jiff::{SignedDuration, Timestamp};
use metered::{Meter, Units};
use sim::{GitHub, Size, World};
use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Fetchers at once, each with an environment of its own, as in AWS.
const WORKERS: i64 = 10;
/// What an answer of GitHub's takes, so that ten in flight are answered ten times as often.
const LATENCY_MS: i64 = 1000;
/// Of a fetcher's fifteen minutes, as the function has it.
const DEADLINE: SignedDuration = SignedDuration::from_secs(13 * 60);
/// Between two discoveries.
const EVERY: SignedDuration = SignedDuration::from_hours(1);
/// Of which there is always something to ask.
const ALWAYS: &str = "workflow_runs";
/// Rows of the simulated organization in memory.
const ROOM: u64 = 4_500_000;

/// As the command has it: half of the time goes into allocating otherwise.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Clone, Default)]
struct Virtual {
    /// Since 1970.
    millis: Arc<AtomicI64>,
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
struct Board {
    ready: VecDeque<Job>,
    parked: Vec<(Timestamp, Job)>,
    /// When the next discovery comes, unless one is under way.
    tick: Option<Timestamp>,
    /// Nothing is to be done any more.
    finished: bool,
    /// When each sweep of each repository had caught up first.
    done: BTreeMap<(u64, String), Timestamp>,
    /// Messages of the queue.
    sent: u64,
    visits: u64,
    parks: u64,
    /// Discoveries that had to give up.
    late: u64,
}

struct Waiting(Mutex<Board>);

#[async_trait::async_trait]
impl Queue for Waiting {
    async fn send(&self, jobs: &[Job]) -> Result<(), StoreError> {
        let mut board = self.0.lock().unwrap();
        board.sent += u64::try_from(jobs.len()).unwrap();
        board.ready.extend(jobs.iter().cloned());
        Ok(())
    }

    async fn waiting(&self) -> Result<Option<u64>, StoreError> {
        let board = self.0.lock().unwrap();
        Ok(u64::try_from(board.ready.len() + board.parked.len()).ok())
    }
}

struct Run {
    name: &'static str,
    tokens: usize,
    /// Points and requests an hour, of each.
    limit: u64,
}

#[tokio::main]
async fn main() {
    let by = std::env::var("SEI_SCALE").map_or(10, |text| text.parse().unwrap());
    let sizes = Size::enormous(by);
    let clock = Virtual::default();
    clock.millis.store(1_800_000_000_000, Ordering::SeqCst);
    let ticks = clock.millis.clone();
    let began = Instant::now();
    let world = World::lazy(7, &sizes, ROOM);
    eprintln!("{} repositories, made in {:.0} s", sizes.len(), began.elapsed().as_secs_f64());
    let github = GitHub::start_with(world, 0, Arc::new(move || ticks.fetch_add(LATENCY_MS / WORKERS, Ordering::SeqCst) / 1000)).await.unwrap();
    println!(
        "| | hours | requests | points | rows | write units | read units | first sync, $ | of the budget used | half of the repositories done, h | 99 % done, h |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
    let runs = [
        Run { name: "one token", tokens: 1, limit: 5000 },
        Run { name: "five tokens", tokens: 5, limit: 5000 },
        Run { name: "an App (12,500 an hour)", tokens: 1, limit: 12_500 },
    ];
    let only = std::env::var("SEI_SCALE_ONLY").unwrap_or_default();
    for run in runs.into_iter().filter(|run| run.name.starts_with(&only)) {
        copy(&run, &github, &clock).await;
    }
}

async fn copy(run: &Run, github: &GitHub, clock: &Virtual) {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench-scale");
    let _ = std::fs::remove_dir_all(&dir);
    let table = Embedded::open(&dir).await.unwrap();
    let meter = Meter::of(&table);
    let store = Arc::new(meter.store(&table, Writes::Transactions));
    let names: Vec<String> = (0..run.tokens).map(|index| format!("{}-{index}", run.name.replace(' ', "-"))).collect();
    {
        let mut faults = github.faults();
        (faults.tokens, faults.limit) = (names.clone(), Some(run.limit));
    }
    github.reset_ledger();
    let queue = Arc::new(Waiting(Mutex::new(Board::default())));
    let groups = Settings::default().groups.into_iter().filter(|group| *group != Group::CommitFiles).collect();
    let settings = Settings { orgs: vec!["acme".to_owned()], groups, ..Settings::default() };
    let env = || {
        let tokens = names.iter().map(|name| github::Token::new(name).unwrap()).collect();
        let tokens = Tokens::new(github::ApiUrl::parse(&github.url).unwrap(), tokens).unwrap();
        Env::new(tokens, store.clone(), queue.clone(), Arc::new(clock.clone()), settings.clone()).on(table.scratch().unwrap())
    };
    let (began, start) = (Instant::now(), clock.now());
    let mut at_work = tokio::task::JoinSet::new();
    for _ in 0..WORKERS {
        let (env, queue, clock) = (env(), queue.clone(), clock.clone());
        at_work.spawn(async move { while work(&env, &queue, &clock).await {} });
    }
    let looking = look(env().scheduled(EVERY), queue.clone(), clock.clone());
    let progress = {
        let (queue, clock, name) = (queue.clone(), clock.clone(), run.name);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(Duration::from_secs(60)).await;
                let hours = clock.now().duration_since(start).as_secs_f64() / 3600.0;
                let board = queue.0.lock().unwrap();
                eprintln!("{name}: {hours:.1} h, {} visits, {} jobs ready, {} parked", board.visits, board.ready.len(), board.parked.len());
            }
        })
    };
    looking.await;
    while let Some(worker) = at_work.join_next().await {
        worker.unwrap();
    }
    progress.abort();
    let (units, took) = (meter.take(), began.elapsed());
    let (store, truth, mut rows) = (table.store(), github.world().truth(), 0);
    for entity in engine::entities::ALL {
        let mut copied = 0;
        for scope in engine::Rows::scopes(&store, entity).await.unwrap() {
            copied += engine::Store::count(&store, entity, scope).await.unwrap();
        }
        if let Some(there) = truth.get(entity.name).filter(|_| entity.name != "commit_files") {
            assert_eq!(Some(copied), there.as_u64(), "{}", entity.name);
        }
        rows += copied;
    }
    let board = std::mem::take(&mut *queue.0.lock().unwrap());
    told(run, github, &board, start, rows, &units);
    eprintln!("{}: {} visits, {} parked, {} discoveries too late, took {:.0} s", run.name, board.visits, board.parks, board.late, took.as_secs_f64());
    table.shutdown().await;
    std::fs::remove_dir_all(&dir).unwrap();
}

/// Discoveries as they come, until one finds that nothing is to be done.
async fn look(env: Env, queue: Arc<Waiting>, clock: Virtual) {
    // The budget's hour begins with the first one; the others come when it is used up.
    let mut tick = clock.now() + EVERY / 2;
    loop {
        clock.at_work.fetch_add(1, Ordering::SeqCst);
        let found = discover("acme", &env).await;
        clock.at_work.fetch_sub(1, Ordering::SeqCst);
        {
            let mut board = queue.0.lock().unwrap();
            match found {
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

fn told(run: &Run, github: &GitHub, board: &Board, start: Timestamp, rows: u64, units: &Units) {
    let ledger = github.ledger();
    assert!(ledger.breaches.is_empty(), "{:?}", ledger.breaches);
    let hours = |until: Timestamp| until.duration_since(start).as_secs_f64() / 3600.0;
    // What may be used of a token's hour is all but the owner's reserve of a tenth; its last hour ends with the work.
    let whole: Vec<u64> =
        ledger.by_token.values().flat_map(|used| used.points_an_hour.split_last().map(|(_, whole)| whole.to_vec()).unwrap_or_default()).collect();
    let used = if whole.is_empty() {
        "–".to_owned()
    } else {
        format!("{:.1} %", whole.iter().sum::<u64>() as f64 / (whole.len() as f64 * run.limit as f64 * 0.9) * 100.0)
    };
    let mut repositories: BTreeMap<u64, Timestamp> = BTreeMap::new();
    for ((scope, _), at) in &board.done {
        let last = repositories.entry(*scope).or_insert(*at);
        *last = (*last).max(*at);
    }
    let mut done: Vec<f64> = repositories.values().map(|at| hours(*at)).collect();
    done.sort_by(f64::total_cmp);
    let at = |share: usize| done.get((done.len() * share / 100).min(done.len() - 1)).copied().unwrap_or_default();
    let dollars = engine::first_sync_usd(units.write, units.read, ledger.requests as f64, board.sent as f64);
    println!(
        "| {} | {:.1} | {} | {} | {rows} | {:.0} | {:.0} | {dollars:.2} | {used} | {:.1} | {:.1} |",
        run.name,
        done.last().copied().unwrap_or_default(),
        ledger.requests,
        ledger.points,
        units.write,
        units.read,
        at(50),
        at(99)
    );
}
