//! Wires the console function.

use aws::{ConsoleConfig, DynamoStore, Soon};
use axum::Router;
use console::gateway::{Event, answer};
use console::{Console, Entrance, Issuer, IssuerError, Place, Roles, hosted};
use engine::{SystemClock, Vault};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use std::sync::Arc;

#[tokio::main]
async fn main() -> Result<(), Error> {
    aws::logs();
    let made = Soon::begin(router(ConsoleConfig::parse(|name| std::env::var(name).ok())?), |made| async move {
        if let Ok((_, store)) = made {
            let table = store.warm("place").await;
            tracing::debug!(table, "warm");
        }
    });
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Event>| async move {
        let (router, _) = made.get().await.as_ref().map_err(ToString::to_string)?;
        Ok::<_, Error>(answer(router.clone(), event.payload).await)
    }))
    .await
}

async fn router(config: ConsoleConfig) -> Result<(Router, Arc<DynamoStore>), IssuerError> {
    let stack = config.connect().await;
    let vault: Arc<dyn Vault> = stack.vault;
    let issuer = Issuer::new(&stack.issuer, &stack.client_id, stack.client_secret.map(|name| (vault.clone(), name)))?;
    let roles = Roles { claim: stack.groups_claim, admins: stack.admins, viewers: stack.viewers };
    let place = Place {
        title: format!("the stack {}", stack.stack),
        api_url: Some(stack.api_url),
        webhook_url: stack.webhook_url,
        connect_url: stack.connect_url,
        vault,
        one_secret: Some(stack.token_secret),
        at_hand: Vec::new(),
        proxy: |_| None,
        practice: None,
        stands_still: true,
        dead: Some(stack.dead),
    };
    let console = Arc::new(Console::new(stack.store.clone(), Arc::new(SystemClock), place, None));
    Ok((hosted(console, Arc::new(Entrance { issuer, roles })), stack.store))
}
