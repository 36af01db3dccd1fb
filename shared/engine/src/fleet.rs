//! Every integration that is at work, each with its own settings and tokens, on one table: which of them a job is for,
//! and what an organization has lost that several of them look at. Reads nothing of GitHub itself.

use crate::discover::{self, Found, bury, discover_until};
use crate::hooks;
use crate::integration::Webhook;
use crate::model::{Job, ScopeId};
use crate::ports::{Store, StoreError};
use crate::{Env, Error, Settings};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone)]
pub struct Fleet {
    envs: Vec<Env>,
}

/// The repositories that one integration sees of an organization, by key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    pub organization: ScopeId,
    pub repositories: BTreeSet<String>,
    /// When it began to look.
    pub began: Option<Timestamp>,
}

impl Seen {
    /// None unless the organization was seen whole.
    #[must_use]
    pub fn of(found: &Found) -> Option<Self> {
        let whole = found.missing.is_empty() && found.organization > 0 && !found.unfinished;
        whole.then(|| Self { organization: found.organization, repositories: found.listed.clone(), began: found.began })
    }
}

/// How a look at an organization went.
#[derive(Debug)]
pub struct Looked {
    pub integration: Option<String>,
    /// Its login.
    pub org: String,
    pub found: Result<Found, Error>,
}

impl From<Env> for Fleet {
    fn from(env: Env) -> Self {
        Self { envs: vec![env] }
    }
}

impl Fleet {
    /// Tells each which organizations it shares with another.
    #[must_use]
    pub fn new(envs: Vec<Env>) -> Self {
        let orgs: Vec<BTreeSet<String>> = envs.iter().map(|env| lower(&env.settings.orgs)).collect();
        let one = |(index, env): (usize, Env)| {
            let others = orgs.iter().enumerate().filter(|(other, _)| *other != index);
            let shared = others.flat_map(|(_, orgs)| orgs.iter().cloned()).collect();
            env.with(Settings { shared, ..Settings::clone(&env.settings) })
        };
        Self { envs: envs.into_iter().enumerate().map(one).collect() }
    }

    #[must_use]
    pub fn envs(&self) -> &[Env] {
        &self.envs
    }

    /// The integration that sent the job; none where that is paused or removed, and nothing is to be done. A job that
    /// names none is of before there were any, and the first one's: what it may not see, it is told.
    #[must_use]
    pub fn of(&self, job: &Job) -> Option<&Env> {
        let named = self.envs.iter().find(|env| env.settings.integration == job.integration);
        named.or_else(|| self.envs.first().filter(|_| job.integration.is_none()))
    }

    /// Without the organizations of which GitHub tells by itself and that were looked at within a day: once a night what
    /// was told is compared with what there is. One whose webhook nobody made is looked at all the same.
    pub async fn due(&self) -> Result<Self, StoreError> {
        let mut envs = Vec::with_capacity(self.envs.len());
        for env in &self.envs {
            let mut orgs = env.settings.orgs.clone();
            if env.settings.webhook == Webhook::Push {
                let mut due = Vec::new();
                for org in orgs {
                    if !is_told(env, &org).await? {
                        due.push(org);
                    }
                }
                orgs = due;
            }
            envs.push(env.with(Settings { orgs, ..Settings::clone(&env.settings) }));
        }
        Ok(Self { envs })
    }

    /// Looks at each organization of each integration. One that fails does not stop the others; what `deadline` leaves no
    /// time for a job goes on with.
    pub async fn discover(&self, deadline: Timestamp) -> Vec<Looked> {
        let mut all = Vec::new();
        let mut seen: Vec<BTreeMap<String, Seen>> = Vec::new();
        for env in &self.envs {
            let mut own = BTreeMap::new();
            for org in &env.settings.orgs {
                let found = discover_until(org, env, deadline).await;
                own.extend(found.as_ref().ok().and_then(Seen::of).map(|seen| (org.to_lowercase(), seen)));
                all.push(Looked { integration: env.settings.integration.clone(), org: org.clone(), found });
            }
            seen.push(own);
        }
        if let Some(env) = self.envs.first() {
            let orgs: Vec<Vec<String>> = self.envs.iter().map(|env| env.settings.orgs.clone()).collect();
            if let Err(error) = bury_what_none_sees(env.store.as_ref(), env.now(), &orgs, &seen).await {
                all.push(Looked { integration: None, org: "what was deleted".to_owned(), found: Err(error) });
            }
        }
        all
    }
}

/// Whether a webhook tells of the organization, and it was looked at since yesterday.
async fn is_told(env: &Env, org: &str) -> Result<bool, StoreError> {
    let hooks = hooks::hooks(env.store.as_ref(), env.settings.integration.as_deref()).await?;
    if !hooks.iter().any(|hook| hook.mode == Webhook::Push && hook.org().eq_ignore_ascii_case(org)) {
        return Ok(false);
    }
    let last = discover::last(env, org).await?;
    Ok(last.is_some_and(|last| env.now().duration_since(last) < SignedDuration::from_hours(24)))
}

fn lower(orgs: &[String]) -> BTreeSet<String> {
    orgs.iter().map(|org| org.to_lowercase()).collect()
}

/// An organization of several integrations has lost only the repositories that none of them sees any more. `orgs` are
/// those of each integration, `seen` what each saw; where one saw less than all, nothing is decided.
pub async fn bury_what_none_sees(store: &dyn Store, now: Timestamp, orgs: &[Vec<String>], seen: &[BTreeMap<String, Seen>]) -> Result<(), Error> {
    let of_each: Vec<BTreeSet<String>> = orgs.iter().map(|orgs| lower(orgs)).collect();
    for org in of_each.iter().flatten().collect::<BTreeSet<_>>() {
        let by = of_each.iter().filter(|orgs| orgs.contains(org)).count();
        let told: Vec<&Seen> = seen.iter().filter_map(|of| of.get(org)).collect();
        if let Some(first) = told.first().filter(|_| by > 1 && told.len() == by) {
            let all = told.iter().flat_map(|one| one.repositories.iter().cloned()).collect();
            let began = told.iter().filter_map(|one| one.began).min().unwrap_or(now);
            bury(store, now, began, first.organization, &all).await?;
        }
    }
    Ok(())
}
