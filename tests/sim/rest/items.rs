//! The routes of issues and pull requests and of what belongs to them.
//! <https://docs.github.com/en/rest/issues> <https://docs.github.com/en/rest/pulls>

use super::lists::{all, listed, newest_first, since, sort};
use super::{Answer, Found, one};
use crate::shapes::items as shapes;
use serde_json::{Value, json};
use std::collections::HashMap;

type Query = HashMap<String, String>;

fn number(of: &Value) -> u64 {
    of.get("number").and_then(Value::as_u64).unwrap_or(0)
}

fn updated(of: &Value) -> &str {
    of.get("updatedAt").and_then(Value::as_str).unwrap_or_default()
}

/// Issues and pull requests, which are issues, too, by number; whether each is a pull request.
fn both(repo: &Value) -> Vec<(&Value, bool)> {
    let of = |list, is_pull| all(repo, list).iter().map(move |item| (item, is_pull));
    let mut both: Vec<(&Value, bool)> = of("issues", false).chain(of("pullRequests", true)).collect();
    both.sort_by_key(|(item, _)| number(item));
    both
}

fn numbered<'v>(repo: &'v Value, text: &str) -> Option<(&'v Value, bool)> {
    let wanted: u64 = text.parse().ok()?;
    let of = |list: &str| all(repo, list).iter().find(|item| number(item) == wanted);
    of("issues").map(|item| (item, false)).or_else(|| of("pullRequests").map(|item| (item, true)))
}

fn in_state(query: &Query, item: &Value) -> bool {
    let wanted = query.get("state").map_or("open", String::as_str);
    wanted == "all" || shapes::state(item) == wanted
}

/// Below `/repos/{owner}/{repo}/issues`.
pub(super) fn of_issues(repo: &Value, rest: &[&str], query: &Query) -> Answer {
    let reply = |text: &str, answer: &dyn Fn(&Value, bool) -> Answer| numbered(repo, text).map_or(Answer::NotFound, |(item, is_pull)| answer(item, is_pull));
    match rest {
        [] => {
            let since = since(query);
            let mut issues = both(repo);
            issues.retain(|(item, _)| in_state(query, item) && since.as_deref().is_none_or(|since| updated(item) >= since));
            match query.get("sort").map(String::as_str) {
                Some("updated") => issues.sort_by_key(|(item, _)| updated(item)),
                Some("comments") => issues.sort_by_key(|(item, _)| all(item, "comments").len()),
                // By number is by creation.
                _ => {}
            }
            if newest_first(query, true) {
                issues.reverse();
            }
            // This list goes on by cursor, too: its links have both.
            let mut query = query.clone();
            if let Some(page) = query.remove("after").and_then(|cursor| Some(cursor.strip_prefix("page-")?.to_owned())) {
                query.entry("page".to_owned()).or_insert(page);
            }
            let page: u32 = query.get("page").and_then(|page| page.parse().ok()).unwrap_or(1);
            let mut answer = listed(issues, &query, |(item, is_pull)| shapes::issue(repo, item, is_pull));
            if let Answer::Found(Found { next: Some(next), .. }) = &mut answer {
                next.next.push_str(&format!("&after=page-{}", page + 1));
            }
            answer
        }
        ["comments"] => comments(repo, query),
        ["events"] => events(repo, query),
        ["comments", id] => {
            let mut comments = both(repo).into_iter().flat_map(|(item, is_pull)| all(item, "comments").iter().map(move |comment| (item, comment, is_pull)));
            let found = comments.find(|(_, comment, _)| comment.get("fullDatabaseId").and_then(Value::as_str) == Some(*id));
            found.map_or(Answer::NotFound, |(item, comment, is_pull)| one(shapes::comment(repo, item, comment, is_pull)))
        }
        ["events", id] => {
            let mut events = both(repo).into_iter().flat_map(|(item, is_pull)| all(item, "timelineItems").iter().map(move |event| (item, event, is_pull)));
            let found = events.find(|(_, event, _)| shapes::event_id(event).to_string() == *id);
            found.map_or(Answer::NotFound, |(item, event, is_pull)| one(with_issue(repo, event, shapes::issue(repo, item, is_pull))))
        }
        ["comments", _, "reactions"] => one(json!([])),
        [text] => reply(text, &|item, is_pull| one(shapes::issue(repo, item, is_pull))),
        [text, "comments"] => reply(text, &|item, is_pull| {
            let since = since(query);
            let comments: Vec<&Value> = all(item, "comments").iter().filter(|comment| since.as_deref().is_none_or(|since| updated(comment) >= since)).collect();
            listed(comments, query, |comment| shapes::comment(repo, item, comment, is_pull))
        }),
        [text, "events"] => reply(text, &|item, _| listed(all(item, "timelineItems").iter().collect(), query, |event| shapes::event(repo, event))),
        [text, "reactions"] => reply(text, &|_, _| one(json!([]))),
        _ => Answer::NotFound,
    }
}

