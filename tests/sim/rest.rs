//! The REST routes: shapes, `Link` headers and validators as GitHub documents them.

mod items;
mod kept;
mod lists;
mod people;

use crate::profile::Refusal;
use crate::shapes;
use crate::world::{World, nwo};
use lists::{all, listed, newest_first, page, pages_of, since};
use serde_json::{Value, json};
use std::collections::HashMap;

pub(crate) struct Found {
    pub(crate) body: Value,
    pub(crate) next: Option<Next>,
}

/// Queries of the page that follows, and of the last one.
pub(crate) struct Next {
    pub(crate) next: String,
    pub(crate) last: String,
}

pub(crate) enum Answer {
    Found(Found),
    NotFound,
    Moved(u64),
    Refused(Refusal),
}

pub(crate) fn answer(world: &World, path: &str, query: &HashMap<String, String>) -> Answer {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    match parts.as_slice() {
        ["orgs", org, rest @ ..] if world.org.get("login").and_then(Value::as_str) == Some(org) => people::of_organization(world, org, rest, query),
        ["users", login, rest @ ..] => people::of_user(world, login, rest),
        ["repos", owner, name, rest @ ..] => match world.repo(owner, name) {
            None => Answer::NotFound,
            Some(repo) if nwo(repo).to_lowercase() != format!("{owner}/{name}").to_lowercase() => {
                Answer::Moved(repo.get("databaseId").and_then(Value::as_u64).unwrap_or(0))
            }
            Some(repo) => of(world, repo, rest, query),
        },
        ["repositories", id, rest @ ..] => {
            let found = world.all().find(|repo| repo.get("databaseId").and_then(Value::as_u64).map(|id| id.to_string()).as_deref() == Some(*id));
            found.map_or(Answer::NotFound, |repo| of(world, repo, rest, query))
        }
        _ => Answer::NotFound,
    }
}

fn one(body: Value) -> Answer {
    Answer::Found(Found { body, next: None })
}

fn of(world: &World, repo: &Value, rest: &[&str], query: &HashMap<String, String>) -> Answer {
    match rest {
        [] => one(shapes::full_repository(repo)),
        ["pulls", "comments"] => review_comments(repo, query, |_| true),
        ["pulls", number, "comments"] => review_comments(repo, query, |comment| comment.get("number").map(Value::to_string).as_deref() == Some(*number)),
        ["pulls", "comments", id] => {
            let found = all(repo, "reviewComments").iter().find(|comment| comment.get("id").map(Value::to_string).as_deref() == Some(*id));
            found.map_or(Answer::NotFound, |comment| one(shapes::review_comment(repo, comment.clone())))
        }
        ["pulls", rest @ ..] => items::of_pulls(repo, rest, query),
        ["issues", rest @ ..] => items::of_issues(repo, rest, query),
        ["actions", "workflows"] => one(json!({ "total_count": 0, "workflows": [] })),
        ["actions", "runs", id] => {
            let found = all(repo, "workflowRuns").iter().find(|run| run.get("id").map(Value::to_string).as_deref() == Some(*id));
            found.map_or(Answer::NotFound, |run| one(shapes::workflow_run(repo, run.clone())))
        }
        ["actions", "runs"] => {
            let mut runs: Vec<&Value> = all(repo, "workflowRuns").iter().rev().collect();
            if let Some(before) = query.get("created").and_then(|range| range.strip_prefix("<=")?.parse::<jiff::Timestamp>().ok()) {
                let at = |run: &Value| run.get("created_at").and_then(Value::as_str).and_then(|at| at.parse::<jiff::Timestamp>().ok());
                runs.retain(|run| at(run).is_some_and(|at| at <= before));
            }
            let total = runs.len();
            // With a filter, GitHub gives no more than a thousand.
            runs.truncate(if query.contains_key("created") { 1000 } else { usize::MAX });
            let (body, next) = page(runs, query);
            let body: Vec<Value> = body.into_iter().map(|run| shapes::workflow_run(repo, run.clone())).collect();
            Answer::Found(Found { body: json!({ "total_count": total, "workflow_runs": body }), next })
        }
        ["commits", sha] => {
            let Some(commit) = repo.get("commits").and_then(|commits| commits.get(*sha)) else { return Answer::NotFound };
            let files = commit.get("files").and_then(Value::as_array).cloned().unwrap_or_default();
            // GitHub gives 300 files a page whatever is asked for, and 3,000 in all.
            let mut query = query.clone();
            query.remove("per_page");
            let (files, next) = pages_of(300, files.into_iter().take(3000).collect(), &query);
            let body = shapes::commit(repo, sha, commit, files);
            Answer::Found(Found { body, next })
        }
        ["assignees" | "collaborators" | "contributors" | "teams"] => people::of_repository(world, repo, rest, query),
        _ => kept::answer(world, repo, rest, query),
    }
}

/// Of a repository or of a pull request. A malformed `since` is ignored in silence, as GitHub does.
fn review_comments(repo: &Value, query: &HashMap<String, String>, belongs: impl Fn(&Value) -> bool) -> Answer {
    let key = if query.get("sort").map(String::as_str) == Some("updated") { "updated_at" } else { "created_at" };
    let since = since(query);
    let later = |comment: &Value| since.as_deref().is_none_or(|since| comment.get("updated_at").and_then(Value::as_str).is_some_and(|at| at >= since));
    let mut comments: Vec<&Value> = all(repo, "reviewComments").iter().filter(|comment| belongs(comment) && later(comment)).collect();
    lists::sort(&mut comments, key, newest_first(query, false));
    listed(comments, query, |comment| shapes::review_comment(repo, comment.clone()))
}
