//! What happened to an issue or pull request: the timeline's events, under the names REST gives them.
//! <https://docs.github.com/en/rest/using-the-rest-api/issue-event-types>

use super::connections::Parent;
use crate::entities::{ISSUE_EVENTS, REVIEW_REQUESTS};
use crate::model::{Record, project_scope};
use crate::node::{Node, Out};
use crate::stages::{Board, Sighting, Source, Stage, Text, What};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// `(GraphQL type, further fields)`; every type has `id`, `createdAt` and `actor`.
/// Comments, reviews and commits are in the timeline too, but are entities of their own.
const OF_PROJECT: &str = "project { id title number } wasAutomated";
const OF_BOTH: &[(&str, &str)] = &[
    ("AddedToProjectEvent", ""),
    ("AddedToProjectV2Event", OF_PROJECT),
    ("AssignedEvent", "assignee { ...Assigned }"),
    ("ClosedEvent", "stateReason closer { ...Closer }"),
    ("CommentDeletedEvent", "deletedCommentAuthor { login }"),
    ("ConnectedEvent", "linked: subject { ...Other }"),
    ("ConvertedNoteToIssueEvent", ""),
    ("ConvertedToDiscussionEvent", ""),
    ("CrossReferencedEvent", "willCloseTarget source { ...Other }"),
    ("DemilestonedEvent", "milestoneTitle"),
    ("DisconnectedEvent", "linked: subject { ...Other }"),
    ("LabeledEvent", "label { name }"),
    ("LockedEvent", "lockReason"),
    ("MarkedAsDuplicateEvent", "canonical { ...Other }"),
    ("MentionedEvent", ""),
    ("MilestonedEvent", "milestoneTitle"),
    ("MovedColumnsInProjectEvent", ""),
    ("PinnedEvent", ""),
    ("ProjectV2ItemStatusChangedEvent", "project { id title number } wasAutomated previousStatus status"),
    ("ReferencedEvent", "commit { oid }"),
    ("RemovedFromProjectEvent", ""),
    ("RemovedFromProjectV2Event", OF_PROJECT),
    ("RenamedTitleEvent", "previousTitle currentTitle"),
    ("ReopenedEvent", "reopened: stateReason"),
    ("SubscribedEvent", ""),
    ("TransferredEvent", "fromRepository { nameWithOwner }"),
    ("UnassignedEvent", "assignee { ...Assigned }"),
    ("UnlabeledEvent", "label { name }"),
    ("UnlockedEvent", ""),
    ("UnmarkedAsDuplicateEvent", "canonical { ...Other }"),
    ("UnpinnedEvent", ""),
    ("UnsubscribedEvent", ""),
    ("UserBlockedEvent", "subject { login }"),
];

const OF_ISSUES: &[(&str, &str)] = &[
    ("IssueTypeAddedEvent", "issueType { name }"),
    ("IssueTypeChangedEvent", "issueType { name } prevIssueType { name }"),
    ("IssueTypeRemovedEvent", "issueType { name }"),
    ("ParentIssueAddedEvent", "parent { number repository { nameWithOwner } }"),
    ("ParentIssueRemovedEvent", "parent { number repository { nameWithOwner } }"),
    ("SubIssueAddedEvent", "subIssue { number repository { nameWithOwner } }"),
    ("SubIssueRemovedEvent", "subIssue { number repository { nameWithOwner } }"),
];

const OF_PULL_REQUESTS: &[(&str, &str)] = &[
    ("AddedToMergeQueueEvent", ""),
    ("AutoMergeDisabledEvent", "reason"),
    ("AutoMergeEnabledEvent", ""),
    ("AutoRebaseEnabledEvent", ""),
    ("AutoSquashEnabledEvent", ""),
    ("AutomaticBaseChangeFailedEvent", "oldBase newBase"),
    ("AutomaticBaseChangeSucceededEvent", "oldBase newBase"),
    ("BaseRefChangedEvent", "previousRefName currentRefName"),
    ("BaseRefDeletedEvent", "baseRefName"),
    ("BaseRefForcePushedEvent", "beforeCommit { oid } afterCommit { oid }"),
    ("ConvertToDraftEvent", ""),
    ("DeployedEvent", "deployment { environment }"),
    ("DeploymentEnvironmentChangedEvent", ""),
    ("HeadRefDeletedEvent", "headRefName"),
    ("HeadRefForcePushedEvent", "beforeCommit { oid } afterCommit { oid }"),
    ("HeadRefRestoredEvent", ""),
    ("MergedEvent", "commit { oid } mergeRefName"),
    ("ReadyForReviewEvent", ""),
    ("RemovedFromMergeQueueEvent", "reason"),
    ("ReviewDismissedEvent", "previousReviewState dismissalMessage"),
    ("ReviewRequestRemovedEvent", "requestedReviewer { ...Reviewer }"),
    ("ReviewRequestedEvent", "requestedReviewer { ...Reviewer }"),
];

