//! The events that GitHub sends of what happens in the world, in the shapes of its webhooks. Sends nothing itself.
//! <https://docs.github.com/en/webhooks/webhook-events-and-payloads>

use crate::shapes;
use crate::world::{World, nwo};
use serde_json::{Map, Value, json};

/// An event as it leaves GitHub: its `X-GitHub-Event` and its payload.
#[derive(Debug, Clone, PartialEq)]
pub struct Emitted {
    pub name: &'static str,
    pub payload: Value,
}

const WEB: &str = "https://github.com";
const API: &str = "https://api.github.com";

fn extended(base: Value, more: Value) -> Value {
    let (Value::Object(mut base), Value::Object(more)) = (base, more) else { return Value::Null };
    base.extend(more);
    Value::Object(base)
}

fn seconds(repo: &Value, name: &str) -> Value {
    repo.get(name).and_then(Value::as_str).and_then(|at| at.parse::<jiff::Timestamp>().ok()).map_or(Value::Null, |at| json!(at.as_second()))
}

/// `repository`; in pushes, some of its dates are numbers.
fn repository(repo: &Value, push: bool) -> Value {
    let date = |name: &str| if push && name != "updatedAt" { seconds(repo, name) } else { repo.get(name).cloned().unwrap_or_default() };
    let topics: Vec<&Value> =
        repo.get("repositoryTopics").and_then(Value::as_array).into_iter().flatten().filter_map(|topic| topic.pointer("/topic/name")).collect();
    let more = json!({ "default_branch": repo.pointer("/defaultBranchRef/name").cloned().unwrap_or_else(|| json!("main")), "archived": repo.get("isArchived"),
        "disabled": repo.get("isDisabled"), "visibility": repo.get("visibility").and_then(Value::as_str).map(str::to_lowercase), "topics": topics,
        "has_issues": repo.get("hasIssuesEnabled"), "is_template": repo.get("isTemplate"), "size": repo.get("diskUsage"), "language": repo.pointer("/primaryLanguage/name"),
        "stargazers_count": repo.get("stargazerCount"), "forks_count": repo.get("forkCount"),
        "created_at": date("createdAt"), "updated_at": date("updatedAt"), "pushed_at": date("pushedAt") });
    extended(shapes::repository(repo), more)
}

fn lower(value: Option<&Value>) -> Value {
    value.and_then(Value::as_str).map_or(Value::Null, |text| text.to_lowercase().into())
}

fn label(repo: &Value, of: &Value) -> Value {
    let known = repo.get("labels").and_then(Value::as_array).into_iter().flatten().find(|one| one.get("name") == of.get("name")).unwrap_or(of);
    json!({ "id": 1, "node_id": known.get("id"), "name": known.get("name"), "color": known.get("color"), "default": known.get("isDefault"),
        "description": known.get("description"), "url": format!("{API}/repos/{}/labels/x", nwo(repo)) })
}

fn milestone(repo: &Value, of: &Value) -> Value {
    let known = repo.get("milestones").and_then(Value::as_array).into_iter().flatten().find(|one| one.get("number") == of.get("number"));
    let Some(known) = known else { return Value::Null };
    json!({ "id": 1, "node_id": known.get("id"), "number": known.get("number"), "title": known.get("title"), "description": known.get("description"),
        "state": lower(known.get("state")), "creator": shapes::user(known.get("creator").unwrap_or(&Value::Null)), "created_at": known.get("createdAt"),
        "updated_at": known.get("updatedAt"), "closed_at": known.get("closedAt"), "due_on": known.get("dueOn"), "open_issues": 0, "closed_issues": 0 })
}

/// What issues and pull requests have in common.
fn item(repo: &Value, of: &Value, path: &str) -> Map<String, Value> {
    let list = |name: &str| of.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let field = |name: &str| of.get(name).cloned().unwrap_or_default();
    let body = field("body").as_str().filter(|body| !body.is_empty()).map(str::to_owned);
    let item = json!({ "id": field("databaseId"), "node_id": field("id"), "number": field("number"), "state": if field("state") == "OPEN" { "open" } else { "closed" },
        "locked": field("locked"), "title": field("title"), "body": body, "user": shapes::user(&field("author")), "author_association": field("authorAssociation"),
        "created_at": field("createdAt"), "updated_at": field("updatedAt"), "closed_at": field("closedAt"), "comments": list("comments").len(),
        "labels": list("labels").iter().map(|one| label(repo, one)).collect::<Vec<_>>(), "assignees": list("assignees").iter().map(shapes::user).collect::<Vec<_>>(),
        "milestone": milestone(repo, &field("milestone")), "html_url": format!("{WEB}/{}/{path}/{}", nwo(repo), field("number")) });
    if let Value::Object(item) = item { item } else { Map::new() }
}

