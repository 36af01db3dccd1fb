//! REST's shapes of issues, pull requests and what belongs to them: comments, events, reviews, files. Knows no route.

use super::kept::{self, digits};
use super::{API, WEB, object, user, user_or_ghost};
use crate::world::nwo;
use serde_json::{Value, json};

fn field(of: &Value, name: &str) -> Value {
    of.get(name).cloned().unwrap_or_default()
}

fn lower(value: &Value) -> Value {
    value.as_str().map_or(Value::Null, |text| json!(text.to_lowercase()))
}

fn size(of: &Value, list: &str) -> usize {
    of.get(list).and_then(Value::as_array).map_or(0, Vec::len)
}

fn each(of: &Value, list: &str, shape: impl Fn(&Value) -> Value) -> Vec<Value> {
    of.get(list).and_then(Value::as_array).into_iter().flatten().map(shape).collect()
}

/// GitHub's states are open and closed over REST; that something is merged stands elsewhere.
pub(crate) fn state(of: &Value) -> &'static str {
    if of.get("state").and_then(Value::as_str) == Some("OPEN") { "open" } else { "closed" }
}

pub(super) fn reactions(url: &str) -> Value {
    json!({ "url": format!("{url}/reactions"), "total_count": 0, "+1": 0, "-1": 0, "laugh": 0, "hooray": 0, "confused": 0, "heart": 0, "rocket": 0, "eyes": 0 })
}

/// `issue`, which a pull request is, too.
pub(crate) fn issue(repo: &Value, of: &Value, is_pull: bool) -> Value {
    let (api, web, number) = (format!("{API}/repos/{}", nwo(repo)), format!("{WEB}/{}", nwo(repo)), field(of, "number"));
    let url = format!("{api}/issues/{number}");
    let here = format!("{web}/{}/{number}", if is_pull { "pull" } else { "issues" });
    let assignees = each(of, "assignees", user);
    let mut issue = object(json!({
        "id": of.get("databaseId"), "node_id": of.get("id"), "number": number, "title": of.get("title"), "body": of.get("body"), "state": state(of),
        "state_reason": lower(&field(of, "stateReason")), "locked": of.get("locked"), "active_lock_reason": null, "user": user_or_ghost(&field(of, "author")),
        "author_association": of.get("authorAssociation"), "labels": each(of, "labels", |label| kept::label(repo, label)), "assignee": assignees.first(), "assignees": assignees,
        "milestone": kept::milestone(repo, of.pointer("/milestone/number")), "comments": size(of, "comments"), "created_at": of.get("createdAt"),
        "updated_at": of.get("updatedAt"), "closed_at": of.get("closedAt"), "closed_by": null, "performed_via_github_app": null, "reactions": reactions(&url),
        "url": url, "html_url": here, "repository_url": api, "labels_url": format!("{url}/labels{{/name}}"), "comments_url": format!("{url}/comments"),
        "events_url": format!("{url}/events"), "timeline_url": format!("{url}/timeline"),
    }));
    let kind = of
        .pointer("/issueType/name")
        .map(|name| json!({ "id": 1, "node_id": "IT_1", "name": name, "description": null, "color": "yellow", "is_enabled": true }));
    issue.insert("type".to_owned(), json!(kind));
    issue.insert("sub_issues_summary".to_owned(), json!({ "total": size(of, "subIssues"), "completed": 0, "percent_completed": 0 }));
    if is_pull {
        let pull = json!({ "url": format!("{api}/pulls/{number}"), "html_url": here, "diff_url": format!("{here}.diff"), "patch_url": format!("{here}.patch"), "merged_at": of.get("mergedAt") });
        issue.insert("pull_request".to_owned(), pull);
        issue.insert("draft".to_owned(), field(of, "isDraft"));
    }
    Value::Object(issue)
}

/// By GitHub's description, a label in a list of pull requests is never without one.
fn described(mut label: Value) -> Value {
    if label.get("description").is_none_or(Value::is_null) {
        label["description"] = json!("");
    }
    label
}

