//! Wires the reconcile function.

use aws::metrics::{FAILURES, Line, Meter, RECONCILIATION_GAP, cold_start};
use aws::{Soon, Worker, WorkerConfig};
use jiff::{SignedDuration, Timestamp};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;

/// Stops so long before the function is stopped.
const MARGIN: SignedDuration = SignedDuration::from_secs(20);

#[tokio::main]
async fn main() -> Result<(), Error> {
    aws::logs();
    let worker = Soon::begin(WorkerConfig::parse(|name| std::env::var(name).ok())?.connect(), Worker::warm);
    let handle = move |event: LambdaEvent<Value>| async move {
        let ends = Timestamp::from_millisecond(i64::try_from(event.context.deadline).unwrap_or(i64::MAX)).unwrap_or(Timestamp::MAX);
        let deadline = ends.checked_sub(MARGIN).unwrap_or(ends);
        let worker = worker.get().await;
        let fleet = worker.fleet().await?;
        let meter = Meter::start(&fleet, worker.written());
        let done = reconcile::handle(&fleet, deadline).await;
        let mut lines = meter.stop(&fleet, worker.written());
        lines.extend([cold_start(), Line::new().with(FAILURES, f64::from(u8::from(done.is_err())))]);
        let open = done.as_ref().ok().and_then(|told| told.get("open")?.as_f64());
        lines.extend(open.map(|open| Line::new().with(RECONCILIATION_GAP, open)));
        lines.iter().for_each(|line| line.emit(worker.stack.as_ref()));
        done.map_err(Error::from)
    };
    lambda_runtime::run(service_fn(handle)).await
}
