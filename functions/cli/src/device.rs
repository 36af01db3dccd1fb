//! OAuth's device flow, as a person goes through it in a terminal: shows a code, waits until it is entered. Shows no token.
//! <https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps#device-flow>

use crate::failure::Failure;
use engine::{Clock, Credential};
use github::{ApiUrl, Client, DeviceCode, OAuthApp, OAuthError, Secret, Token};
use jiff::SignedDuration;

/// Whoever is asked less often from now on: RFC 8628, 3.5.
const SLOWER: SignedDuration = SignedDuration::from_secs(5);
/// Passing trouble in a row.
const PATIENCE: u32 = 5;

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
    // There is no token yet: these requests carry none.
    let client = Client::trusting(url, Token::new("none")?, ca)?;
    let code = app.device_code(&client, scopes).await.map_err(told)?;
    show(&code);
    let ends = clock.now().checked_add(code.expires_in).unwrap_or(jiff::Timestamp::MAX);
    let (mut interval, mut troubles) = (code.interval, 0);
    while clock.now() < ends {
        tokio::time::sleep(interval.unsigned_abs()).await;
        match app.token_of_device(&client, &code, clock.now()).await {
            Ok(credential) => return Ok(credential),
            Err(OAuthError::Pending) => troubles = 0,
            Err(OAuthError::SlowDown { interval: told }) => interval = told.unwrap_or(interval).max(interval.saturating_add(SLOWER)),
            Err(OAuthError::GitHub(github::Error::Passing { .. })) if troubles < PATIENCE => troubles += 1,
            Err(other) => return Err(told(other)),
        }
    }
    Err(told(OAuthError::Expired))
}

fn told(error: OAuthError) -> Failure {
    match error {
        OAuthError::Expired => {
            Failure::Authentication("the code was not entered in time, or was used already. Run the same command again for a new one".to_owned())
        }
        OAuthError::Denied => {
            Failure::Authentication("the authorization was declined on GitHub's page. Run the same command again to ask once more".to_owned())
        }
        OAuthError::GitHub(github::Error::Absent { .. }) => {
            Failure::Authentication("this GitHub knows no OAuth app of that client id. Look it up in the app's settings, and check --api-url".to_owned())
        }
        OAuthError::GitHub(error) => Failure::Engine(error.into()),
        other => Failure::Authentication(other.to_string()),
    }
}
