//! Wires the connect function.

use aws::{DoorwayConfig, Soon};
use connect::{Event, handle, unavailable};
use jiff::Timestamp;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::json;

#[tokio::main]
async fn main() -> Result<(), Error> {
    aws::logs();
    let doorway = Soon::begin(DoorwayConfig::parse(|name| std::env::var(name).ok())?.connect(), |doorway| async move {
        if let Ok(doorway) = doorway {
            doorway.warm().await;
        }
    });
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Event>| async move {
        let doorway = doorway.get().await.as_ref().map_err(ToString::to_string)?;
        let request = match event.payload {
            Event::Browser(request) => request,
            Event::Operator { link_for } => return Ok(json!({ "path": doorway.link(&link_for, Timestamp::now()).await? })),
        };
        let app = match doorway.app().await {
            Ok(app) => app,
            Err(error) => return Ok(serde_json::to_value(unavailable(&error))?),
        };
        let redirect_uri = request.callback();
        let response = handle(&request, &doorway.door(&app, &redirect_uri), Timestamp::now()).await;
        Ok::<_, Error>(serde_json::to_value(response)?)
    }))
    .await
}