fn issue(repo: &Value, of: &Value) -> Value {
    let mut issue = item(repo, of, "issues");
    issue.insert("state_reason".to_owned(), lower(of.get("stateReason")));
    issue.insert("type".to_owned(), of.get("issueType").cloned().unwrap_or_default());
    Value::Object(issue)
}

/// A pull request in the shape of an issue, as events of comments have it.
fn pull_as_issue(repo: &Value, of: &Value) -> Value {
    let mut issue = item(repo, of, "pull");
    issue.insert("id".to_owned(), json!(of.get("databaseId").and_then(Value::as_u64).unwrap_or(0) + 1_000_000));
    issue.insert("draft".to_owned(), of.get("isDraft").cloned().unwrap_or_default());
    issue.insert("pull_request".to_owned(), json!({ "url": format!("{API}/repos/{}/pulls/{}", nwo(repo), of.get("number").unwrap_or(&Value::Null)) }));
    Value::Object(issue)
}

/// Inside of other events it has fewer fields.
fn pull(repo: &Value, of: &Value, whole: bool) -> Value {
    let mut pull = item(repo, of, "pull");
    pull.remove("comments");
    let field = |name: &str| of.get(name).cloned().unwrap_or_default();
    let count = |name: &str| of.get(name).and_then(Value::as_array).map_or(0, Vec::len);
    let end = |name: &str, repo: Value| json!({ "ref": field(&format!("{name}RefName")), "sha": field(&format!("{name}RefOid")), "repo": repo, "user": null, "label": "x" });
    let reviewers: Vec<Value> =
        field("reviewRequests").as_array().into_iter().flatten().filter_map(|one| one.get("requestedReviewer")).map(shapes::user).collect();
    let more = json!({ "draft": field("isDraft"), "merged_at": field("mergedAt"), "head": end("head", Value::Null), "base": end("base", shapes::repository(repo)),
        "requested_reviewers": reviewers, "requested_teams": [], "merge_commit_sha": if field("merged") == true { field("mergeCommit") } else { json!("f".repeat(40)) } });
    let rest = json!({ "merged": field("merged"), "merged_by": shapes::user(&field("mergedBy")), "additions": field("additions"), "deletions": field("deletions"),
        "changed_files": field("changedFiles"), "commits": count("commits"), "comments": count("comments"), "review_comments": 0 });
    for more in [Some(more), whole.then_some(rest)].into_iter().flatten() {
        if let Value::Object(more) = more {
            pull.extend(more);
        }
    }
    Value::Object(pull)
}

fn comment(repo: &Value, of: &Value) -> Value {
    let id = of.get("fullDatabaseId").and_then(Value::as_str).and_then(|id| id.parse::<u64>().ok());
    json!({ "id": id, "node_id": of.get("id"), "body": of.get("body"), "user": shapes::user(of.get("author").unwrap_or(&Value::Null)),
        "author_association": of.get("authorAssociation"), "created_at": of.get("createdAt"), "updated_at": of.get("updatedAt"),
        "html_url": format!("{WEB}/{}/issues/1#issuecomment-{}", nwo(repo), id.unwrap_or(0)) })
}

fn number_is(number: u64) -> impl Fn(&&Value) -> bool {
    move |item| item.get("number").and_then(Value::as_u64) == Some(number)
}

impl World {
    fn named(&self, repo: &str) -> Option<&Value> {
        self.repos.iter().find(|one| one.get("name").and_then(Value::as_str) == Some(repo))
    }

    /// Puts an event into the outbox, with what every event has.
    pub fn emit(&mut self, name: &'static str, action: Option<&str>, repo: Option<&Value>, more: Value) {
        let told = self.told(name, action, repo, more);
        self.put(vec![told]);
    }

    fn put(&mut self, told: Vec<Emitted>) {
        if self.emits {
            self.outbox.extend(told);
        }
    }

