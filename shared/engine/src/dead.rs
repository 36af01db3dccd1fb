//! Jobs and events that were given up after several tries: what they are, and why as far as the copy knows. Where they
//! wait, whoever keeps the queues knows; sends nothing and deletes nothing by itself.

use crate::model::Job;
use crate::ports::{Store, StoreError};
use crate::standing::Standing;
use crate::sweeps::{find, spoken};
use crate::{asked, deliveries, discover};
use async_trait::async_trait;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// A message that was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    pub id: String,
    /// `jobs` or `events`.
    pub queue: &'static str,
    pub sent_at: Option<Timestamp>,
    /// Tries and looks at it, this one included.
    pub received: Option<u64>,
    /// What it was sent with.
    pub attributes: BTreeMap<String, String>,
    pub body: String,
}

/// Why a message was not sent back or deleted.
#[derive(Debug, thiserror::Error)]
pub enum DeadError {
    /// Somebody else has dealt with it, or looks at it just now.
    #[error("there is no message {0}: it was sent back or deleted, or somebody else looks at it just now")]
    Unknown(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Where they wait. Of all, those are meant that nobody else looks at.
#[async_trait]
pub trait Letters: Send + Sync {
    /// All of them, oldest first.
    async fn list(&self) -> Result<Vec<Letter>, StoreError>;
    /// Sends these (or all, if none is named) to where they came from, and returns how many. None, if one is not there.
    async fn redrive(&self, ids: &[String]) -> Result<usize, DeadError>;
    /// Deletes these (or all, if none is named) for good, and returns how many. None, if one is not there.
    async fn purge(&self, ids: &[String]) -> Result<usize, DeadError>;
}

impl Letter {
    fn job(&self) -> Option<Job> {
        if self.attributes.contains_key("event") { None } else { serde_json::from_str(&self.body).ok() }
    }

    /// What it is, as far as it tells.
    #[must_use]
    pub fn what(&self) -> String {
        if let Some(event) = self.attributes.get("event") {
            return format!("{event} {}", self.delivery().unwrap_or_default());
        }
        match self.job() {
            Some(job) if job.sweep == discover::SWEEP => format!("discovery of organization {}", job.scope),
            Some(job) if job.sweep == asked::SWEEP => format!("what events left open of repository {}", job.scope),
            Some(job) => format!("{} of repository {}", spoken(&job.sweep), job.scope),
            None => format!("no job: {}", self.body.chars().take(60).collect::<String>().replace(['\n', '\r', '\t'], " ")),
        }
    }

    /// Of an event.
    #[must_use]
    pub fn delivery(&self) -> Option<&str> {
        self.attributes.get("delivery").map(String::as_str)
    }

    /// Of a job.
    #[must_use]
    pub fn scope(&self) -> Option<u64> {
        self.job().map(|job| job.scope)
    }
}

/// What the copy knows of a message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// The name of a job's repository.
    pub repo: Option<String>,
    /// Why it was given up; none where only the functions' logs know.
    pub why: Option<String>,
}

/// What is known of each, in their order.
pub async fn known(store: &dyn Store, letters: &[Letter], now: Timestamp) -> Result<Vec<Known>, StoreError> {
    let scopes: BTreeSet<u64> = letters.iter().filter_map(Letter::scope).collect();
    let repos = crate::status_of(store, &scopes.into_iter().collect::<Vec<_>>(), now).await?;
    let mut all = Vec::new();
    for letter in letters {
        let trouble = |job: &Job| {
            let entities = find(&job.sweep).ok()?.entities();
            let repo = repos.iter().find(|repo| repo.id == job.scope)?;
            let bad = repo.entities.iter().filter(|one| entities.iter().any(|entity| entity.name == one.entity));
            bad.filter(|one| one.state != Standing::Complete).find_map(|one| Some(one.error.as_ref()?.message.clone()))
        };
        let why = match (letter.delivery(), letter.job()) {
            (Some(delivery), _) => deliveries::find(store, delivery).await?.and_then(|trace| trace.why),
            (None, Some(job)) if find(&job.sweep).is_err() && !job.is_urgent() => Some("this version knows no such job".to_owned()),
            (None, Some(job)) => trouble(&job),
            (None, None) => Some("it is no job".to_owned()),
        };
        let repo = repos.iter().find(|repo| Some(repo.id) == letter.scope()).map(|repo| repo.repo.clone());
        all.push(Known { repo, why });
    }
    Ok(all)
}
