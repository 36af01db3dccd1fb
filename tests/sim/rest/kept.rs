//! The routes of commits, branches, tags, labels, milestones, releases and deployments.
//! <https://docs.github.com/en/rest/repos> <https://docs.github.com/en/rest/commits>

use super::lists::{all, listed, moment, newest_first, sort};
use super::{Answer, one};
use crate::shapes;
use crate::world::World;
use serde_json::{Value, json};
use std::collections::HashMap;

type Query = HashMap<String, String>;

fn text<'v>(of: &'v Value, name: &str) -> &'v str {
    of.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn refused(status: u16, message: &str) -> Answer {
    Answer::Refused((status, json!({ "message": message, "documentation_url": "https://docs.github.com/rest", "status": status.to_string() }), Vec::new()))
}

pub(super) fn answer(world: &World, repo: &Value, rest: &[&str], query: &Query) -> Answer {
    let refs = |prefix: &'static str| all(repo, "refs").iter().filter(move |one| text(one, "prefix") == prefix);
    let has = |of: &Value, name: &str, wanted: &str| of.get(name).map(Value::to_string).as_deref() == Some(wanted);
    let deployment = |id: &str| all(repo, "deployments").iter().find(|one| has(one, "databaseId", id));
    match rest {
        ["commits"] => commits(world, repo, query),
        ["branches"] => listed(refs("refs/heads/").collect(), query, |branch| shapes::kept::branch(repo, branch)),
        ["branches", name] => match refs("refs/heads/").find(|branch| text(branch, "name") == *name) {
            Some(branch) => one(shapes::kept::whole_branch(repo, branch, commit(repo, text(branch, "target")))),
            None => refused(404, "Branch not found"),
        },
        ["tags"] => listed(refs("refs/tags/").collect(), query, |tag| shapes::kept::tag(repo, tag)),
        ["labels"] => listed(all(repo, "labels").iter().collect(), query, |label| shapes::kept::label(repo, label)),
        ["labels", name] => {
            let found = all(repo, "labels").iter().find(|label| text(label, "name").eq_ignore_ascii_case(name));
            found.map_or(Answer::NotFound, |label| one(shapes::kept::label(repo, label)))
        }
        ["milestones"] => {
            let wanted = query.get("state").map_or("open", String::as_str);
            let mut milestones: Vec<&Value> =
                all(repo, "milestones").iter().filter(|one| wanted == "all" || text(one, "state").eq_ignore_ascii_case(wanted)).collect();
            sort(&mut milestones, "dueOn", newest_first(query, false));
            listed(milestones, query, |one| shapes::kept::milestone(repo, one.get("number")))
        }
        ["milestones", number] => {
            let found = all(repo, "milestones").iter().find(|one| has(one, "number", number));
            found.map_or(Answer::NotFound, |found| one(shapes::kept::milestone(repo, found.get("number"))))
        }
        ["releases"] => listed(all(repo, "releases").iter().rev().collect(), query, |release| shapes::kept::release(repo, release)),
        ["releases", "latest"] => all(repo, "releases").last().map_or(Answer::NotFound, |release| one(shapes::kept::release(repo, release))),
        ["releases", id] => {
            let found = all(repo, "releases").iter().find(|release| has(release, "databaseId", id));
            found.map_or(Answer::NotFound, |release| one(shapes::kept::release(repo, release)))
        }
        ["deployments"] => listed(all(repo, "deployments").iter().rev().collect(), query, |one| shapes::kept::deployment(repo, one)),
        ["deployments", id] => deployment(id).map_or(Answer::NotFound, |found| one(shapes::kept::deployment(repo, found))),
        ["deployments", id, "statuses"] => match deployment(id) {
            Some(found) => listed(all(found, "statuses").iter().rev().collect(), query, |status| shapes::kept::deployment_status(repo, found, status)),
            None => Answer::NotFound,
        },
        ["languages"] => one(all(repo, "languages").iter().map(|one| (text(one, "name").to_owned(), one.get("size").cloned().unwrap_or_default())).collect()),
        // Nobody marked, watched or remarked upon a commit of it.
        ["stargazers" | "subscribers" | "forks" | "comments" | "events" | "hooks"] | ["commits", _, "comments" | "statuses"] => one(json!([])),
        ["projects"] => refused(410, "Projects (classic) has been deprecated in favor of the new Projects experience."),
        _ => Answer::NotFound,
    }
}

/// As lists hold it: neither its files nor its sums.
pub(super) fn commit(repo: &Value, sha: &str) -> Value {
    let Some(kept) = repo.get("commits").and_then(|commits| commits.get(sha)) else { return Value::Null };
    let mut commit = shapes::commit(repo, sha, kept, Vec::new());
    if let Some(commit) = commit.as_object_mut() {
        commit.remove("files");
        commit.remove("stats");
    }
    commit
}

/// The history of a branch or a commit.
fn commits(world: &World, repo: &Value, query: &Query) -> Answer {
    let head = match query.get("sha") {
        None => repo.pointer("/defaultBranchRef/target").and_then(Value::as_str),
        Some(name) => {
            let branch = all(repo, "refs").iter().find(|one| text(one, "name") == name || format!("{}{}", text(one, "prefix"), text(one, "name")) == *name);
            let commit = repo.get("commits").and_then(|commits| commits.as_object()?.get_key_value(name)).map(|(sha, _)| sha.as_str());
            branch.map(|one| text(one, "target")).or(commit)
        }
    };
    let Some(head) = head else {
        return if query.contains_key("sha") { Answer::NotFound } else { refused(409, "Git Repository is empty.") };
    };
    let (since, until) = (moment(query, "since"), moment(query, "until"));
    let within = |sha: &str| {
        let at = repo.get("commits").and_then(|commits| commits.get(sha)).map_or("", |commit| text(commit, "committedDate"));
        since.as_deref().is_none_or(|since| at >= since) && until.as_deref().is_none_or(|until| at <= until)
    };
    let history = world.history(repo, head);
    let unbounded = since.is_none() && until.is_none();
    listed(history.iter().filter(|sha| unbounded || within(sha)).collect(), query, |sha| commit(repo, sha))
}
