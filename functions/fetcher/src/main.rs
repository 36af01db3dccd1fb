//! Wires the fetcher function.

use aws::metrics::{FAILURES, Line, Meter, cold_start};
use aws::{Soon, Worker, WorkerConfig};
use fetcher::Batch;
use jiff::{SignedDuration, Timestamp};
use lambda_runtime::{Error, LambdaEvent, service_fn};

/// Kept for the last page under way: GitHub may take ten seconds for it, and the table needs time too.
const MARGIN: SignedDuration = SignedDuration::from_secs(40);

#[tokio::main]
async fn main() -> Result<(), Error> {
    aws::logs();
    let worker = Soon::begin(WorkerConfig::parse(|name| std::env::var(name).ok())?.connect(), Worker::warm);
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Batch>| async move {
        let ends = i64::try_from(event.context.deadline).ok().and_then(|millis| Timestamp::from_millisecond(millis).ok());
        let deadline = ends.and_then(|ends| ends.checked_sub(MARGIN).ok()).unwrap_or(Timestamp::MAX);
        let worker = worker.get().await;
        let fleet = worker.fleet().await?;
        let meter = Meter::start(&fleet, worker.written());
        let done = fetcher::handle(event.payload, &fleet, deadline).await;
        let mut lines = meter.stop(&fleet, worker.written());
        let failed = u32::try_from(done.batch_item_failures.len()).unwrap_or(u32::MAX);
        lines.extend([cold_start(), Line::new().with(FAILURES, f64::from(failed))]);
        lines.iter().for_each(|line| line.emit(worker.stack.as_ref()));
        Ok::<_, Error>(done)
    }))
    .await
}
