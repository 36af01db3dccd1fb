//! Pull requests with their reviews, comments, commits, files, review requests and events, one query a page.
//! <https://docs.github.com/en/graphql/reference/objects#pullrequest>

use super::connections::{Connection, Parent, value_list};
use super::items::Kind;
use super::{Page, Sweep, Visit, issues, timeline};
use crate::Error;
use crate::entities::{
    Entity, Group, ISSUE_COMMENTS, ISSUE_EVENTS, PULL_REQUEST_COMMITS, PULL_REQUEST_FILES, PULL_REQUESTS, REVIEW_COMMENTS, REVIEW_REQUESTS, REVIEWS,
};
use crate::node::{Node, Out, padded};
use crate::plan::{Bill, Shape, Weight};
use async_trait::async_trait;
use serde_json::{Value, json};

pub(crate) struct PullRequests;

#[async_trait]
impl Sweep for PullRequests {
    fn name(&self) -> &'static str {
        "pull_requests"
    }
    fn group(&self) -> Group {
        Group::PullRequests
    }
    fn entities(&self) -> &'static [&'static Entity] {
        static OF: &[&Entity] = &[&PULL_REQUESTS, &REVIEWS, &PULL_REQUEST_COMMITS, &PULL_REQUEST_FILES, &REVIEW_REQUESTS];
        OF
    }
    fn page_size(&self) -> u32 {
        50
    }
    async fn page(&self, visit: &Visit<'_>) -> Result<Page, Error> {
        KIND.page(visit).await
    }
    async fn step_over(&self, visit: &Visit<'_>) -> Result<Option<Page>, Error> {
        KIND.step_over(visit).await
    }
    fn sample(&self) -> Option<String> {
        Some(KIND.sample())
    }
    fn weigh(&self, repository: Node<'_>) -> Weight {
        KIND.weigh(repository)
    }
    fn first_read(&self, shape: &Shape, _settings: &crate::Settings) -> Bill {
        KIND.first_read(shape, self.page_size())
    }
    fn queries(&self) -> Vec<(String, String)> {
        KIND.queries()
    }
}

pub(super) static KIND: Kind = Kind {
    entity: &PULL_REQUESTS,
    name: "pull_request",
    list: "pullRequests",
    one: "pullRequest",
    select: "id fullDatabaseId number state isDraft merged locked title body url author { ...Who } authorAssociation createdAt updatedAt closedAt mergedAt \
        mergedBy { ...Who } mergeCommit { oid } headRefName headRefOid headRepository { nameWithOwner } baseRefName baseRefOid additions deletions \
        changedFiles milestone { title number } labels(first: 100) { nodes { name } } assignees(first: 20) { nodes { login } } \
        reviewRequests(first: 100) { nodes { requestedReviewer { ...Reviewer } } } \
        closingIssuesReferences(first: 100) { nodes { number repository { nameWithOwner } } }",
    fragments: &[crate::node::WHO, timeline::FRAGMENTS, timeline::REVIEWER],
    connections: &[
        Connection {
            field: "commits",
            alias: "commits",
            args: "",
            select: || "id commit { oid message authoredDate committedDate additions deletions author { name email user { login } } }".to_owned(),
            entity: &PULL_REQUEST_COMMITS,
            read: commit,
        },
        Connection {
            field: "files",
            alias: "files",
            args: "",
            select: || "path changeType additions deletions".to_owned(),
            entity: &PULL_REQUEST_FILES,
            read: file,
        },
        Connection {
            field: "reviews",
            alias: "reviews",
            args: "",
            select: || "id fullDatabaseId state body author { ...Who } authorAssociation submittedAt createdAt updatedAt commit { oid }".to_owned(),
            entity: &REVIEWS,
            read: review,
        },
        Connection { field: "comments", alias: "comments", args: "", select: issues::comment_select, entity: &ISSUE_COMMENTS, read: issues::comment },
        Connection {
            field: "timelineItems",
            alias: "timelineItems",
            args: timeline::PULL_REQUEST_TYPES,
            select: timeline::of_pull_requests,
            entity: &ISSUE_EVENTS,
            read: timeline::read,
        },
    ],
    hangers_on: &[&REVIEW_REQUESTS, &REVIEW_COMMENTS],
    read,
    conclude: timeline::review_requests,
};

