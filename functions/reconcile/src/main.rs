//! Wires the reconcile function.

use aws::WorkerConfig;
use jiff::{SignedDuration, Timestamp};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;

/// Stops so long before the function is stopped.
const MARGIN: SignedDuration = SignedDuration::from_secs(20);

#[tokio::main]
async fn main() -> Result<(), Error> {
    let filter = tracing_subscriber::EnvFilter::try_from_env("SEI_LOG").unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt().json().with_env_filter(filter).with_current_span(false).init();
    let worker = WorkerConfig::parse(|name| std::env::var(name).ok())?.connect().await;
    let worker = &worker;
    let handle = move |event: LambdaEvent<Value>| async move {
        let ends = Timestamp::from_millisecond(i64::try_from(event.context.deadline).unwrap_or(i64::MAX)).unwrap_or(Timestamp::MAX);
        let deadline = ends.checked_sub(MARGIN).unwrap_or(ends);
        reconcile::handle(&worker.fleet().await?, deadline).await.map_err(Error::from)
    };
    lambda_runtime::run(service_fn(handle)).await
}
