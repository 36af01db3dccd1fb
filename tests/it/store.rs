//! The DynamoDB adapter, through the real SDK on an embedded DynamoDB.

use aws::{DynamoStore, Embedded, EmbeddedError, Writes};
use engine::entities::Entity;
use engine::{Listing, Presence, Record, Rows, StateKey, Store, StoreError, Version};
use serde_json::{Value, json};

static THING: Entity = Entity::bare("things");

fn record(key: &str, version: i64, fields: Value) -> Record {
    let at = jiff::Timestamp::from_second(1_700_000_000 + version).unwrap();
    let Value::Object(fields) = fields else { panic!("fields are an object") };
    Record { entity: &THING, scope: 1, key: key.to_owned(), version: Version::new(Some(at), at), fields, presence: Presence::Whole }
}

fn gone(key: &str, version: i64) -> Record {
    Record { presence: Presence::Gone, ..record(key, version, json!({})) }
}

async fn row(store: &DynamoStore, key: &str) -> Option<engine::Stored> {
    store.get(&THING, 1, &[key.to_owned()]).await.unwrap().pop()
}

#[tokio::test]
async fn newer_wins_and_the_same_is_not_rewritten_whichever_way_it_is_written() {
    for writes in [Writes::Transactions, Writes::Single] {
        let table = Embedded::in_memory().await.unwrap();
        let store = DynamoStore::new(table.client().clone(), "sei-github", writes);
        assert_eq!(store.put(&[record("a", 5, json!({"n": 5}))]).await.unwrap().created, 1);
        assert_eq!(store.put(&[record("a", 9, json!({"n": 5}))]).await.unwrap().unchanged, 1, "the same content");
        assert_eq!(store.put(&[record("a", 4, json!({"n": 4}))]).await.unwrap().unchanged, 1, "older");
        assert_eq!(store.put(&[record("a", 6, json!({"n": 6})), record("a", 7, json!({"n": 7}))]).await.unwrap().updated, 1);
        assert_eq!(row(&store, "a").await.unwrap().fields["n"], json!(7));
    }
}

#[tokio::test]
async fn a_tombstone_stays_unless_something_newer_was_seen() {
    let table = Embedded::in_memory().await.unwrap();
    let store = table.store();
    store.put(&[record("a", 5, json!({"n": 5}))]).await.unwrap();
    assert_eq!(store.put(&[gone("a", 8), gone("b", 8)]).await.unwrap().removed, 1, "what never was is not buried");
    assert_eq!(store.count(&THING, 1).await.unwrap(), 0);
    store.put(&[record("a", 7, json!({"n": 7}))]).await.unwrap();
    let there = row(&store, "a").await.unwrap();
    assert!(there.gone && there.fields["n"] == json!(5), "a late edit does not resurrect; the last fields are kept");
    assert_eq!(store.put(&[record("a", 9, json!({"n": 9}))]).await.unwrap().created, 1);
    assert!(!row(&store, "a").await.unwrap().gone);
}

#[tokio::test]
async fn a_record_beyond_what_dynamodb_takes_is_cut_up_and_comes_back_whole() {
    let table = Embedded::in_memory().await.unwrap();
    let store = table.store();
    let long = "ü".repeat(600_000);
    store.put(&[record("a", 1, json!({"body": long})), record("b", 1, json!({"n": 1}))]).await.unwrap();
    assert_eq!(row(&store, "a").await.unwrap().fields["body"], json!(long));
    assert_eq!(store.count(&THING, 1).await.unwrap(), 2);
    store.put(&[record("a", 2, json!({"body": "short"}))]).await.unwrap();
    let listing = Listing { limit: 10, ..Listing::all(&THING, 1) };
    let keys: Vec<String> = store.list(&listing).await.unwrap().rows.into_iter().map(|row| row.key).collect();
    assert_eq!(keys, ["a", "b"]);
    assert_eq!(row(&store, "a").await.unwrap().fields["body"], json!("short"));
}

#[tokio::test]
async fn a_part_sets_its_fields_and_leaves_the_others() {
    for writes in [Writes::Transactions, Writes::Single] {
        let table = Embedded::in_memory().await.unwrap();
        let store = DynamoStore::new(table.client().clone(), "sei-github", writes);
        let part = |key: &str, version: i64, fields: Value| Record { presence: Presence::Part, ..record(key, version, fields) };
        let fields = async |key: &str| Value::Object(row(&store, key).await.unwrap().fields);
        store.put(&[record("a", 5, json!({"n": 5, "m": 1}))]).await.unwrap();
        assert_eq!(store.put(&[part("a", 4, json!({"n": 4})), part("b", 4, json!({"n": 4}))]).await.unwrap().created, 1, "an older one is nothing");
        assert_eq!(store.put(&[part("a", 6, json!({"n": 6}))]).await.unwrap().updated, 1);
        assert_eq!((fields("a").await, fields("b").await), (json!({"n": 6, "m": 1}), json!({"n": 4})));
        assert_eq!(store.put(&[part("a", 6, json!({"n": 6}))]).await.unwrap().unchanged, 1, "twice is once");
        // The whole object, with other content than the part knew.
        assert_eq!(store.put(&[record("a", 7, json!({"n": 6, "m": 2}))]).await.unwrap().updated, 1);
        store.put(&[gone("a", 8)]).await.unwrap();
        assert_eq!(store.put(&[part("a", 7, json!({"n": 7}))]).await.unwrap().unchanged, 1, "a late one does not resurrect");
        assert_eq!(store.put(&[part("a", 9, json!({"n": 9}))]).await.unwrap().created, 1);
        assert!(!row(&store, "a").await.unwrap().gone);
        assert_eq!(fields("a").await, json!({"n": 9, "m": 2}));
    }
}