pub(crate) const FRAGMENTS: &str = "fragment Assigned on Assignee { __typename ... on User { login } ... on Bot { login } ... on Mannequin { login } ... on Organization { login } } \
     fragment Closer on Closer { __typename ... on Commit { oid } ... on PullRequest { number repository { nameWithOwner } } } \
     fragment Other on ReferencedSubject { __typename ... on Issue { number repository { nameWithOwner } } ... on PullRequest { number repository { nameWithOwner } } }";

pub(crate) const REVIEWER: &str =
    "fragment Reviewer on RequestedReviewer { __typename ... on User { login } ... on Bot { login } ... on Mannequin { login } ... on Team { slug } }";

pub(crate) fn of_issues() -> String {
    select(OF_ISSUES)
}

pub(crate) fn of_pull_requests() -> String {
    select(OF_PULL_REQUESTS)
}

fn select(further: &[(&str, &str)]) -> String {
    let members = OF_BOTH.iter().chain(further);
    let members: Vec<String> = members.map(|(name, fields)| format!("... on {name} {{ id createdAt actor {{ ...Who }} {fields} }}")).collect();
    format!("__typename {}", members.join(" "))
}

/// Only events: what else a timeline holds is read elsewhere, and would fill the pages.
pub(crate) const ISSUE_TYPES: &str = ", itemTypes: [ADDED_TO_PROJECT_EVENT, ADDED_TO_PROJECT_V2_EVENT, ASSIGNED_EVENT, CLOSED_EVENT, \
    COMMENT_DELETED_EVENT, CONNECTED_EVENT, CONVERTED_NOTE_TO_ISSUE_EVENT, CONVERTED_TO_DISCUSSION_EVENT, CROSS_REFERENCED_EVENT, \
    DEMILESTONED_EVENT, DISCONNECTED_EVENT, ISSUE_TYPE_ADDED_EVENT, ISSUE_TYPE_CHANGED_EVENT, ISSUE_TYPE_REMOVED_EVENT, LABELED_EVENT, \
    LOCKED_EVENT, MARKED_AS_DUPLICATE_EVENT, MENTIONED_EVENT, MILESTONED_EVENT, MOVED_COLUMNS_IN_PROJECT_EVENT, PARENT_ISSUE_ADDED_EVENT, \
    PARENT_ISSUE_REMOVED_EVENT, PINNED_EVENT, PROJECT_V2_ITEM_STATUS_CHANGED_EVENT, REFERENCED_EVENT, REMOVED_FROM_PROJECT_EVENT, \
    REMOVED_FROM_PROJECT_V2_EVENT, RENAMED_TITLE_EVENT, REOPENED_EVENT, SUBSCRIBED_EVENT, SUB_ISSUE_ADDED_EVENT, SUB_ISSUE_REMOVED_EVENT, \
    TRANSFERRED_EVENT, UNASSIGNED_EVENT, UNLABELED_EVENT, UNLOCKED_EVENT, UNMARKED_AS_DUPLICATE_EVENT, UNPINNED_EVENT, \
    UNSUBSCRIBED_EVENT, USER_BLOCKED_EVENT]";

