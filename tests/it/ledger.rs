//! One budget of a token for all workers: several of them on one table, measured by the simulation's own ledger.

use crate::bench::{Bench, TestQueue};
use engine::{Env, Error, Job, Outcome, Rows, State, StateKey, Store, StoreError};
use jiff::Timestamp;
use sim::Size;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

/// Works off the jobs, some at once; whoever is told to wait moves the clock, as time does.
async fn work(bench: &Bench, (env, queue): &(Env, Arc<TestQueue>), mut jobs: Vec<Job>, at_once: usize) {
    while !jobs.is_empty() {
        visit(bench, env, jobs, at_once).await;
        jobs = queue.take().into_iter().collect::<std::collections::BTreeSet<_>>().into_iter().collect();
    }
}

async fn visit(bench: &Bench, env: &Env, jobs: Vec<Job>, at_once: usize) {
    use futures::StreamExt;
    futures::stream::iter(jobs)
        .for_each_concurrent(at_once, |job| async move {
            loop {
                match engine::advance(&job, env, Timestamp::MAX).await.unwrap() {
                    Outcome::Parked { .. } => bench.pass_millis(100),
                    Outcome::Superseded => {}
                    Outcome::Refused { message, .. } => panic!("{message}"),
                    _ => return,
                }
                tokio::task::yield_now().await;
            }
        })
        .await;
}

async fn discovered(bench: &Bench, env: &Env) -> Vec<Job> {
    loop {
        match engine::discover("acme", env).await {
            Err(Error::Waiting { .. }) => bench.pass(1),
            found => return found.unwrap().jobs,
        }
    }
}

fn worker(bench: &Bench, store: Arc<dyn Store>) -> (Env, Arc<TestQueue>) {
    let queue = Arc::new(TestQueue::default());
    (bench.env(store, queue.clone()), queue)
}

fn env(bench: &Bench) -> Env {
    worker(bench, Arc::new(bench.table.store())).0
}

#[tokio::test(flavor = "multi_thread")]
async fn two_workers_keep_to_one_tokens_limits() {
    let mut bench = Bench::new(5, &[Size(2, 2, 100); 14]).await;
    bench.settings.files_from = engine::FilesFrom::Rest;
    bench.github.faults().limit = Some(50_000);
    bench.github.faults().latency_ms = 15;
    let workers = [(); 2].map(|()| worker(&bench, Arc::new(bench.table.store())));
    let jobs = discovered(&bench, &workers[0].0).await;
    workers[0].1.take();
    let scopes: Vec<u64> = jobs.iter().map(|job| job.scope).collect::<std::collections::BTreeSet<_>>().into_iter().step_by(2).collect();
    let (mine, other): (Vec<Job>, Vec<Job>) = jobs.into_iter().partition(|job| scopes.contains(&job.scope));
    futures::join!(work(&bench, &workers[0], mine, 12), work(&bench, &workers[1], other, 12));
    let used = bench.github.ledger().by_token["sim-token"].clone();
    assert!(used.rest > 1_200, "there is more to read than a minute allows: {used:?}");
    assert!(used.most_in_flight <= 10 && used.most_rest_a_minute <= 900 && used.most_points_a_minute <= 2_000, "{used:?}");
    assert!(used.most_in_flight >= 5 && used.most_rest_a_minute > 500, "the limits are made use of: {used:?}");
    bench.assert_true("two workers").await;
}

/// Somebody has every place of the token for 50 s.
async fn taken(bench: &Bench) {
    let key = StateKey { of: "ledgers".to_owned(), name: github::Token::new("sim-token").unwrap().fingerprint() };
    let until = Timestamp::from_second(bench.github.now() + 50).unwrap().to_string();
    let row = serde_json::json!({ "leases": [{ "by": "another", "places": 10, "wanted": 10, "until": until }] });
    bench.table.store().save(&key, 0, &row).await.unwrap();
}

#[tokio::test]
async fn who_gets_no_place_leaves_the_ledger_alone_for_a_moment() {
    let bench = Bench::new(5, &[Size(1, 1, 1)]).await;
    taken(&bench).await;
    let store = Counting::of(&bench);
    let (env, _) = worker(&bench, store.clone());
    for _ in 0..2 {
        for _ in 0..20 {
            assert!(matches!(engine::discover("acme", &env).await, Err(Error::Waiting { .. })));
        }
        assert_eq!(store.take("ledgers"), [1, 1]);
        bench.pass(6);
    }
    bench.pass(50);
    engine::discover("acme", &env).await.unwrap();
}

/// Passes when somebody waits.
struct Passing(crate::bench::TestClock);

#[async_trait::async_trait]
impl engine::Clock for Passing {
    fn now(&self) -> Timestamp {
        engine::Clock::now(&self.0)
    }

    async fn pause(&self, until: Timestamp) -> bool {
        let wait = until.duration_since(self.now());
        let short = wait <= engine::SHORT_WAIT;
        if short {
            self.0.0.fetch_add(i64::try_from(wait.as_millis()).unwrap().max(0) + 1, Ordering::SeqCst);
        }
        short
    }
}

