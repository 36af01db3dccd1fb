//! What a first sync will take, before anything is fetched: rows, requests, points, hours, write units, money. Reads
//! discovery's list, a sample, and some counts; writes nothing and prints nothing. How each sweep pages, it says itself.

mod aws;
mod budget;
mod sample;
mod shape;
mod supposed;

pub use aws::{AwsCost, Item, first_sync_usd};
pub use budget::{TokenBudget, Window};
pub(crate) use shape::{Bill, Counted, Shape, Weight, further};
pub use supposed::Supposed;

use crate::discover::{hint, is_due};
use crate::entities::{self, Group};
use crate::mark::Mark;
use crate::node::Node;
use crate::organization::{self, Pages};
use crate::repository::Repository;
use crate::sweeps::{self, board};
use crate::{Env, Error, FilesFrom, Settings};
use sample::Sample;
use serde::Serialize;
use std::collections::BTreeMap;

/// What the head of the default branch is asked besides, in discovery's query.
const OF_HEAD: &str = "... on Commit { history(first: 1) { totalCount } }";
const OF_ORGANIZATION: &str = "membersWithRole(first: 1) { totalCount } teams(first: 1) { totalCount }";

/// An estimate of a first sync.
#[derive(Debug, Clone, Serialize)]
pub struct Plan {
    pub organizations: Vec<String>,
    pub repositories: u64,
    /// Of these, those without a commit, issue or pull request.
    pub empty: u64,
    pub left_out: u64,
    pub entities: Vec<EntityPlan>,
    pub first_sync: Charge,
    /// Of these, by what they read.
    pub by_sweep: Vec<(&'static str, Charge)>,
    /// What making the plan took.
    pub spent: Charge,
    pub tokens: Vec<TokenBudget>,
    /// With all tokens together.
    pub hours: f64,
    pub aws: AwsCost,
    pub assumptions: Vec<String>,
    pub missing: Vec<String>,
    /// Of the files of commits, if they come from git.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files_from_git: Option<FilesFromGit>,
    pub per_repository: Vec<RepositoryPlan>,
}

/// What git is asked for, and what it saves.
#[derive(Debug, Clone, Serialize)]
pub struct FilesFromGit {
    /// All histories, as GitHub estimates them: the most that is fetched.
    pub megabytes: u64,
    /// The largest of them, which must fit twice on the disk where it is compared; a larger one comes without contents.
    pub largest_megabytes: u64,
    /// REST requests that would be needed instead.
    pub requests_saved: u64,
}

#[derive(Debug, Clone, Serialize)]
pub struct EntityPlan {
    pub entity: &'static str,
    pub rows: u64,
    /// Whether GitHub has no total of it, or was not asked for each repository's.
    pub estimated: bool,
}

/// Requests and points, whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Charge {
    pub requests: u64,
    pub rest: u64,
    pub graphql: u64,
    pub points: u64,
}

#[derive(Debug, Clone, Serialize)]
pub struct RepositoryPlan {
    pub repo: String,
    pub rows: BTreeMap<&'static str, u64>,
    pub first_sync: Charge,
    /// Whether its own items were looked at, or those of others stand for them.
    pub sampled: bool,
}

impl From<Bill> for Charge {
    fn from(bill: Bill) -> Self {
        let (rest, graphql) = (bill.rest.round() as u64, bill.graphql.round() as u64);
        Self { requests: rest + graphql, rest, graphql, points: bill.points.round() as u64 }
    }
}

impl From<github::Spent> for Charge {
    fn from(spent: github::Spent) -> Self {
        Self { requests: spent.requests(), rest: spent.rest, graphql: spent.graphql, points: spent.points }
    }
}

pub(crate) fn queries() -> Vec<(String, String)> {
    vec![("plan".to_owned(), query()), ("plan_sample".to_owned(), sample::query(2, &Group::ALL.into_iter().collect()))]
}

fn query() -> String {
    organization::query(OF_ORGANIZATION, OF_HEAD)
}

/// What discovery's list tells.
#[derive(Default)]
struct Listed {
    repositories: Vec<Repository>,
    left_out: u64,
    missing: Vec<String>,
    people: f64,
    teams: f64,
    /// Items of each project's board.
    boards: Vec<u64>,
    bill: Bill,
    /// Of each repository's history on GitHub's disk.
    kilobytes: Vec<u64>,
}

