//! What every test drives: the real client against the simulated GitHub, the real store on an embedded DynamoDB,
//! a clock of our own, and a process that can die at any storage call.

use aws::Embedded;
use engine::entities::{self, Entity};
use engine::{
    Clock, Env, Job, Listed, Listing, Outcome, Presence, Queue, Record, Rows, ScopeId, Settings, State, StateKey, Store, StoreError, Stored, Tokens, Written,
    advance, discover,
};
use github::{ApiUrl, Token};
use jiff::Timestamp;
use serde_json::Value;
use sim::{GitHub, Random, Size, World};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

/// Milliseconds since 1970. Every look moves it by one, as time does.
#[derive(Clone)]
pub struct TestClock(pub Arc<AtomicI64>);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.0.fetch_add(1, Ordering::SeqCst)).unwrap()
    }
}

#[derive(Default)]
pub struct TestQueue(Mutex<VecDeque<Job>>);

#[async_trait::async_trait]
impl Queue for TestQueue {
    async fn send(&self, jobs: &[Job]) -> Result<(), StoreError> {
        self.0.lock().unwrap().extend(jobs.iter().cloned());
        Ok(())
    }
}

pub struct Bench {
    pub github: GitHub,
    pub table: Embedded,
    pub clock: TestClock,
    pub settings: Settings,
}

impl TestQueue {
    pub fn take(&self) -> Vec<Job> {
        self.0.lock().unwrap().drain(..).collect()
    }
}

/// How jobs are delivered.
#[derive(Clone, Copy, PartialEq)]
pub enum Delivery {
    InOrder,
    /// In any order, each now and then twice, two workers on each.
    Shuffled(u64),
    /// Two workers on each job, at once.
    Twice,
}

/// A world from a seed. A small one is made once and copied: some tests start with the same hundreds of times.
fn world(seed: u64, sizes: &[Size], lists: Lists) -> World {
    static MADE: LazyLock<Mutex<BTreeMap<String, World>>> = LazyLock::new(Mutex::default);
    let make = || match lists {
        Lists::Overflow => World::seeded(seed, sizes),
        Lists::Short => World::plain(seed, sizes),
    };
    if sizes.iter().map(|Size(pulls, issues, commits)| pulls + issues + commits).sum::<usize>() > 50 {
        return make();
    }
    MADE.lock().unwrap().entry(format!("{seed} {sizes:?} {lists:?}")).or_insert_with(make).clone()
}

/// Whether something in each repository has more than a page of comments, of events and of files.
#[derive(Clone, Copy, Debug)]
pub enum Lists {
    Overflow,
    Short,
}

impl Lists {
    /// Where a test looks at many cases, all of them have short lists, which are several times quicker, but for one in so many.
    pub fn of(number: u64, overflow: u64) -> Self {
        if number.is_multiple_of(overflow) { Self::Overflow } else { Self::Short }
    }
}

impl Bench {
    pub async fn new(seed: u64, sizes: &[Size]) -> Self {
        Self::of(seed, sizes, Lists::Overflow).await
    }

    pub async fn of(seed: u64, sizes: &[Size], lists: Lists) -> Self {
        let clock = TestClock(Arc::new(AtomicI64::new(1_800_000_000_000)));
        let ticks = clock.0.clone();
        let seconds = Arc::new(move || ticks.load(Ordering::SeqCst) / 1000);
        let github = GitHub::start_with(world(seed, sizes, lists), 0, seconds).await.unwrap();
        let table = Embedded::in_memory().await.unwrap();
        let settings = Settings { orgs: vec!["acme".to_owned()], ..Settings::default() };
        Self { github, table, clock, settings }
    }

    pub fn env(&self, store: Arc<dyn Store>, queue: Arc<TestQueue>) -> Env {
        self.env_with(store, queue, &["sim-token"])
    }

    pub fn env_with(&self, store: Arc<dyn Store>, queue: Arc<TestQueue>, tokens: &[&str]) -> Env {
        let tokens = tokens.iter().map(|token| Token::new(token).unwrap()).collect();
        let github = Tokens::new(ApiUrl::parse(&self.github.api()).unwrap(), tokens).unwrap();
        Env::new(github, store, queue, Arc::new(self.clock.clone()), self.settings.clone()).on(self.table.scratch().unwrap())
    }

