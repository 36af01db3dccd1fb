//! Webhooks and their deliveries, as GitHub's REST tells them: where they are, what is sent to change them, what comes
//! back. Sends nothing itself.
//! <https://docs.github.com/en/rest/orgs/webhooks> <https://docs.github.com/en/rest/repos/webhooks>

use jiff::Timestamp;
use serde_json::{Value, json};

/// What a webhook belongs to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum HookOwner {
    /// By login.
    Organization(String),
    /// By owner and name.
    Repository(String),
}

impl HookOwner {
    /// The list of its hooks.
    #[must_use]
    pub fn hooks(&self) -> String {
        match self {
            Self::Organization(login) => format!("/orgs/{login}/hooks"),
            Self::Repository(name) => format!("/repos/{name}/hooks"),
        }
    }

    #[must_use]
    pub fn hook(&self, id: u64) -> String {
        format!("{}/{id}", self.hooks())
    }

    /// Of the hook's settings alone: what is not named stays as it is, the secret among it.
    #[must_use]
    pub fn config(&self, id: u64) -> String {
        format!("{}/{id}/config", self.hooks())
    }

    #[must_use]
    pub fn pings(&self, id: u64) -> String {
        format!("{}/{id}/pings", self.hooks())
    }

    /// Newest first; GitHub gives the cursor of the next page in the `Link` header.
    #[must_use]
    pub fn deliveries(&self, id: u64) -> String {
        format!("{}/{id}/deliveries", self.hooks())
    }

    #[must_use]
    pub fn delivery(&self, id: u64, delivery: u64) -> String {
        format!("{}/{delivery}", self.deliveries(id))
    }

    /// Sends it again.
    #[must_use]
    pub fn attempts(&self, id: u64, delivery: u64) -> String {
        format!("{}/attempts", self.delivery(id, delivery))
    }

    /// Whether it is a repository of this organization.
    #[must_use]
    pub fn is_repository_of(&self, org: &str) -> bool {
        matches!(self, Self::Repository(name) if name.split('/').next().is_some_and(|owner| owner.eq_ignore_ascii_case(org)))
    }

    /// Where people find it.
    #[must_use]
    pub fn page(&self, web: &str, id: u64) -> String {
        match self {
            Self::Organization(login) => format!("{web}/organizations/{login}/settings/hooks/{id}"),
            Self::Repository(name) => format!("{web}/{name}/settings/hooks/{id}"),
        }
    }
}

impl std::fmt::Display for HookOwner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Organization(name) | Self::Repository(name) => name,
        })
    }
}

/// A webhook. GitHub shows no secret, only whether there is one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hook {
    pub id: u64,
    pub active: bool,
    pub url: String,
    pub json: bool,
    pub insecure: bool,
    pub has_secret: bool,
    /// In GitHub's order.
    pub events: Vec<String>,
    /// How its last delivery went, where GitHub tells: of repositories' hooks only.
    pub last: Option<String>,
}

impl Hook {
    /// None for what is no webhook.
    #[must_use]
    pub fn read(value: &Value) -> Option<Self> {
        let config = |name: &str| value.get("config")?.get(name);
        let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
        Some(Self {
            id: value.get("id")?.as_u64()?,
            active: value.get("active").and_then(Value::as_bool).unwrap_or(false),
            url: text(config("url")),
            json: config("content_type").and_then(Value::as_str) == Some("json"),
            // A number in older answers.
            insecure: config("insecure_ssl").is_some_and(|value| value.as_str() == Some("1") || value.as_u64() == Some(1)),
            has_secret: config("secret").and_then(Value::as_str).is_some_and(|secret| !secret.is_empty()),
            events: value.get("events").and_then(Value::as_array).into_iter().flatten().filter_map(|one| one.as_str().map(str::to_owned)).collect(),
            last: value.pointer("/last_response/message").and_then(Value::as_str).map(str::to_owned),
        })
    }

    /// What makes a hook, or makes it what it should be. The secret is always told: what is left out here, GitHub removes.
    #[must_use]
    pub fn wish(url: &str, secret: &str, events: &[&str]) -> Value {
        json!({ "name": "web", "active": true, "events": events,
            "config": { "url": url, "content_type": "json", "insecure_ssl": "0", "secret": secret } })
    }
}

/// One attempt to deliver an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookDelivery {
    pub id: u64,
    /// `X-GitHub-Delivery`, the same for each attempt.
    pub guid: String,
    pub delivered_at: Timestamp,
    pub redelivery: bool,
    /// 0 where nobody answered.
    pub status_code: u16,
    pub status: String,
    pub event: String,
    pub action: Option<String>,
    pub repository_id: Option<u64>,
}

impl HookDelivery {
    #[must_use]
    pub fn read(value: &Value) -> Option<Self> {
        let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        Some(Self {
            id: value.get("id")?.as_u64()?,
            guid: text("guid")?,
            delivered_at: text("delivered_at")?.parse().ok()?,
            redelivery: value.get("redelivery").and_then(Value::as_bool).unwrap_or(false),
            status_code: value.get("status_code").and_then(Value::as_u64).and_then(|code| u16::try_from(code).ok()).unwrap_or(0),
            status: text("status").unwrap_or_default(),
            event: text("event").unwrap_or_default(),
            action: text("action"),
            repository_id: value.get("repository_id").and_then(Value::as_u64),
        })
    }

    #[must_use]
    pub const fn arrived(&self) -> bool {
        matches!(self.status_code, 200..=299)
    }

    /// Whether it was too large for whoever takes it in: sending it again is of no use.
    #[must_use]
    pub const fn too_large(&self) -> bool {
        self.status_code == 413
    }
}