pub(crate) const PULL_REQUEST_TYPES: &str = ", itemTypes: [ADDED_TO_MERGE_QUEUE_EVENT, ADDED_TO_PROJECT_EVENT, ADDED_TO_PROJECT_V2_EVENT, \
    ASSIGNED_EVENT, AUTOMATIC_BASE_CHANGE_FAILED_EVENT, AUTOMATIC_BASE_CHANGE_SUCCEEDED_EVENT, AUTO_MERGE_DISABLED_EVENT, \
    AUTO_MERGE_ENABLED_EVENT, AUTO_REBASE_ENABLED_EVENT, AUTO_SQUASH_ENABLED_EVENT, BASE_REF_CHANGED_EVENT, BASE_REF_DELETED_EVENT, \
    BASE_REF_FORCE_PUSHED_EVENT, CLOSED_EVENT, COMMENT_DELETED_EVENT, CONNECTED_EVENT, CONVERTED_NOTE_TO_ISSUE_EVENT, \
    CONVERTED_TO_DISCUSSION_EVENT, CONVERT_TO_DRAFT_EVENT, CROSS_REFERENCED_EVENT, DEMILESTONED_EVENT, DEPLOYED_EVENT, \
    DEPLOYMENT_ENVIRONMENT_CHANGED_EVENT, DISCONNECTED_EVENT, HEAD_REF_DELETED_EVENT, HEAD_REF_FORCE_PUSHED_EVENT, \
    HEAD_REF_RESTORED_EVENT, LABELED_EVENT, LOCKED_EVENT, MARKED_AS_DUPLICATE_EVENT, MENTIONED_EVENT, MERGED_EVENT, MILESTONED_EVENT, \
    MOVED_COLUMNS_IN_PROJECT_EVENT, PINNED_EVENT, PROJECT_V2_ITEM_STATUS_CHANGED_EVENT, READY_FOR_REVIEW_EVENT, REFERENCED_EVENT, \
    REMOVED_FROM_MERGE_QUEUE_EVENT, REMOVED_FROM_PROJECT_EVENT, REMOVED_FROM_PROJECT_V2_EVENT, RENAMED_TITLE_EVENT, REOPENED_EVENT, \
    REVIEW_DISMISSED_EVENT, REVIEW_REQUESTED_EVENT, REVIEW_REQUEST_REMOVED_EVENT, SUBSCRIBED_EVENT, TRANSFERRED_EVENT, \
    UNASSIGNED_EVENT, UNLABELED_EVENT, UNLOCKED_EVENT, UNMARKED_AS_DUPLICATE_EVENT, UNPINNED_EVENT, UNSUBSCRIBED_EVENT, \
    USER_BLOCKED_EVENT]";

/// REST's name of an event: mostly the type's own, in snake case.
fn name(kind: &str) -> String {
    match kind {
        "RenamedTitleEvent" => return "renamed".to_owned(),
        "CrossReferencedEvent" => return "cross-referenced".to_owned(),
        "AddedToProjectV2Event" => return "added_to_project_v2".to_owned(),
        "RemovedFromProjectV2Event" => return "removed_from_project_v2".to_owned(),
        "ProjectV2ItemStatusChangedEvent" => return "project_v2_item_status_changed".to_owned(),
        _ => {}
    }
    let mut name = String::new();
    for letter in kind.trim_end_matches("Event").chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.extend(letter.to_lowercase());
    }
    name
}

pub(crate) fn read(parent: Parent<'_>, node: Node<'_>, out: &mut Out) {
    let (Some(id), Some(kind)) = (node.str("id"), node.str("__typename")) else { return };
    out.who(node, "actor");
    let other = |path: &str| reference(node.at(path));
    let first = |paths: &[&str]| -> Value { paths.iter().find_map(|path| node.str(path)).map_or(Value::Null, Value::from) };
    let source = ["source", "linked", "canonical", "closer", "parent", "subIssue"].iter().find_map(|path| other(path));
    let fields = json!({
        "number": parent.number,
        "on": parent.kind,
        "node_id": id,
        "event": name(kind),
        "actor": node.login("actor"),
        "created_at": node.utc("createdAt"),
        "label": node.value("label.name"),
        "assignee": node.login("assignee"),
        "milestone": node.value("milestoneTitle"),
        "from": first(&["previousTitle", "previousRefName", "oldBase", "beforeCommit.oid", "previousStatus",
                        "prevIssueType.name", "fromRepository.nameWithOwner"]),
        "to": first(&["currentTitle", "currentRefName", "newBase", "afterCommit.oid", "status", "issueType.name"]),
        "source": source,
        "commit_id": first(&["commit.oid", "closer.oid"]),
        "requested_reviewer": node.login("requestedReviewer"),
        "requested_team": node.value("requestedReviewer.slug"),
        "details": details(node),
    });
    let key = format!("{}{id}", parent.prefix);
    out.push(&ISSUE_EVENTS, key, node.time("createdAt"), fields);
    sighting(parent, node, out);
}