    pub fn pass(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds * 1000, Ordering::SeqCst);
    }

    pub fn pass_millis(&self, millis: i64) {
        self.clock.0.fetch_add(millis, Ordering::SeqCst);
    }

    /// One sync, to the end.
    pub async fn sync(&self) -> Vec<Outcome> {
        self.sync_on(Arc::new(self.table.store()), Delivery::InOrder).await.unwrap()
    }

    /// A sync on a store that may die; the error is the death.
    pub async fn sync_on(&self, store: Arc<dyn Store>, delivery: Delivery) -> Result<Vec<Outcome>, engine::Error> {
        let queue = Arc::new(TestQueue::default());
        let env = self.env(store, queue.clone());
        let mut random = Random(if let Delivery::Shuffled(seed) = delivery { seed } else { 0 });
        for tried in 0.. {
            match discover("acme", &env).await {
                Err(engine::Error::Waiting { until }) => self.until(until),
                Err(engine::Error::GitHub(github::Error::Passing { .. } | github::Error::TooHeavy { .. })) if tried < 50 => {}
                other => {
                    other?;
                    break;
                }
            }
        }
        let mut parked: Vec<(Timestamp, Job)> = Vec::new();
        let mut refused = Vec::new();
        loop {
            let next = {
                let mut waiting = queue.0.lock().unwrap();
                if let Delivery::Shuffled(_) = delivery {
                    let length = u64::try_from(waiting.len()).unwrap();
                    let at = usize::try_from(random.below(length)).unwrap();
                    let job = waiting.remove(at);
                    if random.chance(10) {
                        waiting.extend(job.clone());
                    }
                    job
                } else {
                    waiting.pop_front()
                }
            };
            let Some(job) = next else {
                let Some(first) = parked.iter().map(|(until, _)| *until).min() else { return Ok(refused) };
                self.until(first);
                let now = self.clock.now();
                queue.0.lock().unwrap().extend(parked.iter().filter(|(until, _)| *until <= now).map(|(_, job)| job.clone()));
                parked.retain(|(until, _)| *until > now);
                continue;
            };
            let outcomes = if delivery != Delivery::InOrder {
                let (one, other) = futures::future::join(advance(&job, &env, Timestamp::MAX), advance(&job, &env, Timestamp::MAX)).await;
                vec![one?, other?]
            } else {
                vec![advance(&job, &env, Timestamp::MAX).await?]
            };
            for outcome in outcomes {
                match outcome {
                    Outcome::Parked { until, .. } => parked.push((until, job.clone())),
                    refusal @ Outcome::Refused { .. } => refused.push(refusal),
                    _ => {}
                }
            }
        }
    }

    /// Waits, but not for ever: whoever is stopped by a limit at the same place each hour is found here.
    pub fn until(&self, until: Timestamp) {
        assert!(until < "2028-01-01T00:00:00Z".parse().unwrap(), "waited for almost a year: no progress from one limit to the next");
        let now = self.clock.0.load(Ordering::SeqCst);
        self.clock.0.store(now.max(until.as_millisecond() + 1000), Ordering::SeqCst);
    }

    /// Every living row, by entity, scope and key.
    pub async fn rows(&self) -> BTreeMap<String, Value> {
        let store = self.table.store();
        let mut all = BTreeMap::new();
        for entity in entities::ALL {
            for scope in store.scopes(entity).await.unwrap() {
                for mut row in rows_of(&store, entity, scope).await {
                    if row.fields.get("source").is_some_and(|source| source == "snapshot") {
                        // When the board was read, which depends on who was killed before.
                        row.fields.extend(["earliest", "latest"].map(|moment| (moment.to_owned(), Value::Null)));
                    }
                    all.insert(format!("{} {scope} {}", entity.name, row.key), Value::Object(row.fields));
                }
            }
        }
        all
    }

    /// A copy made anew: what an untroubled first sync finds.
    pub async fn copy_anew(&self) -> BTreeMap<String, Value> {
        let (github, clock, settings) = (self.github.clone(), self.clock.clone(), self.settings.clone());
        let fresh = Self { github, table: Embedded::in_memory().await.unwrap(), clock, settings };
        fresh.sync().await;
        fresh.rows().await
    }

    /// Asserts that the copy is what one made anew would be, but for what history left: commits that a push by force
    /// dropped, people that nothing mentions any more, former names.
    pub async fn assert_as_made_anew(&self, about: &str) {
        let (mut ours, mut anew) = (self.rows().await, self.copy_anew().await);
        let kept: Vec<String> = ours.iter().filter(|(_, row)| row["on_default_branch"] == Value::Bool(false)).map(|(_, row)| row["sha"].to_string()).collect();
        let scopes: Vec<String> = anew
            .keys()
            .filter(|key| key.starts_with("repositories "))
            .filter_map(|key| key.rsplit(' ').next()?.parse::<u64>().ok())
            .map(|id| id.to_string())
            .collect();
        ours.retain(|key, row| {
            let mut parts = key.split(' ');
            let (entity, scope) = (parts.next().unwrap(), parts.next().unwrap());
            match entity {
                "users" => false,
                "repositories" | "teams" | "projects" | "project_fields" | "project_items" => true,
                // Of the past, what was seen then.
                "stage_sightings" => false,
                "commits" | "commit_files" if kept.contains(&row["sha"].to_string()) => false,
                _ => scopes.contains(&scope.to_owned()),
            }
        });
        anew.retain(|key, _| !key.starts_with("users ") && !key.starts_with("stage_sightings "));
        for row in ours.values_mut().chain(anew.values_mut()) {
            row.as_object_mut().unwrap().remove("renamed_from");
            // A row that did not change since keeps the address that it had.
            row.as_object_mut().unwrap().remove("html_url");
        }
        // Names of repositories are as of the project's last change.
        for row in ours.iter_mut().chain(anew.iter_mut()).filter(|(key, _)| key.starts_with("projects ")).map(|(_, row)| row.as_object_mut().unwrap()) {
            row.remove("repositories");
        }
        // What a board tells of its items' content is as of its last reading.
        for row in ours.iter_mut().chain(anew.iter_mut()).filter(|(key, _)| key.starts_with("project_items ")).map(|(_, row)| row.as_object_mut().unwrap()) {
            row.retain(|name, _| !["repo_name", "title", "labels", "assignees", "milestone"].contains(&name.as_str()));
        }
        for (key, row) in &anew {
            assert_eq!(ours.get(key), Some(row), "{about}: {key}");
        }
        for key in ours.keys() {
            assert!(anew.contains_key(key), "{about}: {key} is not there any more");
        }
    }

    /// Asserts that what `status` tells without counting is what counting and reading every mark finds.
    pub async fn assert_status_exact(&self, about: &str) {
        let (store, now) = (self.table.store(), self.clock.now());
        let (told, counted) = (engine::status(&store, now).await.unwrap(), engine::exactly(&store, now).await.unwrap());
        assert_eq!((told.exact, counted.exact), (false, true), "{about}");
        assert_eq!((told.spent, &told.written, told.repositories.len()), (counted.spent, &counted.written, counted.repositories.len()), "{about}");
        for (one, other) in told.repositories.iter().chain(&told.projects).zip(counted.repositories.iter().chain(&counted.projects)) {
            for (one, other) in one.entities.iter().zip(&other.entities) {
                assert_eq!((one.state, one.rows, one.total), (other.state, other.rows, other.total), "{about}: {one:?}");
            }
        }
    }

    pub async fn counts(&self) -> BTreeMap<&'static str, u64> {
        let store = self.table.store();
        let mut counts = BTreeMap::new();
        for entity in entities::ALL {
            for scope in store.scopes(entity).await.unwrap() {
                *counts.entry(entity.name).or_insert(0) += store.count(entity, scope).await.unwrap();
            }
        }
        counts
    }

    /// Asserts that the copy holds as many of each entity as the world does.
    pub async fn assert_true(&self, about: &str) {
        let counts = self.counts().await;
        for (entity, there) in self.github.world().truth() {
            if self.settings.wants(entities::find(&entity).unwrap().group) {
                assert_eq!(counts.get(entity.as_str()).copied().unwrap_or(0), there.as_u64().unwrap(), "{about}: {entity}");
            }
        }
        assert!(self.github.ledger().breaches.is_empty(), "{about}: {:?}", self.github.ledger().breaches);
    }
}

