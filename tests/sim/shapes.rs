//! REST's shapes of the world's objects, with the addresses that GitHub puts into each. Knows no route.

pub(crate) mod items;
pub(crate) mod kept;

use crate::world::nwo;
use serde_json::{Map, Value, json};

const API: &str = "https://api.github.com";
const WEB: &str = "https://github.com";

/// The addresses of an object: `name_url` → `base/path`.
fn addresses(object: &mut Map<String, Value>, base: &str, paths: &[(&str, &str)]) {
    for (name, path) in paths {
        object.insert(format!("{name}_url"), json!(format!("{base}{path}")));
    }
}

fn object(value: Value) -> Map<String, Value> {
    if let Value::Object(object) = value { object } else { Map::new() }
}

/// `simple-user`; null for somebody who is gone.
pub(crate) fn user(of: &Value) -> Value {
    let Some(login) = of.get("login").and_then(Value::as_str) else { return Value::Null };
    let kind = of.get("__typename").or_else(|| of.get("type")).and_then(Value::as_str).unwrap_or("User");
    let login = if kind == "Bot" && !login.ends_with("[bot]") { format!("{login}[bot]") } else { login.to_owned() };
    let escaped = login.replace('[', "%5B").replace(']', "%5D");
    let url = format!("{API}/users/{escaped}");
    let mut user = object(json!({
        "login": login, "id": of.get("databaseId").or_else(|| of.get("id")), "node_id": of.get("node_id").or_else(|| of.get("id")), "type": kind,
        "site_admin": false, "gravatar_id": "", "url": url, "html_url": format!("{WEB}/{escaped}"), "avatar_url": format!("https://avatars.githubusercontent.com/{escaped}"),
    }));
    let paths = [
        ("events", "/events{/privacy}"),
        ("followers", "/followers"),
        ("following", "/following{/other_user}"),
        ("gists", "/gists{/gist_id}"),
        ("organizations", "/orgs"),
        ("received_events", "/received_events"),
        ("repos", "/repos"),
        ("starred", "/starred{/owner}{/repo}"),
        ("subscriptions", "/subscriptions"),
    ];
    addresses(&mut user, &url, &paths);
    Value::Object(user)
}

/// `simple-user`, with the account that GitHub shows for somebody who is gone.
pub(crate) fn user_or_ghost(of: &Value) -> Value {
    if of.is_null() { user(&json!({ "login": "ghost", "databaseId": 10137, "id": "MDQ6VXNlcjEwMTM3", "__typename": "User" })) } else { user(of) }
}

/// `public-user`: whose token it is.
pub(crate) fn viewer(login: &str) -> Value {
    account(&json!({ "login": login, "databaseId": 1, "id": "U_admin", "__typename": "User", "name": "Octo Admin" }))
}

/// `public-user`.
pub(crate) fn account(of: &Value) -> Value {
    let mut account = object(user(of));
    account.extend(object(json!({
        "name": of.get("name"), "user_view_type": "public", "company": null, "blog": null, "location": null, "email": null, "hireable": null, "bio": null, "public_repos": 0, "public_gists": 0,
        "followers": 0, "following": 0, "created_at": "2020-01-01T00:00:00Z", "updated_at": "2020-01-01T00:00:00Z",
    })));
    Value::Object(account)
}

/// `organization-simple`.
pub(crate) fn organization(org: &str) -> Value {
    let url = format!("{API}/orgs/{org}");
    let mut organization = object(
        json!({ "login": org, "id": 9919, "node_id": "O_1", "url": url, "avatar_url": "https://avatars.githubusercontent.com/acme", "description": null }),
    );
    let paths = [
        ("repos", "/repos"),
        ("events", "/events"),
        ("hooks", "/hooks"),
        ("issues", "/issues"),
        ("members", "/members{/member}"),
        ("public_members", "/public_members{/member}"),
    ];
    addresses(&mut organization, &url, &paths);
    Value::Object(organization)
}

/// `org-membership`.
pub(crate) fn membership(org: &str, state: &str, login: &str) -> Value {
    let url = format!("{API}/orgs/{org}");
    let organization = organization(org);
    let user = user(&json!({ "login": login, "databaseId": 1, "id": "U_admin", "__typename": "User" }));
    json!({ "url": format!("{url}/memberships/{login}"), "state": state, "role": "member", "organization_url": url, "organization": organization, "user": user })
}

/// `team`.
pub(crate) fn team(org: &str, team: &Value) -> Value {
    let url = format!("{API}/organizations/9919/team/{}", team.get("databaseId").unwrap_or(&Value::Null));
    json!({ "id": team.get("databaseId"), "node_id": team.get("id"), "name": team.get("name"), "slug": team.get("slug"), "description": null,
        "privacy": "closed", "permission": "pull", "url": url, "html_url": format!("{WEB}/orgs/{org}/teams/{}", team.get("slug").and_then(Value::as_str).unwrap_or_default()),
        "members_url": format!("{url}/members{{/member}}"), "repositories_url": format!("{url}/repos"), "type": "organization", "organization_id": 9919, "parent": null })
}