/// All of a repository's, by id unless they are to be sorted; then GitHub knows a direction, too.
fn comments(repo: &Value, query: &Query) -> Answer {
    let since = since(query);
    let mut comments: Vec<(&Value, &Value, bool)> = both(repo)
        .into_iter()
        .flat_map(|(item, is_pull)| all(item, "comments").iter().map(move |comment| (item, comment, is_pull)))
        .filter(|(_, comment, _)| since.as_deref().is_none_or(|since| updated(comment) >= since))
        .collect();
    let text = |comment: &'_ Value, name: &str| comment.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    match query.get("sort").map(String::as_str) {
        Some("updated") => comments.sort_by_cached_key(|(_, comment, _)| text(comment, "updatedAt")),
        Some(_) => comments.sort_by_cached_key(|(_, comment, _)| text(comment, "createdAt")),
        None => comments.sort_by_cached_key(|(_, comment, _)| text(comment, "fullDatabaseId").parse::<u64>().unwrap_or(0)),
    }
    if query.contains_key("sort") && newest_first(query, true) {
        comments.reverse();
    }
    listed(comments, query, |(item, comment, is_pull)| shapes::comment(repo, item, comment, is_pull))
}

fn with_issue(repo: &Value, event: &Value, issue: Value) -> Value {
    let mut event = shapes::event(repo, event);
    event["issue"] = issue;
    event
}

/// All of a repository's, newest first; GitHub sorts and filters them by nothing.
fn events(repo: &Value, query: &Query) -> Answer {
    let of = |(item, is_pull)| all(item, "timelineItems").iter().map(move |event| (shapes::event_id(event), event, item, is_pull));
    let mut events: Vec<(u64, &Value, &Value, bool)> = both(repo).into_iter().flat_map(of).collect();
    events.sort_by_key(|(id, ..)| std::cmp::Reverse(*id));
    // Neighbours are mostly of one issue.
    let mut issues: HashMap<u64, Value> = HashMap::new();
    listed(events, query, |(_, event, item, is_pull)| {
        let issue = issues.entry(number(item)).or_insert_with(|| shapes::issue(repo, item, is_pull)).clone();
        with_issue(repo, event, issue)
    })
}

/// Below `/repos/{owner}/{repo}/pulls`, but for review comments.
pub(super) fn of_pulls(repo: &Value, rest: &[&str], query: &Query) -> Answer {
    let whole = || crate::shapes::full_repository(repo);
    let [text, rest @ ..] = rest else {
        let mut pulls: Vec<&Value> = all(repo, "pullRequests").iter().filter(|pull| in_state(query, pull)).collect();
        let by = query.get("sort").map_or("created", String::as_str);
        if by == "updated" {
            sort(&mut pulls, "updatedAt", false);
        }
        if newest_first(query, by == "created") {
            pulls.reverse();
        }
        let whole = whole();
        return listed(pulls, query, |pull| shapes::pull(repo, &whole, pull));
    };
    if let ["comments", _, "reactions"] = [&[*text], rest].concat().as_slice() {
        return one(json!([]));
    }
    let Some((pull, true)) = numbered(repo, text) else { return Answer::NotFound };
    match rest {
        [] => {
            let comments = all(repo, "reviewComments").iter().filter(|comment| number(comment) == number(pull)).count();
            one(shapes::whole_pull(repo, &whole(), pull, comments))
        }
        // GitHub gives the first 250 of them.
        ["commits"] => {
            let commits = all(pull, "commits").iter().take(250).filter_map(|one| one.get("commit")?.as_str()).collect();
            listed(commits, query, |sha| super::kept::commit(repo, sha))
        }
        ["files"] => listed(all(pull, "files").iter().take(3000).collect(), query, |file| shapes::file(repo, pull, file)),
        ["reviews"] => listed(all(pull, "reviews").iter().collect(), query, |review| shapes::review(repo, pull, review)),
        ["requested_reviewers"] => {
            let users = all(pull, "reviewRequests").iter().filter_map(|request| request.get("requestedReviewer")).map(crate::shapes::user);
            one(json!({ "users": users.collect::<Vec<_>>(), "teams": [] }))
        }
        _ => Answer::NotFound,
    }
}
