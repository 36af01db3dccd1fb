//! What one request asks for: up to a hundred objects of one kind, and what came of it. Strikes nothing off.

use super::{Open, kind_of, one};
use crate::advance::code;
use crate::entities::{self, BRANCHES, DEPLOYMENTS, Entity, PROJECT_ITEMS, PROJECTS, REPOSITORIES, REVIEW_COMMENTS, TAGS, TEAMS, WORKFLOW_RUNS};
use crate::mark::Mark;
use crate::model::{Job, Presence, Record, ScopeId, project_scope};
use crate::node::{Node, Out, WHO};
use crate::repository::Repository;
use crate::sweeps::{self, Complete, Connection, Overflow, Page, Parent, Visit, board};
use crate::{Env, Error, discover, people, projects};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// As many as GitHub takes ids in one request.
pub(super) const MOST: usize = 100;

const LIMITS: &str = "rateLimit { cost remaining resetAt }";

pub(super) struct Batch {
    entity: &'static Entity,
    open: Vec<Open>,
}

/// What came of a batch.
#[derive(Default)]
pub(super) struct Found {
    pub(super) page: Page,
    /// To be struck off, or to be read on in.
    pub(super) answered: Vec<(Open, Vec<Overflow>)>,
    pub(super) jobs: Vec<Job>,
    /// Id, code, message.
    pub(super) refused: Vec<(String, String, String)>,
}

/// What a node is asked for, besides its id and whose it is.
fn select(entity: &Entity) -> Option<(&'static str, &'static str, String)> {
    let of = |kind: &'static str, list: &Connection| (kind, "repository { databaseId }", (list.select)());
    Some(match entity.name {
        "labels" => of("Label", sweeps::catalogue_list("labels")?),
        "milestones" => of("Milestone", sweeps::catalogue_list("milestones")?),
        "releases" => of("Release", sweeps::catalogue_list("releases")?),
        "deployments" => ("Deployment", "repository { databaseId }", sweeps::DEPLOYMENT.to_owned()),
        "repositories" => ("Repository", "", crate::organization::fields("")),
        "projects" => ("ProjectV2", "owner { ... on Organization { databaseId } }", projects::PROJECT.to_owned()),
        "project_items" => ("ProjectV2Item", "project { id number }", board::item_fields()),
        "teams" => ("Team", "organization { databaseId }", people::TEAM.to_owned()),
        _ => return None,
    })
}

fn nodes_query(entity: &Entity) -> Option<String> {
    if let Some(kind) = kind_of(entity.name) {
        return Some(kind.nodes_query(true));
    }
    let (kind, whose, fields) = select(entity)?;
    let who = if fields.contains("...Who") { WHO } else { "" };
    Some(format!("query($ids: [ID!]!) {{ {LIMITS} nodes(ids: $ids) {{ __typename id ... on {kind} {{ {whose} {fields} }} }} }} {who}"))
}

pub(super) fn is_askable(entity: &Entity) -> bool {
    [&REVIEW_COMMENTS, &WORKFLOW_RUNS, &BRANCHES, &TAGS].contains(&entity) || nodes_query(entity).is_some()
}

/// Each ref under an alias of its own, since a list of names cannot be given.
fn refs_query(list: &Connection, count: usize) -> String {
    let variables: String = (0..count).map(|index| format!(", $r{index}: String!")).collect();
    let select = (list.select)();
    let refs: String = (0..count).map(|index| format!(" r{index}: ref(qualifiedName: $r{index}) {{ {select} }}")).collect();
    format!("query($owner: String!, $name: String!{variables}) {{ {LIMITS} repository(owner: $owner, name: $name) {{ databaseId{refs} }} }}")
}

pub(super) fn queries() -> Vec<(String, String)> {
    let nodes = entities::ALL.iter().filter_map(|entity| Some((format!("asked_{}", entity.name), nodes_query(entity)?)));
    let refs = ["branches", "tags"].into_iter().filter_map(|name| Some((format!("asked_{name}"), refs_query(sweeps::catalogue_list(name)?, 2))));
    let alone = sweeps::ITEMS.iter().map(|kind| (format!("asked_{}_alone", kind.entity.name), kind.nodes_query(false)));
    nodes.chain(refs).chain(alone).collect()
}

impl Batch {
    /// The next ones: what was begun first, then as many of one kind as one request takes.
    pub(super) fn of(open: Vec<Open>, size: usize) -> Option<Self> {
        if let Some(begun) = open.iter().find(|open| !open.kept.overflows.is_empty()) {
            return Some(Self { entity: entities::find(&begun.kept.entity)?, open: vec![begun.clone()] });
        }
        let entity = |open: &Open| entities::find(&open.kept.entity);
        // A name without a kind is one of whoever noted it by node id alone: the id itself tells.
        let first = open.iter().find_map(|open| entity(open).or_else(|| guess(&open.id)))?;
        let one_by_one = first == &REVIEW_COMMENTS || first == &WORKFLOW_RUNS;
        let most = match first.name {
            _ if one_by_one => 1,
            // As many as a page of theirs.
            "pull_requests" => size.min(50),
            _ => size,
        };
        let open = open.into_iter().filter(|open| entity(open).or_else(|| guess(&open.id)) == Some(first)).take(most).collect();
        Some(Self { entity: first, open })
    }

    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = &str> {
        self.open.iter().map(|open| open.id.as_str())
    }