fn read(node: Node<'_>, out: &mut Out) {
    let Some(number) = node.u64("number") else { return };
    out.who(node, "author");
    out.who(node, "mergedBy");
    let here = node.str("url").and_then(issues::repository_of);
    let (closing, elsewhere) = issues::here_and_elsewhere(node, "closingIssuesReferences.nodes", here);
    let merged = node.flag("merged");
    let fields = json!({
        "number": number,
        "id": node.u64("fullDatabaseId"),
        "node_id": node.value("id"),
        "state": if node.str("state") == Some("OPEN") { "open" } else { "closed" },
        "draft": node.flag("isDraft"),
        "merged": merged,
        "locked": node.flag("locked"),
        "title": node.value("title"),
        "body": node.value("body"),
        "author": node.login("author"),
        "author_association": node.value("authorAssociation"),
        "created_at": node.utc("createdAt"),
        "updated_at": node.utc("updatedAt"),
        "closed_at": node.utc("closedAt"),
        "merged_at": node.utc("mergedAt"),
        "merged_by": node.login("mergedBy"),
        "merge_commit_sha": node.value("mergeCommit.oid"),
        "head_ref": node.value("headRefName"),
        "head_sha": node.value("headRefOid"),
        "head_repo": node.value("headRepository.nameWithOwner"),
        "base_ref": node.value("baseRefName"),
        "base_sha": node.value("baseRefOid"),
        "additions": node.u64("additions"),
        "deletions": node.u64("deletions"),
        "changed_files": node.u64("changedFiles"),
        "commits": node.u64("commits.totalCount"),
        "comments": node.u64("comments.totalCount"),
        "labels": node.texts("labels.nodes", "name"),
        "assignees": node.texts("assignees.nodes", "login"),
        "milestone": node.value("milestone.title"),
        "milestone_number": node.value("milestone.number"),
        "requested_reviewers": value_list(node, "reviewRequests.nodes", |request| {
            let login = request.login("requestedReviewer");
            (!login.is_null()).then_some(login)
        }),
        "requested_teams": value_list(node, "reviewRequests.nodes", |request| request.str("requestedReviewer.slug").map(Value::from)),
        "closing_issues": closing,
        "closing_issues_elsewhere": elsewhere,
        "first_commit_at": first_commit(node),
        "html_url": node.value("url"),
    });
    out.push(&PULL_REQUESTS, padded(number), node.time("updatedAt"), fields);
}

/// GitHub lists a pull request's commits oldest first, so the first page has it.
fn first_commit(node: Node<'_>) -> Value {
    let dates = node.items("commits.nodes").filter_map(|commit| commit.time("commit.authoredDate"));
    dates.min().map_or(Value::Null, |date| date.to_string().into())
}

fn commit(parent: Parent<'_>, node: Node<'_>, out: &mut Out) {
    let Some(sha) = node.str("commit.oid") else { return };
    let commit = node.at("commit");
    let fields = json!({
        "pull_request": parent.number,
        "node_id": node.value("id"),
        "sha": sha,
        "author": commit.login("author.user"),
        "author_name": commit.value("author.name"),
        "author_email": commit.value("author.email"),
        "authored_at": commit.utc("authoredDate"),
        "committed_at": commit.utc("committedDate"),
        "message": commit.value("message"),
        "additions": commit.u64("additions"),
        "deletions": commit.u64("deletions"),
    });
    out.push(&PULL_REQUEST_COMMITS, format!("{}{sha}", parent.prefix), None, fields);
}

fn file(parent: Parent<'_>, node: Node<'_>, out: &mut Out) {
    let Some(path) = node.str("path") else { return };
    let (additions, deletions) = (node.u64("additions").unwrap_or(0), node.u64("deletions").unwrap_or(0));
    let status = match node.str("changeType") {
        Some("DELETED") => Value::from("removed"),
        _ => node.lower("changeType"),
    };
    let fields = json!({
        "pull_request": parent.number,
        "path": path,
        "status": status,
        "additions": additions,
        "deletions": deletions,
        "changes": additions + deletions,
    });
    out.push(&PULL_REQUEST_FILES, format!("{}{path}", parent.prefix), None, fields);
}

fn review(parent: Parent<'_>, node: Node<'_>, out: &mut Out) {
    let Some(id) = node.str("id") else { return };
    out.who(node, "author");
    let fields = json!({
        "pull_request": parent.number,
        "id": node.u64("fullDatabaseId"),
        "node_id": id,
        "author": node.login("author"),
        "author_association": node.value("authorAssociation"),
        "state": node.value("state"),
        "body": node.value("body"),
        "commit_id": node.value("commit.oid"),
        "submitted_at": node.utc("submittedAt"),
        "created_at": node.utc("createdAt"),
        "updated_at": node.utc("updatedAt"),
    });
    out.push(&REVIEWS, format!("{}{id}", parent.prefix), node.time("updatedAt"), fields);
}
