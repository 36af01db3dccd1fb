//! The secret that webhooks are signed with: a stack's, in Secrets Manager, or the environment's. Never shows it.

use crate::failure::Failure;
use crate::place::Place;
use crate::stack::{Stack, refused};
use aws_sdk_secretsmanager::Client;
use github::Secret;
use std::time::Duration;

/// By then every receiver that meets the new secret knows it, or looks it up.
const LOOKED: Duration = aws::AT_MOST_EVERY.saturating_add(Duration::from_secs(1));

/// What the receiver verifies with now.
pub(crate) async fn current(place: &Place) -> Result<Secret, Failure> {
    let Some(stack) = place.stack() else { return of_environment() };
    let id = stack.output("WebhookSecretName")?;
    let found = Client::new(&stack.aws).get_secret_value().secret_id(id).send().await;
    let found = found.map_err(|error| refused("the webhook's secret cannot be read", &error))?;
    Ok(aws::webhook_secret(found.secret_string.as_deref().unwrap_or_default()))
}

/// The one that is to follow: of a stack it is made here, and both are accepted from now on; of a directory it is what
/// the environment has by now.
pub(crate) async fn next(place: &Place) -> Result<Secret, Failure> {
    match place.stack() {
        Some(stack) => replace(stack).await,
        None => {
            let new = of_environment()?;
            if std::env::var("GITHUB_WEBHOOK_SECRET_PREVIOUS").unwrap_or_default().trim().is_empty() {
                return Err(Failure::Usage(
                    "start `sei-github serve` with the new secret in GITHUB_WEBHOOK_SECRET and the former one in GITHUB_WEBHOOK_SECRET_PREVIOUS first, \
                     so that nothing is refused meanwhile; then rotate with the same two"
                        .to_owned(),
                ));
            }
            Ok(new)
        }
    }
}

fn of_environment() -> Result<Secret, Failure> {
    let secret = std::env::var("GITHUB_WEBHOOK_SECRET").unwrap_or_default();
    if secret.trim().is_empty() {
        return Err(Failure::Authentication(
            "there is no webhook secret. Set GITHUB_WEBHOOK_SECRET to what `sei-github serve` verifies with; `openssl rand -hex 32` makes one".to_owned(),
        ));
    }
    Ok(Secret::new(&secret))
}

/// Secrets Manager keeps the former one as `AWSPREVIOUS`, which the receiver accepts, too.
async fn replace(stack: &Stack) -> Result<Secret, Failure> {
    let client = Client::new(&stack.aws);
    let made = client.get_random_password().password_length(40).exclude_punctuation(true).send().await;
    let made = made.map_err(|error| refused("no secret can be made", &error))?;
    let secret = made.random_password.unwrap_or_default();
    let put = client.put_secret_value().secret_id(stack.output("WebhookSecretName")?).secret_string(&secret).send().await;
    put.map_err(|error| refused("the webhook's secret cannot be replaced", &error))?;
    // Who read the former one just now looks again after so long at the soonest, and would refuse the new one until then.
    eprintln!("a new secret is stored; in {} s the webhooks get it", LOOKED.as_secs());
    tokio::time::sleep(LOOKED).await;
    Ok(Secret::new(&secret))
}
