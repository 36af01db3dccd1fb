//! A GitHub App: signs for itself, and makes tokens of its installations. Keeps no token, and shows no key.
//! <https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app>

use crate::client::{Client, Token};
use crate::credential::Secret;
use crate::error::{ConfigError, Error};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;
use serde_json::{Value, json};
use std::sync::Arc;

/// GitHub allows ten minutes; a minute is left for clocks that do not agree.
const JWT_LASTS: i64 = 9 * 60;
const CLOCKS_DISAGREE: i64 = 60;

#[derive(Clone)]
pub struct App {
    client_id: String,
    key: Arc<KeyPair>,
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

/// Where an App is installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    pub id: u64,
    /// Login of the organization or person.
    pub account: String,
    pub suspended: bool,
}

impl App {
    /// Takes the key as GitHub hands it out, in PEM (PKCS #1), or as PKCS #8.
    pub fn new(client_id: &str, private_key: &Secret) -> Result<Self, ConfigError> {
        let client_id = client_id.trim();
        if client_id.is_empty() {
            return Err(ConfigError::Key("the App's client id is missing"));
        }
        // As it looks after a detour through an environment variable or JSON.
        let pem = private_key.reveal().replace("\\n", "\n");
        if !pem.contains("-----BEGIN ") {
            return Err(ConfigError::Key("it is not PEM, which begins with -----BEGIN RSA PRIVATE KEY-----"));
        }
        if pem.contains("ENCRYPTED") {
            return Err(ConfigError::Key("it is encrypted, which GitHub's keys are not"));
        }
        let key = match PrivateKeyDer::from_pem_slice(pem.as_bytes()) {
            Ok(PrivateKeyDer::Pkcs1(der)) => KeyPair::from_der(der.secret_pkcs1_der()),
            Ok(PrivateKeyDer::Pkcs8(der)) => KeyPair::from_pkcs8(der.secret_pkcs8_der()),
            Ok(_) => return Err(ConfigError::Key("it is not an RSA key")),
            Err(_) => return Err(ConfigError::Key("there is no whole private key in it")),
        };
        let key = key.map_err(|_| ConfigError::Key("it is not an RSA key of at least 2,048 bits"))?;
        Ok(Self { client_id: client_id.to_owned(), key: Arc::new(key) })
    }

    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The App's own word, for the next minutes.
    pub fn jwt(&self, now: Timestamp) -> Result<Token, ConfigError> {
        let issued = now.as_second() - CLOCKS_DISAGREE;
        let claims = json!({ "iat": issued, "exp": now.as_second() + JWT_LASTS, "iss": self.client_id });
        let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(json!({ "alg": "RS256", "typ": "JWT" })), part(claims));
        let mut signature = vec![0; self.key.public_modulus_len()];
        let done = self.key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature);
        done.map_err(|_| ConfigError::Key("nothing can be signed with it"))?;
        Token::new(&format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

impl Client {
    /// The App's name in addresses; `self` has the App's JWT.
    /// <https://docs.github.com/en/rest/apps/apps#get-the-authenticated-app>
    pub async fn app_slug(&self) -> Result<String, Error> {
        let reply = self.get("/app", None).await?;
        Ok(reply.body.get("slug").and_then(Value::as_str).unwrap_or_default().to_owned())
    }

    /// Everywhere the App is installed; `self` has the App's JWT.
    /// <https://docs.github.com/en/rest/apps/apps#list-installations-for-the-authenticated-app>
    pub async fn installations(&self) -> Result<Vec<Installation>, Error> {
        let mut all = Vec::new();
        let mut next = Some("/app/installations?per_page=100".to_owned());
        while let Some(page) = next {
            let reply = self.get(&page, None).await?;
            let read = |one: &Value| {
                let account = one.pointer("/account/login").and_then(Value::as_str).unwrap_or_default().to_owned();
                let suspended = one.get("suspended_at").is_some_and(|at| !at.is_null());
                Some(Installation { id: one.get("id")?.as_u64()?, account, suspended })
            };
            all.extend(reply.body.as_array().into_iter().flatten().filter_map(read));
            next = reply.next;
        }
        Ok(all)
    }

    /// A token of an installation, and when it ends; `self` has the App's JWT.
    /// <https://docs.github.com/en/rest/apps/apps#create-an-installation-access-token-for-an-app>
    pub async fn installation_token(&self, installation: u64) -> Result<(Token, Timestamp), Error> {
        let reply = self.post_rest(&format!("/app/installations/{installation}/access_tokens"), &json!({})).await?;
        let text = |name: &str| reply.body.get(name).and_then(Value::as_str);
        let odd = || Error::Passing { status: Some(201), message: "GitHub's answer holds no token of the installation".to_owned() };
        let token = text("token").and_then(|token| Token::new(token).ok()).ok_or_else(odd)?;
        Ok((token, text("expires_at").and_then(|at| at.parse().ok()).ok_or_else(odd)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_is_no_key_is_told_and_not_shown() {
        for (given, why) in [
            ("canary", "not PEM"),
            ("-----BEGIN RSA PRIVATE KEY-----\ncanary", "no whole private key"),
            ("-----BEGIN CERTIFICATE-----\nY2FuYXJ5\n-----END CERTIFICATE-----", "no whole private key"),
            ("-----BEGIN RSA PRIVATE KEY-----\nY2FuYXJ5\n-----END RSA PRIVATE KEY-----", "not an RSA key of"),
            ("-----BEGIN EC PRIVATE KEY-----\nY2FuYXJ5\n-----END EC PRIVATE KEY-----", "not an RSA key"),
            ("-----BEGIN ENCRYPTED PRIVATE KEY-----\nY2FuYXJ5\n-----END ENCRYPTED PRIVATE KEY-----", "encrypted"),
        ] {
            let told = App::new("Iv1.a", &Secret::new(given)).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(told.contains(why) && !told.contains("canary") && !told.contains("Y2Fu"), "{given}: {told}");
        }
    }
}