async fn rows_of(store: &dyn Store, entity: &'static Entity, scope: ScopeId) -> Vec<Stored> {
    let mut pages = engine::export::Pages::new(store, entity, scope);
    let mut all = Vec::new();
    while let Some(rows) = pages.next().await.unwrap() {
        all.extend(rows.into_iter().filter(|row| !row.gone));
    }
    all
}

/// A process that dies at its n-th storage call: that call and all later ones fail.
pub struct Mortal {
    inner: Arc<dyn Store>,
    left: AtomicU64,
    /// It also dies as the n-th request is under way.
    request: Option<(GitHub, u64)>,
    /// Declared fields that a whole record did not have, null or not, as `entity field`.
    pub lacking: Mutex<BTreeSet<String>>,
}

impl Mortal {
    pub fn new(inner: Arc<dyn Store>, calls: u64) -> Self {
        Self { inner, left: AtomicU64::new(calls), request: None, lacking: Mutex::default() }
    }

    pub fn at_request(inner: Arc<dyn Store>, github: &GitHub, number: u64) -> Self {
        Self { inner, left: AtomicU64::new(u64::MAX), request: Some((github.clone(), number)), lacking: Mutex::default() }
    }

    fn live(&self) -> Result<(), StoreError> {
        if self.request.as_ref().is_some_and(|(github, number)| github.ledger().requests >= *number) {
            return Err(StoreError::Broken { what: "killed".to_owned(), source: "killed".into() });
        }
        let left = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        left.map(|_| ()).map_err(|_| StoreError::Broken { what: "killed".to_owned(), source: "killed".into() })
    }
}

