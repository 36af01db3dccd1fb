//! The world: an organization as plain data under GraphQL's names, made from a seed, and what can happen to it.
//! Knows nothing of requests.

mod commits;
mod lazy;
mod size;

use crate::events::Emitted;
use crate::objects::Objects;
use crate::random::Random;
use lazy::Lazy;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

pub use size::Size;

type Histories = HashMap<(u64, String), Arc<Vec<String>>>;

#[derive(Default)]
pub struct World {
    pub org: Value,
    pub repos: Vec<Value>,
    /// Those that were transferred to other owners.
    pub elsewhere: Vec<Value>,
    /// Those of a world that is too large to be made at once.
    lazy: Lazy,
    /// The world's clock: seconds since 1970, moved by whatever happens.
    pub now: i64,
    /// What GitHub would tell of by webhook, oldest first.
    pub outbox: Vec<Emitted>,
    /// Whether anything is told: not while the world is made.
    pub emits: bool,
    /// Without odd sizes, and with little time between what happens: so that a million commits fit into a few years.
    plain: bool,
    /// Commits are not git's and name no files, only how many: so that making them is quick and keeping them takes little.
    fileless: bool,
    next_id: u64,
    /// GitHub writes no events of projects into timelines: seen since 2026-09.
    pub silent_timelines: bool,
    pub(crate) random: Random,
    histories: Mutex<Histories>,
    pub(crate) objects: Objects,
}

impl Clone for World {
    fn clone(&self) -> Self {
        Self {
            org: self.org.clone(),
            repos: self.repos.clone(),
            elsewhere: self.elsewhere.clone(),
            lazy: self.lazy.clone(),
            outbox: self.outbox.clone(),
            random: self.random.clone(),
            objects: self.objects.clone(),
            // Found again when it is asked for.
            histories: Mutex::default(),
            ..*self
        }
    }
}

pub(crate) fn nwo(repo: &Value) -> String {
    let owner = repo.pointer("/owner/login").and_then(Value::as_str).unwrap_or_default();
    format!("{owner}/{}", repo.get("name").and_then(Value::as_str).unwrap_or_default())
}

pub(crate) fn time(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map(|time| time.to_string()).unwrap_or_default()
}

const START: i64 = 1_700_000_000;

impl World {
    #[must_use]
    pub fn seeded(seed: u64, sizes: &[Size]) -> Self {
        Self { random: Random(seed), ..Self::default() }.made(sizes)
    }

    /// Without anything that overflows a page for its own sake: for sizes that add up to millions, and for very many small worlds.
    #[must_use]
    pub fn plain(seed: u64, sizes: &[Size]) -> Self {
        Self { random: Random(seed), plain: true, ..Self::default() }.made(sizes)
    }

    /// Plain, with repositories that are made when they are looked at, of which about `room` rows are kept, at 3 KB each:
    /// for sizes that would not fit into memory.
    #[must_use]
    pub fn lazy(seed: u64, sizes: &[Size], room: u64) -> Self {
        Self { lazy: Lazy::new(seed, sizes, room), random: Random(seed), plain: true, ..Self::default() }.made(&[])
    }

    /// Ends with what was looked at long ago.
    pub(crate) fn forget(&mut self) {
        let histories = self.histories.get_mut().unwrap_or_else(PoisonError::into_inner);
        self.lazy.forget(histories);
    }

    fn made(self, sizes: &[Size]) -> Self {
        let mut world = Self { now: START, next_id: 1000, ..self };
        let members: Vec<Value> = (0..8).map(|index| world.user(index)).collect();
        world.org = json!({ "__typename": "Organization", "id": "O_1", "databaseId": 9919, "login": "acme", "name": "Acme", "url": "https://github.com/acme",
            "viewerIsAMember": true, "membersWithRole": members, "teams": [], "projectsV2": [] });
        for (index, size) in sizes.iter().enumerate() {
            world.add_repo(&format!("repo-{index:02}"), *size);
        }
        let members: Vec<Value> = (0..3).map(|index| world.user(index)).collect();
        let repos: Vec<Value> = world.repos.iter().take(2).map(|repo| nwo(repo).into()).collect();
        let team = json!({ "id": "T_1", "databaseId": 501, "name": "Core team", "slug": "core-team", "description": null, "privacy": "VISIBLE",
            "createdAt": time(START), "updatedAt": time(START), "members": members, "repositories": repos });
        world.org["teams"] = json!([team]);
        world.lively_board(300);
        world.emits = true;
        world
    }

