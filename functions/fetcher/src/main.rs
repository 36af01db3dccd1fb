//! Wires the fetcher function.

use aws::WorkerConfig;
use fetcher::Batch;
use jiff::{SignedDuration, Timestamp};
use lambda_runtime::{Error, LambdaEvent, service_fn};

/// Kept for the last page under way: GitHub may take ten seconds for it, and the table needs time too.
const MARGIN: SignedDuration = SignedDuration::from_secs(40);

#[tokio::main]
async fn main() -> Result<(), Error> {
    let filter = tracing_subscriber::EnvFilter::try_from_env("SEI_LOG").unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt().json().with_env_filter(filter).with_current_span(false).init();
    let worker = WorkerConfig::parse(|name| std::env::var(name).ok())?.connect().await;
    let worker = &worker;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Batch>| async move {
        let ends = i64::try_from(event.context.deadline).ok().and_then(|millis| Timestamp::from_millisecond(millis).ok());
        let deadline = ends.and_then(|ends| ends.checked_sub(MARGIN).ok()).unwrap_or(Timestamp::MAX);
        Ok::<_, Error>(fetcher::handle(event.payload, &worker.fleet().await?, deadline).await)
    }))
    .await
}