    pub(super) fn org(&self) -> Option<String> {
        self.open.iter().find_map(|open| open.kept.org.clone())
    }

    pub(super) async fn read(&self, job: &Job, repo: Option<&Repository>, env: &Env, now: Timestamp) -> Result<Found, Error> {
        let unknown = || Error::UnknownRepository(job.scope);
        if let Some(open) = self.open.iter().find(|open| !open.kept.overflows.is_empty()) {
            return self.overflow(open, job, repo.ok_or_else(unknown)?, env, now).await;
        }
        if self.entity == &BRANCHES || self.entity == &TAGS {
            return self.refs(job, repo.ok_or_else(unknown)?, env, now).await;
        }
        if self.entity == &REVIEW_COMMENTS || self.entity == &WORKFLOW_RUNS {
            let mut found = Found::default();
            for open in &self.open {
                match one::read(open, self.entity, repo.ok_or_else(unknown)?, env, now).await? {
                    Some(records) => found.page.records.extend(records),
                    None => self.absent(open, job, env, now, &mut found).await?,
                }
                found.answered.push((open.clone(), Vec::new()));
            }
            return Ok(found);
        }
        let query = nodes_query(self.entity).ok_or_else(|| Error::Unreadable(format!("{} cannot be asked for", self.entity.name)))?;
        self.nodes(&query, job, env, now).await
    }

    /// One item without the lists inside it.
    pub(super) async fn read_alone(&self, job: &Job, env: &Env, now: Timestamp) -> Result<Found, Error> {
        match kind_of(self.entity.name) {
            Some(kind) => self.nodes(&kind.nodes_query(false), job, env, now).await,
            None => Ok(Found { answered: self.open.iter().map(|open| (open.clone(), Vec::new())).collect(), ..Found::default() }),
        }
    }

    async fn nodes(&self, query: &str, job: &Job, env: &Env, now: Timestamp) -> Result<Found, Error> {
        let ids: Vec<&str> = self.ids().collect();
        let mut answer = env.graphql(query, &json!({ "ids": ids })).await?;
        let mut absent = BTreeSet::new();
        let mut troubled: BTreeMap<usize, &github::GraphqlError> = BTreeMap::new();
        for error in &answer.errors {
            let place = (error.path.first().map(String::as_str), error.path.get(1).and_then(|index| index.parse::<usize>().ok()));
            let (Some("nodes"), Some(index)) = place else { return Err(Error::Denied { code: "rejected", message: error.message.clone() }) };
            if error.path.len() == 2 && error.kind.as_deref() == Some("NOT_FOUND") {
                absent.insert(index);
            } else {
                troubled.insert(index, error);
            }
        }
        if !troubled.is_empty() && self.len() > 1 {
            // A smaller one finds out which.
            return Err(Error::Heavy);
        }
        let mut found = Found::default();
        let nodes = answer.data.get_mut("nodes").and_then(Value::as_array_mut).map(std::mem::take);
        let nodes = nodes.ok_or_else(|| Error::Unreadable("it has no list of nodes".to_owned()))?;
        for (index, (open, mut node)) in self.open.iter().zip(nodes).enumerate() {
            if let Some(error) = troubled.get(&index) {
                if node.is_null() {
                    let kind = error.kind.as_deref().unwrap_or("rejected").to_lowercase();
                    found.refused.push((open.id.clone(), kind, error.message.clone()));
                    continue;
                }
                tracing::warn!(id = open.id, error = error.message, "a part of it could not be read");
            } else if node.is_null() && !absent.contains(&index) {
                found.refused.push((open.id.clone(), "forbidden".to_owned(), "GitHub shows nothing of it and does not say why".to_owned()));
                continue;
            }
            let board = Node(&node).str("project.id").map(project_scope);
            let whose = Node(&node)
                .u64("repository.databaseId")
                .or_else(|| Node(&node).u64("organization.databaseId"))
                .or_else(|| Node(&node).u64("owner.databaseId"))
                .or(board);
            let elsewhere = self.entity != &REPOSITORIES && whose != Some(job.scope);
            if node.is_null() || elsewhere {
                self.absent(open, job, env, now, &mut found).await?;
                found.answered.push((open.clone(), Vec::new()));
                continue;
            }
            let overflows = self.take(&mut node, job, env, now, &mut found).await?;
            found.answered.push((open.clone(), overflows));
        }
        Ok(found)
    }