/// `organization-full`.
pub(crate) fn full_organization(org: &str, repositories: usize) -> Value {
    let mut whole = object(organization(org));
    whole.extend(object(json!({
        "name": "Acme", "type": "Organization", "html_url": format!("{WEB}/{org}"), "has_organization_projects": true, "has_repository_projects": true,
        "public_repos": repositories, "public_gists": 0, "followers": 0, "following": 0, "archived_at": null,
        "created_at": "2020-01-01T00:00:00Z", "updated_at": "2020-01-01T00:00:00Z",
    })));
    Value::Object(whole)
}

/// `team-full`.
pub(crate) fn full_team(org: &str, of: &Value) -> Value {
    let count = |list: &str| of.get(list).and_then(Value::as_array).map_or(0, Vec::len);
    let mut whole = object(team(org, of));
    whole.extend(object(json!({
        "created_at": of.get("createdAt"), "updated_at": of.get("updatedAt"), "members_count": count("members"), "repos_count": count("repositories"),
        "organization": full_organization(org, 1),
    })));
    Value::Object(whole)
}

/// `full-repository`; lists of repositories hold as much of it, in practice.
pub(crate) fn full_repository(repo: &Value) -> Value {
    let full_name = nwo(repo);
    let field = |name: &str| repo.get(name).cloned().unwrap_or_default();
    let open = |list: &str| repo.get(list).and_then(Value::as_array).into_iter().flatten().filter(|item| item.get("state") == Some(&json!("OPEN"))).count();
    let issues = open("issues") + open("pullRequests");
    let topics: Vec<Value> = field("repositoryTopics").as_array().into_iter().flatten().filter_map(|one| one.pointer("/topic/name").cloned()).collect();
    let mut object = object(repository(repo));
    object.extend(kept::repository(repo, &full_name));
    object.extend(self::object(json!({
        "open_issues": issues, "open_issues_count": issues, "topics": topics, "stargazers_count": field("stargazerCount"),
        "watchers": field("stargazerCount"), "watchers_count": field("stargazerCount"), "forks": field("forkCount"), "forks_count": field("forkCount"),
        "network_count": field("forkCount"), "subscribers_count": 1,
    })));
    Value::Object(object)
}

/// `minimal-repository`.
pub(crate) fn repository(repo: &Value) -> Value {
    let full_name = nwo(repo);
    let url = format!("{API}/repos/{full_name}");
    let mut object = object(json!({
        "id": repo.get("databaseId"), "node_id": repo.get("id"), "name": repo.get("name"), "full_name": full_name, "private": repo.get("isPrivate"),
        "owner": user(&json!({ "__typename": "Organization", "databaseId": 9919, "id": "O_1", "login": repo.pointer("/owner/login") })),
        "html_url": format!("{WEB}/{full_name}"), "description": repo.get("description"), "fork": repo.get("isFork"), "url": url,
    }));
    let paths = [
        ("archive", "/{archive_format}{/ref}"),
        ("assignees", "/assignees{/user}"),
        ("blobs", "/git/blobs{/sha}"),
        ("branches", "/branches{/branch}"),
        ("collaborators", "/collaborators{/collaborator}"),
        ("comments", "/comments{/number}"),
        ("commits", "/commits{/sha}"),
        ("compare", "/compare/{base}...{head}"),
        ("contents", "/contents/{+path}"),
        ("contributors", "/contributors"),
        ("deployments", "/deployments"),
        ("downloads", "/downloads"),
        ("events", "/events"),
        ("forks", "/forks"),
        ("git_commits", "/git/commits{/sha}"),
        ("git_refs", "/git/refs{/sha}"),
        ("git_tags", "/git/tags{/sha}"),
        ("hooks", "/hooks"),
        ("issue_comment", "/issues/comments{/number}"),
        ("issue_events", "/issues/events{/number}"),
        ("issues", "/issues{/number}"),
        ("keys", "/keys{/key_id}"),
        ("labels", "/labels{/name}"),
        ("languages", "/languages"),
        ("merges", "/merges"),
        ("milestones", "/milestones{/number}"),
        ("notifications", "/notifications{?since,all,participating}"),
        ("pulls", "/pulls{/number}"),
        ("releases", "/releases{/id}"),
        ("stargazers", "/stargazers"),
        ("statuses", "/statuses/{sha}"),
        ("subscribers", "/subscribers"),
        ("subscription", "/subscription"),
        ("tags", "/tags"),
        ("teams", "/teams"),
        ("trees", "/git/trees{/sha}"),
    ];
    addresses(&mut object, &url, &paths);
    Value::Object(object)
}

