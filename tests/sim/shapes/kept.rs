//! REST's shapes of what a repository keeps beside its issues and pull requests: branches, tags, labels, milestones,
//! releases, deployments. Knows no route.

use super::{API, WEB, object, user, user_or_ghost};
use crate::world::nwo;
use serde_json::{Map, Value, json};

fn field(of: &Value, name: &str) -> Value {
    of.get(name).cloned().unwrap_or_default()
}

fn text(of: &Value, name: &str) -> String {
    of.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn lower(of: &Value, name: &str) -> Value {
    json!(text(of, name).to_lowercase())
}

/// GitHub's ids are numbers over REST; the world keeps those of some things as part of a node id only.
pub(super) fn digits(of: &Value, name: &str) -> u64 {
    text(of, name).bytes().filter(u8::is_ascii_digit).fold(0, |id, digit| id.wrapping_mul(10).wrapping_add(u64::from(digit - b'0')))
}

/// What a repository has beside its addresses and counts.
pub(super) fn repository(repo: &Value, full_name: &str) -> Map<String, Value> {
    let spdx = repo.pointer("/licenseInfo/spdxId").and_then(Value::as_str).unwrap_or("MIT");
    let key = spdx.to_lowercase();
    let license =
        json!({ "key": key, "name": format!("{spdx} License"), "spdx_id": spdx, "url": format!("{API}/licenses/{key}"), "node_id": "MDc6TGljZW5zZTEz" });
    let branch = repo.pointer("/defaultBranchRef/name").cloned().unwrap_or_else(|| json!("main"));
    // Without a commit, GitHub tells when the repository was made.
    let pushed = repo.get("pushedAt").filter(|at| !at.is_null()).cloned().unwrap_or_else(|| field(repo, "createdAt"));
    object(json!({
        "clone_url": format!("{WEB}/{full_name}.git"), "git_url": format!("git:github.com/{full_name}.git"), "ssh_url": format!("git@github.com:{full_name}.git"),
        "svn_url": format!("{WEB}/{full_name}"), "mirror_url": null, "homepage": null, "default_branch": branch, "language": repo.pointer("/primaryLanguage/name"),
        "has_downloads": true, "has_issues": repo.get("hasIssuesEnabled"), "has_projects": true, "has_wiki": true, "has_pages": false, "has_discussions": false,
        "archived": repo.get("isArchived"), "disabled": repo.get("isDisabled"), "is_template": repo.get("isTemplate"), "visibility": lower(repo, "visibility"),
        "license": license, "size": repo.get("diskUsage"), "allow_forking": true, "web_commit_signoff_required": false, "pushed_at": pushed,
        "created_at": repo.get("createdAt"), "updated_at": repo.get("updatedAt"), "permissions": { "admin": true, "maintain": true, "push": true, "triage": true, "pull": true },
    }))
}

/// `short-branch`.
pub(crate) fn branch(repo: &Value, of: &Value) -> Value {
    let (sha, protected) = (text(of, "target"), of.get("branchProtectionRule").is_some_and(|rule| !rule.is_null()));
    json!({ "name": of.get("name"), "commit": { "sha": sha, "url": format!("{API}/repos/{}/commits/{sha}", nwo(repo)) }, "protected": protected })
}

/// `branch-with-protection`.
pub(crate) fn whole_branch(repo: &Value, of: &Value, commit: Value) -> Value {
    let (name, url) = (text(of, "name"), format!("{API}/repos/{}/branches/{}", nwo(repo), text(of, "name")));
    let protection = format!("{url}/protection");
    let mut whole = object(branch(repo, of));
    whole.insert("commit".to_owned(), commit);
    whole.extend(object(json!({
        "_links": { "self": url, "html": format!("{WEB}/{}/tree/{name}", nwo(repo)) }, "protection_url": protection,
        "protection": { "enabled": false, "required_status_checks": { "enforcement_level": "off", "contexts": [], "checks": [] } },
    })));
    Value::Object(whole)
}

/// `tag`.
pub(crate) fn tag(repo: &Value, of: &Value) -> Value {
    let (url, name, sha) = (format!("{API}/repos/{}", nwo(repo)), text(of, "name"), text(of, "target"));
    json!({ "name": name, "node_id": of.get("id"), "zipball_url": format!("{url}/zipball/refs/tags/{name}"), "tarball_url": format!("{url}/tarball/refs/tags/{name}"),
        "commit": { "sha": sha, "url": format!("{url}/commits/{sha}") } })
}

/// `label`. Items name theirs; the rest is the repository's.
pub(crate) fn label(repo: &Value, of: &Value) -> Value {
    let name = text(of, "name");
    let all = repo.get("labels").and_then(Value::as_array);
    let (index, kept) = all.into_iter().flatten().enumerate().find(|(_, one)| text(one, "name") == name).unwrap_or((99, of));
    let id = repo.get("databaseId").and_then(Value::as_u64).unwrap_or(0) * 100 + u64::try_from(index).unwrap_or(0);
    let escaped: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect::<String>().replace('+', "%20");
    json!({ "id": id, "node_id": kept.get("id"), "url": format!("{API}/repos/{}/labels/{escaped}", nwo(repo)), "name": name,
        "description": kept.get("description"), "color": kept.get("color").and_then(Value::as_str).unwrap_or("ededed"), "default": kept.get("isDefault") == Some(&json!(true)) })
}

/// `milestone`; null for none, and for one that is not there.
pub(crate) fn milestone(repo: &Value, number: Option<&Value>) -> Value {
    let all = repo.get("milestones").and_then(Value::as_array);
    let Some(of) = all.into_iter().flatten().find(|one| number.is_some() && one.get("number") == number) else { return Value::Null };
    let number = field(of, "number");
    let url = format!("{API}/repos/{}/milestones/{number}", nwo(repo));
    json!({ "id": digits(of, "id"), "node_id": of.get("id"), "number": number, "title": of.get("title"), "description": of.get("description"),
        "creator": user(&field(of, "creator")), "state": lower(of, "state"), "open_issues": 0, "closed_issues": 0, "url": url, "labels_url": format!("{url}/labels"),
        "html_url": format!("{WEB}/{}/milestone/{number}", nwo(repo)), "created_at": of.get("createdAt"), "updated_at": of.get("updatedAt"),
        "closed_at": of.get("closedAt"), "due_on": of.get("dueOn") })
}

/// `release`.
pub(crate) fn release(repo: &Value, of: &Value) -> Value {
    let (api, web, tag) = (format!("{API}/repos/{}", nwo(repo)), format!("{WEB}/{}", nwo(repo)), text(of, "tagName"));
    let url = format!("{api}/releases/{}", field(of, "databaseId"));
    json!({ "id": of.get("databaseId"), "node_id": of.get("id"), "tag_name": tag, "target_commitish": "main", "name": of.get("name"), "body": of.get("description"),
        "draft": of.get("isDraft"), "prerelease": of.get("isPrerelease"), "immutable": false, "author": user_or_ghost(&field(of, "author")), "assets": [],
        "url": url, "assets_url": format!("{url}/assets"), "upload_url": format!("{url}/assets{{?name,label}}"), "html_url": format!("{web}/releases/tag/{tag}"),
        "zipball_url": format!("{api}/zipball/{tag}"), "tarball_url": format!("{api}/tarball/{tag}"),
        "created_at": of.get("createdAt"), "published_at": of.get("publishedAt"), "updated_at": of.get("updatedAt") })
}

/// `deployment`.
pub(crate) fn deployment(repo: &Value, of: &Value) -> Value {
    let api = format!("{API}/repos/{}", nwo(repo));
    let url = format!("{api}/deployments/{}", field(of, "databaseId"));
    let sha = text(of, "commitOid");
    json!({ "id": of.get("databaseId"), "node_id": of.get("id"), "sha": sha, "ref": of.pointer("/ref/name").and_then(Value::as_str).unwrap_or(&sha), "task": of.get("task"),
        "payload": {}, "original_environment": of.get("environment"), "environment": of.get("environment"), "description": of.get("description"),
        "creator": user(&field(of, "creator")), "created_at": of.get("createdAt"), "updated_at": of.get("updatedAt"), "url": url,
        "statuses_url": format!("{url}/statuses"), "repository_url": api, "transient_environment": false, "production_environment": true })
}

/// `deployment-status`.
pub(crate) fn deployment_status(repo: &Value, deployment: &Value, of: &Value) -> Value {
    let api = format!("{API}/repos/{}", nwo(repo));
    let (whole, id) = (format!("{api}/deployments/{}", field(deployment, "databaseId")), digits(of, "id"));
    json!({ "id": id, "node_id": of.get("id"), "state": lower(of, "state"), "creator": user(&field(of, "creator")), "description": text(of, "description"),
        "environment": of.get("environment"), "target_url": format!("{WEB}/{}/actions", nwo(repo)), "created_at": of.get("createdAt"), "updated_at": of.get("updatedAt"),
        "url": format!("{whole}/statuses/{id}"), "deployment_url": whole, "repository_url": api })
}
