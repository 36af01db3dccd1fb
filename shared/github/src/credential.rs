//! The kinds of credentials, as they are kept, and when they end. Shows none of them, and keeps none.
//! <https://docs.github.com/en/rest/authentication/authenticating-to-the-rest-api>

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Text that no log and no message shows.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.trim().to_owned())
    }

    /// For whoever sends or stores it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Tells two secrets apart; nothing leads back to one that was made at random.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        use sha2::Digest;
        let digest = sha2::Sha256::digest(self.0.as_bytes());
        digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

/// One way to be let in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Credential {
    /// A personal access token, or any other that is used as it is.
    Token {
        token: Secret,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_at: Option<Timestamp>,
    },
    /// Of an OAuth app or of a GitHub App for a person. What expires comes with a refresh token, which is good once.
    Oauth {
        client_id: String,
        /// The device flow needs none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        client_secret: Option<Secret>,
        token: Secret,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refresh_token: Option<Secret>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_at: Option<Timestamp>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refresh_expires_at: Option<Timestamp>,
    },
    /// A GitHub App, which makes tokens of its installations.
    App {
        /// The client id, or the app id, which GitHub takes as well.
        client_id: String,
        /// In PEM.
        private_key: Secret,
        /// None: all of them.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        installations: Vec<u64>,
    },
}

/// A credential that ends soon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Expiring {
    /// Which one, in words.
    pub what: String,
    pub at: Timestamp,
}

/// So long before its end a credential is warned of.
pub(crate) const SOON: SignedDuration = SignedDuration::from_hours(14 * 24);

impl Credential {
    #[must_use]
    pub fn token(text: &str) -> Self {
        Self::Token { token: Secret::new(text), expires_at: None }
    }

    /// When it lets nobody in any more unless somebody does something: what refreshes itself ends with its refresh token.
    #[must_use]
    pub fn ends(&self) -> Option<Timestamp> {
        match self {
            Self::Token { expires_at, .. } | Self::Oauth { refresh_token: None, expires_at, .. } => *expires_at,
            Self::Oauth { refresh_expires_at, .. } => *refresh_expires_at,
            Self::App { .. } => None,
        }
    }

    /// In words, and never itself.
    #[must_use]
    pub fn what(&self) -> String {
        match self {
            Self::Token { token, .. } => crate::TokenKind::of(token.reveal()).to_string(),
            Self::Oauth { client_id, .. } => format!("a token of the OAuth app {client_id}"),
            Self::App { client_id, .. } => format!("the GitHub App {client_id}"),
        }
    }
}

/// Those that end within 14 days, or have ended.
#[must_use]
pub fn expiring(credentials: &[Credential], now: Timestamp) -> Vec<Expiring> {
    let soon = |at: &Timestamp| at.duration_since(now) <= SOON;
    credentials.iter().filter_map(|one| one.ends().filter(soon).map(|at| Expiring { what: one.what(), at })).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_credential_is_kept_whole_and_shown_nowhere() {
        let all = [
            json!({ "kind": "token", "token": "ghp_canary" }),
            json!({ "kind": "oauth", "client_id": "Iv1.a", "client_secret": "canary", "token": "ghu_canary", "refresh_token": "ghr_canary", "expires_at": "2027-01-01T00:00:00Z" }),
            json!({ "kind": "app", "client_id": "Iv1.b", "private_key": "-----BEGIN canary", "installations": [7] }),
        ];
        for given in all {
            let read: Credential = serde_json::from_value(given.clone()).unwrap_or_else(|error| unreachable!("{error}"));
            assert_eq!(serde_json::to_value(&read).ok(), Some(given));
            let shown = format!("{read:?} {}", read.what());
            assert!(!shown.contains("canary"), "{shown}");
        }
        assert!(serde_json::from_value::<Credential>(json!({ "kind": "token", "token": "a", "tokn": "b" })).is_err());
    }

    #[test]
    fn an_end_within_14_days_is_warned_of_and_a_refresh_token_puts_it_off() {
        let at = |text: &str| text.parse::<Timestamp>().ok();
        let token = |expires_at| Credential::Token { token: Secret::new("a"), expires_at };
        let oauth = |refresh: Option<&str>, refresh_expires_at| Credential::Oauth {
            client_id: "c".to_owned(),
            client_secret: None,
            token: Secret::new("a"),
            refresh_token: refresh.map(Secret::new),
            expires_at: at("2027-01-01T08:00:00Z"),
            refresh_expires_at,
        };
        let now = at("2027-01-01T00:00:00Z").unwrap_or_default();
        for (credential, warned) in [
            (token(at("2027-01-15T00:00:00Z")), true),
            (token(at("2027-01-15T00:00:01Z")), false),
            (token(at("2026-12-01T00:00:00Z")), true),
            (token(None), false),
            (oauth(None, None), true),
            (oauth(Some("r"), None), false),
            (oauth(Some("r"), at("2027-01-03T00:00:00Z")), true),
        ] {
            assert_eq!(expiring(std::slice::from_ref(&credential), now).len(), usize::from(warned), "{credential:?}");
        }
    }
}
