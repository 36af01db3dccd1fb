//! Credentials in Secrets Manager: the bare token, JSON with `token` or `tokens`, or `credentials` of any kind. Never
//! shows what it read.
//!
//! A successor is stored as a version whose id follows from its predecessor's, so that of two workers that replace the
//! same version only one can: Secrets Manager keeps a version's content for ever. Only then it becomes `AWSCURRENT`,
//! and only if its predecessor still is. Should we die in between, whoever reads next goes on.
//! <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecretVersionStage.html>

use async_trait::async_trait;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueOutput;
use engine::{Credential, Kept, StoreError, Vault};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::Digest;

const CURRENT: &str = "AWSCURRENT";
/// Of a version that is stored and is to become the current one.
const NEXT: &str = "SEI_NEXT";

/// The names are the secrets' own, or their ARNs.
pub struct SecretsVault {
    client: Client,
}

impl SecretsVault {
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    /// The version that has the label; none if there is none.
    async fn labelled(&self, id: &str, label: &str) -> Result<Option<GetSecretValueOutput>, StoreError> {
        match self.client.get_secret_value().secret_id(id).version_stage(label).send().await {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.code() == Some("ResourceNotFoundException") => Ok(None),
            Err(error) => Err(failed(&format!("the secret {id} cannot be read"), "Check that the role may read it", error)),
        }
    }

    /// Makes `next` current if `seen` still is; false if it is not.
    async fn promote(&self, id: &str, seen: &str, next: &str) -> Result<bool, StoreError> {
        let request = self.client.update_secret_version_stage().secret_id(id).version_stage(CURRENT).move_to_version_id(next).remove_from_version_id(seen);
        match request.send().await {
            Ok(_) => Ok(true),
            // The label is on another version than `seen` by now.
            Err(error) if error.code() == Some("InvalidParameterException") => Ok(false),
            Err(error) => Err(failed(&format!("the secret {id} cannot be replaced"), "Check that the role may update its stages", error)),
        }
    }
}

#[async_trait]
impl Vault for SecretsVault {
    async fn read(&self, name: &str) -> Result<Kept, StoreError> {
        let Some(mut found) = self.labelled(name, CURRENT).await? else { return Ok(Kept::default()) };
        // Stored by somebody who did not live to make it current.
        if let Some(next) = self.labelled(name, NEXT).await?
            && let (Some(seen), Some(id)) = (found.version_id.as_deref(), next.version_id.as_deref())
            && id == successor(seen)
            && next.version_stages().iter().all(|label| label == NEXT)
            && self.promote(name, seen, id).await?
        {
            found = next;
        }
        let credentials = parse(found.secret_string.as_deref().unwrap_or_default()).map_err(|why| StoreError::Broken {
            what: format!("the secret {name} holds no credentials ({why}): put a token into it, or JSON like {{\"token\": \"…\"}}"),
            source: why.into(),
        })?;
        Ok(Kept { credentials, revision: found.version_id.unwrap_or_default() })
    }

    async fn replace(&self, name: &str, seen: &str, credentials: &[Credential]) -> Result<String, StoreError> {
        let next = successor(seen);
        let text = json!({ "credentials": credentials }).to_string();
        let put = self.client.put_secret_value().secret_id(name).client_request_token(&next).secret_string(text);
        // The first version becomes the current one by itself.
        let put = if seen.is_empty() { put } else { put.version_stages(NEXT) };
        match put.send().await {
            Ok(_) => {}
            // Another worker was first: what it stored stands.
            Err(error) if error.code() == Some("ResourceExistsException") => {
                self.promote(name, seen, &next).await?;
                return Err(StoreError::Conflict);
            }
            Err(error) => return Err(failed(&format!("the secret {name} cannot be replaced"), "Check that it exists and that the role may write it", error)),
        }
        if seen.is_empty() || self.promote(name, seen, &next).await? { Ok(next) } else { Err(StoreError::Conflict) }
    }
}

/// The id of the version that may replace `seen`; 32 to 64 characters, as a ClientRequestToken must have.
fn successor(seen: &str) -> String {
    let digest = sha2::Sha256::digest(format!("sei-github after {seen}").as_bytes());
    digest.iter().take(20).map(|byte| format!("{byte:02x}")).collect()
}

