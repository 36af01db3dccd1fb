//! How many records a second the embedded table takes, first new and then unchanged.
//! Run with `cargo bench -p tests --bench write` (release build) or with `--profile quick`.
#![allow(clippy::unwrap_used, reason = "a benchmark that panics has failed, as it should")]

use aws::Embedded;
use engine::entities::COMMITS;
use engine::{Presence, Record, Store, Version};
use futures::StreamExt;
use serde_json::{Value, json};
use std::time::Instant;

const RECORDS: usize = 50_000;
/// As many as a page of GitHub's brings.
const PAGE: usize = 100;
/// As many pages at once as there are workers.
const AT_ONCE: usize = 10;

#[tokio::main]
async fn main() {
    let dir = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench-write");
    let _ = std::fs::remove_dir_all(&dir);
    let table = Embedded::open(&dir).await.unwrap();
    let store = table.store();
    let pages: Vec<Vec<Record>> = (0..RECORDS / PAGE).map(|page| (0..PAGE).map(|index| record(page * PAGE + index)).collect()).collect();
    let bytes = serde_json::to_string(&pages[0][0].fields).unwrap().len();
    println!("{RECORDS} records of {bytes} bytes, {PAGE} a call, {AT_ONCE} calls at once, on a file");
    for what in ["new", "unchanged"] {
        let began = Instant::now();
        let written: Vec<_> = futures::stream::iter(&pages).map(|page| store.put(page)).buffer_unordered(AT_ONCE).collect().await;
        let took = began.elapsed().as_secs_f64();
        let created: u64 = written.into_iter().map(|written| written.unwrap().created).sum();
        println!("{what:<10} {:>8.0} records/s ({created} written in {took:.1} s)", f64::from(u32::try_from(RECORDS).unwrap()) / took);
    }
    table.shutdown().await;
    std::fs::remove_dir_all(&dir).unwrap();
}

fn record(number: usize) -> Record {
    let sha = format!("{number:040x}");
    let fields = json!({ "sha": sha, "author_name": "Somebody", "author_email": "somebody@example.com", "author_login": "somebody",
        "authored_at": "2026-01-01T00:00:00Z", "committed_at": "2026-01-01T00:00:00Z", "message": "What was done, and why. ".repeat(50), "parents": [sha],
        "additions": number, "deletions": 3, "changed_files": 2, "on_default_branch": true, "co_authors": [], "pull_requests": [number] });
    let Value::Object(fields) = fields else { unreachable!() };
    let read_at = jiff::Timestamp::from_second(1_800_000_000).unwrap();
    Record { entity: &COMMITS, scope: 1, key: sha, version: Version::new(None, read_at), fields, presence: Presence::Whole }
}