    pub(crate) fn user(&self, index: u64) -> Value {
        json!({ "__typename": "User", "id": format!("U_{index}"), "databaseId": 100 + index, "login": format!("dev-{index}"), "name": format!("Developer {index}") })
    }

    /// Anybody: mostly people, sometimes a bot, sometimes nobody any more.
    fn somebody(&mut self) -> Value {
        match self.random.below(16) {
            0 => Value::Null,
            1 => json!({ "__typename": "Bot", "id": "BOT_1", "databaseId": 777, "login": "dependabot" }),
            other => self.user(other % 12),
        }
    }

    pub fn id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    pub(crate) fn tick(&mut self, most: u64) -> String {
        let most = if self.plain { most.min(20) } else { most };
        self.now += 1 + i64::try_from(self.random.below(most)).unwrap_or(0);
        time(self.now)
    }

    /// The object with this node id, whose it is, and its type.
    pub(crate) fn node(&self, id: &str) -> Option<(Option<&Value>, &Value, &'static str)> {
        let lists = [
            ("pullRequests", "id", "PullRequest"),
            ("issues", "id", "Issue"),
            ("labels", "id", "Label"),
            ("milestones", "id", "Milestone"),
            ("releases", "id", "Release"),
            ("deployments", "id", "Deployment"),
            ("reviewComments", "node_id", "PullRequestReviewComment"),
            ("workflowRuns", "node_id", "WorkflowRun"),
        ];
        let is = |item: &&Value, name: &str| item.get(name).and_then(Value::as_str) == Some(id);
        for repo in self.lazy.around(id).into_iter().chain(self.all()) {
            if is(&repo, "id") {
                return Some((Some(repo), repo, "Repository"));
            }
            for (list, name, kind) in lists {
                if let Some(found) = repo.get(list).and_then(Value::as_array).into_iter().flatten().find(|item| is(item, name)) {
                    return Some((Some(repo), found, kind));
                }
            }
        }
        let teams = self.org.get("teams").and_then(Value::as_array).into_iter().flatten();
        if let Some(team) = teams.into_iter().find(|team| is(team, "id")) {
            return Some((None, team, "Team"));
        }
        if let Some(project) = self.projects().find(|project| is(project, "id")) {
            return Some((None, project, "ProjectV2"));
        }
        let mut cards = self.projects().flat_map(crate::projects::items);
        cards.find(|card| is(card, "id")).map(|card| (None, card, "ProjectV2Item"))
    }

    /// Every repository, whoever owns it.
    pub fn all(&self) -> impl Iterator<Item = &Value> {
        self.repos.iter().chain(&self.elsewhere)
    }

    /// Of each repository in the organization's list, all that is in it, or what [`World::whole`] makes whole: long lists
    /// without all but what changed last, with `totals` of them.
    pub(crate) fn listed(&self) -> impl Iterator<Item = &Value> {
        self.repos.iter().chain(self.lazy.briefs())
    }

    /// Of what was listed, all that is in it.
    pub(crate) fn whole<'w>(&'w self, listed: &'w Value) -> &'w Value {
        listed.get("name").and_then(Value::as_str).and_then(|name| self.lazy.named(name)).unwrap_or(listed)
    }

    #[must_use]
    pub fn repo(&self, owner: &str, name: &str) -> Option<&Value> {
        let is = |repo: &&Value| {
            let text = |value: Option<&Value>, wanted: &str| value.and_then(Value::as_str).is_some_and(|text| text.eq_ignore_ascii_case(wanted));
            text(repo.get("name"), name) && text(repo.pointer("/owner/login"), owner)
        };
        let wanted = format!("{owner}/{name}").to_lowercase();
        let former = |repo: &&Value| {
            let names = repo.get("formerNames").and_then(Value::as_array).into_iter().flatten();
            names.into_iter().any(|old| old.as_str() == Some(&wanted))
        };
        self.lazy.named(name).filter(is).or_else(|| self.all().find(is)).or_else(|| self.all().find(former))
    }

