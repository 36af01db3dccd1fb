//! DynamoDB's units, counted between the SDK and the table, beside what `plan` says of them: a first sync of the
//! simulated organization, then hours in which nothing happens to 1,000 repositories. Records are written as in AWS, one
//! conditional put each. Beside that, the floors: a unit for each KB of what is written, and a request for each hundred
//! of each list. Run with `cargo bench -p tests --bench cost`, or with `--profile quick`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a benchmark that panics has failed, as it should")]

mod metered;

use aws::{Embedded, Writes};
use aws_sdk_dynamodb::types::AttributeValue;
use engine::{Clock, Env, Error, Job, Outcome, Queue, Settings, StoreError, Tokens, advance, discover};
use jiff::Timestamp;
use metered::Meter;
use sim::{GitHub, Size, World};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

/// A day, so that what is looked at once a day counts.
const HOURS: u32 = 24;

#[derive(Default)]
struct Waiting(Mutex<VecDeque<Job>>);

#[async_trait::async_trait]
impl Queue for Waiting {
    async fn send(&self, jobs: &[Job]) -> Result<(), StoreError> {
        self.0.lock().unwrap().extend(jobs.iter().cloned());
        Ok(())
    }
}

/// Milliseconds since 1970; limits are not waited for, but passed over.
#[derive(Clone)]
struct Virtual(Arc<AtomicI64>);

impl Clock for Virtual {
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.0.fetch_add(1, Ordering::SeqCst)).unwrap()
    }
}

impl Virtual {
    fn until(&self, at: Timestamp) {
        self.0.fetch_max(at.as_millisecond() + 1, Ordering::SeqCst);
    }
}

#[tokio::main]
async fn main() {
    organization().await;
    idle(1000).await;
}

struct Copy {
    meter: Meter,
    queue: Arc<Waiting>,
    clock: Virtual,
    env: Env,
    /// Serves as long as it is kept.
    table: Embedded,
}

async fn copy(sizes: &[Size]) -> Copy {
    let clock = Virtual(Arc::new(AtomicI64::new(1_800_000_000_000)));
    let ticks = clock.0.clone();
    let github = GitHub::start_with(World::seeded(7, sizes), 0, Arc::new(move || ticks.load(Ordering::SeqCst) / 1000)).await.unwrap();
    let table = Embedded::in_memory().await.unwrap();
    let meter = Meter::of(&table);
    let store = meter.store(&table, Writes::Single);
    let tokens = Tokens::new(github::ApiUrl::parse(&github.url).unwrap(), vec![github::Token::new("sim-token").unwrap()]).unwrap();
    let queue = Arc::new(Waiting::default());
    let settings = Settings { orgs: vec!["acme".to_owned()], ..Settings::default() };
    let env = Env::new(tokens, Arc::new(store), queue.clone(), Arc::new(clock.clone()), settings)
        .on(table.scratch().unwrap())
        .scheduled(jiff::SignedDuration::from_hours(1));
    Copy { meter, queue, clock, env, table }
}

impl Copy {
    /// Discovery, and then every job to its end.
    async fn sync(&self) {
        while let Err(error) = discover("acme", &self.env).await {
            let Error::Waiting { until } = error else { panic!("{error}") };
            self.clock.until(until);
        }
        loop {
            let next = self.queue.0.lock().unwrap().pop_front();
            let Some(job) = next else { return };
            match advance(&job, &self.env, Timestamp::MAX).await.unwrap() {
                Outcome::Refused { message, .. } => panic!("{}: {message}", job.sweep),
                Outcome::Parked { until, .. } => {
                    self.clock.until(until);
                    self.queue.0.lock().unwrap().push_back(job);
                }
                _ => {}
            }
        }
    }
}