fn passing(bench: &Bench, queue: Arc<TestQueue>) -> Env {
    let token = github::Token::new("sim-token").unwrap();
    let tokens = engine::Tokens::new(github::ApiUrl::parse(&bench.github.api()).unwrap(), vec![token]).unwrap();
    Env::new(tokens, Arc::new(bench.table.store()), queue, Arc::new(Passing(bench.clock.clone())), bench.settings.clone())
        .scheduled(jiff::SignedDuration::from_hours(1))
}

#[tokio::test]
async fn a_discovery_waits_for_a_place_since_it_would_begin_anew() {
    let bench = Bench::new(5, &[Size(1, 1, 1)]).await;
    taken(&bench).await;
    let env = passing(&bench, Arc::default());
    assert_eq!(engine::discover("acme", &env).await.unwrap().repositories, 1);
    // But not for the next hour.
    bench.github.faults().limit = Some(100);
    bench.pass(3700);
    while engine::discover("acme", &env).await.is_ok() {}
    assert!(matches!(engine::discover("acme", &env).await, Err(Error::Waiting { .. })));
}

#[tokio::test]
async fn the_ledgers_row_stays_small_and_loses_no_point_however_many_workers_write_to_it() {
    let bench = Bench::new(5, &[Size(1, 1, 1)]).await;
    let key = StateKey { of: "ledgers".to_owned(), name: github::Token::new("sim-token").unwrap().fingerprint() };
    let at = |seconds: i64| Timestamp::from_second(bench.github.now() - seconds).unwrap().to_string();
    let grants: Vec<serde_json::Value> = (1..=60).map(|ago| serde_json::json!({ "by": format!("{ago}"), "until": at(ago), "points": [1, 2] })).collect();
    bench.table.store().save(&key, 0, &serde_json::json!({ "grants": grants })).await.unwrap();
    engine::discover("acme", &env(&bench)).await.unwrap();
    let state = bench.table.store().states(std::slice::from_ref(&key)).await.unwrap().remove(0);
    let (over, own): (Vec<&serde_json::Value>, Vec<&serde_json::Value>) = state.value["grants"].as_array().unwrap().iter().partition(|grant| grant["by"] == "");
    let sum = |at: usize| over.iter().map(|grant| grant["points"][at].as_u64().unwrap()).sum::<u64>();
    assert!((6..=8).contains(&over.len()) && !own.is_empty(), "{:#}", state.value);
    assert_eq!((sum(0), sum(1)), (60, 120));
}

#[tokio::test]
async fn what_a_closed_gate_holds_up_and_was_never_begun_costs_no_write() {
    let bench = Bench::new(5, &[Size(3, 3, 3); 3]).await;
    bench.github.faults().limit = Some(500);
    let store = Counting::of(&bench);
    let (env, queue) = worker(&bench, store.clone());
    let jobs = discovered(&bench, &env).await;
    while !matches!(engine::discover("acme", &env).await, Err(Error::Waiting { .. })) {}
    for of in ["repo", "summaries", "gates"] {
        store.take(of);
    }
    queue.take();
    for job in jobs.iter().filter(|job| job.sweep == "issues" || job.sweep == "pull_requests") {
        assert!(matches!(engine::advance(job, &env, Timestamp::MAX).await.unwrap(), Outcome::Parked { limit: true, .. }));
    }
    assert_eq!((store.take("repo")[1], store.take("summaries")[1], store.take("gates")), (0, 0, [0, 0]));
}

