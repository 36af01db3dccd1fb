//! OAuth's device flow, as a person goes through it in a terminal: shows a code, waits until it is entered. Shows no token.

use crate::failure::Failure;
use engine::device::{DeviceError, begin};
use engine::{Clock, Credential};
use github::{ApiUrl, DeviceCode, OAuthApp, Secret};

/// Authorizes the OAuth app and returns its token, to be stored at once. `show` tells the person where to enter which code.
pub(crate) async fn authorize(
    url: ApiUrl,
    ca: Option<&[u8]>,
    (client_id, client_secret): (&str, Option<Secret>),
    scopes: &str,
    clock: &dyn Clock,
    mut show: impl FnMut(&DeviceCode),
) -> Result<Credential, Failure> {
    let app = OAuthApp { client_id: client_id.to_owned(), client_secret };
    let mut waiting = begin(url, ca, app, scopes, clock.now()).await.map_err(told)?;
    show(&waiting.code);
    loop {
        tokio::time::sleep(waiting.ask_at.duration_since(clock.now()).try_into().unwrap_or_default()).await;
        if let Some(credential) = waiting.ask(clock.now()).await.map_err(told)? {
            return Ok(credential);
        }
    }
}

fn told(error: DeviceError) -> Failure {
    match error {
        error @ DeviceError::Expired => Failure::Authentication(format!("{error}. Run the same command again for a new one")),
        error @ DeviceError::Denied => Failure::Authentication(format!("{error}. Run the same command again to ask once more")),
        DeviceError::NoApp => {
            Failure::Authentication("this GitHub knows no OAuth app of that client id. Look it up in the app's settings, and check --api-url".to_owned())
        }
        DeviceError::Engine(error) => Failure::Engine(error),
        other @ DeviceError::App(_) => Failure::Authentication(other.to_string()),
    }
}
