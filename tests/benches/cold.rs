//! How long a cold start takes: from the start of a function's program until it asks Lambda for its first event, and from
//! there until that event is answered; of each function, and of functions in Rust, Node and Python that answer and do
//! nothing else. All speak to one Lambda runtime interface here, with a DynamoDB and a Secrets Manager of this process.
//! Build first, then run: `cargo build --release --workspace && cargo bench -p tests --bench cold`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a benchmark that panics has failed, as it should")]

use aws::Embedded;
use aws_lc_rs::hmac;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

const RUNS: usize = 21;

/// The managed runtimes do more before they ask: this is the least that a script can do.
const NODE: &str = r#"const http = require("http");
const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const call = (method, path, body) => new Promise((done) => {
  const request = http.request({ host, port, method, path: "/2018-06-01/runtime/invocation/" + path }, (answer) => {
    let text = ""; answer.on("data", (part) => text += part); answer.on("end", () => done([answer.headers, text])); });
  request.end(body); });
(async () => { for (;;) { const [headers, event] = await call("GET", "next"); await call("POST", headers["lambda-runtime-aws-request-id"] + "/response", event); } })();"#;
const PYTHON: &str = r#"import http.client, os
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
while True:
    api.request("GET", "/2018-06-01/runtime/invocation/next")
    answer = api.getresponse()
    event = answer.read()
    api.request("POST", "/2018-06-01/runtime/invocation/" + answer.headers["Lambda-Runtime-Aws-Request-Id"] + "/response", event)
    api.getresponse().read()"#;

/// What the program that is looked at has done so far.
#[derive(Default)]
struct Seen {
    asked: Option<Instant>,
    answered: Option<Instant>,
    given: bool,
    event: String,
}

#[derive(Default)]
struct Runtime {
    seen: Mutex<Seen>,
    changed: Notify,
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
    let mut table = Embedded::in_memory().await.unwrap();
    let dynamodb = table.listen().await.unwrap().to_owned();
    let runtime = Arc::new(Runtime::default());
    let here = serve(runtime.clone()).await;
    println!("{:<22}{:>16}{:>18}{:>12}   (medians of {RUNS}, milliseconds)", "", "exec to /next", "first invocation", "together");
    let nothing = json!({});
    let batch = json!({ "Records": [] });
    let ours = [
        ("discovery", &nothing),
        ("fetcher", &batch),
        ("webhook", &ping()),
        ("receiver", &batch),
        ("reconcile", &nothing),
        ("connect", &json!({ "link_for": "acme" })),
    ];
    let mut rows: Vec<(String, f64, f64)> = Vec::new();
    for (name, event) in ours {
        rows.push(measure(name, &runtime, event, || function(name, &here, &dynamodb)).await);
    }
    let own = |program: &str, arguments: &[&str]| {
        let mut command = Command::new(program);
        command.args(arguments).env("AWS_LAMBDA_RUNTIME_API", here.trim_start_matches("http://"));
        command.envs([("AWS_LAMBDA_FUNCTION_NAME", "bare"), ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"), ("AWS_LAMBDA_FUNCTION_VERSION", "1")]);
        command
    };
    rows.push(measure("bare lambda_runtime", &runtime, &nothing, || own(env!("CARGO_BIN_EXE_bare-function"), &[])).await);
    rows.push(measure("bare Node", &runtime, &nothing, || own("node", &["-e", NODE])).await);
    rows.push(measure("bare Python", &runtime, &nothing, || own("python3", &["-c", PYTHON])).await);
    for (name, asked, answered) in &rows {
        println!("{name:<22}{asked:>16.1}{answered:>18.1}{:>12.1}", asked + answered);
    }
    table.shutdown().await;
}

async fn measure(name: &str, runtime: &Runtime, event: &Value, command: impl Fn() -> Command) -> (String, f64, f64) {
    let (mut asked, mut answered) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        *runtime.seen.lock().unwrap() = Seen { event: event.to_string(), ..Seen::default() };
        let began = Instant::now();
        let program = Program(command().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap_or_else(|error| panic!("{name}: {error}")));
        let done = tokio::time::timeout(Duration::from_secs(20), async {
            loop {
                let changed = runtime.changed.notified();
                let seen = runtime.seen.lock().unwrap().answered;
                if seen.is_some() {
                    return;
                }
                changed.await;
            }
        });
        done.await.unwrap_or_else(|_| panic!("{name} does not answer"));
        drop(program);
        let seen = runtime.seen.lock().unwrap();
        let (first, last) = (seen.asked.unwrap(), seen.answered.unwrap());
        asked.push((first - began).as_secs_f64() * 1e3);
        answered.push((last - first).as_secs_f64() * 1e3);
    }
    asked.sort_by(f64::total_cmp);
    answered.sort_by(f64::total_cmp);
    (name.to_owned(), asked[RUNS / 2], answered[RUNS / 2])
}

fn function(name: &str, here: &str, dynamodb: &str) -> Command {
    // Beside this program's folder `deps`.
    let program: PathBuf = std::env::current_exe().unwrap().parent().unwrap().parent().unwrap().join(name);
    assert!(program.exists(), "{} is not there: build it with `cargo build --release --workspace`", program.display());
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
        ("SEI_EVENTS_URL", "http://events"),
        ("SEI_TOKEN_SECRET", "token"),
        ("SEI_WEBHOOK_SECRET", "token"),
        ("SEI_OAUTH_CLIENT_ID", "id"),
        ("SEI_OAUTH_CLIENT_SECRET", "token"),
        ("SEI_API_URL", "https://api.github.com"),
    ]);
    command
}

