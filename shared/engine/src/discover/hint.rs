//! What discovery's query tells of one repository: its row, and what says whether anything in it moved. Asks nobody.

use crate::model::ScopeId;
use crate::node::{Node, short_hash};
use crate::repository::Repository;
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub(crate) fn hint(node: Node<'_>, org_id: ScopeId) -> Repository {
    let mut moved = BTreeMap::new();
    let mut totals = BTreeMap::new();
    let mut total = |entity: &str, path: &str| {
        let total = node.u64(path).unwrap_or(0);
        totals.insert(entity.to_owned(), total);
        total
    };
    let newest = |list: &str| node.items(list).next().and_then(|first| first.str("updatedAt")).unwrap_or_default();
    let pulls = total("pull_requests", "pullRequests.totalCount");
    let issues = total("issues", "issues.totalCount");
    let deployments = total("deployments", "deployments.totalCount");
    let lists: u64 = [
        ("labels", "labels.totalCount"),
        ("milestones", "milestones.totalCount"),
        ("branches", "branches.totalCount"),
        ("tags", "tags.totalCount"),
        ("releases", "releases.totalCount"),
    ]
    .into_iter()
    .map(|(entity, path)| total(entity, path))
    .sum();
    let pull_requests = format!("{pulls} {}", newest("pullRequests.nodes"));
    moved.insert("review_comments".to_owned(), pull_requests.clone());
    moved.insert("pull_requests".to_owned(), pull_requests);
    moved.insert("issues".to_owned(), format!("{issues} {}", newest("issues.nodes")));
    let deployed = node.at("deployments.nodes").0.to_string();
    moved.insert("deployments".to_owned(), format!("{deployments} {:x}", short_hash(&deployed)));
    // A push moves `pushedAt`, and with it any branch or tag; a new name of the main branch moves nothing else.
    let main = node.str("defaultBranchRef.name").unwrap_or_default();
    let seen =
        format!("{lists} {} {main} {} {} {}", node.str("pushedAt").unwrap_or_default(), node.at("labels").0, node.at("milestones").0, node.at("releases").0);
    moved.insert("catalogue".to_owned(), format!("{lists} {:x}", short_hash(&seen)));
    if let Some(head) = node.str("defaultBranchRef.target.oid") {
        moved.insert("commits".to_owned(), head.to_owned());
        moved.insert("branch_commits".to_owned(), format!("{:x}", short_hash(node.str("pushedAt").unwrap_or_default())));
    }
    let off = |flag: &str, is: bool| node.at(flag).0.as_bool() == Some(is);
    let disabled = [("repository", off("isDisabled", true)), ("issues", off("hasIssuesEnabled", false))];
    let disabled = disabled.into_iter().filter(|(_, off)| *off).map(|(what, _)| what.to_owned()).collect();
    Repository {
        id: node.u64("databaseId").unwrap_or_default(),
        org_id,
        owner: node.str("owner.login").unwrap_or_default().to_owned(),
        name: node.str("name").unwrap_or_default().to_owned(),
        default_branch: node.str("defaultBranchRef.name").map(str::to_owned),
        node_id: None,
        moved,
        totals,
        disabled,
        gone: false,
    }
}

pub(super) fn fields(node: Node<'_>, before: Option<&serde_json::Map<String, Value>>) -> Value {
    let full_name = node.str("nameWithOwner").unwrap_or_default();
    let mut renamed_from: Vec<Value> = before.and_then(|fields| fields.get("renamed_from")?.as_array().cloned()).unwrap_or_default();
    if let Some(old) = before.and_then(|fields| fields.get("full_name")).filter(|old| old.as_str() != Some(full_name)) {
        renamed_from.push(old.clone());
    }
    let languages: serde_json::Map<String, Value> =
        node.items("languages.edges").filter_map(|edge| Some((edge.str("node.name")?.to_owned(), edge.value("size")))).collect();
    json!({
        "id": node.u64("databaseId"),
        "node_id": node.value("id"),
        "full_name": full_name,
        "owner": node.value("owner.login"),
        "name": node.value("name"),
        "description": node.value("description"),
        "private": node.flag("isPrivate"),
        "visibility": node.lower("visibility"),
        "archived": node.flag("isArchived"),
        "fork": node.flag("isFork"),
        "disabled": node.flag("isDisabled"),
        "is_template": node.flag("isTemplate"),
        "has_issues": node.flag("hasIssuesEnabled"),
        "default_branch": node.value("defaultBranchRef.name"),
        "language": node.value("primaryLanguage.name"),
        "languages": languages,
        "topics": node.items("repositoryTopics.nodes").filter_map(|topic| topic.str("topic.name")).collect::<Vec<_>>(),
        "license": node.value("licenseInfo.spdxId"),
        "size": node.u64("diskUsage"),
        "stargazers_count": node.u64("stargazerCount"),
        "forks_count": node.u64("forkCount"),
        "html_url": node.value("url"),
        "created_at": node.utc("createdAt"),
        "updated_at": node.utc("updatedAt"),
        "pushed_at": node.utc("pushedAt"),
        "state": "active",
        "renamed_from": renamed_from,
    })
}
