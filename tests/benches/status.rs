//! How long `status` takes for 14,000 repositories: a table as discovery and finished sweeps leave it, on a file.
//! Run with `cargo bench -p tests --bench status` (release build) or with `--profile quick`. With `SEI_KEEP` set, the
//! directory stays, and the command can be asked of it.
#![allow(clippy::unwrap_used, reason = "a benchmark that panics has failed, as it should")]

use aws::Embedded;
use engine::entities::USERS;
use engine::{Clock, Env, Job, Presence, Queue, Record, Settings, StateKey, Store, StoreError, SystemClock, Tokens, Version, advance, discover};
use serde_json::{Value, json};
use sim::{GitHub, Size, World};
use std::sync::Arc;
use std::time::Instant;

const REPOSITORIES: usize = 14_000;
const PEOPLE: usize = 10_000;

/// What is sent is done at once by the caller, or not at all.
struct Nowhere;

#[async_trait::async_trait]
impl Queue for Nowhere {
    async fn send(&self, _: &[Job]) -> Result<(), StoreError> {
        Ok(())
    }
}

#[tokio::main]
async fn main() {
    let dir = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench-status");
    let _ = std::fs::remove_dir_all(&dir);
    let table = Embedded::open(&dir).await.unwrap();
    fill(&table).await;
    table.shutdown().await;
    for _ in 0..3 {
        let began = Instant::now();
        let table = Embedded::open(&dir).await.unwrap();
        let status = engine::status(&table.store(), SystemClock.now()).await.unwrap();
        let took = began.elapsed();
        let entities = status.repositories.iter().flat_map(|repo| &repo.entities);
        let whole = entities.clone().filter(|entity| entity.state.is_whole()).count();
        println!("{:.0} ms for {} repositories, {whole} of {} entities whole", took.as_secs_f64() * 1e3, status.repositories.len(), entities.count());
        table.shutdown().await;
    }
    if std::env::var_os("SEI_KEEP").is_some() {
        println!("sei-github status --data-dir {}", dir.display());
    } else {
        std::fs::remove_dir_all(&dir).unwrap();
    }
}

/// One repository is read; the others get marks as it has them. Discovery then makes of them what `status` reads.
async fn fill(table: &Embedded) {
    let mut sizes = vec![Size(0, 0, 0); REPOSITORIES];
    sizes[0] = Size(20, 20, 20);
    let began = Instant::now();
    let github = GitHub::start(World::seeded(7, &sizes)).await.unwrap();
    github.faults().limit = None;
    let url = github::ApiUrl::parse(&github.url).unwrap();
    let tokens = Tokens::new(url, vec![github::Token::new("sim-token").unwrap()]).unwrap();
    let settings = Settings { orgs: vec!["acme".to_owned()], ..Settings::default() };
    let env = Env::new(tokens, Arc::new(table.store()), Arc::new(Nowhere), Arc::new(SystemClock), settings);
    let found = discover("acme", &env).await.unwrap();
    println!("a world of {} repositories, made and discovered in {:.0} s", found.repositories, began.elapsed().as_secs_f64());
    let first = found.jobs.iter().find(|job| job.sweep == "commits").unwrap().scope;
    for job in found.jobs.iter().filter(|job| job.scope == first) {
        advance(job, &env, jiff::Timestamp::MAX).await.unwrap();
    }
    let store = table.store();
    let marks: Vec<(String, Value)> = store
        .states_of(&format!("repo#{first}"))
        .await
        .unwrap()
        .into_iter()
        .filter(|(name, _)| name.starts_with("mark#"))
        .map(|(name, state)| (name, state.value))
        .collect();
    let mut others: Vec<u64> = found.jobs.iter().map(|job| job.scope).filter(|scope| *scope != first).collect();
    others.dedup();
    for scope in others {
        let of = format!("repo#{scope}");
        let hint = StateKey { of: of.clone(), name: "hint".to_owned() };
        let hint = store.states(&[hint]).await.unwrap().remove(0).value;
        for (name, mark) in &marks {
            let mut mark = mark.clone();
            mark["done_for"] = hint["moved"][name.trim_start_matches("mark#")].clone();
            store.save(&StateKey { of: of.clone(), name: name.clone() }, 0, &mark).await.unwrap();
        }
    }
    let people: Vec<Record> = (0..PEOPLE).map(person).collect();
    for page in people.chunks(100) {
        store.put(page).await.unwrap();
    }
    discover("acme", &env).await.unwrap();
    println!("filled in {:.0} s", began.elapsed().as_secs_f64());
}

fn person(number: usize) -> Record {
    let fields = json!({ "id": 1_000_000 + number, "node_id": format!("U_{number}"), "login": format!("person-{number}"), "name": "Somebody", "type": "User", "is_bot": false });
    let Value::Object(fields) = fields else { unreachable!() };
    let read_at = jiff::Timestamp::from_second(1_800_000_000).unwrap();
    Record { entity: &USERS, scope: 0, key: format!("{:012}", 1_000_000 + number), version: Version::new(None, read_at), fields, presence: Presence::Whole }
}
