//! What the function binaries need to run outside of Lambda: its runtime interface, a secret that answers, an environment.
//! What they are given, and what becomes of it, the benchmark says.

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use std::process::{Child, Command};
use std::sync::Arc;

/// What a benchmark gives to a function.
pub(crate) trait Feed: Send + Sync + 'static {
    /// The next event, once there is one.
    fn next(&self) -> impl Future<Output = Value> + Send;
    /// What the function answered to it.
    fn done(&self, answer: &str);
    /// What a service of AWS answers, besides Secrets Manager and DynamoDB.
    fn service(&self, target: &str, request: &Value) -> Option<Value> {
        let _ = (target, request);
        None
    }
}

/// A program that is killed at the end, whatever happens.
pub(crate) struct Program(pub(crate) Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// One that was built beside this benchmark.
pub(crate) fn program(name: &str) -> Command {
    let program = std::env::current_exe().unwrap().parent().unwrap().parent().unwrap().join(name);
    assert!(program.exists(), "{} is not there: build it as this benchmark's first lines say", program.display());
    Command::new(program)
}

/// The function's program, beside this one's folder `deps`, with what the template gives it.
pub(crate) fn function(name: &str, here: &str, dynamodb: &str) -> Command {
    let mut command = program(name);
    command.env_clear().envs(variables(here)).envs([
        ("AWS_LAMBDA_FUNCTION_NAME", name),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "bench"),
        ("AWS_SECRET_ACCESS_KEY", "bench"),
        ("AWS_ENDPOINT_URL", here),
        ("AWS_ENDPOINT_URL_DYNAMODB", dynamodb),
        ("SEI_TABLE", "sei-github"),
        ("SEI_QUEUE_URL", "http://queue"),
        ("SEI_EVENTS_URL", "http://events"),
        ("SEI_TOKEN_SECRET", "token"),
        ("SEI_API_URL", "https://api.github.com"),
    ]);
    command
}

/// What any program in Lambda is told.
pub(crate) fn variables(here: &str) -> [(&'static str, &str); 4] {
    [
        ("AWS_LAMBDA_RUNTIME_API", here.trim_start_matches("http://")),
        ("AWS_LAMBDA_FUNCTION_NAME", "bench"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
    ]
}

/// Serves the runtime interface and the services at a port of its own.
/// <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>
pub(crate) async fn serve<F: Feed>(feed: Arc<F>) -> String {
    let routes = Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next::<F>))
        .route("/2018-06-01/runtime/invocation/{id}/response", post(done::<F>))
        .route("/2018-06-01/runtime/invocation/{id}/error", post(failed))
        .fallback(service::<F>)
        .with_state(feed);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    url
}

async fn next<F: Feed>(State(feed): State<Arc<F>>) -> Response {
    let event = feed.next().await;
    let deadline = (jiff::Timestamp::now() + jiff::SignedDuration::from_mins(15)).as_millisecond().to_string();
    let headers = [
        ("lambda-runtime-aws-request-id", "1".to_owned()),
        ("lambda-runtime-deadline-ms", deadline),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:us-east-1:000000000000:function:bench".to_owned()),
    ];
    (headers, event.to_string()).into_response()
}

async fn done<F: Feed>(State(feed): State<Arc<F>>, answer: String) -> StatusCode {
    feed.done(&answer);
    StatusCode::ACCEPTED
}

async fn failed(body: String) -> StatusCode {
    panic!("an invocation failed: {body}");
}

async fn service<F: Feed>(State(feed): State<Arc<F>>, headers: HeaderMap, body: String) -> Response {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    let answer = match target {
        "secretsmanager.GetSecretValue" => Some(json!({ "Name": "token", "SecretString": "sim-token" })),
        _ => feed.service(target, &serde_json::from_str(&body).unwrap_or_default()),
    };
    match answer {
        Some(answer) => ([("content-type", "application/x-amz-json-1.1")], answer.to_string()).into_response(),
        None => (StatusCode::NOT_FOUND, format!("{target} is not answered here")).into_response(),
    }
}
