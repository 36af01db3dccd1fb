//! An OAuth app's doors: device codes, the web flow's codes, refresh tokens, each for tokens. Keeps nothing, waits for
//! nothing, and shows none of it.
//! <https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps>

use crate::client::Client;
use crate::credential::{Credential, Secret};
use crate::error::Error;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use url::form_urlencoded::Serializer;

/// An OAuth app, or a GitHub App that acts for people, as one server knows it.
#[derive(Debug, Clone)]
pub struct OAuthApp {
    pub client_id: String,
    /// The device flow needs none.
    pub client_secret: Option<Secret>,
}

/// What a person is shown, and what is asked with meanwhile.
#[derive(Debug, Clone)]
pub struct DeviceCode {
    pub user_code: String,
    pub verification_uri: String,
    pub device_code: Secret,
    pub expires_in: SignedDuration,
    /// No sooner may be asked again.
    pub interval: SignedDuration,
}

/// Why there is no token, by what to do.
#[derive(Debug, thiserror::Error)]
pub enum OAuthError {
    #[error("nobody has entered the code yet")]
    Pending,
    /// Ask less often from now on.
    #[error("GitHub was asked too often")]
    SlowDown { interval: Option<SignedDuration> },
    /// Begin anew.
    #[error("the code has expired, or was used")]
    Expired,
    #[error("the request was declined")]
    Denied,
    /// A new authorization is needed.
    #[error("GitHub does not accept the refresh token: it is used up, expired or revoked")]
    BadRefreshToken,
    /// Somebody must mend the app's settings.
    #[error("GitHub refuses the OAuth app ({code}): {hint}")]
    App { code: String, hint: &'static str },
    #[error(transparent)]
    GitHub(#[from] Error),
}

impl OAuthApp {
    /// <https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps#device-flow>
    pub async fn device_code(&self, client: &Client, scopes: &str) -> Result<DeviceCode, OAuthError> {
        let told = self.post(client, "/login/device/code", &[("scope", scopes)], false).await?;
        let text = |name: &str| told.get(name).and_then(Value::as_str).map(str::to_owned).ok_or_else(odd);
        let seconds = |name: &str, usual: i64| SignedDuration::from_secs(told.get(name).and_then(Value::as_i64).unwrap_or(usual));
        Ok(DeviceCode {
            user_code: text("user_code")?,
            verification_uri: text("verification_uri")?,
            device_code: Secret::new(&text("device_code")?),
            expires_in: seconds("expires_in", 900),
            interval: seconds("interval", 5),
        })
    }

    /// Whether a person has entered the code; `now` is the moment of asking.
    pub async fn token_of_device(&self, client: &Client, code: &DeviceCode, now: Timestamp) -> Result<Credential, OAuthError> {
        let grant = [("device_code", code.device_code.reveal()), ("grant_type", "urn:ietf:params:oauth:grant-type:device_code")];
        self.token(client, &grant, false, now).await
    }

    /// The web flow's last step, with the verifier of PKCE.
    pub async fn token_of_code(&self, client: &Client, code: &Secret, redirect_uri: &str, verifier: &Secret, now: Timestamp) -> Result<Credential, OAuthError> {
        let grant = [("code", code.reveal()), ("redirect_uri", redirect_uri), ("code_verifier", verifier.reveal())];
        self.token(client, &grant, true, now).await
    }

    /// Uses up the refresh token: what comes must be stored before anything else happens.
    /// <https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/refreshing-user-access-tokens>
    pub async fn refresh(&self, client: &Client, refresh_token: &Secret, now: Timestamp) -> Result<Credential, OAuthError> {
        self.token(client, &[("grant_type", "refresh_token"), ("refresh_token", refresh_token.reveal())], true, now).await
    }

    async fn token(&self, client: &Client, grant: &[(&str, &str)], secret: bool, now: Timestamp) -> Result<Credential, OAuthError> {
        let told = self.post(client, "/login/oauth/access_token", grant, secret).await?;
        let text = |name: &str| told.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let ends = |name: &str| now.checked_add(SignedDuration::from_secs(told.get(name)?.as_i64()?)).ok();
        Ok(Credential::Oauth {
            client_id: self.client_id.clone(),
            client_secret: self.client_secret.clone(),
            token: Secret::new(text("access_token").ok_or_else(odd)?),
            refresh_token: text("refresh_token").map(Secret::new),
            expires_at: ends("expires_in"),
            refresh_expires_at: ends("refresh_token_expires_in"),
        })
    }

    fn form(&self, fields: &[(&str, &str)], secret: Option<&Secret>) -> String {
        let mut form = Serializer::new(String::new());
        form.append_pair("client_id", &self.client_id).extend_pairs(fields);
        if let Some(secret) = secret {
            form.append_pair("client_secret", secret.reveal());
        }
        form.finish()
    }

    /// Mistakes come with status 200, as `error`.
    async fn post(&self, client: &Client, path: &str, fields: &[(&str, &str)], secret: bool) -> Result<Value, OAuthError> {
        let secret = self.client_secret.as_ref().filter(|_| secret);
        let form = self.form(fields, secret);
        let told = client.post_form(path, form).await?;
        match told.get("error").and_then(Value::as_str) {
            None => Ok(told),
            Some(code) => Err(refused(code, &told)),
        }
    }
}

fn refused(code: &str, told: &Value) -> OAuthError {
    match code {
        "authorization_pending" => OAuthError::Pending,
        "slow_down" => OAuthError::SlowDown { interval: told.get("interval").and_then(Value::as_i64).map(SignedDuration::from_secs) },
        "expired_token" | "incorrect_device_code" | "bad_verification_code" => OAuthError::Expired,
        "access_denied" => OAuthError::Denied,
        "bad_refresh_token" => OAuthError::BadRefreshToken,
        _ => OAuthError::App {
            code: code.chars().filter(|letter| letter.is_ascii_alphanumeric() || *letter == '_').take(40).collect(),
            hint: match code {
                "device_flow_disabled" => "tick \"Enable Device Flow\" in the app's settings",
                "redirect_uri_mismatch" => "the callback URL in the app's settings is another one",
                _ => "check its client id and client secret",
            },
        },
    }
}

fn odd() -> OAuthError {
    OAuthError::GitHub(Error::Passing { status: Some(200), message: "GitHub's answer is not what an OAuth app is told".to_owned() })
}