#[tokio::test]
async fn a_part_of_a_record_that_is_cut_up_is_put_together() {
    for writes in [Writes::Transactions, Writes::Single] {
        let table = Embedded::in_memory().await.unwrap();
        let store = DynamoStore::new(table.client().clone(), "sei-github", writes);
        let part = |version: i64, fields: Value| Record { presence: Presence::Part, ..record("a", version, fields) };
        let (long, other) = ("ü".repeat(600_000), "x".repeat(300_000));
        store.put(&[record("a", 5, json!({"body": long, "n": 5}))]).await.unwrap();
        store.put(&[part(6, json!({"n": 6}))]).await.unwrap();
        let there = row(&store, "a").await.unwrap().fields;
        assert!(there["body"] == json!(long) && there["n"] == json!(6));
        store.put(&[part(7, json!({"body": "short"}))]).await.unwrap();
        assert_eq!(Value::Object(row(&store, "a").await.unwrap().fields), json!({"body": "short", "n": 6}));
        // It fits no more into an item that was whole.
        store.put(&[part(8, json!({"body": other}))]).await.unwrap();
        store.put(&[part(9, json!({"more": "y".repeat(99_000)}))]).await.unwrap();
        let there = row(&store, "a").await.unwrap().fields;
        assert!(there["body"] == json!(other) && there["more"].as_str().unwrap().len() == 99_000 && there["n"] == json!(6));
        assert_eq!(store.count(&THING, 1).await.unwrap(), 1);
    }
}

#[tokio::test]
async fn erased_rows_are_gone_with_their_parts_and_others_stay() {
    let table = Embedded::in_memory().await.unwrap();
    let store = table.store();
    let mut records: Vec<Record> = (0..60).map(|n| record(&format!("p#{n:02}"), 1, json!({"n": n}))).collect();
    records.extend([record("p#long", 1, json!({"body": "ü".repeat(600_000)})), record("q#1", 1, json!({}))]);
    store.put(&records).await.unwrap();
    store.put(&[gone("p#00", 2)]).await.unwrap();
    assert_eq!(store.erase(&THING, 1, "p#").await.unwrap(), 61);
    let listing = Listing { limit: 100, ..Listing::all(&THING, 1) };
    let keys: Vec<String> = store.list(&listing).await.unwrap().rows.into_iter().map(|row| row.key).collect();
    assert_eq!((keys, store.scopes(&THING).await.unwrap()), (vec!["q#1".to_owned()], vec![1]));
    assert_eq!(store.erase(&THING, 1, "").await.unwrap(), 1);
    assert!(store.scopes(&THING).await.unwrap().is_empty());
    // What comes back is listed again.
    store.put(&[record("a", 1, json!({}))]).await.unwrap();
    assert_eq!(store.scopes(&THING).await.unwrap(), [1]);
}

#[tokio::test]
async fn listings_page_by_prefix_and_keys_may_be_long() {
    let table = Embedded::in_memory().await.unwrap();
    let store = table.store();
    let long = format!("p#{}", "ä/".repeat(900));
    let mut records: Vec<Record> = (0..25).map(|n| record(&format!("p#{n:02}"), 1, json!({"n": n}))).collect();
    records.extend([record("o#1", 1, json!({})), record("q#1", 1, json!({})), record(&long, 1, json!({}))]);
    store.put(&records).await.unwrap();
    let mut keys = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let listing = Listing { prefix: "p#", after: after.as_deref(), limit: 10, ..Listing::all(&THING, 1) };
        let page = store.list(&listing).await.unwrap();
        keys.extend(page.rows.iter().map(|row| row.key.clone()));
        after = keys.last().cloned();
        if !page.more {
            break;
        }
    }
    assert_eq!((keys.len(), keys.last()), (26, Some(&long)));
}

