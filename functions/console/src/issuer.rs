//! An OIDC issuer, as a program of ours asks it: where its pages are, and a code for an ID token. Verifies no signature:
//! what it brings is good only once API Gateway's JWT authorizer has let it through.
//! <https://openid.net/specs/openid-connect-core-1_0.html#CodeFlowAuth>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use engine::Vault;
use github::{Credential, Secret};
use reqwest::redirect;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OnceCell;
use url::form_urlencoded::{Serializer, byte_serialize};
use url::{Host, Url};

/// One client of one issuer.
pub struct Issuer {
    url: String,
    client_id: String,
    /// Where the client's secret is; none for a public client.
    secret: Option<(Arc<dyn Vault>, String)>,
    http: reqwest::Client,
    found: OnceCell<Found>,
}

/// What the issuer says of itself.
struct Found {
    authorize: Url,
    token: Url,
    /// Whether the secret goes into the form, since the header is not taken.
    by_form: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum IssuerError {
    #[error("the issuer {url} does not answer as one: {why}")]
    Odd { url: String, why: String },
    /// Its own word for it, such as `invalid_grant`.
    #[error("the issuer refuses: {0}")]
    Refused(String),
    #[error("this function cannot ask the issuer: {0}")]
    Unavailable(String),
}

impl Issuer {
    pub fn new(url: &str, client_id: &str, secret: Option<(Arc<dyn Vault>, String)>) -> Result<Self, IssuerError> {
        let http = reqwest::Client::builder()
            .user_agent(concat!("sei-github/", env!("CARGO_PKG_VERSION")))
            // A secret goes nowhere else than to the address that the issuer told.
            .redirect(redirect::Policy::none())
            .connect_timeout(Duration::from_secs(5))
            .timeout(Duration::from_secs(10))
            .build()
            .map_err(|error| IssuerError::Unavailable(error.to_string()))?;
        Ok(Self { url: url.trim_end_matches('/').to_owned(), client_id: client_id.to_owned(), secret, http, found: OnceCell::new() })
    }

    fn odd(&self, why: impl Into<String>) -> IssuerError {
        IssuerError::Odd { url: self.url.clone(), why: why.into() }
    }

    async fn found(&self) -> Result<&Found, IssuerError> {
        self.found.get_or_try_init(|| self.find()).await
    }

    /// <https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig>
    async fn find(&self) -> Result<Found, IssuerError> {
        let text = format!("{}/.well-known/openid-configuration", self.url);
        let told = self.http.get(self.safe(&text)?).send().await.map_err(|error| IssuerError::Unavailable(error.to_string()))?;
        let told = self.json(told).await?;
        let field = |name: &str| told.get(name).and_then(Value::as_str).unwrap_or_default();
        if field("issuer").trim_end_matches('/') != self.url {
            return Err(self.odd("it says that it is another one"));
        }
        let methods = told.get("token_endpoint_auth_methods_supported").and_then(Value::as_array);
        let takes = |method: &str| methods.is_some_and(|all| all.iter().any(|one| one == method));
        let by_form = takes("client_secret_post") && !takes("client_secret_basic");
        Ok(Found { authorize: self.safe(field("authorization_endpoint"))?, token: self.safe(field("token_endpoint"))?, by_form })
    }

    /// Nothing goes over a wire in the clear.
    fn safe(&self, text: &str) -> Result<Url, IssuerError> {
        let url = Url::parse(text).map_err(|error| self.odd(format!("`{text}`: {error}")))?;
        let inside = match url.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            Some(Host::Domain(name)) => name == "localhost",
            None => false,
        };
        if url.scheme() == "https" || inside && url.scheme() == "http" { Ok(url) } else { Err(self.odd(format!("`{text}` is not https"))) }
    }

    async fn json(&self, response: reqwest::Response) -> Result<Value, IssuerError> {
        let status = response.status();
        let body = response.bytes().await.map_err(|error| IssuerError::Unavailable(error.to_string()))?;
        let told: Value = serde_json::from_slice(&body).map_err(|_| self.odd(format!("status {status}, and no JSON")))?;
        match told.get("error").and_then(Value::as_str) {
            // Its own words are for the log, and plain.
            Some(code) => Err(IssuerError::Refused(code.chars().filter(|letter| letter.is_ascii_alphanumeric() || *letter == '_').take(60).collect())),
            None if status.is_success() => Ok(told),
            None => Err(self.odd(format!("status {status}"))),
        }
    }

    /// The page on which somebody signs in.
    pub(crate) async fn location(&self, redirect_uri: &str, state: &str, nonce: &str, challenge: &str) -> Result<String, IssuerError> {
        let mut url = self.found().await?.authorize.clone();
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.client_id)
            .append_pair("redirect_uri", redirect_uri)
            .append_pair("scope", "openid email profile")
            .append_pair("state", state)
            .append_pair("nonce", nonce)
            .append_pair("code_challenge", challenge)
            .append_pair("code_challenge_method", "S256");
        Ok(url.into())
    }

    /// A code for an ID token.
    pub(crate) async fn token(&self, code: &Secret, redirect_uri: &str, verifier: &str) -> Result<Secret, IssuerError> {
        let found = self.found().await?;
        let secret = self.secret().await?;
        let mut request = self.http.post(found.token.clone()).header("content-type", "application/x-www-form-urlencoded").header("accept", "application/json");
        if let Some(secret) = secret.as_ref().filter(|_| !found.by_form) {
            let part = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
            let pair = STANDARD.encode(format!("{}:{}", part(&self.client_id), part(secret.reveal())));
            request = request.header("authorization", format!("Basic {pair}"));
        }
        let in_form = secret.as_ref().filter(|_| found.by_form).map(|secret| ("client_secret", secret.reveal()));
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code.reveal()),
            ("redirect_uri", redirect_uri),
            ("client_id", &self.client_id),
            ("code_verifier", verifier),
        ];
        let form = Serializer::new(String::new()).extend_pairs(fields).extend_pairs(in_form).finish();
        let told = request.body(form).send().await.map_err(|error| IssuerError::Unavailable(error.to_string()))?;
        let told = self.json(told).await?;
        let token = told.get("id_token").and_then(Value::as_str).filter(|text| !text.is_empty());
        token.map(Secret::new).ok_or_else(|| self.odd("it gives no ID token"))
    }

    async fn secret(&self) -> Result<Option<Secret>, IssuerError> {
        let Some((vault, name)) = &self.secret else { return Ok(None) };
        let kept = vault.read(name).await.map_err(|error| IssuerError::Unavailable(error.to_string()))?;
        match kept.credentials.into_iter().next() {
            Some(Credential::Token { token, .. }) => Ok(Some(token)),
            _ => Err(IssuerError::Unavailable(format!("the secret {name} holds no client secret"))),
        }
    }
}
