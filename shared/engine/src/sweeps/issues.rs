//! Issues with their comments and events, one query a page; and what they share with pull requests.
//! <https://docs.github.com/en/graphql/reference/objects#issue>

use super::connections::{Connection, Parent};
use super::items::Kind;
use super::{Page, Sweep, Visit, timeline};
use crate::Error;
use crate::entities::{Entity, Group, ISSUE_COMMENTS, ISSUE_EVENTS, ISSUES};
use crate::node::{Node, Out, padded};
use crate::plan::{Bill, Shape, Weight};
use async_trait::async_trait;
use serde_json::{Value, json};

pub(crate) struct Issues;

#[async_trait]
impl Sweep for Issues {
    fn name(&self) -> &'static str {
        "issues"
    }
    fn group(&self) -> Group {
        Group::Issues
    }
    fn entities(&self) -> &'static [&'static Entity] {
        static OF: &[&Entity] = &[&ISSUES, &ISSUE_COMMENTS, &ISSUE_EVENTS];
        OF
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
    entity: &ISSUES,
    name: "issue",
    list: "issues",
    one: "issue",
    select: "id fullDatabaseId number state stateReason(enableDuplicate: true) issueType { name } title body locked url author { ...Who } authorAssociation \
        createdAt updatedAt closedAt milestone { title number } parent { number repository { nameWithOwner } } \
        labels(first: 100) { nodes { name } } assignees(first: 20) { nodes { login } } \
        subIssues(first: 100) { nodes { number repository { nameWithOwner } } } \
        closed: timelineItems(last: 1, itemTypes: [CLOSED_EVENT]) { nodes { ... on ClosedEvent { actor { ...Who } } } }",
    fragments: &[crate::node::WHO, timeline::FRAGMENTS],
    connections: &[
        Connection { field: "comments", alias: "comments", args: "", select: comment_select, entity: &ISSUE_COMMENTS, read: comment },
        Connection {
            field: "timelineItems",
            alias: "timelineItems",
            args: timeline::ISSUE_TYPES,
            select: timeline::of_issues,
            entity: &ISSUE_EVENTS,
            read: timeline::read,
        },
    ],
    hangers_on: &[],
    read,
    conclude: |_, _, _| {},
};

fn read(node: Node<'_>, out: &mut Out) {
    let Some(number) = node.u64("number") else { return };
    out.who(node, "author");
    let open = node.str("state") == Some("OPEN");
    let here = node.str("url").and_then(repository_of);
    let (sub_issues, elsewhere) = here_and_elsewhere(node, "subIssues.nodes", here);
    let parent = node.at("parent");
    let parent_repo = parent.str("repository.nameWithOwner");
    let closed_by = node.items("closed.nodes").last().map_or(Value::Null, |event| event.login("actor"));
    let fields = json!({
        "number": number,
        "id": node.u64("fullDatabaseId"),
        "node_id": node.value("id"),
        "state": if open { "open" } else { "closed" },
        "state_reason": node.lower("stateReason"),
        "type": node.value("issueType.name"),
        "title": node.value("title"),
        "body": node.value("body"),
        "locked": node.flag("locked"),
        "author": node.login("author"),
        "author_association": node.value("authorAssociation"),
        "created_at": node.utc("createdAt"),
        "updated_at": node.utc("updatedAt"),
        "closed_at": node.utc("closedAt"),
        "closed_by": if open { Value::Null } else { closed_by },
        "labels": node.texts("labels.nodes", "name"),
        "assignees": node.texts("assignees.nodes", "login"),
        "milestone": node.value("milestone.title"),
        "milestone_number": node.value("milestone.number"),
        "comments": node.u64("comments.totalCount"),
        "parent": parent_repo.zip(parent.u64("number")).map(|(repo, number)| format!("{repo}#{number}")),
        "parent_number": if parent_repo == here { parent.value("number") } else { Value::Null },
        "sub_issues": sub_issues,
        "sub_issues_elsewhere": elsewhere,
        "html_url": node.value("url"),
    });
    out.push(&ISSUES, padded(number), node.time("updatedAt"), fields);
}

pub(super) fn comment_select() -> String {
    "id fullDatabaseId body author { ...Who } authorAssociation createdAt updatedAt url".to_owned()
}

pub(super) fn comment(parent: Parent<'_>, node: Node<'_>, out: &mut Out) {
    let Some(id) = node.str("id") else { return };
    out.who(node, "author");
    let fields = json!({
        "number": parent.number,
        "on": parent.kind,
        "id": node.u64("fullDatabaseId"),
        "node_id": id,
        "author": node.login("author"),
        "author_association": node.value("authorAssociation"),
        "body": node.value("body"),
        "created_at": node.utc("createdAt"),
        "updated_at": node.utc("updatedAt"),
        "html_url": node.value("url"),
    });
    out.push(&ISSUE_COMMENTS, format!("{}{id}", parent.prefix), node.time("updatedAt"), fields);
}

/// `owner/name` of `https://host/owner/name/issues/1`: the repository as this very answer names it.
pub(super) fn repository_of(url: &str) -> Option<&str> {
    let path = url.split_once("://")?.1.split_once('/')?.1;
    let end = path.match_indices('/').nth(1)?.0;
    path.get(..end)
}

/// Splits references into numbers of this repository and `owner/name#number` of others.
pub(super) fn here_and_elsewhere(node: Node<'_>, path: &str, here: Option<&str>) -> (Vec<u64>, Vec<String>) {
    let (mut numbers, mut others) = (Vec::new(), Vec::new());
    for item in node.items(path) {
        let Some(number) = item.u64("number") else { continue };
        match item.str("repository.nameWithOwner") {
            Some(repo) if Some(repo) != here => others.push(format!("{repo}#{number}")),
            _ => numbers.push(number),
        }
    }
    (numbers, others)
}