/// `pull-request-review-comment`, from what the world keeps of it.
pub(crate) fn review_comment(repo: &Value, comment: Value) -> Value {
    let mut comment = object(comment);
    let number = comment.remove("number").unwrap_or_default();
    let id = comment.get("id").cloned().unwrap_or_default();
    let (api, web) = (format!("{API}/repos/{}", nwo(repo)), format!("{WEB}/{}", nwo(repo)));
    let author = comment.get("user").map(user).unwrap_or_default();
    let (this, here, pull) = (format!("{api}/pulls/comments/{id}"), format!("{web}/pull/{number}#discussion_r{id}"), format!("{api}/pulls/{number}"));
    comment.extend(object(json!({
        "user": author, "diff_hunk": "@@ -1 +1 @@", "url": this, "html_url": here, "pull_request_url": pull, "reactions": items::reactions(&this),
        "_links": { "self": { "href": this }, "html": { "href": here }, "pull_request": { "href": pull } },
    })));
    Value::Object(comment)
}

/// `workflow-run`, from what the world keeps of it.
pub(crate) fn workflow_run(repo: &Value, run: Value) -> Value {
    let mut run = object(run);
    let api = format!("{API}/repos/{}", nwo(repo));
    let url = format!("{api}/actions/runs/{}", run.get("id").cloned().unwrap_or_default());
    let actor = run.get("actor").map(user).unwrap_or_default();
    let who = json!({ "name": "Somebody", "email": "somebody@example.com" });
    let sha = run.get("head_sha").cloned().unwrap_or_default();
    let at = run.get("created_at").cloned().unwrap_or_default();
    let paths = [("jobs", "/jobs"), ("logs", "/logs"), ("cancel", "/cancel"), ("rerun", "/rerun"), ("artifacts", "/artifacts")];
    addresses(&mut run, &url, &paths);
    run.extend(object(json!({
        "url": url, "actor": actor, "triggering_actor": actor, "display_title": "A change", "check_suite_url": format!("{api}/check-suites/1"),
        "workflow_url": format!("{api}/actions/workflows/5"), "repository": repository(repo), "head_repository": repository(repo),
        "head_commit": { "id": sha, "tree_id": sha, "message": "A change", "timestamp": at, "author": who, "committer": who },
    })));
    Value::Object(run)
}

/// `commit` with one page of its files.
pub(crate) fn commit(repo: &Value, sha: &str, commit: &Value, files: Vec<Value>) -> Value {
    let (api, web) = (format!("{API}/repos/{}", nwo(repo)), format!("{WEB}/{}", nwo(repo)));
    let field = |name: &str| commit.get(name).cloned().unwrap_or_default();
    let who = |name: &str, date: &str| json!({ "name": commit.pointer(&format!("/{name}/name")), "email": commit.pointer(&format!("/{name}/email")), "date": commit.get(date) });
    let account = |name: &str| commit.pointer(&format!("/{name}/user")).map(user).unwrap_or_default();
    let sum = |name: &str| field(name).as_u64().unwrap_or(0);
    let parents: Vec<Value> = field("parents").as_array().into_iter().flatten().filter_map(Value::as_str).map(|sha| parent(&api, &web, sha)).collect();
    let files: Vec<Value> = files
        .into_iter()
        .map(|file| {
            let path = file.get("filename").and_then(Value::as_str).unwrap_or_default().to_owned();
            let mut file = object(file);
            file.insert("sha".to_owned(), json!(sha));
            let (blob, raw) = (format!("{web}/blob/{sha}/{path}"), format!("{web}/raw/{sha}/{path}"));
            file.extend(object(json!({ "blob_url": blob, "raw_url": raw, "contents_url": format!("{api}/contents/{path}?ref={sha}") })));
            Value::Object(file)
        })
        .collect();
    json!({
        "sha": sha, "node_id": commit.get("id"), "url": format!("{api}/commits/{sha}"), "html_url": format!("{web}/commit/{sha}"),
        "comments_url": format!("{api}/commits/{sha}/comments"), "author": account("author"), "committer": account("committer"), "parents": parents,
        "commit": { "author": who("author", "authoredDate"), "committer": who("committer", "committedDate"), "message": commit.get("message"), "comment_count": 0,
            "tree": { "sha": sha, "url": format!("{api}/git/trees/{sha}") }, "url": format!("{api}/git/commits/{sha}") },
        "stats": { "additions": sum("additions"), "deletions": sum("deletions"), "total": sum("additions") + sum("deletions") }, "files": files,
    })
}

fn parent(api: &str, web: &str, sha: &str) -> Value {
    json!({ "sha": sha, "url": format!("{api}/commits/{sha}"), "html_url": format!("{web}/commit/{sha}") })
}