/// `pull-request-simple`; `whole` is the repository's shape, which each of them carries.
pub(crate) fn pull(repo: &Value, whole: &Value, of: &Value) -> Value {
    let (api, web, number) = (format!("{API}/repos/{}", nwo(repo)), format!("{WEB}/{}", nwo(repo)), field(of, "number"));
    let (url, here, issue) = (format!("{api}/pulls/{number}"), format!("{web}/pull/{number}"), format!("{api}/issues/{number}"));
    let statuses = format!("{api}/statuses/{}", of.get("headRefOid").and_then(Value::as_str).unwrap_or_default());
    let (author, owner) = (user_or_ghost(&field(of, "author")), field(whole, "owner"));
    let assignees = each(of, "assignees", user);
    let end = |name: &str, sha: &str| {
        let (name, sha) = (of.get(name).and_then(Value::as_str).unwrap_or_default(), of.get(sha));
        json!({ "label": format!("acme:{name}"), "ref": name, "sha": sha, "user": owner, "repo": whole })
    };
    let link = |to: &str| json!({ "href": to });
    let links = json!({
        "self": link(&url), "html": link(&here), "issue": link(&issue), "comments": link(&format!("{issue}/comments")), "review_comments": link(&format!("{url}/comments")),
        "review_comment": link(&format!("{api}/pulls/comments{{/number}}")), "commits": link(&format!("{url}/commits")), "statuses": link(&statuses),
    });
    json!({
        "id": of.get("databaseId"), "node_id": of.get("id"), "number": number, "title": of.get("title"), "body": of.get("body"), "state": state(of), "locked": of.get("locked"),
        "active_lock_reason": null, "draft": of.get("isDraft"), "user": author, "author_association": of.get("authorAssociation"), "auto_merge": null,
        "labels": each(of, "labels", |label| described(kept::label(repo, label))), "milestone": kept::milestone(repo, of.pointer("/milestone/number")), "assignee": assignees.first(),
        "assignees": assignees, "requested_reviewers": each(of, "reviewRequests", |request| user(&field(request, "requestedReviewer"))), "requested_teams": [],
        "head": end("headRefName", "headRefOid"), "base": end("baseRefName", "baseRefOid"), "merge_commit_sha": of.get("mergeCommit"),
        "created_at": of.get("createdAt"), "updated_at": of.get("updatedAt"), "closed_at": of.get("closedAt"), "merged_at": of.get("mergedAt"),
        "url": url, "html_url": here, "diff_url": format!("{here}.diff"), "patch_url": format!("{here}.patch"), "issue_url": issue, "statuses_url": statuses,
        "commits_url": format!("{url}/commits"), "review_comments_url": format!("{url}/comments"), "review_comment_url": format!("{api}/pulls/comments{{/number}}"),
        "comments_url": format!("{issue}/comments"),
        "_links": links,
    })
}

/// `pull-request`: what only one by itself has.
pub(crate) fn whole_pull(repo: &Value, whole: &Value, of: &Value, review_comments: usize) -> Value {
    let mut pull = object(pull(repo, whole, of));
    let open = state(of) == "open";
    pull.extend(object(json!({
        "merged": of.get("merged"), "merged_by": user(&field(of, "mergedBy")), "mergeable": open.then_some(true), "mergeable_state": if open { "clean" } else { "unknown" },
        "rebaseable": open.then_some(true), "maintainer_can_modify": false, "comments": size(of, "comments"), "review_comments": review_comments,
        "commits": size(of, "commits"), "additions": of.get("additions"), "deletions": of.get("deletions"), "changed_files": of.get("changedFiles"),
    })));
    Value::Object(pull)
}

/// `issue-comment`.
pub(crate) fn comment(repo: &Value, item: &Value, of: &Value, is_pull: bool) -> Value {
    let (api, web, number) = (format!("{API}/repos/{}", nwo(repo)), format!("{WEB}/{}", nwo(repo)), field(item, "number"));
    let id = digits(of, "id");
    let url = format!("{api}/issues/comments/{id}");
    json!({ "id": id, "node_id": of.get("id"), "body": of.get("body"), "user": user_or_ghost(&field(of, "author")), "author_association": of.get("authorAssociation"),
        "created_at": of.get("createdAt"), "updated_at": of.get("updatedAt"), "performed_via_github_app": null, "reactions": reactions(&url), "url": url,
        "html_url": format!("{web}/{}/{number}#issuecomment-{id}", if is_pull { "pull" } else { "issues" }), "issue_url": format!("{api}/issues/{number}") })
}