    /// Whether `path` is about a repository that everybody may see.
    pub(crate) fn is_public(&self, path: &str) -> bool {
        let mut parts = path.trim_matches('/').split('/');
        let (Some("repos"), Some(owner), Some(name)) = (parts.next(), parts.next(), parts.next()) else { return false };
        self.repo(owner, name).and_then(|repo| repo.get("isPrivate")?.as_bool()) == Some(false)
    }

    pub fn repo_mut(&mut self, name: &str) -> Option<&mut Value> {
        // From the end, where the one is that is being made.
        self.repos.iter_mut().rev().find(|repo| repo.get("name").and_then(Value::as_str) == Some(name))
    }

    pub fn add_repo(&mut self, name: &str, size: Size) {
        // It comes with what is in it.
        let emits = std::mem::take(&mut self.emits);
        let id = self.id();
        let at = self.tick(100);
        let labels: Vec<Value> = ["bug", "enhancement", "good first issue", "ünïcode 🚀"]
            .iter()
            .map(|label| {
                json!({ "id": format!("LA_{id}_{label}"), "name": label, "color": "d73a4a", "description": null, "isDefault": *label == "bug",
                    "createdAt": at, "updatedAt": at })
            })
            .collect();
        let milestones = json!([{ "id": format!("MI_{id}"), "number": 1, "title": "v1.0", "state": "OPEN", "description": "first", "creator": self.user(0),
            "createdAt": at, "updatedAt": at, "closedAt": null, "dueOn": "2025-01-31T00:00:00Z" }]);
        let empty = size.2 == 0;
        let repo = json!({ "__typename": "Repository", "id": format!("R_{id}"), "databaseId": id, "name": name,
            "owner": { "__typename": "Organization", "id": "O_1", "login": "acme" }, "description": format!("The {name} of Acme"),
            "isPrivate": self.random.chance(50), "visibility": "INTERNAL", "isArchived": false, "isFork": false, "isDisabled": false, "isTemplate": false,
            "isEmpty": empty, "hasIssuesEnabled": true, "createdAt": at, "updatedAt": at, "pushedAt": if empty { Value::Null } else { json!(at) },
            "diskUsage": 120, "stargazerCount": 3, "forkCount": 0, "licenseInfo": { "spdxId": "MIT" }, "primaryLanguage": { "name": "Rust" },
            "languages": [{ "name": "Rust", "size": 12345 }, { "name": "Shell", "size": 99 }],
            "repositoryTopics": [{ "topic": { "name": "insights" } }],
            "labels": labels, "milestones": milestones, "refs": [], "releases": [], "deployments": [], "pullRequests": [], "issues": [],
            "commits": {}, "reviewComments": [], "workflowRuns": [], "nextNumber": 1, "defaultBranchRef": null });
        self.repos.push(repo);
        self.push_commits(name, size.2);
        // Issues and pull requests share their numbers, in mixed order.
        let (mut pulls, mut issues) = (size.0, size.1);
        while pulls + issues > 0 {
            if self.random.below(u64::try_from(pulls + issues).unwrap_or(1)) < u64::try_from(pulls).unwrap_or(0) {
                pulls -= 1;
                self.add_pull(name);
            } else {
                issues -= 1;
                self.add_issue(name);
            }
        }
        if !empty {
            self.add_release(name, "v0.1.0");
            self.add_deployment(name);
            self.add_run(name);
        }
        self.emits = emits;
        if let Some(repo) = self.repo_mut(name).cloned().filter(|_| emits) {
            self.emit_repository(&repo, "created", json!({}));
        }
    }

    fn push(&mut self, repo: &str, list: &str, item: Value) {
        if let Some(list) = self.repo_mut(repo).and_then(|repo| repo.get_mut(list)?.as_array_mut()) {
            list.push(item);
        }
    }

    pub(crate) fn head(&self, repo: &str) -> Option<String> {
        let repo = self.repos.iter().rev().find(|one| one.get("name").and_then(Value::as_str) == Some(repo))?;
        Some(repo.pointer("/defaultBranchRef/target")?.as_str()?.to_owned())
    }

