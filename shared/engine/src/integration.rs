//! An installed connector: which GitHub, which organizations and repositories, what of them, where the token is. Kept
//! in the table as state. Knows no secret.

use crate::entities::Group;
use crate::env::{Branches, FilesFrom, Settings};
use crate::model::StateKey;
use crate::ports::{Store, StoreError, Vault};
use crate::selection::Selection;
use crate::tokens::Tokens;
use github::{ApiUrl, Credential};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;

/// All integrations, by name in lower case.
const PARTITION: &str = "integrations";

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Integration {
    pub name: String,
    /// The address of the API.
    pub github: String,
    pub organizations: Vec<String>,
    pub credentials: Credentials,
    #[serde(default)]
    pub repositories: Selection,
    /// What is fetched; what is not named here is not, and what was fetched of it before stays.
    pub fetch: BTreeSet<Group>,
    /// Nothing that last changed before this is read.
    #[serde(default)]
    pub since: Option<Timestamp>,
    /// Share of each token's budget that is left to its owner.
    #[serde(default = "reserve")]
    pub reserve_percent: u32,
    /// A file with certificates in PEM of authorities to trust besides the machine's.
    #[serde(default)]
    pub ca_cert: Option<String>,
    /// What GitHub tells by itself.
    #[serde(default)]
    pub webhook: Webhook,
    /// Where GitHub tells it.
    #[serde(default)]
    pub webhook_url: Option<String>,
    /// Where the files of commits are read from.
    #[serde(default)]
    pub files_from: FilesFrom,
    /// Whose commits are copied.
    #[serde(default)]
    pub branches: Branches,
    /// Nothing is fetched until it is resumed.
    #[serde(default)]
    pub paused: bool,
}

/// Where the tokens are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Credentials {
    /// `GITHUB_TOKEN` and `GITHUB_TOKENS`, at each run.
    Environment,
    /// Kept beside the copy, under the integration's name.
    Stored,
}

/// What GitHub tells by itself, over a webhook.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Webhook {
    /// Nothing: everything is asked for.
    #[default]
    None,
    /// Issues and projects, so that the times of moves are exact; the rest is asked for.
    Stages,
    /// Everything; after a first copy, nothing is asked for but what may have been missed.
    Push,
}

impl Webhook {
    pub const ALL: [Self; 3] = [Self::None, Self::Stages, Self::Push];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Stages => "stages",
            Self::Push => "push",
        }
    }

    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }
}

const fn reserve() -> u32 {
    10
}

/// Why an integration is not one, by what to do.
#[derive(Debug, thiserror::Error)]
pub enum IntegrationError {
    #[error("`{0}` is not a name: use 1 to 64 letters, digits, hyphens, dots and underscores, and begin with a letter or digit")]
    Name(String),
    #[error("there is an integration `{0}` already. Choose another name, or change it with `sei-github integrations edit {0}`")]
    Taken(String),
    #[error("there is no integration `{name}`. {}", if there.is_empty() { "There is none yet: `sei-github connect` makes one".to_owned() } else { format!("There are: {}", there.join(", ")) })]
    Unknown { name: String, there: Vec<String> },
    #[error("`{0}` is not the login of an organization: give the last part of https://github.com/LOGIN")]
    Login(String),
    /// Ids are a server's own: two servers in one copy would mix.
    #[error("this copy is of {here}: choose another place for {wanted} with --data-dir or --stack")]
    OtherGitHub { here: String, wanted: String },
    #[error("an integration needs an organization")]
    NoOrganization,
    #[error("`{0}` is not an address for a webhook: it begins with https:// (http:// for tests), and has neither credentials nor a fragment")]
    WebhookUrl(String),
    #[error("a webhook needs an address that GitHub can reach: give it with --webhook-url, such as the WebhookUrl of the deployed stack")]
    NoWebhookUrl,
    #[error("a reserve of {0} % leaves nothing to work with: use 0 to 90")]
    Reserve(u32),
    #[error(transparent)]
    Pattern(Box<crate::Error>),
    /// What is stored was not written by this version.
    #[error("the integration `{name}` cannot be read: {why}")]
    Unreadable { name: String, why: String },
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Integration {
    /// Takes everything of these organizations.
    #[must_use]
    pub fn new(name: &str, github: &str, organizations: Vec<String>, credentials: Credentials) -> Self {
        Self {
            name: name.to_owned(),
            github: github.to_owned(),
            organizations,
            credentials,
            repositories: Selection::default(),
            fetch: Group::ALL.into_iter().filter(|group| *group != Group::Always).collect(),
            since: None,
            reserve_percent: reserve(),
            ca_cert: None,
            webhook: Webhook::None,
            webhook_url: None,
            files_from: FilesFrom::Auto,
            branches: Branches::Default,
            paused: false,
        }
    }

    pub fn validate(&self) -> Result<(), IntegrationError> {
        if self.organizations.is_empty() {
            return Err(IntegrationError::NoOrganization);
        }
        let login = |org: &&String| !org.is_empty() && org.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_'));
        if let Some(wrong) = self.organizations.iter().find(|org| !login(org)) {
            return Err(IntegrationError::Login(wrong.clone()));
        }
        is_name(&self.name)?;
        match &self.webhook_url {
            Some(url) if !is_address(url) => return Err(IntegrationError::WebhookUrl(url.clone())),
            None if self.webhook != Webhook::None => return Err(IntegrationError::NoWebhookUrl),
            _ => {}
        }
        if self.reserve_percent > 90 {
            return Err(IntegrationError::Reserve(self.reserve_percent));
        }
        self.repositories.compile().map(|_| ()).map_err(|error| IntegrationError::Pattern(Box::new(error)))
    }

    #[must_use]
    pub fn settings(&self) -> Settings {
        Settings {
            orgs: self.organizations.clone(),
            selection: self.repositories.clone(),
            groups: self.fetch.clone(),
            since: self.since,
            reserve_percent: self.reserve_percent,
            integration: Some(self.name.clone()),
            webhook: self.webhook,
            files_from: self.files_from,
            branches: self.branches,
            ..Settings::default()
        }
    }
}

pub fn is_name(name: &str) -> Result<(), IntegrationError> {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    let good = name.len() <= 64 && name.starts_with(|first: char| first.is_ascii_alphanumeric()) && name.chars().all(plain);
    if good { Ok(()) } else { Err(IntegrationError::Name(name.to_owned())) }
}

/// Whether GitHub could deliver to it.
#[must_use]
pub fn is_address(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    rest.is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '[') && !rest.contains(['@', '#', ' ']))
}

