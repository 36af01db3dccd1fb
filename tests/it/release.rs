//! What a former release left is understood: items of its table, jobs and events under way. Recorded by
//! `SEI_RECORD=0.1.0 cargo test -p tests release` when a release is made, and from then on never changed.

use crate::bench::{Bench, Delivery, Mortal, TestQueue};
use aws::Embedded;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use engine::receive::{Outcome, receive};
use engine::{Inbox, Job, Received, Standing, Store};
use serde_json::{Map, Value, json};
use sim::Size;
use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const WORLD: &[Size] = &[Size(4, 5, 6), Size(3, 4, 5)];
/// Where the recorded process died, in the midst of the second repository.
const CALLS: u64 = 90;

fn folder(release: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("it/release").join(release)
}

/// As DynamoDB writes items. <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html>
fn written(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) => json!({ "S": text }),
        AttributeValue::N(number) => json!({ "N": number }),
        AttributeValue::Bool(is) => json!({ "BOOL": is }),
        AttributeValue::B(bytes) => json!({ "B": BASE64_STANDARD.encode(bytes.as_ref()) }),
        AttributeValue::Null(is) => json!({ "NULL": is }),
        AttributeValue::L(list) => json!({ "L": list.iter().map(written).collect::<Vec<_>>() }),
        AttributeValue::M(map) => json!({ "M": map.iter().map(|(name, value)| (name.clone(), written(value))).collect::<Map<_, _>>() }),
        other => panic!("{other:?} is in no item"),
    }
}

fn read(value: &Value) -> AttributeValue {
    let (kind, inner) = value.as_object().unwrap().iter().next().unwrap();
    let text = || inner.as_str().unwrap().to_owned();
    match kind.as_str() {
        "S" => AttributeValue::S(text()),
        "N" => AttributeValue::N(text()),
        "BOOL" => AttributeValue::Bool(inner.as_bool().unwrap()),
        "B" => AttributeValue::B(Blob::new(BASE64_STANDARD.decode(text()).unwrap())),
        "NULL" => AttributeValue::Null(true),
        "L" => AttributeValue::L(inner.as_array().unwrap().iter().map(read).collect()),
        "M" => AttributeValue::M(inner.as_object().unwrap().iter().map(|(name, value)| (name.clone(), read(value))).collect()),
        other => panic!("{other} is no kind of value"),
    }
}

async fn record(release: &str) {
    let bench = Bench::new(5, WORLD).await;
    let store: Arc<dyn Store> = Arc::new(bench.table.store());
    assert!(bench.sync_on(Arc::new(Mortal::new(store, CALLS)), Delivery::InOrder).await.is_err(), "it lived on");
    let queue = Arc::new(TestQueue::default());
    bench.pass(60);
    engine::discover("acme", &bench.env(Arc::new(bench.table.store()), queue.clone())).await.unwrap();
    bench.github.world().outbox.clear();
    happen(&bench);
    let told = std::mem::take(&mut bench.github.world().outbox);
    for (number, emitted) in told.iter().enumerate() {
        let (delivery, body) = (format!("delivery-{number}"), emitted.payload.to_string().into_bytes().into());
        let event = Received { delivery, event: emitted.name.to_owned(), hook: Some("1".to_owned()), received_at: engine::Clock::now(&bench.clock), body };
        bench.table.inbox().accept(&event).await.unwrap();
    }
    std::fs::create_dir_all(folder(release)).unwrap();
    let mut items: Vec<String> = Vec::new();
    let mut after = None;
    loop {
        let page = bench.table.client().scan().table_name("sei-github").set_exclusive_start_key(after).send().await.unwrap();
        items.extend(page.items().iter().map(|item| {
            let sorted: BTreeMap<&String, Value> = item.iter().map(|(name, value)| (name, written(value))).collect();
            json!(sorted).to_string()
        }));
        after = page.last_evaluated_key;
        if after.is_none() {
            break;
        }
    }
    items.sort();
    let jobs: Vec<String> = queue.take().iter().map(|job| serde_json::to_string(job).unwrap()).collect();
    assert!(items.len() > 100 && jobs.len() > 3, "{} items, {} jobs", items.len(), jobs.len());
    std::fs::write(folder(release).join("items.ndjson"), items.join("\n") + "\n").unwrap();
    std::fs::write(folder(release).join("jobs.ndjson"), jobs.join("\n") + "\n").unwrap();
}

