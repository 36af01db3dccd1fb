//! How long `status` takes for 14,000 repositories: a table as finished sweeps leave it, on a file.
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

/// One repository is read; what `status` reads of it is then copied to the others, under numbers and names of their own.
async fn fill(table: &Embedded) {
    let github = GitHub::start(World::seeded(7, &[Size(20, 20, 20)])).await.unwrap();
    let url = github::ApiUrl::parse(&github.url).unwrap();
    let tokens = Tokens::new(url, vec![github::Token::new("sim-token").unwrap()]).unwrap();
    let settings = Settings { orgs: vec!["acme".to_owned()], ..Settings::default() };
    let env = Env::new(tokens, Arc::new(table.store()), Arc::new(Nowhere), Arc::new(SystemClock), settings);
    let found = discover("acme", &env).await.unwrap();
    for job in &found.jobs {
        advance(job, &env, jiff::Timestamp::MAX).await.unwrap();
    }
    let (store, first) = (table.store(), found.jobs[0].scope);
    let (_, summary) = store.states_of(&format!("summaries#{:x}", first % 16)).await.unwrap().remove(0);
    let text = summary.value.as_str().unwrap();
    println!("a summary takes {} bytes", text.len());
    for number in 1..REPOSITORIES {
        let scope = first + u64::try_from(number).unwrap();
        let key = StateKey { of: format!("summaries#{:x}", scope % 16), name: scope.to_string() };
        let own = text.replace("acme/repo-00", &format!("acme/a-repository-{number}"));
        store.save(&key, 0, &Value::String(own)).await.unwrap();
    }
    let people: Vec<Record> = (0..PEOPLE).map(person).collect();
    for page in people.chunks(100) {
        store.put(page).await.unwrap();
    }
}

fn person(number: usize) -> Record {
    let fields = json!({ "id": 1_000_000 + number, "node_id": format!("U_{number}"), "login": format!("person-{number}"), "name": "Somebody", "type": "User", "is_bot": false });
    let Value::Object(fields) = fields else { unreachable!() };
    let read_at = jiff::Timestamp::from_second(1_800_000_000).unwrap();
    Record { entity: &USERS, scope: 0, key: format!("{:012}", 1_000_000 + number), version: Version::new(None, read_at), fields, presence: Presence::Whole }
}
