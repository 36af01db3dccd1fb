//! Looks at some repositories closely, so that the rest can be estimated: how long the lists inside items are, how many
//! review comments and workflow runs there are. At most ten repositories a query, and two REST requests for each.

use super::shape::{Shape, Weight};
use crate::entities::{COMMITS, Group, ISSUES, PULL_REQUESTS, REVIEW_REQUESTS};
use crate::model::ScopeId;
use crate::node::Node;
use crate::organization::patiently;
use crate::repository::Repository;
use crate::sweeps::{self, Sweep};
use crate::{Env, Error};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Items of each kind that are looked at in a repository.
pub(crate) const ITEMS: u64 = 50;
/// Repositories looked at: the largest by items and by commits, and some spread over the rest, from large to small.
const LARGEST: usize = 5;
const SPREAD: usize = 10;
/// Repositories a query.
const BATCH: usize = 10;
/// What a first page holds anyway need not be counted.
const FEW: u64 = 20;
/// Nothing tells how often reviews are asked for.
const REVIEW_REQUESTS_EACH: f64 = 1.0;

/// What was seen of one repository: by sweep, its weight, or how many items REST counts.
#[derive(Default, Clone)]
struct Seen {
    weights: BTreeMap<&'static str, Weight>,
    counts: BTreeMap<&'static str, f64>,
}

#[derive(Default)]
pub(crate) struct Sample {
    seen: BTreeMap<ScopeId, Seen>,
    /// Of those that stand for the rest: weights, and how many there are of what only REST counts.
    typical: BTreeMap<&'static str, Weight>,
    ratios: BTreeMap<&'static str, f64>,
}

/// `count` repositories by `$o0`, `$n0`, ….
pub(crate) fn query(count: usize, groups: &BTreeSet<Group>) -> String {
    let variables: String = (0..count).map(|index| format!(", $o{index}: String!, $n{index}: String!")).collect();
    let repositories: String = (0..count).map(|index| format!("r{index}: repository(owner: $o{index}, name: $n{index}) {{ ...Sample }} ")).collect();
    let inside: Vec<String> = sweeps::ALL.iter().filter(|sweep| groups.contains(&sweep.group())).filter_map(|sweep| sweep.sample()).collect();
    let inside = inside.join(" ");
    format!("query($items: Int!{variables}) {{ rateLimit {{ cost remaining resetAt }} {repositories}}} fragment Sample on Repository {{ databaseId {inside} }}")
}

fn total(repo: &Repository, entity: &str) -> u64 {
    repo.totals.get(entity).copied().unwrap_or(0)
}

impl Sample {
    pub(crate) async fn take(env: &Env, repositories: &[Repository], missing: &mut Vec<String>) -> Result<Self, Error> {
        let mut sample = Self::default();
        let items = |repo: &Repository| total(repo, PULL_REQUESTS.name) + total(repo, ISSUES.name);
        let mut order: Vec<&Repository> = repositories.iter().filter(|repo| items(repo) + total(repo, COMMITS.name) > 0).collect();
        order.sort_by_key(|repo| std::cmp::Reverse((total(repo, COMMITS.name), repo.id)));
        let mut large: Vec<&Repository> = order.iter().take(LARGEST).copied().collect();
        order.sort_by_key(|repo| std::cmp::Reverse((items(repo), repo.id)));
        large.extend(order.iter().take(LARGEST).filter(|repo| !large.iter().any(|one| one.id == repo.id)).copied().collect::<Vec<_>>());
        let rest: Vec<&Repository> = order.into_iter().filter(|repo| !large.iter().any(|one| one.id == repo.id)).collect();
        let spread: Vec<&Repository> =
            (0..SPREAD.min(rest.len())).filter_map(|index| rest.get((2 * index + 1) * rest.len() / (2 * SPREAD.min(rest.len())))).copied().collect();
        let all: Vec<&Repository> = large.iter().chain(&spread).copied().collect();
        for batch in all.chunks(BATCH) {
            sample.look(env, batch, missing).await?;
        }
        sample.count(env, &all).await?;
        // The large ones speak for themselves; where there are no others, for all.
        sample.settle(if spread.is_empty() { &large } else { &spread });
        for sweep in sweeps::ALL {
            let ratio = sample.ratio(*sweep, &spread).or_else(|| sample.ratio(*sweep, &all));
            sample.ratios.extend(ratio.map(|ratio| (sweep.name(), ratio)));
        }
        Ok(sample)
    }

