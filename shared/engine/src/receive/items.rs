//! Pull requests and issues with what hangs on them. Their lists (events, commits, files) no payload has: whatever
//! happens to an item, it is asked for, too.

use super::effects::{Effects, Event, Fields, Wrong};
use crate::entities::{Group, ISSUE_COMMENTS, ISSUE_EVENTS, ISSUES, PULL_REQUESTS, REVIEW_COMMENTS, REVIEWS};
use crate::model::ScopeId;
use crate::node::{Node, padded};
use crate::sweeps;
use serde_json::{Value, json};

/// <https://docs.github.com/en/webhooks/webhook-events-and-payloads#pull_request>
pub(super) fn pull_request(event: &Event<'_>, effects: &mut Effects) -> Result<(), Wrong> {
    let scope = event.repo()?.id;
    pull(scope, event.payload.at("pull_request"), effects)?;
    effects.who(event.payload, "sender");
    Ok(())
}

/// What is told of a pull request, in whichever event; that inside of others has fewer fields.
fn pull(scope: ScopeId, pull: Node<'_>, effects: &mut Effects) -> Result<u64, Wrong> {
    let number = pull.u64("number").ok_or(Wrong::Lacks("pull_request.number"))?;
    let node_id = pull.str("node_id").ok_or(Wrong::Lacks("pull_request.node_id"))?;
    let at = effects.time(pull, "updated_at").ok_or(Wrong::Lacks("pull_request.updated_at"))?;
    effects.who(pull, "user");
    effects.who(pull, "merged_by");
    let mut fields = Fields::of(pull);
    fields.copy(&["number", "id", "node_id", "state", "draft", "locked", "title", "author_association", "html_url"]);
    fields.copy(&["additions", "deletions", "changed_files", "commits", "comments"]);
    fields.times(&["created_at", "updated_at", "closed_at", "merged_at"]);
    fields.text("body");
    fields.labels_and_people();
    let merged = pull.at("merged_at").exists();
    fields.set("merged", "merged_at", |_| merged.into());
    // Before it is merged, this is a commit that GitHub made to see whether it could be.
    fields.set("merge_commit_sha", "merge_commit_sha", |pull| if merged { pull.value("merge_commit_sha") } else { Value::Null });
    fields.set("merged_by", "merged_by", |pull| pull.login("merged_by"));
    fields.set("head_ref", "head", |pull| pull.value("head.ref"));
    fields.set("head_sha", "head", |pull| pull.value("head.sha"));
    fields.set("head_repo", "head", |pull| pull.value("head.repo.full_name"));
    fields.set("base_ref", "base", |pull| pull.value("base.ref"));
    fields.set("base_sha", "base", |pull| pull.value("base.sha"));
    fields.set("requested_reviewers", "requested_reviewers", |pull| pull.items("requested_reviewers").map(|one| one.login("")).collect());
    fields.set("requested_teams", "requested_teams", |pull| pull.texts("requested_teams", "slug"));
    effects.part(&PULL_REQUESTS, scope, padded(number), at, fields.map);
    effects.ask(scope, &PULL_REQUESTS, node_id, &padded(number));
    Ok(number)
}

/// <https://docs.github.com/en/webhooks/webhook-events-and-payloads#pull_request_review>
pub(super) fn review(event: &Event<'_>, effects: &mut Effects) -> Result<(), Wrong> {
    let scope = event.repo()?.id;
    let number = pull(scope, event.payload.at("pull_request"), effects)?;
    let review = event.payload.at("review");
    let node_id = review.str("node_id").ok_or(Wrong::Lacks("review.node_id"))?;
    let at = effects.time(review, "updated_at").or_else(|| effects.time(review, "submitted_at"));
    effects.who(review, "user");
    let mut fields = Fields::of(review);
    fields.copy(&["id", "node_id", "author_association", "commit_id"]);
    fields.times(&["submitted_at", "created_at", "updated_at"]);
    fields.text("body");
    fields.set("author", "user", |review| review.login("user"));
    fields.set("state", "state", |review| review.str("state").map_or(Value::Null, |state| state.to_uppercase().into()));
    fields.map.insert("pull_request".to_owned(), number.into());
    // One that is pending was not submitted, and is nobody else's business yet.
    if let Some(at) = at {
        effects.part(&REVIEWS, scope, format!("{}#{node_id}", padded(number)), at, fields.map);
    }
    Ok(())
}

/// <https://docs.github.com/en/webhooks/webhook-events-and-payloads#pull_request_review_comment>
pub(super) fn review_comment(event: &Event<'_>, effects: &mut Effects) -> Result<(), Wrong> {
    let scope = event.repo()?.id;
    let number = pull(scope, event.payload.at("pull_request"), effects)?;
    remark(scope, number, event.payload.at("comment"), event.deleted(), effects)
}

fn remark(scope: ScopeId, number: u64, comment: Node<'_>, deleted: bool, effects: &mut Effects) -> Result<(), Wrong> {
    let id = comment.u64("id").ok_or(Wrong::Lacks("comment.id"))?;
    let at = effects.time(comment, "updated_at").ok_or(Wrong::Lacks("comment.updated_at"))?;
    effects.read(scope, at, |out| sweeps::review_comment(comment, out));
    if deleted {
        effects.gone(&REVIEW_COMMENTS, scope, format!("{}#{}", padded(number), padded(id)));
    }
    Ok(())
}