    fn told(&self, name: &'static str, action: Option<&str>, repo: Option<&Value>, more: Value) -> Emitted {
        let org = json!({ "login": self.org.get("login"), "id": self.org.get("databaseId"), "node_id": self.org.get("id") });
        let sender = shapes::user(&json!({ "__typename": "User", "id": "U_1", "databaseId": 101, "login": "dev-1" }));
        let mut payload = extended(json!({ "organization": org, "sender": sender }), more);
        if let Some(action) = action {
            payload["action"] = json!(action);
        }
        if let Some(repo) = repo {
            payload["repository"] = repository(repo, name == "push");
        }
        Emitted { name, payload }
    }

    /// A repository and one of its items.
    fn found(&self, repo: &str, list: &str, number: u64) -> Option<(&Value, &Value)> {
        let repo = self.named(repo).filter(|_| self.emits)?;
        repo.get(list)?.as_array()?.iter().find(number_is(number)).map(|of| (repo, of))
    }

    fn item_told(&self, (repo, of): (&Value, &Value), list: &str, action: &str) -> Emitted {
        if list == "issues" {
            self.told("issues", Some(action), Some(repo), json!({ "issue": issue(repo, of) }))
        } else {
            self.told("pull_request", Some(action), Some(repo), json!({ "number": of.get("number"), "pull_request": pull(repo, of, true) }))
        }
    }

    fn comment_told(&self, (repo, parent): (&Value, &Value), list: &str, of: &Value, action: &str) -> Emitted {
        let parent = if list == "issues" { issue(repo, parent) } else { pull_as_issue(repo, parent) };
        self.told("issue_comment", Some(action), Some(repo), json!({ "issue": parent, "comment": comment(repo, of) }))
    }

    fn remark_told(&self, (repo, parent): (&Value, &Value), of: &Value, action: &str) -> Emitted {
        let more = json!({ "pull_request": pull(repo, parent, false), "comment": shapes::review_comment(repo, of.clone()) });
        self.told("pull_request_review_comment", Some(action), Some(repo), more)
    }

    /// `list` is `issues` or `pullRequests`.
    pub(crate) fn emit_item(&mut self, repo: &str, list: &str, number: u64, action: &str) {
        let told = self.found(repo, list, number).map(|found| self.item_told(found, list, action));
        self.put(told.into_iter().collect());
    }

    pub(crate) fn emit_comment(&mut self, repo: &str, list: &str, number: u64, of: &Value, action: &str) {
        let told = self.found(repo, list, number).map(|found| self.comment_told(found, list, of, action));
        self.put(told.into_iter().collect());
    }

    pub(crate) fn emit_remark(&mut self, repo: &str, number: u64, of: &Value, action: &str) {
        let told = self.found(repo, "pullRequests", number).map(|found| self.remark_told(found, of, action));
        self.put(told.into_iter().collect());
    }

    /// Everything that is in a new pull request.
    pub(crate) fn emit_pull(&mut self, name: &str, number: u64) {
        let list = "pullRequests";
        let Some(found @ (repo, of)) = self.found(name, list, number) else { return };
        let mut told = vec![self.item_told(found, list, "opened")];
        for review in of.get("reviews").and_then(Value::as_array).into_iter().flatten() {
            let id = review.get("fullDatabaseId").and_then(Value::as_str).and_then(|id| id.parse::<u64>().ok());
            let review = json!({ "id": id, "node_id": review.get("id"), "user": shapes::user(review.get("author").unwrap_or(&Value::Null)), "body": review.get("body"),
                "state": lower(review.get("state")), "commit_id": review.get("commit"), "submitted_at": review.get("submittedAt"), "author_association": review.get("authorAssociation") });
            told.push(self.told("pull_request_review", Some("submitted"), Some(repo), json!({ "pull_request": pull(repo, of, false), "review": review })));
        }
        let comments = of.get("comments").and_then(Value::as_array).into_iter().flatten();
        told.extend(comments.map(|one| self.comment_told(found, list, one, "created")));
        let remarks = repo.get("reviewComments").and_then(Value::as_array).into_iter().flatten().filter(number_is(number));
        told.extend(remarks.map(|remark| self.remark_told(found, remark, "created")));
        self.put(told);
    }

    pub(crate) fn emit_push(&mut self, repo: &str, reference: &str, forced: bool, created: bool) {
        let told = self.named(repo).filter(|_| self.emits).and_then(|repo| self.push_told(repo, reference, forced, created));
        self.put(told.into_iter().collect());
    }

