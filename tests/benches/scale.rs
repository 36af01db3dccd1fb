//! How long the first copy of a very large organization takes, in GitHub's hours, with one token, with five and with an
//! App: the real discovery and sweeps, ten workers at once, against the simulated GitHub and a real table, on a clock that
//! moves only when a request is answered and jumps when everybody waits, so that a day of limits passes in minutes. Records
//! are written a hundred at a time, which is quicker than in AWS and not paced (`--bench cost` tells the busiest key), and
//! counted as if each were put by itself; dollars are those of the counted units and messages, and of functions as `plan`
//! reckons them. Discovery comes again every hour, when the hour's budget is long used up. At the end the copy must have as
//! many rows of each entity as there are, and 95 % of what may be spent must have been. Files of commits are left out: git
//! brings them without a budget. `SEI_SCALE=10` is a tenth of 14,000 repositories, 1,000,000 commits, 300,000 pull requests
//! and 100,000 issues, `SEI_SCALE=1` all of it; `SEI_SCALE_ONLY=five` is the run with five tokens alone.
//! Run with `cargo bench --profile quick -p tests --bench scale`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a benchmark that panics has failed, as it should")]

mod crew;
mod metered;

use aws::{Embedded, Writes};
use crew::{Board, LATENCY_MS, Virtual, WORKERS, Waiting};
use engine::{Clock, Env, Group, Settings, Tokens};
use jiff::Timestamp;
use metered::{Meter, Units};
use sim::{GitHub, Size, World};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Rows of the simulated organization in memory.
const ROOM: u64 = 4_500_000;

/// As the command has it: half of the time goes into allocating otherwise.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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
    let queue = Arc::new(Waiting::default());
    let groups = Settings::default().groups.into_iter().filter(|group| *group != Group::CommitFiles).collect();
    let settings = Settings { orgs: vec!["acme".to_owned()], groups, ..Settings::default() };
    let env = || {
        let tokens = names.iter().map(|name| github::Token::new(name).unwrap()).collect();
        let tokens = Tokens::new(github::ApiUrl::parse(&github.url).unwrap(), tokens).unwrap();
        Env::new(tokens, store.clone(), queue.clone(), Arc::new(clock.clone()), settings.clone()).on(table.scratch().unwrap())
    };
    let (began, start) = (Instant::now(), clock.now());
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
    let board = crew::copy("acme", &queue, clock, env).await;
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
    told(run, github, &board, start, rows, &units);
    let longest = board.longest.as_secs_f64() / 60.0;
    eprintln!(
        "{}: {} visits, {} parked, {} discoveries met a limit, the longest took {longest:.1} minutes of GitHub's; all took {:.0} s",
        run.name,
        board.visits,
        board.parks,
        board.late,
        took.as_secs_f64()
    );
    table.shutdown().await;
    std::fs::remove_dir_all(&dir).unwrap();
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
        let used = whole.iter().sum::<u64>() as f64 / (whole.len() as f64 * run.limit as f64 * 0.9) * 100.0;
        assert!(used >= 95.0, "{}: {used:.1} % of the budget was used while there was work", run.name);
        format!("{used:.1} %")
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
