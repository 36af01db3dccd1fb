//! OAuth's device flow, one question at a time: a person enters a code on GitHub's page, and GitHub is asked now and then
//! whether they did. Never waits: it says when to ask next. Shows no token.
//! <https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps#device-flow>

use crate::Error;
use github::{ApiUrl, Client, Credential, DeviceCode, OAuthApp, OAuthError, Token};
use jiff::{SignedDuration, Timestamp};

/// Whoever is asked less often from now on: RFC 8628, 3.5.
const SLOWER: SignedDuration = SignedDuration::from_secs(5);
/// Passing trouble in a row.
const PATIENCE: u32 = 5;

/// A code that nobody has entered yet.
pub struct Waiting {
    app: OAuthApp,
    client: Client,
    pub code: DeviceCode,
    /// No sooner is of use.
    pub ask_at: Timestamp,
    ends: Timestamp,
    interval: SignedDuration,
    troubles: u32,
}

/// Why there is no token, by what to do.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    #[error("the code was not entered in time, or was used already")]
    Expired,
    #[error("the authorization was declined on GitHub's page")]
    Denied,
    #[error("this GitHub knows no OAuth app of that client id. Look it up in the app's settings, and check the address of the API")]
    NoApp,
    #[error("{0}")]
    App(String),
    #[error(transparent)]
    Engine(#[from] Error),
}

/// Has GitHub make a code.
pub async fn begin(url: ApiUrl, ca: Option<&[u8]>, app: OAuthApp, scopes: &str, now: Timestamp) -> Result<Waiting, DeviceError> {
    // There is no token yet: these requests carry none.
    let none = Token::new("none").map_err(Error::from)?;
    let client = Client::trusting(url, none, ca).map_err(Error::from)?;
    let code = app.device_code(&client, scopes).await.map_err(told)?;
    let later = |wait: SignedDuration| now.checked_add(wait).unwrap_or(Timestamp::MAX);
    let (ends, ask_at, interval) = (later(code.expires_in), later(code.interval), code.interval);
    Ok(Waiting { app, client, code, ask_at, ends, interval, troubles: 0 })
}

impl Waiting {
    /// Asks whether the code was entered; none if not yet, and then [`Self::ask_at`] says when to ask again. What comes
    /// must be stored at once.
    pub async fn ask(&mut self, now: Timestamp) -> Result<Option<Credential>, DeviceError> {
        if now >= self.ends {
            return Err(DeviceError::Expired);
        }
        match self.app.token_of_device(&self.client, &self.code, now).await {
            Ok(credential) => return Ok(Some(credential)),
            Err(OAuthError::Pending) => self.troubles = 0,
            Err(OAuthError::SlowDown { interval: told }) => self.interval = told.unwrap_or(self.interval).max(self.interval.saturating_add(SLOWER)),
            Err(OAuthError::GitHub(github::Error::Passing { .. })) if self.troubles < PATIENCE => self.troubles += 1,
            Err(other) => return Err(told(other)),
        }
        self.ask_at = now.checked_add(self.interval).unwrap_or(Timestamp::MAX);
        Ok(None)
    }
}

fn told(error: OAuthError) -> DeviceError {
    match error {
        OAuthError::Expired => DeviceError::Expired,
        OAuthError::Denied => DeviceError::Denied,
        OAuthError::GitHub(github::Error::Absent { .. }) => DeviceError::NoApp,
        OAuthError::GitHub(error) => DeviceError::Engine(error.into()),
        other => DeviceError::App(other.to_string()),
    }
}