/// Plans the first sync of every organization in the settings.
pub async fn plan(env: &Env) -> Result<Plan, Error> {
    let env = &env.metered();
    let mut listed = Listed::default();
    for org in &env.settings.orgs {
        list(org, env, &mut listed).await?;
    }
    let sample = Sample::take(env, &listed.repositories, &mut listed.missing).await?;
    let mut bill = listed.bill;
    let mut by_sweep: Vec<(&'static str, Bill)> = vec![("discovery", listed.bill)];
    by_sweep.extend(sweeps::ALL.iter().map(|sweep| (sweep.name(), Bill::default())));
    let mut rows: BTreeMap<&'static str, f64> = BTreeMap::new();
    let mut per_repository = Vec::new();
    let (mut empty, mut jobs) = (0, 0.0);
    let (by_git, by_rest) = (&env.settings, Settings { files_from: FilesFrom::Rest, ..Settings::clone(&env.settings) });
    let mut saved = 0.0;
    for repo in &listed.repositories {
        let shape = sample.shape(repo, env);
        let mut own = Bill::default();
        for sweep in sweeps::ALL.iter().filter(|sweep| sweep.is_wanted(&env.settings) && is_due(env, repo, **sweep, &Mark::default(), None)) {
            let cost = sweep.first_read(&shape, by_git);
            saved += sweep.first_read(&shape, &by_rest).rest - cost.rest;
            by_sweep.iter_mut().filter(|(name, _)| *name == sweep.name()).for_each(|(_, sum)| *sum = *sum + cost);
            own = own + cost;
            jobs += 1.0;
        }
        let held: u64 = [entities::COMMITS.name, entities::ISSUES.name, entities::PULL_REQUESTS.name].iter().filter_map(|name| repo.totals.get(*name)).sum();
        empty += u64::from(held == 0);
        bill = bill + own;
        let wanted: BTreeMap<&'static str, f64> =
            shape.all().filter(|(name, _)| entities::find(name).is_some_and(|one| env.settings.wants(one.group))).collect();
        wanted.iter().for_each(|(name, count)| *rows.entry(name).or_default() += count);
        let rows = wanted.into_iter().map(|(name, count)| (name, count.round() as u64)).collect();
        per_repository.push(RepositoryPlan { repo: repo.full_name(), rows, first_sync: own.into(), sampled: sample.has(repo.id) });
    }
    let boards = listed.boards.iter().map(|items| board::first_read(*items)).fold(Bill::default(), std::ops::Add::add);
    by_sweep.iter_mut().filter(|(name, _)| *name == entities::PROJECT_ITEMS.name).for_each(|(_, sum)| *sum = boards);
    bill = bill + boards;
    if !listed.boards.is_empty() {
        rows.insert(entities::PROJECTS.name, listed.boards.len() as f64);
        rows.insert(entities::PROJECT_ITEMS.name, listed.boards.iter().sum::<u64>() as f64);
    }
    rows.insert(entities::REPOSITORIES.name, listed.repositories.len() as f64);
    rows.insert(entities::USERS.name, listed.people);
    if env.settings.wants(Group::Teams) {
        rows.insert(entities::TEAMS.name, listed.teams);
    }
    let tokens = budget::tokens(env, &bill).await;
    let aws = aws::cost(&rows, &sample.text(), &bill, listed.repositories.len() as f64, jobs);
    let estimated = |name: &str| !shape::TOLD.contains(&name);
    Ok(Plan {
        organizations: env.settings.orgs.clone(),
        repositories: listed.repositories.len() as u64,
        empty,
        left_out: listed.left_out,
        entities: rows.iter().map(|(entity, count)| EntityPlan { entity, rows: count.round() as u64, estimated: estimated(entity) }).collect(),
        first_sync: bill.into(),
        by_sweep: by_sweep.into_iter().filter(|(_, bill)| *bill != Bill::default()).map(|(name, bill)| (name, bill.into())).collect(),
        spent: env.github.spent().into(),
        hours: budget::hours(&tokens, &bill),
        tokens,
        assumptions: assumptions(&sample),
        aws,
        missing: listed.missing,
        files_from_git: (env.settings.wants(Group::CommitFiles) && env.settings.files_from != FilesFrom::Rest).then(|| FilesFromGit {
            megabytes: listed.kilobytes.iter().sum::<u64>() / 1000,
            largest_megabytes: listed.kilobytes.iter().max().copied().unwrap_or_default() / 1000,
            requests_saved: saved.round() as u64,
        }),
        per_repository,
    })
}

async fn list(org: &str, env: &Env, listed: &mut Listed) -> Result<(), Error> {
    let env = &env.about(org);
    let selector = env.settings.selection.compile()?;
    let mut pages = Pages::new(org, env, query());
    let (mut seen, mut people, mut teams) = (0, 0, 0);
    while let Some(answer) = pages.next().await? {
        listed.missing.extend(answer.errors.iter().map(|error| error.message.clone()));
        let organization = Node(&answer.data).at("organization");
        let (login, id) = (organization.str("login").unwrap_or(org), organization.u64("databaseId").unwrap_or(0));
        people = organization.u64("membersWithRole.totalCount").unwrap_or(people);
        teams = organization.u64("teams.totalCount").unwrap_or(teams);
        for node in organization.items("repositories.nodes").filter(|node| node.u64("databaseId").is_some()) {
            seen += 1;
            if !selector.against(node, login).is_empty() {
                listed.left_out += 1;
                continue;
            }
            listed.kilobytes.push(node.u64("diskUsage").unwrap_or_default());
            let mut repo = hint(node, id);
            repo.totals.insert(entities::COMMITS.name.to_owned(), node.u64("defaultBranchRef.target.history.totalCount").unwrap_or(0));
            listed.repositories.push(repo);
        }
    }
    if env.settings.wants(Group::Projects) {
        let boards = crate::projects::count(org, env).await;
        listed.bill = listed.bill + crate::projects::cost(&boards);
        listed.boards.extend(boards);
    }
    let pages = f64::from(1 + further(seen, organization::PAGE));
    listed.bill = listed.bill
        + Bill::queries(pages, &organization::query("", ""), organization::PAGE)
        + crate::people::cost(people, teams, env.settings.wants(Group::Teams));
    listed.people += people as f64;
    listed.teams += teams as f64;
    Ok(())
}

fn assumptions(sample: &Sample) -> Vec<String> {
    let mut all = vec![
        "a first sync without --since, undisturbed: no page is found too heavy and halved, nothing is limited by others who use the token".to_owned(),
        format!(
            "what GitHub has no totals of is estimated from {} repositories: the largest and some of the rest, the newest {} pull requests, issues and commits of each",
            sample.len(),
            sample::ITEMS
        ),
    ];
    all.extend(budget::ASSUMPTIONS.iter().chain(aws::ASSUMPTIONS).map(|text| (*text).to_owned()));
    all
}