    fn next_number(&mut self, repo: &str) -> u64 {
        let Some(repo) = self.repo_mut(repo) else { return 0 };
        let number = repo.get("nextNumber").and_then(Value::as_u64).unwrap_or(1);
        repo["nextNumber"] = json!(number + 1);
        number
    }

    fn event(&mut self, kind: &str, more: Value) -> Value {
        let mut event = json!({ "__typename": kind, "id": format!("EV_{}", self.id()), "createdAt": self.tick(60), "actor": self.somebody() });
        if let (Value::Object(event), Value::Object(more)) = (&mut event, more) {
            event.extend(more);
        }
        event
    }

    fn timeline(&mut self, pull: bool, count: u64) -> Vec<Value> {
        (0..count)
            .map(|index| {
                let (user, reviewer) = (self.user(index % 12), self.user(4));
                match self.random.below(if pull { 12 } else { 9 }) {
                    0 | 1 => self.event("LabeledEvent", json!({ "label": { "name": "bug" } })),
                    2 => self.event("UnlabeledEvent", json!({ "label": { "name": "bug" } })),
                    3 => self.event("AssignedEvent", json!({ "assignee": user })),
                    4 => self.event("RenamedTitleEvent", json!({ "previousTitle": "Old", "currentTitle": "New" })),
                    5 => self.event("MilestonedEvent", json!({ "milestoneTitle": "v1.0" })),
                    6 => self.event("MentionedEvent", json!({})),
                    7 => self.event("SubscribedEvent", json!({})),
                    8 => self.event("ClosedEvent", json!({ "stateReason": "COMPLETED", "closer": null })),
                    9 => self.event("ReviewRequestedEvent", json!({ "requestedReviewer": reviewer })),
                    10 => self.event("ReviewRequestRemovedEvent", json!({ "requestedReviewer": reviewer })),
                    _ => self.event("HeadRefForcePushedEvent", json!({ "beforeCommit": null, "afterCommit": null })),
                }
            })
            .collect()
    }

    fn comments(&mut self, count: u64) -> Vec<Value> {
        (0..count).map(|_| self.comment()).collect()
    }

    pub(crate) fn comment(&mut self) -> Value {
        let (id, at) = (self.id(), self.tick(60));
        json!({ "id": format!("IC_{id}"), "fullDatabaseId": id.to_string(), "body": format!("A remark, № {id} – *naïve*?"), "author": self.somebody(),
            "authorAssociation": "MEMBER", "createdAt": at, "updatedAt": at })
    }

    pub fn add_issue(&mut self, repo: &str) -> u64 {
        let (id, number, at) = (self.id(), self.next_number(repo), self.tick(600));
        let closed = self.random.chance(60);
        // One item in each repository overflows a page of comments, one a page of events.
        let (comments, events) = match (number, self.random.below(60)) {
            (3, _) if !self.plain => (130, 5),
            (4, _) if !self.plain => (1, 140),
            (_, other) => (other % 4, 5 + other % 7),
        };
        let (author, assignee) = (self.somebody(), self.user(id % 12));
        let (comments, timeline) = (self.comments(comments), self.timeline(false, events));
        let updated = time(self.now);
        self.push(
            repo,
            "issues",
            json!({ "id": format!("I_{id}"), "databaseId": id, "fullDatabaseId": id.to_string(), "number": number,
            "state": if closed { "CLOSED" } else { "OPEN" }, "stateReason": if closed { json!("COMPLETED") } else { Value::Null },
            "issueType": { "name": "Task" }, "title": format!("Issue {number}"), "body": "What happens, and what should. ✔", "locked": false, "author": author,
            "authorAssociation": "MEMBER", "createdAt": at, "updatedAt": updated, "closedAt": if closed { json!(updated) } else { Value::Null },
            "milestone": { "title": "v1.0", "number": 1 }, "parent": null, "labels": [{ "name": "bug" }], "assignees": [assignee], "subIssues": [],
            "comments": comments, "timelineItems": timeline }),
        );
        self.emit_item(repo, "issues", number, "opened");
        number
    }

