//! Wires the discovery function.

use aws::metrics::{FAILURES, LAG, Line, Meter, SILENT_ENTITIES, TOKEN_DAYS_LEFT, cold_start};
use aws::{Soon, Worker, WorkerConfig};
use discovery::Freshness;
use jiff::{SignedDuration, Timestamp};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;

/// Kept for metrics.
const MARGIN: SignedDuration = SignedDuration::from_secs(40);

#[tokio::main]
async fn main() -> Result<(), Error> {
    aws::logs();
    let worker = Soon::begin(WorkerConfig::parse(|name| std::env::var(name).ok())?.connect(), Worker::warm);
    let handle = move |event: LambdaEvent<Value>| async move {
        let ends = i64::try_from(event.context.deadline).ok().and_then(|millis| Timestamp::from_millisecond(millis).ok());
        let deadline = ends.and_then(|ends| ends.checked_sub(MARGIN).ok()).unwrap_or(Timestamp::MAX);
        let worker = worker.get().await;
        let fleet = worker.fleet().await?;
        let meter = Meter::start(&fleet, worker.written());
        let done = discovery::handle(&fleet, deadline).await;
        let mut lines = meter.stop(&fleet, worker.written());
        lines.extend([cold_start(), Line::new().with(FAILURES, f64::from(u8::from(done.is_err())))]);
        let freshness = discovery::freshness(&fleet).await.unwrap_or_else(|error| {
            tracing::error!(%error, "how fresh the copy is cannot be told");
            Freshness::default()
        });
        lines.extend(freshness.lags.iter().map(|(entity, lag)| Line::new().by("Entity", *entity).with(LAG, lag.as_secs_f64())));
        lines.extend(freshness.lags.values().max().map(|lag| Line::new().with(LAG, lag.as_secs_f64())));
        lines.extend(freshness.token_days.map(|days| Line::new().with(TOKEN_DAYS_LEFT, days)));
        lines.extend(freshness.silent.and_then(|count| u32::try_from(count).ok()).map(|count| Line::new().with(SILENT_ENTITIES, f64::from(count))));
        lines.iter().for_each(|line| line.emit(worker.stack.as_ref()));
        done.map_err(Error::from)
    };
    lambda_runtime::run(service_fn(handle)).await
}