/// What an event tells of the way over a board, kept with the board: a project may be chosen later than its issues.
fn sighting(parent: Parent<'_>, node: Node<'_>, out: &mut Out) {
    let project = node.at("project");
    let (Some(board), Some(number)) = (project.str("id"), project.u64("number")) else { return };
    let what = match node.str("__typename") {
        Some("AddedToProjectV2Event") => What::Added,
        Some("RemovedFromProjectV2Event") => What::Removed,
        Some("ProjectV2ItemStatusChangedEvent") => What::Moved,
        _ => return,
    };
    let Some(at) = node.time("createdAt") else { return };
    // No status is an empty name here.
    let stage = |path: &str| node.str(path).filter(|name| !name.is_empty()).map(|name| Stage { id: None, name: name.into() });
    let sighting = Sighting {
        issue: Some((out.scope, parent.number)),
        from: (what == What::Moved).then(|| stage("previousStatus")),
        to: stage("status"),
        actor: node.login("actor").as_str().map(Text::from),
        automated: node.at("wasAutomated").0.as_bool(),
        event: node.str("id").map(Text::from),
        ..Sighting::exact(Source::Timeline, what, at)
    };
    let board = Board { scope: project_scope(board), node_id: board, number };
    out.records.push(sighting.record(board, Some(parent.kind), out.now));
}

fn reference(node: Node<'_>) -> Option<String> {
    let (repo, number) = (node.str("repository.nameWithOwner")?, node.u64("number")?);
    Some(format!("{repo}#{number}"))
}

/// What only some events have, under REST's names where it has them.
fn details(node: Node<'_>) -> Value {
    let mut details = Map::new();
    for (path, name) in [
        ("lockReason", "lock_reason"),
        ("stateReason", "state_reason"),
        ("reopened", "state_reason"),
        ("reason", "reason"),
        ("project.title", "project"),
        ("project.number", "project_number"),
        ("previousReviewState", "review_state"),
        ("dismissalMessage", "dismissal_message"),
        ("headRefName", "head_ref"),
        ("baseRefName", "base_ref"),
        ("mergeRefName", "merge_ref"),
        ("deployment.environment", "environment"),
        ("willCloseTarget", "will_close_target"),
        ("deletedCommentAuthor.login", "comment_author"),
        ("subject.login", "user"),
    ] {
        let value = node.value(path);
        if !value.is_null() {
            details.insert(name.to_owned(), value);
        }
    }
    if details.is_empty() { Value::Null } else { Value::Object(details) }
}

/// Each request for a review, with the moment it was withdrawn, if it was.
pub(crate) fn review_requests(number: u64, events: &[Record], out: &mut Out) {
    let text = |record: &Record, field: &str| record.fields.get(field).and_then(Value::as_str).map(str::to_owned);
    let mut ordered: BTreeMap<(String, String), &Record> = BTreeMap::new();
    for event in events.iter().filter(|record| record.entity == &ISSUE_EVENTS) {
        ordered.insert((text(event, "created_at").unwrap_or_default(), event.key.clone()), event);
    }
    let mut open: BTreeMap<(Option<String>, Option<String>), usize> = BTreeMap::new();
    let mut rows: Vec<(String, Value, Option<jiff::Timestamp>)> = Vec::new();
    for event in ordered.values() {
        let whom = (text(event, "requested_reviewer"), text(event, "requested_team"));
        match text(event, "event").as_deref() {
            Some("review_requested") => {
                let at = text(event, "created_at");
                open.insert(whom.clone(), rows.len());
                rows.push((
                    event.key.clone(),
                    json!({
                        "pull_request": number,
                        "node_id": text(event, "node_id"),
                        "author": text(event, "actor"),
                        "reviewer": whom.0,
                        "team": whom.1,
                        "requested_at": at,
                        "removed_at": null,
                    }),
                    at.and_then(|at| at.parse().ok()),
                ));
            }
            Some("review_request_removed") => {
                let row = open.remove(&whom).and_then(|index| rows.get_mut(index));
                if let Some((_, Value::Object(fields), changed)) = row {
                    let at = text(event, "created_at");
                    *changed = at.as_deref().and_then(|at| at.parse().ok()).or(*changed);
                    fields.insert("removed_at".to_owned(), at.into());
                }
            }
            _ => {}
        }
    }
    for (key, fields, changed) in rows {
        out.push(&REVIEW_REQUESTS, key, changed, fields);
    }
}