#[tokio::test]
async fn a_fetcher_stays_with_its_job_while_it_waits_for_a_place() {
    let bench = Bench::new(5, &[Size(3, 3, 3)]).await;
    let queue = Arc::new(TestQueue::default());
    let env = passing(&bench, queue.clone());
    let job = discovered(&bench, &env).await.into_iter().find(|job| job.sweep == "pull_requests").unwrap();
    queue.take();
    bench.pass(100);
    let request = bench.github.ledger().requests + 1;
    bench.github.faults().secondary = Some((request, Some(1)));
    let message = fetcher::Message { message_id: "a".to_owned(), body: serde_json::to_string(&job).unwrap(), attributes: BTreeMap::new() };
    let failures = fetcher::handle(fetcher::Batch { records: vec![message] }, &env.into(), Timestamp::MAX).await;
    assert!(failures.batch_item_failures.is_empty() && bench.github.ledger().requests > request, "it was asked again");
    assert!(queue.take().iter().all(|sent| sent.sweep != job.sweep), "and not sent back");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_dies_with_every_place_holds_up_nobody_for_longer_than_its_lease() {
    let bench = Bench::new(5, &[Size(4, 5, 4)]).await;
    let key = StateKey { of: "ledgers".to_owned(), name: github::Token::new("sim-token").unwrap().fingerprint() };
    let now = bench.github.now();
    let at = |seconds: i64| Timestamp::from_second(now + seconds).unwrap().to_string();
    let row = serde_json::json!({ "leases": [{ "by": "dead", "places": 10, "wanted": 10, "until": at(50) }],
        "grants": [{ "by": "dead", "until": at(20), "points": [900, 2000] }] });
    bench.table.store().save(&key, 0, &row).await.unwrap();
    let other = env(&bench);
    assert!(matches!(engine::discover("acme", &other).await, Err(Error::Waiting { .. })));
    // The only process that has the table does not wait for the dead's places, but its points may have been spent.
    let row = |state: State| serde_json::json!({ "leases": state.value["leases"], "grants": [] });
    let state = bench.table.store().states(std::slice::from_ref(&key)).await.unwrap().remove(0);
    bench.table.store().save(&key, state.revision, &row(state.clone())).await.unwrap();
    assert!(matches!(engine::discover("acme", &env(&bench)).await, Err(Error::Waiting { .. })));
    engine::discover("acme", &env(&bench).alone()).await.unwrap();
    bench.table.store().save(&key, bench.table.store().states(std::slice::from_ref(&key)).await.unwrap()[0].revision, &state.value).await.unwrap();
    bench.pass(51 + 35);
    engine::discover("acme", &other).await.unwrap();
}

/// Counts reads and writes of state, by partition.
struct Counting(Arc<dyn Store>, Mutex<BTreeMap<String, [u64; 2]>>);

impl Counting {
    fn of(bench: &Bench) -> Arc<Self> {
        Arc::new(Self(Arc::new(bench.table.store()), Mutex::default()))
    }

    /// Reads and writes since this was last asked.
    fn take(&self, of: &str) -> [u64; 2] {
        self.1.lock().unwrap().remove(of).unwrap_or_default()
    }
}

#[async_trait::async_trait]
impl Rows for Counting {
    async fn list(&self, listing: &engine::Listing<'_>) -> Result<engine::Listed, StoreError> {
        self.0.list(listing).await
    }

    async fn scopes(&self, entity: &'static engine::entities::Entity) -> Result<Vec<engine::ScopeId>, StoreError> {
        self.0.scopes(entity).await
    }

    fn store(&self) -> Option<&dyn Store> {
        Some(self)
    }
}

#[async_trait::async_trait]
impl Store for Counting {
    async fn get_only(
        &self,
        entity: &'static engine::entities::Entity,
        scope: engine::ScopeId,
        keys: &[String],
        only: &[&str],
    ) -> Result<Vec<engine::Stored>, StoreError> {
        self.0.get_only(entity, scope, keys, only).await
    }

    async fn put(&self, records: &[engine::Record]) -> Result<engine::Written, StoreError> {
        self.0.put(records).await
    }
    async fn count(&self, entity: &'static engine::entities::Entity, scope: engine::ScopeId) -> Result<u64, StoreError> {
        self.0.count(entity, scope).await
    }
    async fn erase(&self, entity: &'static engine::entities::Entity, scope: engine::ScopeId, prefix: &str) -> Result<u64, StoreError> {
        self.0.erase(entity, scope, prefix).await
    }
    async fn states(&self, keys: &[StateKey]) -> Result<Vec<State>, StoreError> {
        for key in keys {
            self.1.lock().unwrap().entry(key.of.split('#').next().unwrap().to_owned()).or_default()[0] += 1;
        }
        self.0.states(keys).await
    }
    async fn states_of(&self, of: &str) -> Result<Vec<(String, State)>, StoreError> {
        self.0.states_of(of).await
    }
    async fn first_states_of(&self, of: &str, most: usize) -> Result<Vec<(String, State)>, StoreError> {
        self.0.first_states_of(of, most).await
    }
    async fn list_names(&self, of: &str, names: &[String], on: bool) -> Result<(), StoreError> {
        self.0.list_names(of, names, on).await
    }
    async fn save(&self, key: &StateKey, seen: u64, value: &serde_json::Value) -> Result<u64, StoreError> {
        self.1.lock().unwrap().entry(key.of.split('#').next().unwrap().to_owned()).or_default()[1] += 1;
        self.0.save(key, seen, value).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_costs_a_few_writes_a_minute_and_not_one_a_request() {
    let mut bench = Bench::new(5, &[Size(3, 3, 200); 3]).await;
    bench.settings.files_from = engine::FilesFrom::Rest;
    let store = Counting::of(&bench);
    let worker = worker(&bench, store.clone());
    let jobs = discovered(&bench, &worker.0).await;
    worker.1.take();
    work(&bench, &worker, jobs, 9).await;
    let (requests, writes) = (bench.github.ledger().requests, store.take("ledgers")[1]);
    assert!(requests > 400 && writes <= 12, "{requests} requests, {writes} writes");
}

#[tokio::test]
async fn a_server_without_limits_has_none_a_minute() {
    let mut bench = Bench::new(5, &[Size(3, 3, 920)]).await;
    bench.settings.files_from = engine::FilesFrom::Rest;
    bench.github.faults().limit = None;
    let before = bench.github.now();
    bench.sync().await;
    bench.assert_true("no limits").await;
    assert!(bench.github.ledger().rest > 900 && bench.github.now() - before < 60, "{} s", bench.github.now() - before);
}
