//! Wires the console function.

use console::gateway::{Event, answer};
use console::{Console, Entrance, Issuer, Place, Roles, hosted};
use engine::{SystemClock, Vault};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use std::sync::Arc;

#[tokio::main]
async fn main() -> Result<(), Error> {
    aws::logs();
    let stack = aws::ConsoleConfig::parse(|name| std::env::var(name).ok())?.connect().await;
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
    let console = Arc::new(Console::new(stack.store, Arc::new(SystemClock), place, None));
    let router = hosted(console, Arc::new(Entrance { issuer, roles }));
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Event>| {
        let router = router.clone();
        async move { Ok::<_, Error>(answer(router, event.payload).await) }
    }))
    .await
}