    async fn look(&mut self, env: &Env, batch: &[&Repository], missing: &mut Vec<String>) -> Result<(), Error> {
        let groups = &env.settings.groups;
        if !sweeps::ALL.iter().any(|sweep| groups.contains(&sweep.group()) && sweep.sample().is_some()) {
            return Ok(());
        }
        let most = batch.iter().flat_map(|repo| [PULL_REQUESTS.name, ISSUES.name, COMMITS.name].map(|name| total(repo, name))).max().unwrap_or(0);
        let mut items = most.clamp(1, ITEMS);
        let mut variables = Map::new();
        for (index, repo) in batch.iter().enumerate() {
            variables.insert(format!("o{index}"), repo.owner.clone().into());
            variables.insert(format!("n{index}"), repo.name.clone().into());
        }
        let answer = loop {
            variables.insert("items".to_owned(), items.into());
            match patiently(env, &query(batch.len(), groups), &Value::Object(variables.clone())).await {
                Err(Error::GitHub(github::Error::TooHeavy { .. })) if items > 1 => items /= 4,
                Err(Error::GitHub(error @ (github::Error::TooHeavy { .. } | github::Error::Rejected { .. }))) => {
                    missing.push(format!("a sample of {} repositories: {error}", batch.len()));
                    return Ok(());
                }
                other => break other?,
            }
        };
        for (index, repo) in batch.iter().enumerate() {
            let node = Node(&answer.data).at(&format!("r{index}"));
            if node.u64("databaseId") != Some(repo.id) {
                continue;
            }
            let weights = sweeps::ALL.iter().map(|sweep| (sweep.name(), sweep.weigh(node))).filter(|(_, weight)| weight.items > 0.0).collect();
            self.seen.insert(repo.id, Seen { weights, ..Seen::default() });
        }
        Ok(())
    }

    /// What only REST counts, in those where it takes more than a page.
    async fn count(&mut self, env: &Env, repositories: &[&Repository]) -> Result<(), Error> {
        for sweep in sweeps::ALL.iter().filter(|sweep| env.settings.wants(sweep.group())) {
            for repo in repositories {
                let Some(counted) = sweep.counted_at(repo).filter(|counted| total(repo, counted.per) >= FEW) else { continue };
                let reply = match env.about(&repo.owner).rest(&counted.path).await {
                    Ok(reply) => reply,
                    Err(error @ (Error::Waiting { .. } | Error::Store(_) | Error::GitHub(github::Error::Unauthenticated))) => return Err(error),
                    // What cannot be counted is estimated like what was not looked at.
                    Err(_) => continue,
                };
                let listed = || reply.pages.or_else(|| u64::try_from(reply.body.as_array()?.len()).ok());
                let count = Node(&reply.body).u64("total_count").or_else(listed);
                if let Some(count) = count {
                    self.seen.entry(repo.id).or_default().counts.insert(sweep.name(), count as f64);
                }
            }
        }
        Ok(())
    }

    fn settle(&mut self, typical: &[&Repository]) {
        for seen in typical.iter().filter_map(|repo| self.seen.get(&repo.id)) {
            for (name, weight) in &seen.weights {
                self.typical.entry(name).or_default().add(weight);
            }
        }
    }

    /// How many a sweep's items are, each of what they are counted per: in typical repositories, else in all that were
    /// looked at, else what is usual.
    fn ratio(&self, sweep: &dyn Sweep, among: &[&Repository]) -> Option<f64> {
        let (mut count, mut per) = (0.0, 0.0);
        for repo in among {
            let counted = self.seen.get(&repo.id).and_then(|seen| seen.counts.get(sweep.name()));
            if let (Some(counted), Some(at)) = (counted, sweep.counted_at(repo)) {
                count += counted;
                per += total(repo, at.per) as f64;
            }
        }
        (per > 0.0).then_some(count / per)
    }

    pub(crate) fn len(&self) -> usize {
        self.seen.len()
    }

    pub(crate) fn has(&self, repo: ScopeId) -> bool {
        self.seen.contains_key(&repo)
    }

    /// Bytes of text an item has, by entity.
    pub(crate) fn text(&self) -> BTreeMap<&'static str, f64> {
        let mut sums: BTreeMap<&'static str, (f64, f64)> = BTreeMap::new();
        for (name, weight) in self.seen.values().flat_map(|seen| &seen.weights) {
            let sum = sums.entry(name).or_default();
            *sum = (sum.0 + weight.text, sum.1 + weight.items);
        }
        sums.into_iter().filter(|(_, (_, items))| *items > 0.0).map(|(name, (text, items))| (name, text / items)).collect()
    }

    /// A repository's totals, and what follows from the sample for what has none.
    pub(crate) fn shape(&self, repo: &Repository, env: &Env) -> Shape {
        let told = super::shape::TOLD.iter().map(|name| (*name, total(repo, name) as f64));
        let mut shape = Shape { rows: told.filter(|(_, rows)| *rows > 0.0).collect(), groups: env.settings.groups.clone(), ..Shape::default() };
        let seen = self.seen.get(&repo.id);
        for sweep in sweeps::ALL {
            let name = sweep.name();
            if let Some(counted) = sweep.counted_at(repo) {
                let estimate = || self.ratios.get(name).copied().unwrap_or(counted.each) * total(repo, counted.per) as f64;
                let rows = seen.and_then(|seen| seen.counts.get(name)).copied().unwrap_or_else(estimate);
                shape.rows.insert(name, rows);
            }
            let own = seen.and_then(|seen| seen.weights.get(name));
            let Some(weight) = own.or_else(|| self.typical.get(name)).filter(|weight| weight.items > 0.0) else { continue };
            let items = total(repo, weight.of) as f64;
            shape.further.insert(name, weight.further / weight.items * items);
            for (entity, rows) in &weight.rows {
                *shape.rows.entry(entity).or_default() += rows / weight.items * items;
            }
        }
        shape.rows.insert(REVIEW_REQUESTS.name, shape.rows(PULL_REQUESTS.name) * REVIEW_REQUESTS_EACH);
        shape
    }
}
