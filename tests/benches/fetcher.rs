//! How much memory discovery and the fetcher take on a whole organization: the real function binaries, fed by a Lambda
//! runtime interface, with a real DynamoDB; only their own processes are measured. SQS and Secrets Manager are answered here.
//! Build first, then run: `cargo build --release -p discovery -p fetcher -p sim && cargo bench -p tests --bench fetcher`. `SEI_SIZE=many` has
//! 14,000 small repositories, and is discovered only: twice, the second time with nothing to do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a benchmark that panics has failed, as it should")]

mod lambda;

use aws::Embedded;
use lambda::{Feed, Program, function, program, serve};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Bodies of messages that wait, and how many invocations are done.
#[derive(Default)]
struct Waiting(Mutex<(VecDeque<String>, u64)>, Schedule);

/// While discovery runs, what is given is a tick of its schedule, once.
#[derive(Default)]
struct Schedule {
    discovering: AtomicBool,
    tick: AtomicBool,
}

impl Feed for Waiting {
    async fn next(&self) -> Value {
        loop {
            if self.1.discovering.load(Ordering::SeqCst) {
                if self.1.tick.swap(false, Ordering::SeqCst) {
                    return json!({});
                }
            } else if let Some(body) = self.0.lock().unwrap().0.pop_front() {
                return json!({ "Records": [{ "messageId": "m", "receiptHandle": "r", "body": body, "attributes": {}, "eventSource": "aws:sqs" }] });
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn done(&self, answer: &str) {
        assert!(!answer.contains("itemIdentifier"), "a job failed: {answer}");
        self.0.lock().unwrap().1 += 1;
    }

    fn service(&self, target: &str, request: &Value) -> Option<Value> {
        let entries = request["Entries"].as_array().filter(|_| target == "AmazonSQS.SendMessageBatch")?;
        self.0.lock().unwrap().0.extend(entries.iter().map(|entry| entry["MessageBody"].as_str().unwrap().to_owned()));
        let sent: Vec<Value> = entries.iter().map(|entry| json!({ "Id": entry["Id"], "MessageId": "m", "MD5OfMessageBody": "" })).collect();
        Some(json!({ "Successful": sent, "Failed": [] }))
    }
}

#[tokio::main]
async fn main() {
    let size = std::env::var("SEI_SIZE").unwrap_or_else(|_| "organization".to_owned());
    let mut simulation = Program(program("sim-github").args(["--size", &size]).stdout(Stdio::piped()).spawn().unwrap());
    let mut line = String::new();
    BufReader::new(simulation.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let github = line.split(' ').next().unwrap().to_owned();
    let dir = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench-fetcher");
    let _ = std::fs::remove_dir_all(&dir);
    let mut table = Embedded::open(&dir).await.unwrap();
    let waiting = Arc::new(Waiting::default());
    let url = serve(waiting.clone()).await;
    let dynamodb = table.listen().await.unwrap().to_owned();
    for _ in 0..=u8::from(size == "many") {
        discover(&github, &url, &dynamodb, &waiting).await;
    }
    if size == "many" {
        table.shutdown().await;
        return std::fs::remove_dir_all(&dir).unwrap();
    }
    let began = Instant::now();
    let fetcher = start("fetcher", &github, &url, &dynamodb);
    let peak = loop {
        let peak = peak_mib(fetcher.0.id());
        if waiting.0.lock().unwrap().0.is_empty() && idle(&waiting).await {
            break peak.max(peak_mib(fetcher.0.id()));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let store = table.store();
    let mut rows = 0;
    for entity in engine::entities::ALL {
        for scope in engine::Rows::scopes(&store, entity).await.unwrap() {
            rows += engine::Store::count(&store, entity, scope).await.unwrap();
        }
    }
    let invocations = waiting.0.lock().unwrap().1;
    println!("{size}: {rows} records in {invocations} invocations of one fetcher process, {:.0} s; peak memory {peak:.1} MiB", began.elapsed().as_secs_f64());
    table.shutdown().await;
    std::fs::remove_dir_all(&dir).unwrap();
}

/// As many invocations done as a second ago, with nothing waiting: the last one has ended.
async fn idle(waiting: &Waiting) -> bool {
    let before = waiting.0.lock().unwrap().1;
    tokio::time::sleep(Duration::from_secs(12)).await;
    let now = waiting.0.lock().unwrap();
    now.1 == before && now.0.is_empty() && before > 0
}

async fn discover(github: &str, here: &str, dynamodb: &str, waiting: &Waiting) {
    let before = waiting.0.lock().unwrap().1;
    waiting.1.tick.store(true, Ordering::SeqCst);
    waiting.1.discovering.store(true, Ordering::SeqCst);
    let began = Instant::now();
    let discovery = start("discovery", github, here, dynamodb);
    while waiting.0.lock().unwrap().1 == before {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let (took, peak) = (began.elapsed().as_secs_f64(), peak_mib(discovery.0.id()));
    drop(discovery);
    waiting.1.discovering.store(false, Ordering::SeqCst);
    let mut queue = waiting.0.lock().unwrap();
    queue.1 = 0;
    println!("discovery: {} jobs, {took:.1} s; peak memory {peak:.1} MiB", queue.0.len());
}

fn start(name: &str, github: &str, here: &str, dynamodb: &str) -> Program {
    let fetch = "pull-requests,issues,commits,releases,teams,deployments,workflow-runs";
    let mut command = function(name, here, dynamodb);
    command.envs([("SEI_ORGS", "acme"), ("SEI_API_URL", github), ("SEI_FETCH", fetch), ("SEI_LOG", "error")]);
    Program(command.spawn().unwrap())
}

/// `VmHWM`: the most memory that was ever resident.
fn peak_mib(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("/proc, which only Linux has");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("the fetcher runs");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<f64>().ok()).unwrap() / 1024.0
}
