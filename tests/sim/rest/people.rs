//! The routes of the organization, its members, teams and repositories, and of users.
//! <https://docs.github.com/en/rest/orgs> <https://docs.github.com/en/rest/teams> <https://docs.github.com/en/rest/users>

use super::lists::{all, listed};
use super::{Answer, one};
use crate::shapes;
use crate::world::{World, nwo};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};

type Query = HashMap<String, String>;

fn text<'v>(of: &'v Value, name: &str) -> &'v str {
    of.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Below `/orgs/{org}`.
pub(super) fn of_organization(world: &World, org: &str, rest: &[&str], query: &Query) -> Answer {
    let team = |slug: &str| all(&world.org, "teams").iter().find(|team| text(team, "slug") == slug);
    match rest {
        [] => one(shapes::full_organization(org, world.repos.len())),
        ["repos"] => {
            let mut repos: Vec<&Value> = world.repos.iter().collect();
            if query.get("direction").is_none_or(|direction| direction == "desc") {
                repos.reverse();
            }
            listed(repos, query, shapes::full_repository)
        }
        ["members"] => listed(all(&world.org, "membersWithRole").iter().collect(), query, shapes::user),
        ["teams"] => listed(all(&world.org, "teams").iter().collect(), query, |team| shapes::team(org, team)),
        ["teams", slug] => team(slug).map_or(Answer::NotFound, |team| one(shapes::full_team(org, team))),
        ["teams", slug, "members"] => team(slug).map_or(Answer::NotFound, |team| listed(all(team, "members").iter().collect(), query, shapes::user)),
        ["teams", slug, "repos"] => team(slug).map_or(Answer::NotFound, |team| {
            let repos = world.repos.iter().filter(|repo| all(team, "repositories").iter().any(|name| name.as_str() == Some(&nwo(repo))));
            listed(repos.collect(), query, shapes::full_repository)
        }),
        ["teams", slug, "memberships", login] => {
            let member = team(slug).and_then(|team| all(team, "members").iter().find(|member| text(member, "login") == *login));
            let url = format!("https://api.github.com/organizations/9919/team/501/memberships/{login}");
            member.map_or(Answer::NotFound, |_| one(json!({ "url": url, "role": "member", "state": "active" })))
        }
        ["projects"] => {
            Answer::Refused((410, json!({ "message": "Projects (classic) has been deprecated in favor of the new Projects experience." }), Vec::new()))
        }
        _ => Answer::NotFound,
    }
}

/// Below `/users/{login}`. Organizations are found here, too. <https://docs.github.com/en/rest/users/users#get-a-user>
pub(super) fn of_user(world: &World, login: &str, rest: &[&str]) -> Answer {
    let login = login.replace("%5B", "[").replace("%5D", "]");
    let is = |account: &&Value| text(account, "login").eq_ignore_ascii_case(&login);
    let members = all(&world.org, "membersWithRole");
    if is(&&world.org) {
        return match rest {
            [] => one(json!({ "login": world.org.get("login"), "id": world.org.get("databaseId"), "type": "Organization" })),
            _ => Answer::NotFound,
        };
    }
    let member = members.iter().find(is).cloned();
    let outside = match login.as_str() {
        "ghost" => Some(json!({ "__typename": "User", "id": "MDQ6VXNlcjEwMTM3", "databaseId": 10137, "login": "ghost", "name": "Deleted user" })),
        "dependabot[bot]" => Some(json!({ "__typename": "Bot", "id": "BOT_1", "databaseId": 777, "login": "dependabot" })),
        login => login.strip_prefix("dev-").and_then(|index| index.parse().ok()).filter(|index| *index < 12).map(|index| world.user(index)),
    };
    match (rest, &member, &outside) {
        ([], Some(account), _) | ([], None, Some(account)) => one(shapes::account(account)),
        (["orgs"], Some(_), _) => one(json!([shapes::organization(text(&world.org, "login"))])),
        (["orgs"], None, Some(_)) => one(json!([])),
        _ => Answer::NotFound,
    }
}

/// Who may read a repository, be given its issues, and wrote its commits.
pub(super) fn of_repository(world: &World, repo: &Value, rest: &[&str], query: &Query) -> Answer {
    let members: Vec<&Value> = all(&world.org, "membersWithRole").iter().collect();
    match rest {
        ["assignees"] => listed(members, query, shapes::user),
        ["collaborators"] => listed(members, query, |member| {
            let mut member = shapes::user(member);
            member["permissions"] = json!({ "admin": false, "maintain": false, "push": true, "triage": true, "pull": true });
            member["role_name"] = json!("write");
            member
        }),
        ["contributors"] => {
            let history = repo.pointer("/defaultBranchRef/target").and_then(Value::as_str).map(|head| world.history(repo, head));
            let mut counts: BTreeMap<&str, (&Value, u64)> = BTreeMap::new();
            for sha in history.iter().flat_map(|all| all.iter()) {
                let author = repo.get("commits").and_then(|commits| commits.get(sha)?.pointer("/author/user")).filter(|user| !user.is_null());
                if let Some(author) = author {
                    counts.entry(text(author, "login")).or_insert((author, 0)).1 += 1;
                }
            }
            let mut counts: Vec<(&Value, u64)> = counts.into_values().collect();
            counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
            listed(counts, query, |(user, count)| {
                let mut user = shapes::user(user);
                user["contributions"] = json!(count);
                user
            })
        }
        ["teams"] => {
            let teams = all(&world.org, "teams").iter().filter(|team| all(team, "repositories").iter().any(|name| name.as_str() == Some(&nwo(repo))));
            listed(teams.collect(), query, |team| shapes::team(text(&world.org, "login"), team))
        }
        _ => Answer::NotFound,
    }
}