    pub fn add_pull(&mut self, repo: &str) -> u64 {
        let (id, number, at) = (self.id(), self.next_number(repo), self.tick(600));
        let merged = self.random.chance(70);
        let head = self.head(repo);
        let author = self.somebody();
        let reviews: Vec<Value> = (0..self.random.below(5))
            .map(|_| {
                let (id, at) = (self.id(), self.tick(60));
                json!({ "id": format!("PRR_{id}"), "fullDatabaseId": id.to_string(), "state": "APPROVED", "body": "Looks good", "author": self.somebody(),
                    "authorAssociation": "MEMBER", "submittedAt": at, "createdAt": at, "updatedAt": at, "commit": head.clone() })
            })
            .collect();
        let files: Vec<Value> = (0..1 + self.random.below(6))
            .map(|index| json!({ "path": format!("src/file_{index}.rs"), "additions": 3 + index, "deletions": index, "changeType": "MODIFIED" }))
            .collect();
        let count = if number == 5 && !self.plain { 120 } else { self.random.below(4) };
        let comments = self.comments(count);
        let events = 5 + self.random.below(7);
        let timeline = self.timeline(true, events);
        for _ in 0..self.random.below(6) {
            self.add_review_comment(repo, number);
        }
        let updated = time(self.now);
        let commit = head.clone().map(|oid| json!({ "id": format!("PRC_{id}"), "commit": oid }));
        self.push(
            repo,
            "pullRequests",
            json!({ "id": format!("PR_{id}"), "databaseId": id, "fullDatabaseId": id.to_string(), "number": number,
            "state": if merged { "MERGED" } else { "OPEN" }, "isDraft": false, "merged": merged, "locked": false, "title": format!("Pull request {number}"),
            "body": "Why and how.", "author": author, "authorAssociation": "MEMBER", "createdAt": at, "updatedAt": updated,
            "closedAt": if merged { json!(updated) } else { Value::Null }, "mergedAt": if merged { json!(updated) } else { Value::Null },
            "mergedBy": if merged { self.user(1) } else { Value::Null }, "mergeCommit": if merged { json!(head) } else { Value::Null },
            "headRefName": format!("topic-{number}"), "headRefOid": head, "headRepository": null, "baseRefName": "main", "baseRefOid": head,
            "additions": 10, "deletions": 4, "changedFiles": files.len(), "milestone": null, "labels": [{ "name": "enhancement" }],
            "assignees": [self.user(2)], "reviewRequests": [{ "id": "RR_1", "requestedReviewer": self.user(3) }], "closingIssuesReferences": [],
            "commits": commit.into_iter().collect::<Vec<_>>(), "files": files, "reviews": reviews, "comments": comments, "timelineItems": timeline }),
        );
        self.emit_pull(repo, number);
        number
    }

    pub fn add_review_comment(&mut self, repo: &str, number: u64) {
        let (id, at) = (self.id(), self.tick(60));
        let author = self.user(id % 12);
        let name = author.get("login").cloned().unwrap_or_default();
        let user = json!({ "login": name, "id": author.get("databaseId"), "node_id": author.get("id"), "type": "User" });
        let remark = json!({ "id": id, "node_id": format!("PRRC_{id}"), "pull_request_review_id": id, "path": "src/file_0.rs", "body": "Why?",
            "user": user, "author_association": "MEMBER", "line": 3, "original_line": 3, "side": "RIGHT", "commit_id": "0", "original_commit_id": "0",
            "created_at": at, "updated_at": at, "number": number });
        self.push(repo, "reviewComments", remark.clone());
        self.emit_remark(repo, number, &remark, "created");
    }

    pub fn add_release(&mut self, repo: &str, tag: &str) {
        let (id, at, head, author) = (self.id(), self.tick(60), self.head(repo), self.user(0));
        self.push(repo, "refs", json!({ "id": format!("REF_{id}"), "name": tag, "prefix": "refs/tags/", "target": head, "branchProtectionRule": null }));
        self.push(
            repo,
            "releases",
            json!({ "id": format!("RE_{id}"), "databaseId": id, "name": tag, "tagName": tag, "tagCommit": head, "description": "Notes",
            "isDraft": false, "isPrerelease": false, "author": author, "createdAt": at, "publishedAt": at, "updatedAt": at }),
        );
        if let Some(repo) = self.repo_mut(repo) {
            repo["pushedAt"] = json!(at);
        }
        self.emit_newest(repo, "releases");
    }