#[async_trait::async_trait]
impl Rows for Mortal {
    async fn list(&self, listing: &Listing<'_>) -> Result<Listed, StoreError> {
        self.live()?;
        self.inner.list(listing).await
    }

    async fn scopes(&self, entity: &'static Entity) -> Result<Vec<ScopeId>, StoreError> {
        self.live()?;
        self.inner.scopes(entity).await
    }

    fn store(&self) -> Option<&dyn Store> {
        Some(self)
    }
}

#[async_trait::async_trait]
impl Store for Mortal {
    async fn get_only(&self, entity: &'static Entity, scope: ScopeId, keys: &[String], only: &[&str]) -> Result<Vec<Stored>, StoreError> {
        self.live()?;
        self.inner.get_only(entity, scope, keys, only).await
    }

    async fn put(&self, records: &[Record]) -> Result<Written, StoreError> {
        self.live()?;
        for record in records.iter().filter(|record| record.presence == Presence::Whole) {
            let lacking = record.entity.fields.iter().filter(|field| !record.fields.contains_key(field.name));
            self.lacking.lock().unwrap().extend(lacking.map(|field| format!("{} {}", record.entity.name, field.name)));
        }
        self.inner.put(records).await
    }
    async fn count(&self, entity: &'static Entity, scope: ScopeId) -> Result<u64, StoreError> {
        self.live()?;
        self.inner.count(entity, scope).await
    }
    async fn erase(&self, entity: &'static Entity, scope: ScopeId, prefix: &str) -> Result<u64, StoreError> {
        self.live()?;
        self.inner.erase(entity, scope, prefix).await
    }
    async fn states(&self, keys: &[StateKey]) -> Result<Vec<State>, StoreError> {
        self.live()?;
        self.inner.states(keys).await
    }
    async fn states_of(&self, of: &str) -> Result<Vec<(String, State)>, StoreError> {
        self.live()?;
        self.inner.states_of(of).await
    }
    async fn first_states_of(&self, of: &str, most: usize) -> Result<Vec<(String, State)>, StoreError> {
        self.live()?;
        self.inner.first_states_of(of, most).await
    }
    async fn list_names(&self, of: &str, names: &[String], on: bool) -> Result<(), StoreError> {
        self.live()?;
        self.inner.list_names(of, names, on).await
    }
    async fn save(&self, key: &StateKey, seen: u64, value: &Value) -> Result<u64, StoreError> {
        self.live()?;
        self.inner.save(key, seen, value).await
    }
}