    /// Reads one object as its sweep does.
    async fn take(&self, node: &mut Value, job: &Job, env: &Env, now: Timestamp, found: &mut Found) -> Result<Vec<Overflow>, Error> {
        let mut out = Out::new(job.scope, now);
        if let Some(kind) = kind_of(self.entity.name) {
            let (page, overflows) = kind.take(Node(node), job.scope, now);
            found.page.records.extend(page.records);
            found.page.sets.extend(page.sets);
            return Ok(overflows);
        }
        if self.entity == &DEPLOYMENTS {
            sweeps::complete_statuses(env, node).await?;
            sweeps::deployment(Node(node), &mut out);
        } else if self.entity == &REPOSITORIES {
            found.jobs.extend(discover::look_again(Node(node), env).await?);
        } else if self.entity == &PROJECT_ITEMS {
            found.page.ahead.extend(board::item(Node(node), job, env, &mut out).await?);
        } else if self.entity == &PROJECTS {
            projects::project(Node(node), "", &mut out);
        } else if self.entity == &TEAMS {
            let org = self.org().unwrap_or_default();
            people::team(&org, Node(node), env, &mut out).await?;
        } else if let Some(list) = sweeps::catalogue_list(self.entity.name) {
            let parent = Parent { number: 0, kind: "repository", prefix: "" };
            (list.read)(parent, Node(node), &mut out);
        }
        found.page.records.extend(out.records);
        Ok(Vec::new())
    }

    async fn refs(&self, job: &Job, repo: &Repository, env: &Env, now: Timestamp) -> Result<Found, Error> {
        let Some(list) = sweeps::catalogue_list(self.entity.name) else { return Ok(Found::default()) };
        let mut variables = Map::from_iter([("owner".to_owned(), json!(repo.owner)), ("name".to_owned(), json!(repo.name))]);
        variables.extend(self.open.iter().enumerate().map(|(index, open)| (format!("r{index}"), json!(open.id))));
        let answer = env.graphql(&refs_query(list, self.len()), &Value::Object(variables)).await?;
        let mark = Mark::default();
        let visit = Visit { env, job, repo, mark: &mark, page_size: u32::try_from(self.len()).unwrap_or(1), now, deadline: Timestamp::MAX };
        sweeps::check(&visit, &answer)?;
        let root = Node(&answer.data).at("repository");
        let mut found = Found::default();
        let mut out = Out::new(job.scope, now);
        for (index, open) in self.open.iter().enumerate() {
            let node = root.at(&format!("r{index}"));
            if node.exists() {
                (list.read)(Parent { number: 0, kind: "repository", prefix: "" }, node, &mut out);
            } else {
                self.absent(open, job, env, now, &mut found).await?;
            }
            found.answered.push((open.clone(), Vec::new()));
        }
        sweeps::mark_default(&mut out, repo.default_branch.as_deref());
        found.page.records.extend(out.records);
        Ok(found)
    }

    async fn overflow(&self, open: &Open, job: &Job, repo: &Repository, env: &Env, now: Timestamp) -> Result<Found, Error> {
        let mut overflows = open.kept.overflows.clone();
        let (Some(kind), false) = (kind_of(self.entity.name), overflows.is_empty()) else { return Ok(Found::default()) };
        let mark = Mark::default();
        let visit = Visit { env, job, repo, mark: &mark, page_size: 1, now, deadline: Timestamp::MAX };
        let (page, rest) = kind.further(&visit, overflows.remove(0)).await?;
        if let Some(rest) = rest {
            overflows.insert(0, rest);
        }
        Ok(Found { page, answered: vec![(open.clone(), overflows)], ..Found::default() })
    }

    /// GitHub does not have it, or not here: its row becomes a tombstone, and what is kept under it goes, too.
    async fn absent(&self, open: &Open, job: &Job, env: &Env, now: Timestamp, found: &mut Found) -> Result<(), Error> {
        if self.entity == &REPOSITORIES {
            return discover::lost(job.scope, env, now).await;
        }
        let key = open.kept.key.clone();
        if key.is_empty() {
            return Ok(());
        }
        let scope: ScopeId = job.scope;
        let stored = env.store.get(self.entity, scope, std::slice::from_ref(&key)).await?;
        for row in stored.into_iter().filter(|row| !row.gone) {
            let version = row.version.absent(now);
            found.page.records.push(Record { entity: self.entity, scope, key: row.key, version, fields: Map::new(), presence: Presence::Gone });
        }
        let beneath = kind_of(self.entity.name).into_iter().flat_map(sweeps::Kind::beneath);
        let nothing = |entity| Complete { entity, prefix: format!("{key}#"), keys: BTreeSet::new(), upto: None, after: None };
        found.page.sets.extend(beneath.map(nothing));
        Ok(())
    }
}

/// The kind that a node id of GitHub's own tells, such as `I_kwDO…`.
fn guess(id: &str) -> Option<&'static Entity> {
    let prefixes = [("PR_", "pull_requests"), ("I_", "issues"), ("LA_", "labels"), ("MI_", "milestones"), ("RE_", "releases"), ("DE_", "deployments")];
    let more = [("R_", "repositories"), ("T_", "teams"), ("refs/heads/", "branches"), ("refs/tags/", "tags")];
    prefixes.into_iter().chain(more).find(|(prefix, _)| id.starts_with(prefix)).and_then(|(_, name)| entities::find(name))
}

/// What GitHub says of something that is not there; every other error is one.
pub(super) fn is_absent(error: &github::Error) -> bool {
    matches!(code(error), "absent" | "switched_off")
}