    pub fn add_deployment(&mut self, repo: &str) {
        let (id, at, head, creator) = (self.id(), self.tick(60), self.head(repo), self.user(0));
        let status = json!({ "id": format!("DS_{id}"), "state": "SUCCESS", "environment": "production", "description": null, "creator": creator, "createdAt": at, "updatedAt": at });
        self.push(
            repo,
            "deployments",
            json!({ "id": format!("DE_{id}"), "databaseId": id, "commitOid": head, "ref": null, "task": "deploy", "environment": "production",
            "description": null, "state": "ACTIVE", "creator": creator, "createdAt": at, "updatedAt": at, "statuses": [status] }),
        );
        self.emit_newest(repo, "deployments");
    }

    pub fn add_run(&mut self, repo: &str) {
        let (id, at, head) = (self.id(), self.tick(60), self.head(repo));
        self.push(repo, "workflowRuns", json!({ "id": id, "node_id": format!("WFR_{id}"), "name": "CI", "workflow_id": 5, "path": ".github/workflows/ci.yml", "run_number": 1,
            "run_attempt": 1, "event": "push", "status": "completed", "conclusion": "success", "head_sha": head, "head_branch": "main",
            "actor": { "login": "dev-1", "id": 101, "node_id": "U_1", "type": "User" }, "pull_requests": [], "created_at": at, "updated_at": at, "run_started_at": at,
            "html_url": format!("https://github.com/acme/{repo}/actions/runs/{id}") }));
        self.emit_newest(repo, "workflowRuns");
    }

    /// What a copy must hold: rows of each entity, by name.
    #[must_use]
    pub fn truth(&self) -> Map<String, Value> {
        let count = |list: &str| -> usize { self.repos.iter().filter_map(|repo| Some(repo.get(list)?.as_array()?.len())).sum() };
        let inside = |list: &str, inner: &str| -> usize {
            let items = self.repos.iter().filter_map(|repo| repo.get(list)?.as_array()).flatten();
            items.filter_map(|item| Some(item.get(inner)?.as_array()?.len())).sum()
        };
        let refs = |prefix: &str| -> usize {
            let all = self.repos.iter().filter_map(|repo| repo.get("refs")?.as_array()).flatten();
            all.filter(|one| one.get("prefix").and_then(Value::as_str) == Some(prefix)).count()
        };
        let reachable: Vec<(&Value, Arc<Vec<String>>)> =
            self.repos.iter().filter_map(|repo| Some((repo, self.history(repo, repo.pointer("/defaultBranchRef/target")?.as_str()?)))).collect();
        let files: usize =
            reachable.iter().flat_map(|(repo, all)| all.iter().filter_map(|oid| Some(repo.get("commits")?.get(oid)?.get("files")?.as_array()?.len()))).sum();
        let mut truth = json!({
            "repositories": self.repos.len(),
            "projects": self.projects().count(), "project_items": self.projects().map(|project| crate::projects::items(project).count()).sum::<usize>(),
            "branches": refs("refs/heads/"), "tags": refs("refs/tags/"),
            "labels": count("labels"), "milestones": count("milestones"), "releases": count("releases"),
            "pull_requests": count("pullRequests"), "issues": count("issues"),
            "reviews": inside("pullRequests", "reviews"), "review_comments": count("reviewComments"),
            "pull_request_commits": inside("pullRequests", "commits"), "pull_request_files": inside("pullRequests", "files"),
            "issue_comments": inside("issues", "comments") + inside("pullRequests", "comments"),
            "issue_events": inside("issues", "timelineItems") + inside("pullRequests", "timelineItems"),
            "commits": reachable.iter().map(|(_, all)| all.len()).sum::<usize>(), "commit_files": files,
            "deployments": count("deployments"), "workflow_runs": count("workflowRuns"), "teams": self.org.get("teams").and_then(Value::as_array).map_or(0, Vec::len),
        });
        for (entity, more) in self.lazy.truth() {
            let here = truth.get(entity).and_then(Value::as_u64).unwrap_or(0);
            truth[entity.as_str()] = json!(here + more.as_u64().unwrap_or(0));
        }
        if let Value::Object(truth) = truth { truth } else { Map::new() }
    }
}
