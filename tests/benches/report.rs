//! How long a report takes over 100,000 moves between stages, with reading them from a table on a file, and how much
//! memory: a process of its own reads and computes. Run with `cargo bench -p tests --bench report`, or with `--profile quick`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a benchmark that panics has failed, as it should")]

use aws::Embedded;
use engine::entities::{self, Entity};
use engine::report::{Across, BusinessHours, ItemKind, Measure, Question, Range, StagesOf, from_boards, from_issues, stages};
use engine::stages::{Board, STATUS, Sighting, Source, Stage, What};
use engine::{Presence, Record, Store, Version, project_scope};
use jiff::civil::{Time, Weekday};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

const ISSUES: u64 = 20_000;
/// Of each; every one but the first takes the label before away.
const MOVES: u64 = 5;
const SCOPE: u64 = 7;

#[tokio::main]
async fn main() {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench-report");
    if std::env::var_os("SEI_MEASURE").is_some() {
        return measure(&dir).await;
    }
    let _ = std::fs::remove_dir_all(&dir);
    fill(&dir).await;
    for what in ["labels", "board"].into_iter().flat_map(|what| [what; 3]) {
        let done = std::process::Command::new(std::env::current_exe().unwrap()).env("SEI_MEASURE", what).status().unwrap();
        assert!(done.success());
    }
    std::fs::remove_dir_all(&dir).unwrap();
}

async fn measure(dir: &Path) {
    let began = Instant::now();
    let table = Embedded::open(dir).await.unwrap();
    let store = table.store();
    let board = std::env::var("SEI_MEASURE").is_ok_and(|what| what == "board");
    let cards = if board {
        from_boards(&store, STATUS).await.unwrap()
    } else {
        from_issues(&store, SCOPE, "acme/shop", &StagesOf::Labels("stage/".to_owned())).await.unwrap()
    };
    table.shutdown().await;
    let read = began.elapsed();
    let moves: usize = cards.iter().map(|card| card.stays.len()).sum();
    let hours = BusinessHours::new("UTC", vec![Weekday::Monday], vec![(Time::midnight(), Time::midnight())], BTreeSet::new()).unwrap();
    let kinds = BTreeSet::from([ItemKind::Issue]);
    let (now, any) = ("2026-06-01T00:00:00Z".parse().unwrap(), Range::default());
    let question = Question { across: Across::Stage, created: any, closed: any, exclude: Vec::new(), kinds, now, measure: Measure::Business(hours) };
    let report = stages(cards, &question);
    let all = began.elapsed();
    println!(
        "{}: {moves} moves of {} issues: {:.0} ms, of it {:.0} ms computing; peak memory {:.1} MiB",
        if board { "a board" } else { "labels" },
        report.items,
        all.as_secs_f64() * 1e3,
        (all - read).as_secs_f64() * 1e3,
        peak_mib()
    );
}

async fn fill(dir: &Path) {
    let table = Embedded::open(dir).await.unwrap();
    let store = table.store();
    let mut records = Vec::new();
    for number in 1..=ISSUES {
        let label = |step: u64| format!("stage/{}", (number + step) % 6);
        let fields = json!({ "number": number, "author": "ada", "created_at": at(number), "updated_at": at(number + 30), "labels": [label(MOVES - 1)], "assignees": [], "body": "x".repeat(500) });
        records.push(row(&entities::ISSUES, format!("{number:012}"), fields));
        for step in 0..MOVES {
            let fields =
                json!({ "number": number, "on": "issue", "event": "labeled", "label": label(step), "created_at": at(number + 5 * step), "actor": "ada" });
            records.push(row(&entities::ISSUE_EVENTS, format!("{number:012}#E{step}"), fields));
        }
        if records.len() > 2000 {
            store.put(&std::mem::take(&mut records)).await.unwrap();
        }
    }
    store.put(&records).await.unwrap();
    fill_board(&store).await;
    table.shutdown().await;
}

/// The same moves, as webhooks tell them.
async fn fill_board(store: &impl Store) {
    let (node_id, scope) = ("PVT_1", project_scope("PVT_1"));
    let project = json!({ "number": 1, "node_id": node_id, "id": 1, "title": "Roadmap", "html_url": "https://github.com/orgs/acme/projects/1" });
    store.put(&[row(&entities::PROJECTS, node_id.to_owned(), project)]).await.unwrap();
    let board = Board { scope, node_id, number: 1 };
    let mut records = Vec::new();
    for number in 1..=ISSUES {
        let item = format!("PVTI_{number:08}");
        let fields = json!({ "project": 1, "project_node_id": node_id, "node_id": item, "type": "issue", "repo_id": SCOPE, "number": number, "created_at": at(number),
            "content_node_id": format!("I_{number}"), "title": "Something to do", "labels": ["bug"], "assignees": ["ada"], "updated_at": at(number + 30) });
        records.push(Record { scope, ..row(&entities::PROJECT_ITEMS, item.clone(), fields) });
        let stage = |step: u64| Stage { id: Some(format!("o{}", (number + step) % 6).into()), name: format!("Stage {}", (number + step) % 6).into() };
        let tell = |what: What, step: u64| Sighting {
            item: Some(item.as_str().into()),
            content: Some(format!("I_{number}").into()),
            ..Sighting::exact(Source::Webhook, what, at(number % 2900 + 5 * step).parse().unwrap())
        };
        records.push(tell(What::Added, 0).record(board, Some("issue"), jiff::Timestamp::UNIX_EPOCH));
        for step in 0..MOVES {
            let from = (step > 0).then(|| stage(step - 1));
            let moved = Sighting { field_id: Some("F".into()), from: Some(from), to: Some(stage(step)), actor: Some("ada".into()), ..tell(What::Moved, step) };
            records.push(moved.record(board, Some("issue"), jiff::Timestamp::UNIX_EPOCH));
        }
        if records.len() > 2000 {
            store.put(&std::mem::take(&mut records)).await.unwrap();
        }
    }
    store.put(&records).await.unwrap();
}

/// Some hours after 2026-01-01.
fn at(hours: u64) -> String {
    let start: jiff::Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    (start + jiff::SignedDuration::from_hours(i64::try_from(hours % 3000).unwrap())).to_string()
}

fn row(entity: &'static Entity, key: String, fields: Value) -> Record {
    let Value::Object(fields) = fields else { unreachable!() };
    let read_at = "2026-01-01T00:00:00Z".parse().unwrap();
    Record { entity, scope: SCOPE, key, version: Version::new(None, read_at), fields, presence: Presence::Whole }
}

/// `VmHWM`: the most memory that was ever resident.
fn peak_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("Linux tells it");
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}
