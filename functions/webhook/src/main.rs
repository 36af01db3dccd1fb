//! Wires the webhook function.

use aws::metrics::{Line, WEBHOOKS, cold_start};
use aws::{Reception, ReceptionConfig, Soon};
use jiff::Timestamp;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use webhook::gateway::{Event, Response, garbled};
use webhook::{Door, handle};

#[tokio::main]
async fn main() -> Result<(), Error> {
    aws::logs();
    let stack = aws::metrics::stack();
    let stack = &stack;
    let reception = Soon::begin(ReceptionConfig::parse(|name| std::env::var(name).ok())?.connect(), Reception::warm);
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Event>| async move {
        let reception = reception.get().await;
        let door = Door { keys: &reception.keys, inbox: &reception.inbox, store: &reception.store };
        let answer = match event.payload.request() {
            Some(request) => handle(request, &door, Timestamp::now()).await,
            None => garbled(),
        };
        for line in [cold_start(), Line::new().by("Outcome", answer.outcome()).with(WEBHOOKS, 1.0)] {
            line.emit(stack.as_ref());
        }
        Ok::<_, Error>(Response::from(answer))
    }))
    .await
}
