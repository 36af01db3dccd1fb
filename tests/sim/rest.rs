//! The REST routes: shapes, `Link` headers and validators as GitHub documents them.

use crate::profile::Refusal;
use crate::shapes;
use crate::world::{World, nwo};
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
        ["orgs", org, "teams"] if world.org.get("login").and_then(Value::as_str) == Some(org) => {
            let teams = world.org.get("teams").and_then(Value::as_array).cloned().unwrap_or_default();
            let (teams, next) = page(teams.iter().map(|team| shapes::team(org, team)).collect(), query);
            Answer::Found(Found { body: json!(teams), next })
        }
        ["users", login] => account(world, login),
        ["repos", owner, name, rest @ ..] => match world.repo(owner, name) {
            None => Answer::NotFound,
            Some(repo) if nwo(repo).to_lowercase() != format!("{owner}/{name}").to_lowercase() => {
                Answer::Moved(repo.get("databaseId").and_then(Value::as_u64).unwrap_or(0))
            }
            Some(repo) => of(repo, rest, query),
        },
        ["repositories", id, rest @ ..] => {
            let found = world.all().find(|repo| repo.get("databaseId").and_then(Value::as_u64).map(|id| id.to_string()).as_deref() == Some(*id));
            found.map_or(Answer::NotFound, |repo| of(repo, rest, query))
        }
        _ => Answer::NotFound,
    }
}

/// Organizations are found here, too. <https://docs.github.com/en/rest/users/users#get-a-user>
fn account(world: &World, login: &str) -> Answer {
    let is = |account: &&Value| account.get("login").and_then(Value::as_str).is_some_and(|known| known.eq_ignore_ascii_case(login));
    let body = if is(&&world.org) {
        json!({ "login": world.org.get("login"), "id": world.org.get("databaseId"), "type": "Organization" })
    } else {
        let members = world.org.get("membersWithRole").and_then(Value::as_array);
        let Some(member) = members.into_iter().flatten().find(is) else { return Answer::NotFound };
        shapes::user(member)
    };
    Answer::Found(Found { body, next: None })
}

fn of(repo: &Value, rest: &[&str], query: &HashMap<String, String>) -> Answer {
    let list = |name: &str| repo.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    match rest {
        // Not whole objects: enough for whoever asks whether there are any, and may be read.
        ["issues" | "pulls" | "deployments"] => {
            let name = rest.first().map_or("issues", |name| if *name == "pulls" { "pullRequests" } else { name });
            let brief =
                |item: Value| json!({ "id": item.get("databaseId"), "node_id": item.get("id"), "number": item.get("number"), "title": item.get("title") });
            let (body, next) = page(list(name).into_iter().map(brief).collect(), query);
            Answer::Found(Found { body: json!(body), next })
        }
        ["commits"] => {
            let shas = repo.get("commits").and_then(Value::as_object).into_iter().flat_map(|commits| commits.keys());
            let (body, next) = page(shas.map(|sha| json!({ "sha": sha })).collect(), query);
            Answer::Found(Found { body: json!(body), next })
        }
        ["pulls", "comments"] => {
            let mut comments = list("reviewComments");
            let key = if query.get("sort").map(String::as_str) == Some("updated") { "updated_at" } else { "created_at" };
            let text = |comment: &Value| comment.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
            // A malformed `since` is ignored in silence, as GitHub does.
            if let Some(since) = query.get("since").and_then(|since| since.parse::<jiff::Timestamp>().ok()) {
                comments.retain(|comment| {
                    let at = comment.get("updated_at").and_then(Value::as_str).and_then(|at| at.parse::<jiff::Timestamp>().ok());
                    at.is_some_and(|at| at >= since)
                });
            }
            comments.sort_by_key(text);
            if query.get("direction").map(String::as_str) == Some("desc") {
                comments.reverse();
            }
            let comments = comments.into_iter().map(|comment| shapes::review_comment(repo, comment)).collect();
            let (body, next) = page(comments, query);
            Answer::Found(Found { body: json!(body), next })
        }
        ["pulls", "comments", id] => {
            let found = list("reviewComments").into_iter().find(|comment| comment.get("id").map(Value::to_string).as_deref() == Some(*id));
            found.map_or(Answer::NotFound, |comment| Answer::Found(Found { body: shapes::review_comment(repo, comment), next: None }))
        }
        ["actions", "runs", id] => {
            let found = list("workflowRuns").into_iter().find(|run| run.get("id").map(Value::to_string).as_deref() == Some(*id));
            found.map_or(Answer::NotFound, |run| Answer::Found(Found { body: shapes::workflow_run(repo, run), next: None }))
        }
        ["actions", "runs"] => {
            let mut runs = list("workflowRuns");
            runs.reverse();
            if let Some(before) = query.get("created").and_then(|range| range.strip_prefix("<=")?.parse::<jiff::Timestamp>().ok()) {
                let at = |run: &Value| run.get("created_at").and_then(Value::as_str).and_then(|at| at.parse::<jiff::Timestamp>().ok());
                runs.retain(|run| at(run).is_some_and(|at| at <= before));
            }
            let total = runs.len();
            // With a filter, GitHub gives no more than a thousand.
            runs.truncate(if query.contains_key("created") { 1000 } else { usize::MAX });
            let (body, next) = page(runs, query);
            Answer::Found(Found {
                body: json!({ "total_count": total, "workflow_runs": body.into_iter().map(|run| shapes::workflow_run(repo, run)).collect::<Vec<_>>() }),
                next,
            })
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
        _ => Answer::NotFound,
    }
}

fn number(query: &HashMap<String, String>, name: &str, usual: usize) -> usize {
    query.get(name).and_then(|text| text.parse().ok()).unwrap_or(usual)
}

fn page(items: Vec<Value>, query: &HashMap<String, String>) -> (Vec<Value>, Option<Next>) {
    pages_of(number(query, "per_page", 30).clamp(1, 100), items, query)
}

fn pages_of(size: usize, items: Vec<Value>, query: &HashMap<String, String>) -> (Vec<Value>, Option<Next>) {
    let page = number(query, "page", 1).max(1);
    let total = items.len();
    let items = items.into_iter().skip((page - 1) * size).take(size).collect();
    let query_of = |page: usize| {
        let mut pairs: Vec<(String, String)> = query.iter().filter(|(name, _)| *name != "page").map(|(name, value)| (name.clone(), value.clone())).collect();
        pairs.sort();
        pairs.push(("page".to_owned(), page.to_string()));
        pairs.iter().map(|(name, value)| format!("{name}={}", value.replace('<', "%3C").replace('=', "%3D"))).collect::<Vec<_>>().join("&")
    };
    let next = (page * size < total).then(|| Next { next: query_of(page + 1), last: query_of(total.div_ceil(size)) });
    (items, next)
}