/// <https://docs.github.com/en/webhooks/webhook-events-and-payloads#pull_request_review_thread>
pub(super) fn thread(event: &Event<'_>, effects: &mut Effects) -> Result<(), Wrong> {
    let scope = event.repo()?.id;
    let number = pull(scope, event.payload.at("pull_request"), effects)?;
    for comment in event.payload.items("thread.comments") {
        remark(scope, number, comment, false, effects)?;
    }
    Ok(())
}

/// <https://docs.github.com/en/webhooks/webhook-events-and-payloads#issues>
pub(super) fn issue(event: &Event<'_>, effects: &mut Effects) -> Result<(), Wrong> {
    let scope = event.repo()?.id;
    let number = item(scope, event.payload.at("issue"), effects)?;
    effects.who(event.payload, "sender");
    match event.action {
        "deleted" => leave(scope, number, effects),
        "transferred" => {
            leave(scope, number, effects);
            // It has another number, and another id, where it went.
            let (there, issue) = (event.payload.u64("changes.new_repository.id"), event.payload.at("changes.new_issue"));
            if let (Some(there), Some(node_id), Some(number)) = (there, issue.str("node_id"), issue.u64("number")) {
                effects.ask(there, &ISSUES, node_id, &padded(number));
            }
        }
        _ => {}
    }
    Ok(())
}

fn leave(scope: ScopeId, number: u64, effects: &mut Effects) {
    for entity in [&ISSUE_COMMENTS, &ISSUE_EVENTS] {
        effects.emptied.push((entity, scope, format!("{}#", padded(number))));
    }
    effects.gone(&ISSUES, scope, padded(number));
    effects.asked.retain(|(_, asked)| asked.entity != ISSUES.name);
}

/// What is told of an issue or, where events make no difference, of a pull request in an issue's shape.
fn item(scope: ScopeId, issue: Node<'_>, effects: &mut Effects) -> Result<u64, Wrong> {
    let number = issue.u64("number").ok_or(Wrong::Lacks("issue.number"))?;
    let node_id = issue.str("node_id").ok_or(Wrong::Lacks("issue.node_id"))?;
    let at = effects.time(issue, "updated_at").ok_or(Wrong::Lacks("issue.updated_at"))?;
    effects.who(issue, "user");
    let is_pull = issue.at("pull_request").exists();
    let entity = if is_pull { &PULL_REQUESTS } else { &ISSUES };
    let mut fields = Fields::of(issue);
    fields.copy(&["number", "node_id", "state", "locked", "title", "author_association", "comments", "html_url"]);
    fields.times(&["created_at", "updated_at", "closed_at"]);
    fields.text("body");
    fields.labels_and_people();
    if is_pull {
        fields.copy(&["draft"]);
    } else {
        // A pull request has another number of its own.
        fields.copy(&["id", "state_reason"]);
        fields.set("type", "type", |issue| issue.value("type.name"));
        if issue.str("state") == Some("open") {
            fields.map.insert("closed_by".to_owned(), Value::Null);
        }
    }
    effects.part(entity, scope, padded(number), at, fields.map);
    effects.ask(scope, entity, node_id, &padded(number));
    Ok(number)
}

/// <https://docs.github.com/en/webhooks/webhook-events-and-payloads#issue_comment>
pub(super) fn comment(event: &Event<'_>, effects: &mut Effects) -> Result<(), Wrong> {
    let (scope, comment) = (event.repo()?.id, event.payload.at("comment"));
    let is_pull = event.payload.at("issue.pull_request").exists();
    let group = if is_pull { Group::PullRequests } else { Group::Issues };
    if !event.settings.wants(group) {
        return Err(Wrong::Ignored(format!("`{}` is not fetched", group.name())));
    }
    let number = item(scope, event.payload.at("issue"), effects)?;
    let node_id = comment.str("node_id").ok_or(Wrong::Lacks("comment.node_id"))?;
    let at = effects.time(comment, "updated_at").ok_or(Wrong::Lacks("comment.updated_at"))?;
    effects.who(comment, "user");
    let fields = json!({
        "number": number,
        "on": if is_pull { "pull_request" } else { "issue" },
        "id": comment.u64("id"),
        "node_id": node_id,
        "author": comment.login("user"),
        "author_association": comment.value("author_association"),
        "body": comment.str("body").unwrap_or_default(),
        "created_at": comment.utc("created_at"),
        "updated_at": comment.utc("updated_at"),
        "html_url": comment.value("html_url"),
    });
    let key = format!("{}#{node_id}", padded(number));
    effects.whole(&ISSUE_COMMENTS, scope, key.clone(), at, fields);
    if event.deleted() {
        effects.gone(&ISSUE_COMMENTS, scope, key);
    }
    Ok(())
}

/// <https://docs.github.com/en/webhooks/webhook-events-and-payloads#sub_issues>
pub(super) fn sub_issues(event: &Event<'_>, effects: &mut Effects) -> Result<(), Wrong> {
    let here = event.repo()?.id;
    let mut any = false;
    for side in ["parent_issue", "sub_issue"] {
        let issue = event.payload.at(side);
        // Only the other side's repository is told; where it is another one, that one's own event says so, too.
        let there = event.payload.u64(&format!("{side}_repo.id")).unwrap_or(here);
        if issue.exists() && there == here {
            item(here, issue, effects)?;
            any = true;
        }
    }
    if any { Ok(()) } else { Err(Wrong::Lacks("parent_issue")) }
}
