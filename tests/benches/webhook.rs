//! How long the webhook's handler takes for an event, and how many it takes in a second on one core: verifying, reading,
//! the mark and the queue's call, with a queue that takes everything at once and marks that are kept in memory; beside the
//! least that it could take.
//! Run with `cargo bench --profile quick -p tests --bench webhook`.
#![allow(clippy::unwrap_used, reason = "a benchmark that panics has failed, as it should")]

use engine::entities::Entity;
use engine::signature::{Keyring, Secrets, header};
use engine::{Inbox, Listed, Listing, Received, Record, Rows, ScopeId, State, StateKey, Store, StoreError, Stored, Written};
use github::Secret;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use webhook::{Door, Request, handle};

struct Keys(Arc<Secrets>);

#[async_trait::async_trait]
impl Keyring for Keys {
    async fn secrets(&self, _: bool) -> Result<Arc<Secrets>, StoreError> {
        Ok(self.0.clone())
    }
}

struct Sink;

#[async_trait::async_trait]
impl Inbox for Sink {
    async fn accept(&self, _: &Received) -> Result<(), StoreError> {
        Ok(())
    }
}

/// Marks alone.
#[derive(Default)]
struct Marks(Mutex<HashMap<StateKey, State>>);

#[async_trait::async_trait]
impl Rows for Marks {
    async fn list(&self, _: &Listing<'_>) -> Result<Listed, StoreError> {
        Ok(Listed::default())
    }

    async fn scopes(&self, _: &'static Entity) -> Result<Vec<ScopeId>, StoreError> {
        Ok(Vec::new())
    }

    fn store(&self) -> Option<&dyn Store> {
        Some(self)
    }
}

#[async_trait::async_trait]
impl Store for Marks {
    async fn get_only(&self, _: &'static Entity, _: ScopeId, _: &[String], _: &[&str]) -> Result<Vec<Stored>, StoreError> {
        Ok(Vec::new())
    }

    async fn put(&self, _: &[Record]) -> Result<Written, StoreError> {
        Ok(Written::default())
    }
    async fn count(&self, _: &'static Entity, _: ScopeId) -> Result<u64, StoreError> {
        Ok(0)
    }
    async fn erase(&self, _: &'static Entity, _: ScopeId, _: &str) -> Result<u64, StoreError> {
        Ok(0)
    }
    async fn states(&self, keys: &[StateKey]) -> Result<Vec<State>, StoreError> {
        let all = self.0.lock().unwrap();
        Ok(keys.iter().map(|key| all.get(key).cloned().unwrap_or_default()).collect())
    }
    async fn states_of(&self, _: &str) -> Result<Vec<(String, State)>, StoreError> {
        Ok(Vec::new())
    }
    async fn first_states_of(&self, _: &str, _: usize) -> Result<Vec<(String, State)>, StoreError> {
        Ok(Vec::new())
    }
    async fn list_names(&self, _: &str, _: &[String], _: bool) -> Result<(), StoreError> {
        Ok(())
    }
    async fn save(&self, key: &StateKey, seen: u64, value: &Value) -> Result<u64, StoreError> {
        self.0.lock().unwrap().insert(key.clone(), State { revision: seen + 1, value: value.clone() });
        Ok(seen + 1)
    }
}

fn body(bytes: usize) -> Vec<u8> {
    let field = |index: usize| (format!("https_url_{index}"), json!(format!("https://api.github.com/repos/acme/a/{index}{{/number}} \"quoted\" ü")));
    let mut fields: serde_json::Map<String, Value> = (0..bytes / 78).map(field).collect();
    fields.insert("action".to_owned(), json!("edited"));
    fields.insert("repository".to_owned(), json!({ "full_name": "acme/a", "id": 1 }));
    serde_json::to_vec(&fields).unwrap()
}

/// One thread: one core.
#[tokio::main(flavor = "current_thread")]
async fn main() {
    let secret = Secret::new("a secret of forty characters, about so!!");
    let (keys, marks) = (Keys(Arc::new(Secrets::new([&secret]))), Marks::default());
    let door = Door { keys: &keys, inbox: &Sink, store: &marks };
    for (name, bytes, count) in [("20 KB", 20_000, 50_000), ("5 MB", 5_000_000, 200)] {
        let body = bytes::Bytes::from(body(bytes));
        let signature = header(&secret, &body);
        let mut times: Vec<Duration> = Vec::with_capacity(count);
        let began = Instant::now();
        for number in 0..count {
            let request = Request {
                method: "POST".to_owned(),
                content_type: "application/json".to_owned(),
                signature: signature.clone(),
                event: "issues".to_owned(),
                delivery: format!("{number:08x}-{bytes}"),
                hook: "1".to_owned(),
                body: body.clone(),
            };
            let one = Instant::now();
            assert_eq!(handle(request, &door, Timestamp::now()).await.status, 200);
            times.push(one.elapsed());
        }
        let took = began.elapsed().as_secs_f64();
        times.sort();
        let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)].as_secs_f64() * 1000.0;
        // The least that anybody does: the signature, and reading the body once.
        let began = Instant::now();
        for _ in 0..count {
            assert!(keys.0.signed(&body, &signature) && serde_json::from_slice::<Value>(&body).is_ok());
        }
        let floor = began.elapsed().as_secs_f64() * 1000.0 / count as f64;
        println!(
            "{name:<6} ({} bytes): signature and JSON alone {floor:.3} ms; p50 {:.3} ms, p99 {:.3} ms, {:.0} events/s on one core",
            body.len(),
            at(50),
            at(99),
            count as f64 / took
        );
    }
}