async fn organization() {
    let copy = copy(&Size::organization()).await;
    let plan = engine::plan(&copy.env).await.unwrap();
    copy.meter.take();
    let spent = copy.env.github.spent();
    copy.sync().await;
    let (units, now) = (copy.meter.take(), copy.env.github.spent());
    let status = engine::exactly(copy.env.store.as_ref(), copy.clock.now()).await.unwrap();
    let lists = || status.repositories.iter().chain(&status.projects).flat_map(|repo| &repo.entities);
    let rows: u64 = lists().map(|entity| entity.rows).sum();
    // Git brings these without a request, and one source of theirs is no list.
    let asked = lists().filter(|entity| !["commit_files", "stage_sightings", "stage_transitions"].contains(&entity.entity));
    let pages: u64 = asked.map(|entity| entity.rows.div_ceil(100)).sum();
    let floor = kilobytes(&copy.table).await;
    println!("a first sync of the simulated organization, everything fetched:");
    println!("  {:<14}{:>12}{:>12}{:>12}", "", "counted", "plan says", "floor");
    println!("  {:<14}{rows:>12}{:>12}", "rows", plan.aws.rows);
    println!("  {:<14}{:>12.0}{:>12}{floor:>12}", "write units", units.write, plan.aws.write_units);
    println!("  {:<14}{:>12.0}{:>12}", "read units", units.read, plan.aws.read_units);
    println!("  {:<14}{:>12}{:>12}{pages:>12}", "requests", now.requests() - spent.requests(), plan.first_sync.requests);
    println!("  {:<14}{:>12}{:>12}", "points", now.points - spent.points, plan.first_sync.points);
    println!("  at most {:.0} write units a second to one partition key ({})", units.hottest.0, units.hottest.1);
    let mut by: Vec<(String, f64)> = units.written_by.into_iter().collect();
    by.sort_by(|a, b| b.1.total_cmp(&a.1));
    for (name, units) in by.iter().take(12) {
        println!("    {units:>10.0} {name}");
    }
    copy.table.shutdown().await;
}

/// Of every record, rounded up: what writing each of them once would cost.
async fn kilobytes(table: &Embedded) -> usize {
    let (mut all, mut start) = (0, None);
    loop {
        let page = table.client().scan().table_name("sei-github").set_exclusive_start_key(start).send().await.unwrap();
        let records =
            page.items.unwrap_or_default().into_iter().filter(|item| item.contains_key("_v") || item.contains_key("_l") || item.contains_key("_part"));
        all += records.map(|item| item.iter().map(|(name, value)| name.len() + size(value)).sum::<usize>().div_ceil(1024)).sum::<usize>();
        start = page.last_evaluated_key;
        if start.is_none() {
            return all;
        }
    }
}

/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>
fn size(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(number) => number.len().div_ceil(2) + 1,
        AttributeValue::B(bytes) => bytes.as_ref().len(),
        AttributeValue::L(all) => 3 + all.iter().map(|one| 1 + size(one)).sum::<usize>(),
        AttributeValue::M(all) => 3 + all.iter().map(|(name, one)| 1 + name.len() + size(one)).sum::<usize>(),
        _ => 1,
    }
}

async fn idle(repositories: u32) {
    let sizes: Vec<Size> = (0..repositories).map(|_| Size(1, 1, 2)).collect();
    let copy = copy(&sizes).await;
    copy.sync().await;
    copy.meter.take();
    let spent = copy.env.github.spent();
    for _ in 0..HOURS {
        let hour = copy.clock.now() + jiff::SignedDuration::from_hours(1);
        copy.clock.until(hour);
        copy.sync().await;
    }
    let (units, now) = (copy.meter.take(), copy.env.github.spent());
    let each = |all: f64| all / f64::from(HOURS);
    println!("{HOURS} hours in which nothing happens to {repositories} repositories, by the hour:");
    println!(
        "  {:.1} requests, {:.0} read units ({:.1} a repository), {:.0} write units",
        each(f64::from(u32::try_from(now.requests() - spent.requests()).unwrap())),
        each(units.read),
        each(units.read) / f64::from(repositories),
        each(units.write)
    );
    copy.table.shutdown().await;
}
