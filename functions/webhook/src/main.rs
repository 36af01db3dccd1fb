//! Wires the webhook function.

use aws::ReceptionConfig;
use jiff::Timestamp;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use webhook::gateway::{Event, Response, garbled};
use webhook::{Door, handle};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let filter = tracing_subscriber::EnvFilter::try_from_env("SEI_LOG").unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt().json().with_env_filter(filter).with_current_span(false).init();
    let reception = ReceptionConfig::parse(|name| std::env::var(name).ok())?.connect().await;
    let reception = &reception;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Event>| async move {
        let Some(request) = event.payload.request() else { return Ok(Response::from(garbled())) };
        let door = Door { keys: &reception.keys, inbox: &reception.inbox, store: &reception.store };
        Ok::<_, Error>(Response::from(handle(request, &door, Timestamp::now()).await))
    }))
    .await
}