/// GitHub's first delivery to a new webhook, as API Gateway hands it on.
fn ping() -> Value {
    let body = r#"{"zen":"Keep it logically awesome.","hook_id":1}"#;
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"sim-token");
    let signature: String = hmac::sign(&key, body.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    json!({ "version": "2.0", "body": body, "isBase64Encoded": false, "requestContext": { "http": { "method": "POST" } },
        "headers": { "content-type": "application/json", "x-github-event": "ping", "x-github-delivery": "d-1", "x-hub-signature-256": format!("sha256={signature}") } })
}

/// The Lambda runtime interface and Secrets Manager.
/// <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>
async fn serve(runtime: Arc<Runtime>) -> String {
    let routes = Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route("/2018-06-01/runtime/invocation/{id}/response", post(answered))
        .route("/2018-06-01/runtime/invocation/{id}/error", post(failed))
        .fallback(service)
        .with_state(runtime);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    url
}

async fn next(State(runtime): State<Arc<Runtime>>) -> Response {
    let event = {
        let mut seen = runtime.seen.lock().unwrap();
        seen.asked.get_or_insert_with(Instant::now);
        if std::mem::replace(&mut seen.given, true) { None } else { Some(seen.event.clone()) }
    };
    // There is one event only.
    let Some(event) = event else { return std::future::pending().await };
    let deadline = (jiff::Timestamp::now() + jiff::SignedDuration::from_mins(15)).as_millisecond().to_string();
    let headers = [
        ("lambda-runtime-aws-request-id", "1".to_owned()),
        ("lambda-runtime-deadline-ms", deadline),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:us-east-1:000000000000:function:bench".to_owned()),
    ];
    (headers, event).into_response()
}

async fn answered(State(runtime): State<Arc<Runtime>>) -> StatusCode {
    runtime.seen.lock().unwrap().answered = Some(Instant::now());
    runtime.changed.notify_waiters();
    runtime.changed.notify_one();
    StatusCode::ACCEPTED
}

async fn failed(body: String) -> StatusCode {
    panic!("an invocation failed: {body}");
}

async fn service(headers: HeaderMap) -> Response {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    if target != "secretsmanager.GetSecretValue" {
        return (StatusCode::NOT_FOUND, format!("{target} is not answered here")).into_response();
    }
    ([("content-type", "application/x-amz-json-1.1")], json!({ "Name": "token", "SecretString": "sim-token" }).to_string()).into_response()
}