fn failed<E>(what: &str, remedy: &str, error: SdkError<E>) -> StoreError
where
    E: std::error::Error + Send + Sync + 'static,
{
    let passing = match &error {
        SdkError::ServiceError(told) => told.raw().status().as_u16() >= 500 || told.raw().status().as_u16() == 429,
        _ => true,
    };
    let what = format!("{what}: {}. {remedy}", DisplayErrorContext(&error));
    if passing { StoreError::Unavailable { what, source: Box::new(error) } } else { StoreError::Broken { what, source: Box::new(error) } }
}

#[derive(Deserialize)]
struct Several {
    credentials: Vec<Credential>,
}

/// What is wrong is told by its place only: the text is secret.
fn parse(text: &str) -> Result<Vec<Credential>, String> {
    let text = text.trim();
    let credentials = match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(fields)) if fields.contains_key("credentials") => {
            let several: Several = serde_json::from_str(text).map_err(|error| format!("line {}, column {}", error.line(), error.column()))?;
            several.credentials
        }
        Ok(Value::Object(fields)) => {
            let many = fields.get("tokens").and_then(Value::as_array).into_iter().flatten();
            many.chain(fields.get("token")).filter_map(Value::as_str).map(Credential::token).collect()
        }
        _ => vec![Credential::token(text)],
    };
    let empty = |credential: &Credential| matches!(credential, Credential::Token { token, .. } if token.reveal().is_empty());
    Ok(credentials.into_iter().filter(|credential| !empty(credential)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_may_be_bare_or_json() {
        let tokens = |texts: &[&str]| Ok(texts.iter().map(|text| Credential::token(text)).collect::<Vec<_>>());
        assert_eq!(parse(" abc\n"), tokens(&["abc"]));
        assert_eq!(parse(r#"{"token": "abc"}"#), tokens(&["abc"]));
        assert_eq!(parse(r#"{"tokens": ["abc", "def"]}"#), tokens(&["abc", "def"]));
        assert_eq!(parse(r#"{"credentials": [{"kind": "token", "token": "abc"}]}"#), tokens(&["abc"]));
        assert_eq!((parse(""), parse("{}")), (tokens(&[]), tokens(&[])));
        let told = parse(r#"{"credentials": [{"kind": "canary"}]}"#).err().unwrap_or_default();
        assert!(told.contains("line 1") && !told.contains("canary"), "{told}");
    }

    /// Whatever bytes a secret is changed into, it is read or refused, and what is told shows nothing of it.
    #[test]
    fn mangled_secrets_make_no_panic_and_are_not_told() {
        let samples = [
            "canary-ghp",
            r#"{"tokens": ["canary-a", "canary-b"]}"#,
            r#"{"credentials": [{"kind": "app", "client_id": "Iv23", "private_key": "canary-key"}, {"kind": "token", "token": "canary-t"}]}"#,
            r#"{"credentials": [{"kind": "oauth", "client_id": "c", "token": "canary-t", "refresh_token": "canary-r", "expires_at": "2027-01-01T00:00:00Z"}]}"#,
        ];
        let mut state = 7_u64;
        let mut next = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).unwrap_or(0) % below
        };
        let mut refused = 0;
        for round in 0..20_000 {
            let mut bytes = samples[round % samples.len()].as_bytes().to_vec();
            for _ in 0..=next(3) {
                let at = next(bytes.len());
                match next(3) {
                    0 => bytes[at] = u8::try_from(next(256)).unwrap_or(0),
                    1 => bytes.truncate(at.max(1)),
                    _ => bytes.insert(at, b"{}[]\":,\\0"[next(9)]),
                }
            }
            let text = String::from_utf8_lossy(&bytes);
            if let Err(told) = parse(&text) {
                refused += 1;
                assert!(!told.contains("canary"), "{told}");
            }
            assert!(!format!("{:?}", parse(&text)).contains("canary"), "{text}");
        }
        assert!(refused > 100, "{refused}");
    }
}