/// `pull-request-review`.
pub(crate) fn review(repo: &Value, pull: &Value, of: &Value) -> Value {
    let (api, web, number, id) = (format!("{API}/repos/{}", nwo(repo)), format!("{WEB}/{}", nwo(repo)), field(pull, "number"), digits(of, "id"));
    let (here, pull) = (format!("{web}/pull/{number}#pullrequestreview-{id}"), format!("{api}/pulls/{number}"));
    json!({ "id": id, "node_id": of.get("id"), "user": user(&field(of, "author")), "body": of.get("body"), "state": of.get("state"), "commit_id": of.get("commit"),
        "author_association": of.get("authorAssociation"), "submitted_at": of.get("submittedAt"), "html_url": here, "pull_request_url": pull,
        "_links": { "html": { "href": here }, "pull_request": { "href": pull } } })
}

/// `diff-entry` of a pull request.
pub(crate) fn file(repo: &Value, pull: &Value, of: &Value) -> Value {
    let (path, sha) = (of.get("path").and_then(Value::as_str).unwrap_or_default(), pull.get("headRefOid").and_then(Value::as_str).unwrap_or_default());
    let (api, web) = (format!("{API}/repos/{}", nwo(repo)), format!("{WEB}/{}", nwo(repo)));
    let sum = |name: &str| of.get(name).and_then(Value::as_u64).unwrap_or(0);
    json!({ "sha": sha, "filename": path, "status": lower(&field(of, "changeType")), "additions": sum("additions"), "deletions": sum("deletions"),
        "changes": sum("additions") + sum("deletions"), "patch": "@@ -1 +1 @@", "blob_url": format!("{web}/blob/{sha}/{path}"), "raw_url": format!("{web}/raw/{sha}/{path}"),
        "contents_url": format!("{api}/contents/{path}?ref={sha}") })
}

/// `issue-event`, without its issue: what GraphQL calls `RenamedTitleEvent`, REST calls `renamed`.
pub(crate) fn event(repo: &Value, of: &Value) -> Value {
    let kind = of.get("__typename").and_then(Value::as_str).unwrap_or_default();
    let name = match kind {
        "RenamedTitleEvent" => "renamed".to_owned(),
        kind => kind.trim_end_matches("Event").chars().fold(String::new(), |mut name, letter| {
            if letter.is_ascii_uppercase() && !name.is_empty() {
                name.push('_');
            }
            name.push(letter.to_ascii_lowercase());
            name
        }),
    };
    let id = digits(of, "id");
    let mut event = object(json!({
        "id": id, "node_id": of.get("id"), "url": format!("{API}/repos/{}/issues/events/{id}", nwo(repo)), "actor": user(&field(of, "actor")), "event": name,
        "commit_id": null, "commit_url": null, "created_at": of.get("createdAt"), "performed_via_github_app": null,
    }));
    let actor = || user_or_ghost(&field(of, "actor"));
    let more = match kind {
        "LabeledEvent" | "UnlabeledEvent" => json!({ "label": { "name": of.pointer("/label/name"), "color": "d73a4a" } }),
        "AssignedEvent" | "UnassignedEvent" => json!({ "assignee": user_or_ghost(&field(of, "assignee")), "assigner": actor() }),
        "RenamedTitleEvent" => json!({ "rename": { "from": of.get("previousTitle"), "to": of.get("currentTitle") } }),
        "MilestonedEvent" | "DemilestonedEvent" => json!({ "milestone": { "title": of.get("milestoneTitle") } }),
        "ReviewRequestedEvent" | "ReviewRequestRemovedEvent" => {
            json!({ "requested_reviewer": user_or_ghost(&field(of, "requestedReviewer")), "review_requester": actor() })
        }
        "ClosedEvent" => json!({ "state_reason": lower(&field(of, "stateReason")) }),
        _ => Value::Null,
    };
    event.extend(object(more));
    Value::Object(event)
}

/// The number that an event has over REST.
pub(crate) fn event_id(of: &Value) -> u64 {
    digits(of, "id")
}