/// What the event under way tells of.
fn happen(bench: &Bench) {
    let mut world = bench.github.world();
    let issue = world.repos[0]["issues"][0]["number"].as_u64().unwrap();
    world.edit("repo-00", "issues", issue, "an event under way");
}

/// A bench on the recorded table.
async fn left_by(release: &str) -> Bench {
    let table = Embedded::in_memory().await.unwrap();
    for line in std::fs::read_to_string(folder(release).join("items.ndjson")).unwrap().lines() {
        let item: Map<String, Value> = serde_json::from_str(line).unwrap();
        let item = item.iter().map(|(name, value)| (name.clone(), read(value))).collect();
        table.client().put_item().table_name("sei-github").set_item(Some(item)).send().await.unwrap();
    }
    let bench = Bench { table, ..Bench::new(5, WORLD).await };
    happen(&bench);
    // It was recorded before now.
    bench.pass(3600);
    bench
}

#[tokio::test]
async fn what_former_releases_left_is_understood() {
    if let Ok(release) = std::env::var("SEI_RECORD") {
        record(&release).await;
    }
    for release in ["0.1.0"] {
        let bench = left_by(release).await;
        // Items: what it had read stands, and how far it was.
        let status = engine::exactly(&bench.table.store(), engine::Clock::now(&bench.clock)).await.unwrap();
        let of = |repo: usize| status.repositories[repo].entities.iter().map(|entity| (entity.state, entity.rows));
        let standing = |name: &str| status.repositories[0].entities.iter().find(|one| one.entity == name).unwrap();
        assert_eq!(standing("labels").state, Standing::Complete, "{release}: {:?}", standing("labels"));
        assert!(standing("issues").estimate.as_ref().is_some_and(|left| left.seconds.is_some()), "{release}: {:?}", standing("issues"));
        assert_eq!(status.repositories.len(), WORLD.len(), "{release}");
        assert!(of(0).any(|(state, rows)| state == Standing::Complete && rows > 3), "{release}: {:?}", of(0).collect::<Vec<_>>());
        assert!(of(1).chain(of(0)).any(|(state, _)| state == Standing::CatchingUp), "{release}: it was not through");
        let before = bench.rows().await;
        assert!(before.len() > 50, "{release}: {} rows", before.len());
        // Events that waited.
        let queue = Arc::new(TestQueue::default());
        let env = bench.env(Arc::new(bench.table.store()), queue.clone());
        let waiting = bench.table.inbox().take(&HashSet::new()).await.unwrap();
        assert!(!waiting.is_empty(), "{release}: no event waits");
        for one in &waiting {
            let outcome = receive(&one.event, &env).await.unwrap();
            assert!(matches!(outcome, Outcome::Applied { .. }), "{release}: {outcome:?} of {}", one.event.event);
            bench.table.inbox().done(one).await.unwrap();
        }
        // Jobs that were sent.
        let jobs = std::fs::read_to_string(folder(release).join("jobs.ndjson")).unwrap();
        let mut asked = 0;
        for (number, body) in jobs.lines().enumerate() {
            let message = fetcher::Message { message_id: number.to_string(), body: body.to_owned(), attributes: BTreeMap::new() };
            let failures = fetcher::handle(fetcher::Batch { records: vec![message] }, &env.clone().into(), jiff::Timestamp::MAX).await;
            assert!(failures.batch_item_failures.is_empty(), "{release}: {body}");
            let job: Job = serde_json::from_str(body).unwrap();
            asked += u64::from(before.keys().any(|key| key.split(' ').nth(1) == Some(&job.scope.to_string())));
        }
        assert!(asked > 0, "{release}: no job is of what was copied");
        bench.pass(3600);
        bench.sync().await;
        bench.assert_as_made_anew(release).await;
    }
}
