//! Wires the receiver function.

use aws::metrics::{EVENTS, Line, cold_start};
use aws::{ReceiverConfig, Soon};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use receiver::Batch;

#[tokio::main]
async fn main() -> Result<(), Error> {
    aws::logs();
    let stack = aws::metrics::stack();
    let stack = &stack;
    let receiver = Soon::begin(ReceiverConfig::parse(|name| std::env::var(name).ok())?.connect(), |receiver| async move {
        if let Ok(receiver) = receiver {
            receiver.warm().await;
        }
    });
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Batch>| async move {
        let receiver = receiver.get().await.as_ref().map_err(ToString::to_string)?;
        let events = u32::try_from(event.payload.records.len()).unwrap_or(u32::MAX);
        let done = receiver::handle(event.payload, &receiver.fleet().await?, receiver).await;
        let failed = u32::try_from(done.batch_item_failures.len()).unwrap_or(u32::MAX);
        let of = |outcome: &str, count: u32| Line::new().by("Outcome", outcome).with(EVENTS, f64::from(count));
        for line in [cold_start(), of("applied", events.saturating_sub(failed)), of("failed", failed)] {
            line.emit(stack.as_ref());
        }
        Ok::<_, Error>(done)
    }))
    .await
}