fn key(name: &str) -> StateKey {
    StateKey { of: PARTITION.to_owned(), name: name.to_lowercase() }
}

/// Every integration, by name.
pub async fn integrations(store: &dyn Store) -> Result<Vec<Integration>, IntegrationError> {
    let stored = store.states_of(PARTITION).await?;
    let read = |(name, state): (String, crate::State)| {
        serde_json::from_value(state.value).map_err(|error| IntegrationError::Unreadable { name, why: error.to_string() })
    };
    stored.into_iter().map(read).collect()
}

/// The one of this name, in any case.
pub async fn integration(store: &dyn Store, name: &str) -> Result<Integration, IntegrationError> {
    let all = integrations(store).await?;
    let there = all.iter().map(|one| one.name.clone()).collect();
    all.into_iter().find(|one| one.name.eq_ignore_ascii_case(name)).ok_or(IntegrationError::Unknown { name: name.to_owned(), there })
}

/// Whether one of this name and of this GitHub may be added. Told before anything is asked of GitHub or of its owner.
pub async fn is_free(store: &dyn Store, new: &Integration) -> Result<(), IntegrationError> {
    let all = integrations(store).await?;
    if let Some(taken) = all.iter().find(|one| one.name.eq_ignore_ascii_case(&new.name)) {
        return Err(IntegrationError::Taken(taken.name.clone()));
    }
    let host = |one: &Integration| ApiUrl::parse(&one.github).map(|url| url.host().to_owned()).unwrap_or_default();
    match all.iter().find(|one| host(one) != host(new)) {
        Some(other) => Err(IntegrationError::OtherGitHub { here: host(other), wanted: host(new) }),
        None => Ok(()),
    }
}

/// Stores an integration's credentials under `name`: instead of what was there or, where several share that name, beside it.
pub async fn keep(vault: &dyn Vault, name: &str, credentials: &[Credential], beside: bool) -> Result<(), StoreError> {
    loop {
        let kept = vault.read(name).await?;
        let mut all = if beside { kept.credentials } else { Vec::new() };
        for one in credentials {
            if !all.contains(one) {
                all.push(one.clone());
            }
        }
        match vault.replace(name, &kept.revision, &all).await {
            Err(StoreError::Conflict) => {}
            other => return other.map(|_| ()),
        }
    }
}

/// The tokens to ask a GitHub with: of the credentials at hand or, where there are none, of those that are kept under a
/// name; none if there are none at all.
pub async fn pool(
    url: &ApiUrl,
    at_hand: &[Credential],
    kept: Option<(Arc<dyn Vault>, &str)>,
    ca: Option<&[u8]>,
    now: Timestamp,
) -> Result<Option<Tokens>, crate::Error> {
    if !at_hand.is_empty() {
        return Ok(Some(Tokens::connect(url.clone(), at_hand, ca, now).await?));
    }
    let Some((vault, name)) = kept else { return Ok(None) };
    let credentials = vault.read(name).await?.credentials;
    if credentials.is_empty() {
        return Ok(None);
    }
    Ok(Some(Tokens::connect(url.clone(), &credentials, ca, now).await?.kept_in(vault, name)))
}

/// Adds one; the name must be free.
pub async fn add(store: &dyn Store, new: &Integration) -> Result<(), IntegrationError> {
    new.validate()?;
    match store.save(&key(&new.name), 0, &value(new)?).await {
        Err(StoreError::Conflict) => Err(IntegrationError::Taken(new.name.clone())),
        other => Ok(other.map(|_| ())?),
    }
}

/// Reads one, changes it, and writes it back whole.
pub async fn change(store: &dyn Store, name: &str, edit: impl Fn(&mut Integration)) -> Result<Integration, IntegrationError> {
    loop {
        let mut one = integration(store, name).await?;
        let revision = store.states(&[key(&one.name)]).await?.first().map_or(0, |state| state.revision);
        edit(&mut one);
        one.validate()?;
        match store.save(&key(&one.name), revision, &value(&one)?).await {
            Err(StoreError::Conflict) => {}
            other => return Ok(other.map(|_| one)?),
        }
    }
}

/// Forgets it; what it copied stays.
pub async fn remove(store: &dyn Store, name: &str) -> Result<Integration, IntegrationError> {
    let one = integration(store, name).await?;
    loop {
        let revision = store.states(&[key(&one.name)]).await?.first().map_or(0, |state| state.revision);
        match store.save(&key(&one.name), revision, &serde_json::Value::Null).await {
            Err(StoreError::Conflict) => {}
            other => {
                other?;
                crate::discover::forget(store, &one.name).await?;
                return Ok(one);
            }
        }
    }
}

fn value(one: &Integration) -> Result<serde_json::Value, IntegrationError> {
    serde_json::to_value(one).map_err(|error| IntegrationError::Unreadable { name: one.name.clone(), why: error.to_string() })
}
