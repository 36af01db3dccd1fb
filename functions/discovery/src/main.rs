//! Wires the discovery function.

use aws::WorkerConfig;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let filter = tracing_subscriber::EnvFilter::try_from_env("SEI_LOG").unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt().json().with_env_filter(filter).with_current_span(false).init();
    let worker = WorkerConfig::parse(|name| std::env::var(name).ok())?.connect().await;
    let worker = &worker;
    lambda_runtime::run(service_fn(move |_: LambdaEvent<Value>| async move { discovery::handle(&worker.fleet().await?).await.map_err(Error::from) })).await
}
