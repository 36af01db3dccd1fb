//! A DynamoDB in front of a DynamoDB: hands every request on and counts the units that it took, by partition key. Changes
//! nothing but that it asks for the count.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html>

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Of all requests so far.
#[derive(Debug, Clone, Default)]
pub struct Units {
    pub read: f64,
    pub write: f64,
    /// Writes by the partition key's first word, such as `issues` or `mark`.
    pub written_by: BTreeMap<String, f64>,
    /// The most that was written to one partition key within a second, and which that was.
    pub hottest: (f64, String),
    seconds: BTreeMap<String, (u64, f64)>,
}

/// The proxy; it serves as long as the runtime lives.
pub struct Meter {
    pub url: String,
    shared: Arc<Shared>,
}

struct Shared {
    behind: String,
    client: reqwest::Client,
    units: Mutex<Units>,
    began: Instant,
}

impl Meter {
    /// Serves at a port of its own what is at `behind`.
    pub async fn before(behind: &str) -> std::io::Result<Self> {
        let shared = Arc::new(Shared { behind: behind.to_owned(), client: reqwest::Client::new(), units: Mutex::default(), began: Instant::now() });
        let routes = Router::new().fallback(hand_on).with_state(shared.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Ok(Self { url, shared })
    }

    /// What was used since this was last asked.
    pub fn take(&self) -> Units {
        std::mem::take(&mut self.shared.units())
    }
}

impl Shared {
    fn units(&self) -> MutexGuard<'_, Units> {
        self.units.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn hand_on(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default().to_owned();
    let mut request: Value = serde_json::from_slice(&body).unwrap_or_default();
    if let Some(request) = request.as_object_mut().filter(|_| !target.ends_with("Table")) {
        request.insert("ReturnConsumedCapacity".to_owned(), "TOTAL".into());
    }
    let mut onward = shared.client.post(&shared.behind).body(request.to_string());
    for name in ["x-amz-target", "content-type", "authorization", "x-amz-date"] {
        if let Some(value) = headers.get(name) {
            onward = onward.header(name, value);
        }
    }
    let answered = match onward.send().await {
        Ok(answer) => (answer.status(), answer.bytes().await.unwrap_or_default()),
        Err(error) => return (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
    };
    let answer: Value = serde_json::from_slice(&answered.1).unwrap_or_default();
    shared.units().count(target.rsplit('.').next().unwrap_or_default(), &request, &answer, shared.began.elapsed().as_secs());
    (answered.0, [("content-type", "application/x-amz-json-1.0")], answered.1).into_response()
}

impl Units {
    fn count(&mut self, operation: &str, request: &Value, answer: &Value, second: u64) {
        let consumed = &answer["ConsumedCapacity"];
        let of = |one: &Value| one["CapacityUnits"].as_f64().unwrap_or(0.0);
        let units = consumed.as_array().map_or_else(|| of(consumed), |all| all.iter().map(of).sum());
        if matches!(operation, "Query" | "GetItem" | "BatchGetItem" | "Scan") {
            self.read += units;
            return;
        }
        self.write += units;
        let mut keys = BTreeSet::new();
        partitions(request, &mut keys);
        let share = units / f64::from(u32::try_from(keys.len().max(1)).unwrap_or(1));
        for key in keys {
            *self.written_by.entry(key.split('#').next().unwrap_or_default().to_owned()).or_default() += share;
            let slot = self.seconds.entry(key.clone()).or_default();
            *slot = if slot.0 == second { (second, slot.1 + share) } else { (second, share) };
            if slot.1 > self.hottest.0 {
                self.hottest = (slot.1, key);
            }
        }
    }
}

/// Every partition key that a request names.
fn partitions(value: &Value, keys: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            if let Some(key) = map.get("pk").and_then(|pk| pk["S"].as_str()) {
                keys.insert(key.to_owned());
                return;
            }
            map.values().for_each(|value| partitions(value, keys));
        }
        Value::Array(all) => all.iter().for_each(|value| partitions(value, keys)),
        _ => {}
    }
}
