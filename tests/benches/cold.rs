//! How long a cold start takes: from the start of a function's program until it asks Lambda for its first event, and from
//! there until that event is answered; of each function, and of functions in Rust, Node and Python that answer and do
//! nothing else. All speak to one Lambda runtime interface here, with a DynamoDB and a Secrets Manager of this process.
//! Build first, then run: `cargo build --release --workspace && cargo bench -p tests --bench cold`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a benchmark that panics has failed, as it should")]

mod lambda;

use aws::Embedded;
use aws_lc_rs::hmac;
use lambda::{Feed, Program, function, serve, variables};
use serde_json::{Value, json};
use std::process::{Command, Stdio};
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
    event: Value,
}

#[derive(Default)]
struct Runtime {
    seen: Mutex<Seen>,
    changed: Notify,
}

impl Feed for Runtime {
    async fn next(&self) -> Value {
        let event = {
            let mut seen = self.seen.lock().unwrap();
            seen.asked.get_or_insert_with(Instant::now);
            if std::mem::replace(&mut seen.given, true) { None } else { Some(seen.event.clone()) }
        };
        match event {
            Some(event) => event,
            // There is one event only.
            None => std::future::pending().await,
        }
    }

    fn done(&self, _: &str) {
        self.seen.lock().unwrap().answered = Some(Instant::now());
        self.changed.notify_one();
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
    let functions = [
        ("discovery", &nothing),
        ("fetcher", &batch),
        ("webhook", &ping()),
        ("receiver", &batch),
        ("reconcile", &nothing),
        ("connect", &json!({ "link_for": "acme" })),
        ("console", &json!({ "rawPath": "/", "requestContext": { "domainName": "console.example.com", "http": { "method": "GET" } } })),
    ];
    let mut rows: Vec<(String, f64, f64)> = Vec::new();
    for (name, event) in functions {
        rows.push(measure(name, &runtime, event, || ours(name, &here, &dynamodb)).await);
    }
    let own = |program: &str, arguments: &[&str]| {
        let mut command = Command::new(program);
        command.args(arguments).envs(variables(&here));
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
        *runtime.seen.lock().unwrap() = Seen { event: event.clone(), ..Seen::default() };
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

fn ours(name: &str, here: &str, dynamodb: &str) -> Command {
    let mut command = function(name, here, dynamodb);
    command.envs([("SEI_WEBHOOK_SECRET", "token"), ("SEI_OAUTH_CLIENT_ID", "id"), ("SEI_OAUTH_CLIENT_SECRET", "token")]);
    command.envs([("SEI_STACK", "bench"), ("SEI_DEAD_JOBS_URL", "http://dead"), ("SEI_DEAD_EVENTS_URL", "http://dead")]);
    command.envs([("SEI_ISSUER", "https://issuer.example.com"), ("SEI_CLIENT_ID", "id")]);
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
