//! Secrets Manager's own guarantees, as its documentation tells them, over HTTP: what is replaced by two, and by somebody
//! who dies half-way.

use aws::SecretsVault;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::config::{BehaviorVersion, Credentials, Region};
use axum::http::{HeaderMap, StatusCode};
use engine::{Credential, StoreError, Vault};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

/// One secret: by version id, its text and its labels.
#[derive(Default)]
struct Secret {
    versions: BTreeMap<String, (String, BTreeSet<String>)>,
    /// Labels are no longer moved: whoever moves them has died.
    dead: bool,
}

impl Secret {
    /// A label is on one version; `AWSPREVIOUS` follows `AWSCURRENT`.
    fn label(&mut self, label: &str, to: &str) {
        let before = self.holder(label);
        if label == "AWSCURRENT" && before.as_deref() != Some(to) {
            self.take_off("AWSPREVIOUS");
            if let Some((_, labels)) = before.as_ref().and_then(|before| self.versions.get_mut(before)) {
                labels.insert("AWSPREVIOUS".to_owned());
            }
        }
        self.take_off(label);
        self.versions.get_mut(to).unwrap().1.insert(label.to_owned());
    }

    fn take_off(&mut self, label: &str) {
        for (_, labels) in self.versions.values_mut() {
            labels.remove(label);
        }
    }

    fn holder(&self, label: &str) -> Option<String> {
        self.versions.iter().find(|(_, (_, labels))| labels.contains(label)).map(|(id, _)| id.clone())
    }

    fn put(&mut self, id: &str, text: &str, labels: &[&str]) {
        self.versions.entry(id.to_owned()).or_insert_with(|| (text.to_owned(), BTreeSet::new()));
        labels.iter().for_each(|label| self.label(label, id));
    }

    /// <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_Operations.html>
    fn answer(&mut self, action: &str, asked: &Value) -> Result<Value, &'static str> {
        let text = |name: &str| asked[name].as_str().unwrap_or_default().to_owned();
        match action {
            "GetSecretValue" => {
                let id = self.holder(&text("VersionStage")).ok_or("ResourceNotFoundException")?;
                let (secret, labels) = &self.versions[&id];
                Ok(json!({ "Name": "sei", "VersionId": id, "SecretString": secret, "VersionStages": labels }))
            }
            "PutSecretValue" => {
                let id = text("ClientRequestToken");
                if self.versions.get(&id).is_some_and(|(known, _)| *known != text("SecretString")) {
                    return Err("ResourceExistsException");
                }
                let labels: Vec<&str> =
                    asked["VersionStages"].as_array().map_or_else(|| vec!["AWSCURRENT"], |all| all.iter().filter_map(Value::as_str).collect());
                self.put(&id, &text("SecretString"), &labels);
                Ok(json!({ "Name": "sei", "VersionId": id }))
            }
            "UpdateSecretVersionStage" if self.dead => Err("AccessDeniedException"),
            "UpdateSecretVersionStage" => {
                // Fails if the label is on another version than the one named.
                if self.holder(&text("VersionStage")) != Some(text("RemoveFromVersionId")) {
                    return Err("InvalidParameterException");
                }
                self.label(&text("VersionStage"), &text("MoveToVersionId"));
                Ok(json!({ "Name": "sei" }))
            }
            _ => Err("InvalidRequestException"),
        }
    }
}

async fn vault() -> (SecretsVault, Arc<Mutex<Secret>>) {
    let secret = Arc::new(Mutex::new(Secret::default()));
    let shared = secret.clone();
    let answer = move |headers: HeaderMap, body: String| async move {
        let action = headers["x-amz-target"].to_str().unwrap().rsplit('.').next().unwrap().to_owned();
        let asked = serde_json::from_str(&body).unwrap();
        match shared.lock().unwrap().answer(&action, &asked) {
            Ok(answer) => (StatusCode::OK, answer.to_string()),
            Err(kind) => (StatusCode::BAD_REQUEST, json!({ "__type": kind, "message": "no" }).to_string()),
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, axum::Router::new().fallback(answer)).await });
    let config = aws_sdk_secretsmanager::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::new("a", "b", None, None, "test"))
        .endpoint_url(endpoint)
        .build();
    (SecretsVault::new(Client::from_conf(config)), secret)
}

fn token(text: &str) -> [Credential; 1] {
    [Credential::token(text)]
}

#[tokio::test]
async fn of_two_that_replace_a_secret_one_does_and_the_other_learns_it() {
    let (vault, secret) = vault().await;
    secret.lock().unwrap().put("first", "canary-0", &["AWSCURRENT"]);
    let seen = vault.read("sei").await.unwrap();
    assert_eq!(seen.credentials, token("canary-0"));
    let next = vault.replace("sei", &seen.revision, &token("canary-1")).await.unwrap();
    assert!(matches!(vault.replace("sei", &seen.revision, &token("canary-2")).await, Err(StoreError::Conflict)));
    let now = vault.read("sei").await.unwrap();
    assert_eq!((now.credentials.as_slice(), now.revision.as_str()), (&token("canary-1")[..], next.as_str()));
    // The same again is the same.
    vault.replace("sei", &now.revision, &token("canary-3")).await.unwrap();
    // Somebody puts a new one in by hand: it stands.
    let seen = vault.read("sei").await.unwrap();
    secret.lock().unwrap().put("by-hand", "canary-4", &["AWSCURRENT"]);
    assert!(matches!(vault.replace("sei", &seen.revision, &token("canary-5")).await, Err(StoreError::Conflict)));
    assert_eq!(vault.read("sei").await.unwrap().credentials, token("canary-4"));
}

#[tokio::test]
async fn what_was_stored_by_somebody_who_died_is_taken_up_by_whoever_reads_next() {
    let (vault, secret) = vault().await;
    secret.lock().unwrap().put("first", "canary-0", &["AWSCURRENT"]);
    secret.lock().unwrap().dead = true;
    let told = vault.replace("sei", "first", &token("canary-1")).await.unwrap_err();
    assert!(!format!("{told} {told:?}").contains("canary"), "{told:?}");
    secret.lock().unwrap().dead = false;
    let kept = vault.read("sei").await.unwrap();
    assert_eq!((kept.credentials.as_slice(), Some(kept.revision)), (&token("canary-1")[..], secret.lock().unwrap().holder("AWSCURRENT")));
    // Put back by hand: it stays so.
    secret.lock().unwrap().label("AWSCURRENT", "first");
    assert_eq!(vault.read("sei").await.unwrap().credentials, token("canary-0"));
}

#[tokio::test]
async fn a_secret_that_is_not_there_is_empty_and_what_is_no_secret_is_told() {
    let (vault, secret) = vault().await;
    assert_eq!(vault.read("sei").await.unwrap(), engine::Kept::default());
    secret.lock().unwrap().put("first", r#"{"credentials": [{"kind": "canary"}]}"#, &["AWSCURRENT"]);
    let told = vault.read("sei").await.unwrap_err();
    assert!(told.to_string().contains("line 1") && !format!("{told} {told:?}").contains("canary"), "{told:?}");
}