#[tokio::test]
async fn a_listing_goes_backward_too_and_brings_only_the_fields_that_are_asked_for() {
    let table = Embedded::in_memory().await.unwrap();
    let store = table.store();
    let long = "ü".repeat(300_000);
    let all: Vec<Record> = (0..25).map(|n| record(&format!("{n:02}"), 1, json!({"n": n, "body": if n == 7 { &long } else { "short" }}))).collect();
    store.put(&all).await.unwrap();
    let (mut keys, mut after): (Vec<String>, Option<String>) = (Vec::new(), None);
    loop {
        let page = store.list(&Listing { after: after.as_deref(), limit: 10, backward: true, ..Listing::all(&THING, 1) }).await.unwrap();
        keys.extend(page.rows.into_iter().map(|row| row.key));
        after = keys.last().cloned();
        if !page.more {
            break;
        }
    }
    assert_eq!(keys, (0..25).rev().map(|n| format!("{n:02}")).collect::<Vec<_>>());
    let listed = store.list(&Listing { only: &["n"], ..Listing::all(&THING, 1) }).await.unwrap().rows;
    let got = store.get_only(&THING, 1, &keys, &["n"]).await.unwrap();
    for row in listed.iter().chain(&got) {
        assert_eq!(row.fields["n"].as_u64(), row.key.parse().ok());
        assert_eq!(row.fields.contains_key("body"), row.key == "07", "what is in parts comes whole");
    }
    assert_eq!((listed.len(), got.len()), (25, 25));
}

#[tokio::test]
async fn sightings_are_kept_as_lines_and_those_of_a_former_version_are_still_read() {
    use aws_sdk_dynamodb::types::AttributeValue;
    use engine::entities::STAGE_SIGHTINGS;
    let table = Embedded::in_memory().await.unwrap();
    let store = table.store();
    let Value::Object(fields) =
        json!({"project": 7, "what": "moved", "field": "Status", "to": "A \"b\" ü", "from_known": false, "latest": "2026-01-01T00:00:00Z"})
    else {
        unreachable!()
    };
    let sighting = Record { entity: &STAGE_SIGHTINGS, fields: fields.clone(), presence: Presence::Glimpse, ..record("webhook#a", 1, json!({})) };
    assert_eq!(store.put(std::slice::from_ref(&sighting)).await.unwrap().created, 1);
    assert_eq!(store.put(&[sighting]).await.unwrap().unchanged, 1);
    let former = [("pk", "stage_sightings#1"), ("sk", "webhook#b"), ("_v", "x"), ("_d", "y"), ("_j", &Value::Object(fields.clone()).to_string())]
        .map(|(name, value)| (name.to_owned(), AttributeValue::S(value.to_owned())));
    table.client().put_item().table_name("sei-github").set_item(Some(former.into())).send().await.unwrap();
    let rows = store.list(&Listing::all(&STAGE_SIGHTINGS, 1)).await.unwrap().rows;
    assert_eq!(rows.iter().map(|row| (row.key.as_str(), &row.fields)).collect::<Vec<_>>(), [("webhook#a", &fields), ("webhook#b", &fields)]);
}

#[tokio::test]
async fn a_local_table_has_no_port_unless_it_is_shared() {
    let dir = std::env::temp_dir().join(format!("sei-github-shared-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&dir);
    let mut first = Embedded::open(&dir).await.unwrap();
    first.store().put(&[record("a", 1, json!({"n": 1}))]).await.unwrap();
    assert!(matches!(Embedded::join(&dir).await, Err(EmbeddedError::Locked { .. })));
    first.share(&dir).await.unwrap();
    let other = Embedded::join(&dir).await.unwrap();
    assert_eq!(row(&other.store(), "a").await.unwrap().fields["n"], json!(1));
    other.store().put(&[record("b", 1, json!({"n": 2}))]).await.unwrap();
    assert_eq!(row(&first.store(), "b").await.unwrap().fields["n"], json!(2), "both see one table");
    other.shutdown().await;
    first.shutdown().await;
    std::fs::remove_dir_all(&dir).unwrap();
}

#[tokio::test]
async fn state_is_saved_only_over_what_was_seen() {
    let table = Embedded::in_memory().await.unwrap();
    let store = table.store();
    let key = StateKey { of: "repo#1".to_owned(), name: "mark#issues".to_owned() };
    assert_eq!(store.save(&key, 0, &json!({"a": 1})).await.unwrap(), 1);
    assert!(matches!(store.save(&key, 0, &json!({"a": 2})).await, Err(StoreError::Conflict)));
    assert_eq!(store.save(&key, 1, &json!({"a": 3, "list": [1, null, "x"], "f": 1.5})).await.unwrap(), 2);
    let state = store.states(std::slice::from_ref(&key)).await.unwrap().remove(0);
    assert_eq!((state.revision, state.value), (2, json!({"a": 3, "list": [1, null, "x"], "f": 1.5})));
}

#[tokio::test]
async fn a_data_directory_in_use_or_damaged_is_told() {
    let dir = std::env::temp_dir().join(format!("sei-github-test-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&dir);
    let first = Embedded::open(&dir).await.unwrap();
    assert!(matches!(Embedded::open(&dir).await, Err(EmbeddedError::Locked { .. })));
    first.shutdown().await;
    std::fs::write(dir.join("sei-github.sqlite"), "this is no database, and long enough to be looked at as one".repeat(50)).unwrap();
    for name in ["sei-github.sqlite-wal", "sei-github.sqlite-shm"] {
        let _ = std::fs::remove_file(dir.join(name));
    }
    let damaged = Embedded::open(&dir).await.err().map(|error| error.to_string()).unwrap_or_default();
    assert!(damaged.contains("damaged"), "{damaged}");
    std::fs::remove_dir_all(&dir).unwrap();
}