    fn push_told(&self, repo: &Value, reference: &str, forced: bool, created: bool) -> Option<Emitted> {
        let head = repo.pointer("/defaultBranchRef/target").and_then(Value::as_str)?;
        let of = repo.get("commits").and_then(|commits| commits.get(head)).cloned().unwrap_or_default();
        let who = json!({ "name": of.pointer("/author/name"), "email": of.pointer("/author/email"), "username": of.pointer("/author/user/login") });
        let commit = json!({ "id": head, "tree_id": head, "distinct": true, "message": of.get("message"), "timestamp": of.get("committedDate"), "author": who, "committer": who,
            "added": [], "removed": [], "modified": ["src/module_0.rs"], "url": format!("{WEB}/{}/commit/{head}", nwo(repo)) });
        let more = json!({ "ref": reference, "before": "0".repeat(40), "after": head, "created": created, "deleted": false, "forced": forced, "base_ref": null,
            "compare": format!("{WEB}/{}/compare/x", nwo(repo)), "commits": [commit], "head_commit": commit, "pusher": { "name": "dev-1", "email": "dev-1@example.com" } });
        Some(self.told("push", None, Some(repo), more))
    }

    /// The newest of a list: what was just made.
    pub(crate) fn emit_newest(&mut self, name: &str, list: &str) {
        let Some(repo) = self.named(name).filter(|_| self.emits) else { return };
        let mut told = Vec::new();
        let Some(of) = repo.get(list).and_then(Value::as_array).and_then(|list| list.last()) else { return };
        let field = |name: &str| of.get(name).cloned().unwrap_or_default();
        match list {
            "releases" => {
                let tag = field("tagName");
                told.push(self.told(
                    "create",
                    None,
                    Some(repo),
                    json!({ "ref": tag, "ref_type": "tag", "master_branch": "main", "description": null, "pusher_type": "user" }),
                ));
                told.extend(self.push_told(repo, &format!("refs/tags/{}", tag.as_str().unwrap_or_default()), false, true));
                let release = json!({ "id": field("databaseId"), "node_id": field("id"), "tag_name": tag, "target_commitish": "main", "name": field("name"), "body": field("description"),
                    "draft": field("isDraft"), "prerelease": field("isPrerelease"), "author": shapes::user(&field("author")), "created_at": field("createdAt"),
                    "published_at": field("publishedAt"), "assets": [], "html_url": format!("{WEB}/{}/releases/tag/x", nwo(repo)) });
                told.push(self.told("release", Some("published"), Some(repo), json!({ "release": release })));
            }
            "deployments" => {
                let deployment = json!({ "id": field("databaseId"), "node_id": field("id"), "sha": field("commitOid"), "ref": "main", "task": field("task"), "payload": {},
                    "original_environment": field("environment"), "environment": field("environment"), "description": field("description"),
                    "creator": shapes::user(&field("creator")), "created_at": field("createdAt"), "updated_at": field("updatedAt") });
                told.push(self.told("deployment", Some("created"), Some(repo), json!({ "deployment": deployment })));
                let status = of.pointer("/statuses/0").cloned().unwrap_or_default();
                let status = json!({ "id": 1, "node_id": status.get("id"), "state": lower(status.get("state")), "creator": shapes::user(&field("creator")), "description": "",
                    "environment": field("environment"), "created_at": status.get("createdAt"), "updated_at": status.get("updatedAt") });
                told.push(self.told("deployment_status", Some("created"), Some(repo), json!({ "deployment": deployment, "deployment_status": status })));
            }
            "workflowRuns" => {
                let run = shapes::workflow_run(repo, of.clone());
                // Told three times, and here in one second.
                for (action, status) in [("requested", "queued"), ("in_progress", "in_progress"), ("completed", "completed")] {
                    let mut run = run.clone();
                    if action != "completed" {
                        (run["status"], run["conclusion"]) = (json!(status), Value::Null);
                    }
                    told.push(self.told("workflow_run", Some(action), Some(repo), json!({ "workflow_run": run, "workflow": null })));
                }
            }
            _ => {}
        }
        self.put(told);
    }

    pub(crate) fn emit_repository(&mut self, repo: &Value, action: &str, changes: Value) {
        self.emit("repository", Some(action), Some(repo), json!({ "changes": changes }));
    }
}
