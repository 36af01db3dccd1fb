//! How much memory discovery and the fetcher take on a whole organization: the real function binaries, fed by a Lambda
//! runtime interface, with a real DynamoDB; only their own processes are measured. SQS and Secrets Manager are answered here.
//! Build first, then run: `cargo build --release -p discovery -p fetcher && cargo bench -p tests --bench fetcher`. `SEI_SIZE=many` has
//! 14,000 small repositories, and is discovered only: twice, the second time with nothing to do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a benchmark that panics has failed, as it should")]

use aws::Embedded;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
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

/// A program that is killed at the end, whatever happens.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::main]
async fn main() {
    let size = std::env::var("SEI_SIZE").unwrap_or_else(|_| "organization".to_owned());
    let mut simulation = Program(Command::new(env!("CARGO_BIN_EXE_sim-github")).args(["--size", &size]).stdout(Stdio::piped()).spawn().unwrap());
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
        for scope in engine::Store::scopes(&store, entity).await.unwrap() {
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
    // Beside this program's folder `deps`.
    let program = std::env::current_exe().unwrap().parent().unwrap().parent().unwrap().join(name);
    assert!(program.exists(), "{} is not there: build it with `cargo build --release -p discovery -p fetcher`", program.display());
    let fetch = "pull-requests,issues,commits,releases,teams,deployments,workflow-runs";
    let mut command = Command::new(program);
    command.env_clear().envs([
        ("AWS_LAMBDA_RUNTIME_API", here.trim_start_matches("http://")),
        ("AWS_LAMBDA_FUNCTION_NAME", name),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "bench"),
        ("AWS_SECRET_ACCESS_KEY", "bench"),
        ("AWS_ENDPOINT_URL", here),
        ("AWS_ENDPOINT_URL_DYNAMODB", dynamodb),
        ("SEI_TABLE", "sei-github"),
        ("SEI_QUEUE_URL", "http://queue"),
        ("SEI_TOKEN_SECRET", "token"),
        ("SEI_ORGS", "acme"),
        ("SEI_API_URL", github),
        ("SEI_FETCH", fetch),
        ("SEI_LOG", "error"),
    ]);
    Program(command.spawn().unwrap())
}

/// The Lambda runtime interface, and of SQS and Secrets Manager what the fetcher asks.
/// <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>
async fn serve(waiting: Arc<Waiting>) -> String {
    let routes = Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route("/2018-06-01/runtime/invocation/{id}/response", post(done))
        .route("/2018-06-01/runtime/invocation/{id}/error", post(failed))
        .fallback(service)
        .with_state(waiting);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    url
}

async fn next(State(waiting): State<Arc<Waiting>>) -> Response {
    let event = loop {
        if waiting.1.discovering.load(Ordering::SeqCst) {
            if waiting.1.tick.swap(false, Ordering::SeqCst) {
                break json!({});
            }
        } else if let Some(body) = waiting.0.lock().unwrap().0.pop_front() {
            break json!({ "Records": [{ "messageId": "m", "receiptHandle": "r", "body": body, "attributes": {}, "eventSource": "aws:sqs" }] });
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let deadline = (jiff::Timestamp::now() + jiff::SignedDuration::from_mins(15)).as_millisecond().to_string();
    let headers = [
        ("lambda-runtime-aws-request-id", "1".to_owned()),
        ("lambda-runtime-deadline-ms", deadline),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:us-east-1:000000000000:function:fetcher".to_owned()),
    ];
    (headers, event.to_string()).into_response()
}

async fn done(State(waiting): State<Arc<Waiting>>, Path(_): Path<String>, body: String) -> StatusCode {
    assert!(!body.contains("itemIdentifier"), "a job failed: {body}");
    waiting.0.lock().unwrap().1 += 1;
    StatusCode::ACCEPTED
}

async fn failed(Path(_): Path<String>, body: String) -> StatusCode {
    panic!("an invocation failed: {body}");
}

async fn service(State(waiting): State<Arc<Waiting>>, headers: HeaderMap, body: String) -> Response {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    let body: Value = serde_json::from_str(&body).unwrap_or_default();
    let answer = match target {
        "secretsmanager.GetSecretValue" => json!({ "Name": "token", "SecretString": "sim-token" }),
        "AmazonSQS.SendMessageBatch" => {
            let entries = body["Entries"].as_array().unwrap();
            waiting.0.lock().unwrap().0.extend(entries.iter().map(|entry| entry["MessageBody"].as_str().unwrap().to_owned()));
            let sent: Vec<Value> = entries.iter().map(|entry| json!({ "Id": entry["Id"], "MessageId": "m", "MD5OfMessageBody": "" })).collect();
            json!({ "Successful": sent, "Failed": [] })
        }
        _ => return (StatusCode::NOT_FOUND, format!("{target} is not answered here")).into_response(),
    };
    ([("content-type", "application/x-amz-json-1.1")], answer.to_string()).into_response()
}

/// `VmHWM`: the most memory that was ever resident.
fn peak_mib(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("/proc, which only Linux has");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("the fetcher runs");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<f64>().ok()).unwrap() / 1024.0
}
