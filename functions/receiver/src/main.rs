//! Wires the receiver function.

use aws::Receiver;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use receiver::Batch;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let filter = tracing_subscriber::EnvFilter::try_from_env("SEI_LOG").unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt().json().with_env_filter(filter).with_current_span(false).init();
    let receiver = Receiver::connect(|name| std::env::var(name).ok()).await?;
    let receiver = &receiver;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Batch>| async move {
        Ok::<_, Error>(receiver::handle(event.payload, &receiver.fleet().await?, receiver).await)
    }))
    .await
}
